//! Room: which segments go, and when their files may go.
//!
//! Enters: bytes that are wanted, marks of retention. Leaves: a catalog without the oldest
//! segments; their files are deleted after that commit, once no query holds an older version.
//! Refuses: to delete before the commit (a crash between the two leaves files that the next start
//! removes). On a full disk alone, files that a query still holds go after [`GRACE`]: the query
//! ends with an error, ingestion goes on. Source: `facts/store.md` section 6, Invariants.

use std::sync::Arc;
use std::time::Duration;

use model::metric;

use crate::catalog::Change;
use crate::core::Core;
use crate::disk;
use crate::error::StoreError;
use crate::segment::{SegmentMeta, layout};

/// Bytes that one call gives up at most beyond what is wanted.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;
/// Most segments of one commit: its change must fit into the catalog's reserve.
const SEGMENTS_MAX: usize = 1000;
/// How long queries may keep files of a full disk.
const GRACE: Duration = Duration::from_millis(250);
/// Tries when another commit came between.
const TRIES: usize = 4;

impl Core {
    /// Gives up the oldest segments, and files that wait for deletion, until at least `bytes` are
    /// free again; how many bytes that were.
    pub(crate) fn make_room(&self, bytes: u64) -> Result<u64, StoreError> {
        let wanted = bytes.saturating_add((self.capacity / 64).min(ROOM_BYTES));
        let mut freed = self.bury()?;
        if freed < wanted {
            self.retire_oldest(wanted - freed)?;
            freed = freed.saturating_add(self.bury()?);
        }
        if freed < bytes {
            freed = freed.saturating_add(self.bury_all()?);
        }
        if freed == 0 {
            self.forget_dead_months();
        }
        Ok(freed)
    }

    fn retire_oldest(&self, bytes: u64) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let mut sum = 0u64;
            let mut chosen = self.oldest();
            chosen.truncate(SEGMENTS_MAX);
            chosen.retain(|segment| {
                let wanted = sum < bytes;
                sum = sum.saturating_add(segment.bytes);
                wanted
            });
            match self.retire(&chosen) {
                Err(StoreError::Conflict { .. }) => {}
                outcome => return outcome,
            }
        }
        Ok(())
    }

    /// All segments, the oldest first.
    pub(super) fn oldest(&self) -> Vec<Arc<SegmentMeta>> {
        let mut oldest = self.view().catalog.segments.clone();
        oldest.sort_by_key(|segment| (segment.logged_max, segment.id));
        oldest
    }

    /// Takes segments out of the catalog and counts what goes.
    pub(super) fn retire(&self, chosen: &[Arc<SegmentMeta>]) -> Result<(), StoreError> {
        if chosen.is_empty() {
            return Ok(());
        }
        self.commit(&Change {
            remove: chosen.iter().map(|segment| segment.id).collect(),
            ..Change::default()
        })?;
        let events: u64 = chosen.iter().map(|segment| segment.rows).sum();
        metric::STORE_RETIRED.add(chosen.len() as u64);
        metric::STORE_RETIRED_EVENTS.add(events);
        tracing::warn!(
            segments = chosen.len(),
            events,
            "oldest segments removed to keep within retention and disk"
        );
        Ok(())
    }

    /// Deletes the files of removed segments that no query can still see; the bytes that came free.
    /// What cannot be deleted now is tried again at the next call.
    pub(crate) fn bury(&self) -> Result<u64, StoreError> {
        let mut graveyard = self.graveyard();
        let (dead, seen): (Vec<_>, Vec<_>) = graveyard
            .drain(..)
            .partition(|segment| Arc::strong_count(segment) == 1);
        *graveyard = seen;
        drop(graveyard);
        self.delete(dead)
    }

    /// The same, and after [`GRACE`] also what queries still hold.
    fn bury_all(&self) -> Result<u64, StoreError> {
        let step = Duration::from_millis(10);
        let mut freed = 0;
        let mut waited = Duration::ZERO;
        while waited < GRACE && !self.graveyard().is_empty() {
            std::thread::sleep(step);
            waited += step;
            freed += self.bury()?;
        }
        let held = std::mem::take(&mut *self.graveyard());
        if !held.is_empty() {
            metric::STORE_FORCED.add(held.len() as u64);
            tracing::warn!(
                segments = held.len(),
                "disk full: segments that queries still read are deleted; these queries fail"
            );
        }
        Ok(freed.saturating_add(self.delete(held)?))
    }

    fn delete(&self, dead: Vec<Arc<SegmentMeta>>) -> Result<u64, StoreError> {
        let mut freed = 0;
        let mut failed = None;
        for segment in dead {
            match disk::remove(&self.root.join(&segment.path)) {
                Ok(()) => freed += segment.bytes,
                Err(error) => {
                    self.graveyard().push(segment);
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(freed), Err)
    }

    /// Destroys the vault's months whose events are all gone: on a full disk they hold room.
    fn forget_dead_months(&self) {
        let view = self.view();
        let oldest = view.catalog.segments.iter().map(|one| one.logged_min).min();
        let now = (self.config.now)();
        let month = layout::month_text(oldest.unwrap_or(now.0).min(now.0));
        let reason = "disk full, and the events of the month are gone";
        if let Err(error) = self.vault.destroy_before(&month, reason, now) {
            tracing::warn!(%error, "months of the vault could not be destroyed");
        }
    }
}

#[cfg(test)]
mod tests;
