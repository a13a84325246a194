//! The packet ring of this installation: its folder, its keys, who may ask.
//!
//! Enters: `[ring]` of the configuration, the data folder, questions. Leaves: the sensor's writer;
//! one flow as a capture file, after the audit trail has recorded who asked and why; pins.
//! Refuses: questions without a reason. Source: `DESIGN.md` section 1 (the packet ring is vault
//! storage); `docs/adr/0012`.

mod door;

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use capture::ring::{Cipher, Filter, Keeper, Keys, NONCE_BYTES, Writer};
use model::port::{QueueStatus, RingStatus};
use model::{Millis, metric};
use store::{RingKey, RingKeys, StoreError};
use tracing::{error, info, warn};

use crate::config::Config;
use crate::state::DataDir;
use crate::time;

pub(crate) use door::{PacketsRequest, PinRequest, answer, extract, forget, pin, pins, unpin};

const DAY_MS: i64 = 86_400_000;

/// Folder of the ring in the data folder.
pub(crate) fn folder(dir: &Path) -> std::path::PathBuf {
    dir.join("ring")
}

/// The store's keys, as the ring asks for them.
struct MonthKeys(RingKeys);

struct MonthKey(RingKey);

/// The keys of the ring below a data folder.
pub(crate) fn keys(dir: &Path) -> Result<Arc<dyn Keys>, StoreError> {
    Ok(Arc::new(MonthKeys(RingKeys::open(dir)?)))
}

impl Keys for MonthKeys {
    fn present(&self, now: Millis) -> io::Result<Arc<dyn Cipher>> {
        let key = self.0.present(now).map_err(io::Error::other)?;
        Ok(Arc::new(MonthKey(key)))
    }

    fn of(&self, epoch: u32, id: u64) -> io::Result<Option<Arc<dyn Cipher>>> {
        let key = self.0.of(epoch, id).map_err(io::Error::other)?;
        Ok(key.map(|key| Arc::new(MonthKey(key)) as Arc<dyn Cipher>))
    }

    fn random(&self, out: &mut [u8]) -> io::Result<()> {
        self.0.random(out).map_err(io::Error::other)
    }
}

impl Cipher for MonthKey {
    fn epoch(&self) -> u32 {
        self.0.month()
    }

    fn id(&self) -> u64 {
        self.0.id()
    }

    fn seal(&self, nonce: &[u8; NONCE_BYTES], about: &[u8], text: &mut Vec<u8>) -> io::Result<()> {
        self.0.seal(nonce, about, text).map_err(io::Error::other)
    }

    fn open(&self, nonce: &[u8; NONCE_BYTES], about: &[u8], sealed: &mut Vec<u8>) -> bool {
        self.0.unseal(nonce, about, sealed)
    }
}

/// Starts the sensor's ring; `None` when it is off or cannot be, which is said: the sensor goes on.
pub(crate) fn start(config: &Config, dir: &DataDir) -> Option<Keeper> {
    if config.ring.size.0 == 0 {
        return None;
    }
    match begin(config, dir) {
        Ok(keeper) => Some(keeper),
        Err(error) => {
            let error = format!("{error:#}");
            error!(error, "no packet ring; the sensor goes on without");
            None
        }
    }
}

fn begin(config: &Config, dir: &DataDir) -> Result<Keeper> {
    let now = time::now();
    let days = i64::from(config.store.vault_days);
    let keys = RingKeys::open(dir.path())?;
    keys.expire(Millis(now.0.saturating_sub(days.saturating_mul(DAY_MS))))?;
    let keys: Arc<dyn Keys> = Arc::new(MonthKeys(keys));
    let (writer, found) = Writer::open(settings(config, dir), keys, now)?;
    let (blocks, torn, unreadable) = (found.blocks, found.torn, found.unreadable);
    let newest = found.newest.map(|newest| time::rfc3339(newest.millis()));
    if found.killed {
        let newest = newest.as_deref().unwrap_or("none");
        warn!(
            newest,
            torn, "the packet ring was not ended in order: packets after the newest were lost"
        );
    }
    if unreadable > 0 {
        warn!(
            unreadable,
            "files of the packet ring were no blocks and are removed"
        );
    }
    info!(blocks, "packet ring");
    Ok(Keeper::start(writer, time::now)?)
}

fn settings(config: &Config, dir: &DataDir) -> capture::ring::Config {
    let ring = &config.ring;
    let keep = ring.keep_bytes_per_flow.0;
    capture::ring::Config {
        free_bytes_min: ring.free_min.0,
        days_max: config.store.vault_days,
        keep_bytes_per_flow: (keep > 0).then_some(keep),
        pinned_percent: ring.pinned_percent,
        filter: Filter {
            skip_ports: ring.skip_ports.clone(),
            inside: inside(config, dir),
        },
        free_bytes: |path| {
            let disk = rustix::fs::statvfs(path).ok()?;
            Some(disk.f_bavail.saturating_mul(disk.f_frsize))
        },
        ..capture::ring::Config::of(&folder(dir.path()), ring.size.0)
    }
}

/// Whether an address is of one of the zones asked for; `None`: all are.
fn inside(config: &Config, dir: &DataDir) -> Option<capture::ring::Inside> {
    let wanted = config.ring.zones.clone();
    if wanted.is_empty() {
        return None;
    }
    let mut zones = config.zones();
    if zones.is_empty() {
        zones = dir.json("zones.json").unwrap_or_default();
    }
    for name in wanted
        .iter()
        .filter(|name| zones.iter().all(|(known, _)| known != *name))
    {
        warn!(zone = name, "[ring] zones names a zone that there is not");
    }
    let zones = model::zone::Zones::new(&zones).unwrap_or_default();
    Some(Box::new(move |ip: std::net::IpAddr| {
        let zone = zones.name_of(ip);
        zone.is_some_and(|zone| wanted.iter().any(|name| name == zone))
    }))
}

/// Its queue, as the console shows it.
pub(crate) fn queue(keeper: &Keeper) -> QueueStatus {
    let (depth, capacity) = keeper.depth();
    QueueStatus {
        name: "packet ring".to_owned(),
        capacity,
        depth,
        dropped: metric::CAPTURE_RING_DROPPED_QUEUE.value(),
        policy: "drop_newest".to_owned(),
    }
}

/// The ring as the console shows it.
pub(crate) fn status(keeper: &Keeper) -> RingStatus {
    let (status, error) = keeper.status();
    RingStatus {
        bytes: status.bytes,
        size_bytes: status.size_bytes,
        blocks: status.blocks,
        oldest: status.oldest.map(|at| at.millis().0),
        newest: status.newest.map(|at| at.millis().0),
        pinned_bytes: status.pinned_bytes,
        packets: status.packets,
        dropped: metric::CAPTURE_RING_DROPPED_QUEUE
            .value()
            .saturating_add(status.dropped_disk),
        skipped: status.skipped,
        error,
    }
}

#[cfg(test)]
mod tests;
