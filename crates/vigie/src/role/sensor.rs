//! The sensor: capture and packet path, and what other sensors saw; nothing else.
//!
//! Enters: frames of the configured interfaces, logs and flows of other sensors. Leaves: events to
//! core, its state once a second.
//! Refuses: every privilege but CAP_NET_RAW; blocking on core. Overload: the kernel's ring drops
//! and counts; a full queue drops the newest events and counts. Source: `DESIGN.md` section 3.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use capture::live::{LiveConfig, Ring};
use capture::ring::{Keeper, Tap};
use model::port::{CaptureStatus, EventSink, QueueStatus, RingStatus};
use model::{Event, Nanos, NodeId, Text, metric};
use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};
use wire::{Sequence, WireConfig, Worker};

use crate::cli::{Cli, Up};
use crate::config::Config;
use crate::link::{Spool, Uplink, UplinkConfig};
use crate::state::DataDir;
use crate::{stop, time};

/// Events of one batch, and the longest that one waits for others.
const BATCH_EVENTS: usize = 1024;
const BATCH_MS: u64 = 50;
/// Between two attempts to open an interface.
const REOPEN: Duration = Duration::from_secs(2);

/// What the sensor tells core, once a second.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct SensorStatus {
    /// Its interfaces.
    pub(crate) captures: Vec<CaptureStatus>,
    /// Its queues.
    pub(crate) queues: Vec<QueueStatus>,
    /// Its metrics in Prometheus form.
    pub(crate) metrics: String,
    /// Its packet ring, when there is one.
    #[serde(default)]
    pub(crate) ring: Option<RingStatus>,
}

/// Runs until the supervisor ends it.
pub(crate) fn run(cli: &Cli, up: &Up) -> Result<()> {
    let config = Config::load(cli.config.as_deref())?;
    let dir = DataDir::open(cli)?;
    let stop = stop::flag()?;
    super::supervisor::die_with_parent(&dir)?;
    let _lock = dir.role_lock("sensor")?;
    // Before any thread starts: each inherits what is left.
    if let Err(error) = capture::privilege::keep_only_net_raw() {
        warn!(%error, "the sensor keeps privileges that it does not need");
    }
    super::supervisor::limit_memory(config.memory.sensor.0);
    let node = dir.node()?;
    let key = spool_key(&dir)?;
    let interfaces = interfaces(&config, up);
    let mut reports: Vec<Arc<Mutex<CaptureStatus>>> = interfaces
        .iter()
        .map(|name| Arc::new(Mutex::new(empty(name))))
        .collect();
    let packets = crate::ring::start(&config, &dir);
    let mut uplinks = Vec::new();
    let mut threads = Vec::new();
    for (index, (name, report)) in interfaces.iter().zip(&reports).enumerate() {
        let role = format!("sensor-{name}");
        let spool_dir = dir.path().join("spool").join(&role);
        let spool = Spool::open(&spool_dir, &key, config.memory.spool.0)?;
        let link = UplinkConfig {
            role,
            socket: dir.link_socket(),
            spool: Some(spool),
        };
        let uplink = Arc::new(Uplink::start(link)?);
        uplinks.push(Arc::clone(&uplink));
        let queue = Queue {
            interface: name.clone(),
            node: NodeId(node | u32::try_from(index + 1).unwrap_or(0xff)),
            config: config.clone(),
            report: Arc::clone(report),
            uplink,
            tap: packets.as_ref().map(Keeper::tap).into(),
            stop: Arc::clone(&stop),
        };
        threads.push(start(queue)?);
    }
    // Other sensors are one more way in; they share nothing with the interfaces.
    let ground = super::source::Ground {
        config: &config,
        dir: &dir,
        node,
        key: &key,
        stop: &stop,
    };
    for source in super::source::start(&ground)? {
        reports.push(source.report);
        uplinks.push(source.uplink);
        threads.push(source.thread);
    }
    if uplinks.is_empty() {
        warn!("no interface to watch: name one with --interface or in [capture] interfaces");
    }
    report_until(&stop, &reports, &uplinks, packets.as_ref());
    for thread in threads {
        // A queue that panicked has said so itself; the others still end in order.
        let _ = thread.join();
    }
    if let Some(packets) = packets {
        packets.finish();
    }
    end(uplinks);
    Ok(())
}

