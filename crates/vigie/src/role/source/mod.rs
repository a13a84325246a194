//! Other sensors as sources of events: logs that are followed, sockets, flow exporters.
//!
//! Enters: `[[source]]` tables. Leaves: one thread and one uplink each, its state for System.
//! Refuses: more than [`LANES_MAX`] logs of all sources together. Overload: logs wait (the uplink's
//! queue is full, the file is read later), sockets make Suricata wait, datagrams of exporters are
//! dropped and counted. Source: `DESIGN.md` sections 3 and 6.

mod collect;
mod follow;
mod outlet;
mod place;
mod sockets;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use model::port::CaptureStatus;
use model::{NodeId, Text};
use wire::Sequence;
use wire::log::LogConfig;

use crate::config::{Config, Source, SourceKind, SourceSocket};
use crate::link::{Spool, Uplink, UplinkConfig};
use crate::role::core::lock;
use crate::state::DataDir;
use outlet::Outlet;

/// What sources stand on.
pub(super) struct Ground<'a> {
    pub(super) config: &'a Config,
    pub(super) dir: &'a DataDir,
    pub(super) node: u32,
    pub(super) key: &'a [u8; 32],
    pub(super) stop: &'a Arc<AtomicBool>,
}

/// A source that runs.
pub(super) struct Running {
    pub(super) report: Arc<Mutex<CaptureStatus>>,
    pub(super) uplink: Arc<Uplink>,
    pub(super) thread: JoinHandle<()>,
}

/// Logs that have identities of their own: the queues of interfaces have the lower half.
const LANES_MAX: usize = 127;
/// First of those numbers.
const LANES_FROM: u32 = 0x80;

/// Starts every source of the configuration.
pub(super) fn start(ground: &Ground<'_>) -> Result<Vec<Running>> {
    let lanes = Lanes::open(ground.dir);
    let lanes = Arc::new(Mutex::new(lanes));
    let sources = ground.config.source.iter();
    sources.map(|source| one(ground, source, &lanes)).collect()
}

fn one(ground: &Ground<'_>, source: &Source, lanes: &Arc<Mutex<Lanes>>) -> Result<Running> {
    let role = format!("source-{}", source.name);
    let spool_dir = ground.dir.path().join("spool").join(&role);
    let spool = Spool::open(&spool_dir, ground.key, ground.config.memory.spool.0)?;
    let uplink = Arc::new(Uplink::start(UplinkConfig {
        role: role.clone(),
        socket: ground.dir.link_socket(),
        spool: Some(spool),
    })?);
    let report = Arc::new(Mutex::new(CaptureStatus {
        interface: format!("{} {}", kind(source), source.name),
        packets: 0,
        bytes: 0,
        dropped: 0,
        last_packet: None,
        error: None,
    }));
    let outlet = Outlet::new(
        source.name.clone(),
        Arc::clone(&uplink),
        Arc::clone(&report),
        Arc::clone(ground.stop),
        source.silent_after.0,
    );
    let identity = Identity {
        node: ground.node,
        site: Text::from(ground.config.site.name.clone()),
        source: source.name.clone(),
        lanes: Arc::clone(lanes),
    };
    let (source, dir) = (source.clone(), ground.dir.clone());
    let thread = std::thread::Builder::new()
        .name(role)
        .spawn(move || match (source.kind, source.socket) {
            (SourceKind::Netflow, _) => collect::run(&source, &identity, outlet),
            (SourceKind::Eve, SourceSocket::Stream) => sockets::stream(&source, &identity, outlet),
            (SourceKind::Eve, SourceSocket::Datagram) => {
                sockets::datagram(&source, &identity, outlet);
            }
            (SourceKind::Eve | SourceKind::Zeek, _) => {
                follow::run(&source, &identity, &dir, outlet);
            }
        })
        .context("the thread of a source could not be started")?;
    Ok(Running {
        report,
        uplink,
        thread,
    })
}

fn kind(source: &Source) -> &'static str {
    match source.kind {
        SourceKind::Eve => "eve",
        SourceKind::Zeek => "zeek",
        SourceKind::Netflow => "netflow",
    }
}

/// Who the events of a source are by.
pub(super) struct Identity {
    node: u32,
    site: Text,
    source: String,
    lanes: Arc<Mutex<Lanes>>,
}

impl Identity {
    /// For one log of the source; `None` when there are too many.
    fn of(&self, log: &str, from: u64) -> Option<LogConfig> {
        let lane = lock(&self.lanes).of(&format!("{}/{log}", self.source))?;
        Some(LogConfig {
            node: NodeId(self.node | lane),
            site: self.site.clone(),
            sequence: Sequence::Counter(from),
        })
    }
}

/// Which log has which number: kept, so that a log has the same after a restart.
pub(super) struct Lanes {
    dir: DataDir,
    known: BTreeMap<String, u32>,
}

impl Lanes {
    const FILE: &'static str = "source-lanes.json";

    fn open(dir: &DataDir) -> Self {
        Self {
            dir: dir.clone(),
            known: dir.json(Self::FILE).unwrap_or_default(),
        }
    }

    fn of(&mut self, log: &str) -> Option<u32> {
        if let Some(lane) = self.known.get(log) {
            return Some(*lane);
        }
        let count = u32::try_from(LANES_MAX).unwrap_or(0);
        let mut all = LANES_FROM..LANES_FROM + count;
        let free = all.find(|lane| !self.known.values().any(|used| used == lane))?;
        self.known.insert(log.to_owned(), free);
        if let Err(error) = self.dir.write_json(Self::FILE, &self.known) {
            tracing::warn!(error = %format!("{error:#}"), "the numbers of sources were not kept");
        }
        Some(free)
    }
}

#[cfg(test)]
mod tests;
