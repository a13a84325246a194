//! `vigie replay`: a capture into a running Vigie, timestamps moved to now.
//!
//! Enters: a capture file, a speed. Leaves: labelled events in the running store.
//! Refuses: to run without a core to feed; the name of a purged replay.
//! Source: `DESIGN.md` section 6; `docs/adr/0003`, `docs/adr/0007`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use capture::file::Source;
use model::port::EventSink;
use model::{Event, Nanos, Text};
use store::REPLAY_LABEL;
use wire::{Frame, Sequence, WireConfig, Worker};

use crate::cli::{Cli, Replay};
use crate::config::Config;
use crate::exit::{Done, Usage};
use crate::link::{Uplink, UplinkConfig};
use crate::output::{Progress, say};
use crate::state::DataDir;
use crate::{stop, time};

mod replays;

/// Events of one batch.
const BATCH_EVENTS: usize = 2048;

/// Runs the command.
pub(crate) fn run(cli: &Cli, options: &Replay) -> Result<Done> {
    if options.list {
        return replays::list(cli);
    }
    if let Some(id) = &options.purge {
        return replays::purge(cli, id, &options.reason);
    }
    let Some(file) = &options.file else {
        return Err(Usage("which capture? name its file".to_owned()).into());
    };
    let dir = DataDir::open(cli)?;
    if !dir.link_socket().exists() {
        return Err(Usage(format!(
            "{}: no Vigie is running on this folder; start 'vigie up' first",
            dir.path().display()
        ))
        .into());
    }
    let speed = match options.speed.as_str() {
        "max" => None,
        text => Some(
            text.parse::<f64>()
                .ok()
                .filter(|n| *n > 0.0)
                .ok_or_else(|| {
                    Usage(format!(
                        "--speed: '{text}' is neither a number above 0 nor max"
                    ))
                })?,
        ),
    };
    let id = options
        .id
        .clone()
        .unwrap_or_else(|| format!("{}", time::now().0 / 1000));
    replays::check_new(cli, &dir, &id)?;
    let stop = stop::flag()?;
    let config = Config::load(cli.config.as_deref())?;
    let feed = Feed {
        config: &config,
        label: Some(format!("{REPLAY_LABEL}{id}")),
        speed,
        quiet: cli.quiet,
    };
    let shift = match speed {
        Some(_) => Shift::ToNow,
        // All at once: the recorded span ends now, nothing lies in the future.
        None => Shift::EndNow {
            span_ns: span(Source::open(file)?)?,
        },
    };
    let whole = feed.run(&dir, Source::open(file)?, shift, &stop)?;
    Ok(if whole { Done::Fully } else { Done::Unreadable })
}

/// Where timestamps go.
#[derive(Clone, Copy)]
pub(crate) enum Shift {
    /// The first packet is now.
    ToNow,
    /// The last packet is now: history, all at once.
    EndNow { span_ns: i64 },
}

/// A capture on its way into a running Vigie.
pub(crate) struct Feed<'a> {
    /// Configuration in force.
    pub(crate) config: &'a Config,
    /// Label of its events; `None` for the demo's own folder.
    pub(crate) label: Option<String>,
    /// Times faster than recorded; `None`: as fast as it goes.
    pub(crate) speed: Option<f64>,
    /// No progress.
    pub(crate) quiet: bool,
}

struct Batch<'a> {
    events: Vec<Event>,
    label: Option<&'a str>,
}

impl EventSink for Batch<'_> {
    fn event(&mut self, mut event: Event) {
        if let Some(label) = self.label {
            event.meta.labels.push(Text::from(label.to_owned()));
        }
        event.meta.logged_time = time::now();
        self.events.push(event);
    }
}