/// Ends the links; says what of their queues could be neither delivered nor kept.
fn end(uplinks: Vec<Arc<Uplink>>) {
    let lost: u64 = uplinks
        .into_iter()
        .filter_map(Arc::into_inner)
        .map(Uplink::finish)
        .sum();
    let dropped = metric::LINK_DROPPED.value();
    info!(dropped, lost, "sensor ended");
    if lost > 0 {
        error!(lost, "batches could be neither delivered nor spooled");
    }
}

/// The interfaces to watch: of the command line, the configuration, or every one that is up.
fn interfaces(config: &Config, up: &Up) -> Vec<String> {
    if up.no_capture || !config.capture.enabled {
        return Vec::new();
    }
    if !up.interface.is_empty() {
        return up.interface.clone();
    }
    if !config.capture.interfaces.is_empty() {
        return config.capture.interfaces.clone();
    }
    let all = capture::live::interfaces().unwrap_or_default();
    let mut names: Vec<String> = all
        .iter()
        .filter(|interface| interface.up && !interface.loopback)
        .map(|interface| interface.name.clone())
        .collect();
    if names.is_empty() {
        // A machine without a network still sees itself.
        names = all
            .iter()
            .filter(|one| one.loopback)
            .map(|one| one.name.clone())
            .collect();
    }
    names
}

/// The key that seals spooled batches; lives beside the vault's keys.
fn spool_key(dir: &DataDir) -> Result<[u8; 32]> {
    let hex: Option<Vec<u8>> = dir.json("spool.key");
    if let Some(key) = hex.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        return Ok(key);
    }
    let mut key = [0u8; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    dir.write_json("spool.key", &key.to_vec())?;
    Ok(key)
}

fn empty(interface: &str) -> CaptureStatus {
    CaptureStatus {
        interface: interface.to_owned(),
        packets: 0,
        bytes: 0,
        dropped: 0,
        last_packet: None,
        error: None,
    }
}

fn report_until(
    stop: &AtomicBool,
    reports: &[Arc<Mutex<CaptureStatus>>],
    uplinks: &[Arc<Uplink>],
    ring: Option<&Keeper>,
) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(500));
        let captures: Vec<CaptureStatus> = reports
            .iter()
            .filter_map(|one| one.lock().ok().map(|one| one.clone()))
            .collect();
        let queues = uplinks.iter().zip(&captures).map(|(uplink, capture)| {
            let (depth, capacity) = uplink.depth();
            QueueStatus {
                name: format!("uplink {}", capture.interface),
                capacity,
                depth,
                dropped: metric::LINK_DROPPED.value(),
                policy: "drop_newest".to_owned(),
            }
        });
        let mut queues: Vec<QueueStatus> = queues.collect();
        queues.extend(ring.map(crate::ring::queue));
        let status = SensorStatus {
            queues,
            captures,
            ring: ring.map(crate::ring::status),
            metrics: metric::render("sensor"),
        };
        if let (Some(uplink), Ok(json)) = (uplinks.first(), serde_json::to_vec(&status)) {
            uplink.status(json);
        }
    }
}

/// One interface's thread: share-nothing.
struct Queue {
    interface: String,
    node: NodeId,
    config: Config,
    report: Arc<Mutex<CaptureStatus>>,
    uplink: Arc<Uplink>,
    tap: RefCell<Option<Tap>>,
    stop: Arc<AtomicBool>,
}

fn start(queue: Queue) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("queue-{}", queue.interface))
        .spawn(move || queue.run())
        .context("a capture thread could not be started")
}

/// Collects events until a batch is worth sending.
struct Batch(Vec<Event>);

impl EventSink for Batch {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }
}

impl Queue {
    fn run(&self) {
        // The counter starts at the clock in microseconds: later runs sort after earlier ones.
        let start = u64::try_from(time::now().0)
            .unwrap_or(0)
            .saturating_mul(1000);
        let mut worker = Worker::new(WireConfig {
            node: self.node,
            site: Text::from(self.config.site.name.clone()),
            budget_bytes: self.config.wire.budget.as_usize(),
            interim_ms: self.config.wire.interim.0,
            files: crate::pipeline::files(&self.config),
            sequence: Sequence::Counter(start),
            ..WireConfig::default()
        });
        while !self.stop.load(Ordering::Relaxed) {
            match self.open() {
                Ok(mut ring) => {
                    info!(interface = self.interface, "capturing");
                    self.note(|report| report.error = None);
                    self.watch(&mut ring, &mut worker);
                }
                Err(error) => {
                    let text = error.to_string();
                    error!(interface = self.interface, error = text, "not capturing");
                    self.note(|report| report.error = Some(text));
                    self.pause();
                }
            }
        }
        let mut batch = Batch(Vec::new());
        worker.finish(&mut batch);
        self.send(&mut batch);
    }

