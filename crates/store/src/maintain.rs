//! Care: compaction, retention, room on the disk, the vault's months, and what the disk looks like.
//!
//! Enters: a view now and then. Leaves: fewer and smaller segments, a bounded disk.
//! Refuses: to stop ingestion: when room is needed the oldest segments go.
//! Source: `facts/store.md` section 6.

mod compact;
mod room;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model::port::StorageStatus;

use crate::core::Core;
use crate::disk;
use crate::error::StoreError;
use crate::segment::{DAY_MS, HOUR_MS, SegmentMeta};

/// Runs rounds until the store closes.
pub(crate) fn run(core: &Arc<Core>) {
    let every = core.config.maintain_every_ms;
    if every == 0 {
        return;
    }
    let step = Duration::from_millis(50);
    let mut waited = 0;
    while !core.stopping() {
        std::thread::sleep(step);
        waited += 50;
        if waited >= every {
            waited = 0;
            if let Err(error) = round(core) {
                tracing::error!(%error, "care of the store failed; it is tried again");
            }
        }
    }
}

/// One round.
pub(crate) fn round(core: &Core) -> Result<(), StoreError> {
    retain(core)?;
    compact::run(core)?;
    core.bury()?;
    core.vault.index()?;
    core.vault
        .expire(core.config.vault_days, (core.config.now)())
}

/// Removes what is older than the retention, and the oldest beyond the size and free-disk marks.
fn retain(core: &Core) -> Result<(), StoreError> {
    let mut oldest = core.oldest();
    let now = (core.config.now)().0;
    let keep_from = core.config.retention_days.map_or(i64::MIN, |days| {
        now.saturating_sub(i64::from(days).saturating_mul(DAY_MS))
    });
    let mut bytes = core.view().segment_bytes();
    let mut short = short_of_free(core);
    let most = core.config.segment_bytes_max.unwrap_or(u64::MAX);
    let kept = oldest.iter().position(|segment| {
        let keep = segment.logged_max >= keep_from && bytes <= most && short == 0;
        bytes = bytes.saturating_sub(segment.bytes);
        short = short.saturating_sub(segment.bytes);
        keep
    });
    if let Some(at) = kept {
        oldest.truncate(at);
    }
    match core.retire(&oldest) {
        // Room was made meanwhile: the next round looks again.
        Err(StoreError::Conflict { .. }) => Ok(()),
        outcome => outcome,
    }
}

/// Bytes missing to the free-disk mark.
fn short_of_free(core: &Core) -> u64 {
    let free = disk::free_bytes(&core.root).unwrap_or(u64::MAX);
    core.config.free_bytes_min.saturating_sub(free)
}

/// The state of the disk.
pub(crate) fn status(core: &Core) -> StorageStatus {
    let view = core.view();
    let segment_bytes = view.segment_bytes();
    let free = disk::free_bytes(&core.root).unwrap_or(0);
    let room = free
        .saturating_sub(core.config.free_bytes_min)
        .saturating_add(segment_bytes);
    let capacity = room
        .min(core.config.segment_bytes_max.unwrap_or(u64::MAX))
        .min(core.config.quota_bytes.unwrap_or(u64::MAX));
    let segments = &view.catalog.segments;
    StorageStatus {
        events: view.real_rows(),
        segments: segments.len() as u64,
        segment_bytes,
        wal_bytes: core.wal_bytes.load(Ordering::Relaxed),
        capacity_bytes: capacity,
        free_bytes: free,
        oldest: segments.iter().map(|segment| segment.time_min).min(),
        forecast_days: forecast(segments, capacity, (core.config.now)().0),
    }
}

/// Days that fit: capacity over the bytes of the last day, or of the hours there are.
#[expect(
    clippy::cast_precision_loss,
    reason = "a forecast needs no more than 53 bits"
)]
fn forecast(segments: &[Arc<SegmentMeta>], capacity: u64, now: i64) -> Option<f64> {
    let first = segments.iter().map(|segment| segment.logged_min).min()?;
    if now - first < HOUR_MS {
        return None;
    }
    let span = (now - first).min(DAY_MS);
    let recent: u64 = segments
        .iter()
        .filter(|segment| segment.logged_max >= now - span)
        .map(|segment| segment.bytes)
        .sum();
    if recent == 0 {
        return None;
    }
    Some(capacity as f64 / recent as f64 * (span as f64 / DAY_MS as f64))
}