impl Feed<'_> {
    /// A packet path that counts its events from the clock, as a sensor does.
    fn worker(&self, source: &Source) -> Worker {
        let micros = u64::try_from(time::now().0)
            .unwrap_or(0)
            .saturating_mul(1000);
        Worker::new(WireConfig {
            node: source.node(),
            site: Text::from(self.config.site.name.clone()),
            budget_bytes: self.config.wire.budget.as_usize(),
            interim_ms: self.config.wire.interim.0,
            files: crate::pipeline::files(self.config),
            sequence: Sequence::Counter(micros),
            ..WireConfig::default()
        })
    }

    /// Feeds `file`; true when it was readable to its end.
    pub(crate) fn run(
        &self,
        dir: &DataDir,
        mut source: Source,
        shift: Shift,
        stop: &AtomicBool,
    ) -> Result<bool> {
        let name = source.name().to_owned();
        let role = format!("replay-{}", self.label.as_deref().unwrap_or("demo"));
        let uplink = Uplink::start(UplinkConfig {
            role,
            socket: dir.link_socket(),
            spool: None,
        })
        .context("the link could not be started")?;
        let mut worker = self.worker(&source);
        let mut batch = Batch {
            events: Vec::new(),
            label: self.label.as_deref(),
        };
        let mut progress = Progress::new(self.quiet);
        let mut clock = Clock {
            shift,
            speed: self.speed,
            first: None,
            started: Instant::now(),
        };
        let mut packets = 0u64;
        let ending = loop {
            if stop.load(Ordering::Relaxed) {
                break None;
            }
            match source.next() {
                Ok(Some(frame)) => {
                    packets += 1;
                    let moved = Frame {
                        time: clock.moved(frame.time),
                        ..frame
                    };
                    clock.wait(frame.time, stop, || {
                        let events = std::mem::take(&mut batch.events);
                        events.is_empty() || uplink.send(events)
                    });
                    worker.frame(&moved, &mut batch);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if batch.events.len() >= BATCH_EVENTS {
                uplink.send(std::mem::take(&mut batch.events));
                progress.tick(|s| format!("{name}: {packets} packets in {s:.0} s"));
            }
        };
        worker.finish(&mut batch);
        uplink.send(std::mem::take(&mut batch.events));
        progress.clear();
        let lost = uplink.finish();
        if lost > 0 {
            anyhow::bail!(
                "core went away: {lost} batches were not taken; start it and replay again"
            );
        }
        if let Some(error) = ending {
            say(&format!(
                "vigie: {error}; the {packets} packets before it were fed"
            ));
            return Ok(false);
        }
        Ok(true)
    }
}

/// Nanoseconds from the first to the last packet of a capture, damaged tails left out.
pub(crate) fn span(mut source: Source) -> Result<i64> {
    let (mut first, mut last) = (None, 0);
    while let Ok(Some(frame)) = source.next() {
        first.get_or_insert(frame.time.0);
        last = last.max(frame.time.0);
    }
    Ok(first.map_or(0, |first| last.saturating_sub(first)))
}

/// Moves and paces packet times.
struct Clock {
    shift: Shift,
    speed: Option<f64>,
    first: Option<(Nanos, i64)>,
    started: Instant,
}

impl Clock {
    fn moved(&mut self, recorded: Nanos) -> Nanos {
        let shift = self.shift;
        let (first, base) = *self.first.get_or_insert_with(|| {
            let now = time::now().0.saturating_mul(1_000_000);
            let base = match shift {
                Shift::ToNow => now,
                Shift::EndNow { span_ns } => now.saturating_sub(span_ns),
            };
            (recorded, base)
        });
        let since = recorded.0.saturating_sub(first.0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a pace within the range of a clock"
        )]
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds are enough to pace packets"
        )]
        let since = self
            .speed
            .map_or(since, |speed| (since as f64 / speed) as i64);
        Nanos(base.saturating_add(since))
    }

    /// Waits until the packet's turn; lets `idle` send what is ready before a wait.
    fn wait(&self, recorded: Nanos, stop: &AtomicBool, mut idle: impl FnMut() -> bool) {
        let (Some(speed), Some((first, _))) = (self.speed, self.first) else {
            return;
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds are enough to pace packets"
        )]
        let seconds = recorded.since(first) as f64 / 1e9 / speed;
        let due = self.started + Duration::from_secs_f64(seconds.min(1e9));
        while !stop.load(Ordering::Relaxed) {
            let left = due.saturating_duration_since(Instant::now());
            if left < Duration::from_micros(200) {
                return;
            }
            if left > Duration::from_millis(20) && !idle() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