    fn open(&self) -> Result<Ring, capture::live::LiveError> {
        let ring_mib = u32::try_from(self.config.capture.ring.0 >> 20)
            .unwrap_or(64)
            .max(1);
        Ring::open(&LiveConfig {
            ring_mib,
            promiscuous: self.config.capture.promiscuous,
            ..LiveConfig::of(&self.interface)
        })
    }

    fn watch(&self, ring: &mut Ring, worker: &mut Worker) {
        let mut batch = Batch(Vec::with_capacity(BATCH_EVENTS));
        let mut sent = Instant::now();
        let mut tap = self.tap.borrow_mut();
        let (mut packets, mut bytes) = self
            .report
            .lock()
            .map_or((0, 0), |report| (report.packets, report.bytes));
        while !self.stop.load(Ordering::Relaxed) {
            let mut last = None;
            worker.set_logged_time(time::now());
            let polled = ring.poll(100, &mut |frame| {
                packets += 1;
                bytes += u64::from(frame.wire_len);
                last = Some(frame.time.millis().0);
                if let Some(tap) = tap.as_mut() {
                    tap.frame(&frame);
                }
                worker.frame(&frame, &mut batch);
            });
            if let Some(tap) = tap.as_mut() {
                tap.beat();
            }
            if let Err(error) = polled {
                let text = error.to_string();
                warn!(
                    interface = self.interface,
                    error = text,
                    "capture stopped; it is reopened"
                );
                self.note(|report| report.error = Some(text));
                self.send(&mut batch);
                return self.pause();
            }
            if last.is_none() {
                worker.tick(Nanos(time::now().0.saturating_mul(1_000_000)), &mut batch);
            }
            if batch.0.len() >= BATCH_EVENTS || sent.elapsed() >= Duration::from_millis(BATCH_MS) {
                self.send(&mut batch);
                sent = Instant::now();
                let dropped = ring.stats().map_or(0, |stats| stats.dropped);
                self.publish(packets, bytes, dropped, last, worker);
            }
        }
        // What the last moments brought: a role that ends in order loses nothing.
        self.send(&mut batch);
        let dropped = ring.stats().map_or(0, |stats| stats.dropped);
        self.publish(packets, bytes, dropped, None, worker);
        let interface = &self.interface;
        info!(interface, packets, bytes, dropped, "capture ended");
    }

    fn publish(&self, packets: u64, bytes: u64, dropped: u64, last: Option<i64>, worker: &Worker) {
        self.note(|report| {
            metric::CAPTURE_PACKETS.add(packets.saturating_sub(report.packets));
            metric::CAPTURE_BYTES.add(bytes.saturating_sub(report.bytes));
            metric::CAPTURE_DROPPED.add(dropped.saturating_sub(report.dropped));
            report.packets = packets;
            report.bytes = bytes;
            report.dropped = dropped;
            report.last_packet = last.or(report.last_packet);
        });
        let stats = worker.stats();
        metric::WIRE_FLOWS.set(stats.flows_now);
        metric::WIRE_MEMORY.set(stats.memory_bytes);
        metric::WIRE_EVICTED.set(stats.evicted);
        metric::WIRE_ANOMALIES.set(stats.anomalies.values().sum());
    }

    fn send(&self, batch: &mut Batch) {
        if batch.0.is_empty() {
            return;
        }
        let events = std::mem::take(&mut batch.0);
        metric::WIRE_EVENTS.add(u64::try_from(events.len()).unwrap_or(0));
        let count = events.len();
        if !self.uplink.offer(events) {
            warn!(
                interface = self.interface,
                count, "uplink full: newest events dropped"
            );
        }
    }

    fn note(&self, change: impl FnOnce(&mut CaptureStatus)) {
        if let Ok(mut report) = self.report.lock() {
            change(&mut report);
        }
    }

    fn pause(&self) {
        let until = Instant::now() + REOPEN;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
