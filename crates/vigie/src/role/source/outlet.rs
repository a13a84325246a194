//! What every source does with its events: batches, state, silence.
//!
//! Enters: events. Leaves: batches to the uplink; figures for System and metrics.
//! Refuses: nothing. Source: `DESIGN.md` section 3.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::port::CaptureStatus;
use model::{Event, metric};
use tracing::warn;

use crate::link::Uplink;
use crate::role::core::lock;
use crate::time;

/// Events of one batch, and the longest that one waits for others.
const BATCH_EVENTS: usize = 1024;
const BATCH: Duration = Duration::from_millis(50);

/// A source's way out.
pub(super) struct Outlet {
    pub(super) name: String,
    uplink: Arc<Uplink>,
    report: Arc<Mutex<CaptureStatus>>,
    stop: Arc<AtomicBool>,
    silent_after_ms: u64,
    since: Instant,
    heard: Instant,
    sent: Instant,
    /// Batches handed over.
    pub(super) batches: u64,
    pub(super) events: Vec<Event>,
    told: Totals,
    silent: bool,
}

/// What a source met so far, of all its parts.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Totals {
    /// Records or flows.
    pub(super) records: u64,
    /// Octets.
    pub(super) bytes: u64,
    /// Lines or datagrams that were not understood.
    pub(super) refused: u64,
    /// Records that never arrived or cannot arrive any more.
    pub(super) lost: u64,
    /// Records of types without a mapping.
    pub(super) unknown: u64,
}

impl Outlet {
    pub(super) fn new(
        name: String,
        uplink: Arc<Uplink>,
        report: Arc<Mutex<CaptureStatus>>,
        stop: Arc<AtomicBool>,
        silent_after_ms: u64,
    ) -> Self {
        let now = Instant::now();
        Self {
            name,
            uplink,
            report,
            stop,
            silent_after_ms,
            since: now,
            heard: now,
            sent: now,
            batches: 0,
            events: Vec::new(),
            told: Totals::default(),
            silent: false,
        }
    }

    /// True when the role ends.
    pub(super) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// True when a batch is worth sending.
    pub(super) fn is_due(&self) -> bool {
        let some = !self.events.is_empty();
        self.events.len() >= BATCH_EVENTS || some && self.sent.elapsed() >= BATCH
    }

    /// Hands the events over and waits for room: for sources that can wait.
    pub(super) fn send(&mut self) {
        if let Some(events) = self.take() {
            self.batches += 1;
            self.uplink.send(events);
        }
    }

    /// Hands the events over, or drops them (counted): for sources that cannot wait.
    pub(super) fn offer(&mut self) {
        if let Some(events) = self.take() {
            let count = events.len();
            if !self.uplink.offer(events) {
                warn!(
                    source = self.name,
                    count, "uplink full: newest events dropped"
                );
            }
        }
    }

    fn take(&mut self) -> Option<Vec<Event>> {
        self.sent = Instant::now();
        let events = std::mem::take(&mut self.events);
        (!events.is_empty()).then_some(events)
    }

    /// Batches that are on disk.
    pub(super) fn settled(&self) -> u64 {
        self.uplink.settled()
    }

    /// Tells System and the metrics; `problem` is why the source gives nothing, if it does not.
    pub(super) fn tell(&mut self, totals: &Totals, problem: Option<&str>) {
        if totals.bytes != self.told.bytes {
            self.heard = Instant::now();
            lock(&self.report).last_packet = Some(time::now().0);
        }
        let more = |now: u64, before: u64| now.saturating_sub(before);
        metric::SOURCE_RECORDS.add(more(totals.records, self.told.records));
        metric::SOURCE_REFUSED.add(more(totals.refused, self.told.refused));
        metric::SOURCE_LOST.add(more(totals.lost, self.told.lost));
        metric::SOURCE_UNKNOWN.add(more(totals.unknown, self.told.unknown));
        let quiet = self.heard.elapsed();
        let silent = u64::try_from(quiet.as_millis()).unwrap_or(0) >= self.silent_after_ms;
        if silent != self.silent {
            if silent {
                metric::SOURCE_SILENT.add(1);
                warn!(
                    source = self.name,
                    seconds = quiet.as_secs(),
                    "source is silent"
                );
            } else {
                let before = metric::SOURCE_SILENT.value();
                metric::SOURCE_SILENT.set(before.saturating_sub(1));
            }
            self.silent = silent;
        }
        let never = self.heard == self.since;
        let mut report = lock(&self.report);
        report.packets = totals.records;
        report.bytes = totals.bytes;
        report.dropped = totals.refused.saturating_add(totals.lost);
        report.error = problem.map(str::to_owned).or_else(|| {
            silent.then(|| {
                let seconds = quiet.as_secs();
                let since = if never { "since the start, " } else { "for " };
                format!("silent {since}{seconds} s; is the sensor running and writing here?")
            })
        });
        self.told = totals.clone();
    }
}

/// All counts of a map together.
pub(super) fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts
        .values()
        .fold(0, |sum, count| sum.saturating_add(*count))
}
