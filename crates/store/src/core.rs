//! What the threads of the store share.
//!
//! Enters: commits and views. Leaves: one consistent view at any moment.
//! Refuses: two catalog commits at once. Source: `facts/store.md` section 6, Invariants.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::catalog::{Catalog, Change, Version};
use crate::config::StoreConfig;
use crate::disk;
use crate::error::StoreError;
use crate::hot::{ClassBatch, Generation, View};
use crate::live::Subscribers;
use crate::segment::SegmentMeta;
use crate::vault::Vault;
use model::metric;

/// Shared state.
pub(crate) struct Core {
    pub(crate) root: PathBuf,
    pub(crate) config: StoreConfig,
    pub(crate) catalog: Box<dyn Catalog>,
    pub(crate) vault: Vault,
    pub(crate) subscribers: Subscribers,
    pub(crate) wal_bytes: AtomicU64,
    pub(crate) stop: AtomicBool,
    /// Last generation whose sealing is done, trimmed log included.
    pub(crate) sealed: AtomicU64,
    /// Bytes of the disk, or of the quota when it is smaller.
    pub(crate) capacity: u64,
    view: RwLock<Arc<View>>,
    changing: Mutex<()>,
    next_segment: AtomicU64,
    graveyard: Mutex<Vec<Arc<SegmentMeta>>>,
    /// Replays that are being purged: nothing of them is taken from now on.
    purging: RwLock<Vec<String>>,
}

impl Core {
    pub(crate) fn new(
        root: PathBuf,
        config: StoreConfig,
        catalog: Box<dyn Catalog>,
        vault: Vault,
        first_segment: u64,
    ) -> Self {
        let view = View {
            catalog: catalog.current(),
            hot: Vec::new(),
        };
        let capacity = disk::total_bytes(&root)
            .unwrap_or(u64::MAX)
            .min(config.quota_bytes.unwrap_or(u64::MAX));
        Self {
            root,
            config,
            capacity,
            catalog,
            vault,
            subscribers: Subscribers::default(),
            wal_bytes: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            sealed: AtomicU64::new(view.catalog.sealed),
            view: RwLock::new(Arc::new(view)),
            changing: Mutex::new(()),
            next_segment: AtomicU64::new(first_segment),
            graveyard: Mutex::new(Vec::new()),
            purging: RwLock::new(Vec::new()),
        }
    }

    /// The view now.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// An identifier that no segment has.
    pub(crate) fn next_segment(&self) -> u64 {
        self.next_segment.fetch_add(1, Ordering::Relaxed)
    }

    /// Puts rows that are in the log into the view.
    pub(crate) fn publish(
        &self,
        generation: u64,
        batches: Vec<ClassBatch>,
    ) -> Result<u64, StoreError> {
        let mut slot = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let mut view = View::clone(&slot);
        let found = view.hot.iter().position(|hot| hot.number == generation);
        let mut hot = match found.and_then(|at| view.hot.get(at)) {
            Some(hot) => Generation::clone(hot),
            None => Generation::new(generation),
        };
        hot.add(batches)?;
        let rows = hot.rows;
        match found.and_then(|at| view.hot.get_mut(at)) {
            Some(place) => *place = Arc::new(hot),
            None => view.hot.push(Arc::new(hot)),
        }
        let old = std::mem::replace(&mut *slot, Arc::new(view));
        drop(slot);
        drop(old);
        Ok(rows)
    }

    /// Commits a change of the catalog and, in the same moment for queries, drops the generation
    /// that it sealed from memory. Files of removed segments stay for [`Core::bury`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a segment to be removed or taken over is gone already: its
    /// rows must not come back in another one. Failures of the disk.
    pub(crate) fn commit(&self, change: &Change) -> Result<(), StoreError> {
        self.commit_with(|_| change.clone()).map(drop)
    }

    /// Commits what `make` makes of the catalog as it is in that moment.
    pub(crate) fn commit_with(
        &self,
        make: impl FnOnce(&Version) -> Change,
    ) -> Result<Change, StoreError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.catalog.current();
        let change = make(&before);
        let gone: Vec<Arc<SegmentMeta>> = before
            .segments
            .iter()
            .filter(|segment| change.remove.contains(&segment.id))
            .cloned()
            .collect();
        let has = |id: &u64| before.segments.iter().any(|segment| segment.id == *id);
        let replaced = change.add.iter().all(|new| new.replaces.iter().all(has));
        if gone.len() != change.remove.len() || !replaced {
            return Err(StoreError::Conflict {
                expected: before.number,
                found: before.number,
            });
        }
        let version = self.catalog.commit(&change, before.number)?;
        let mut slot = self.view.write().unwrap_or_else(PoisonError::into_inner);
        let mut view = View::clone(&slot);
        view.catalog = version;
        if let Some(sealed) = change.sealed {
            view.hot.retain(|hot| hot.number > sealed);
        }
        metric::STORE_SEGMENTS.set(view.catalog.segments.len() as u64);
        metric::STORE_SEGMENT_BYTES.set(view.segment_bytes());
        let old = std::mem::replace(&mut *slot, Arc::new(view));
        drop(slot);
        // Freeing a generation's rows takes its time: not under the lock.
        drop(old);
        self.graveyard().extend(gone);
        Ok(change)
    }

    /// True when nothing of this replay is taken any more.
    pub(crate) fn is_purged(&self, replay: &str) -> bool {
        let purging = self.purging.read().unwrap_or_else(PoisonError::into_inner);
        purging.iter().any(|id| id == replay)
            || self.view().catalog.purged.iter().any(|id| id == replay)
    }

    /// Takes nothing of a replay from now on, until its purge is committed or given up.
    pub(crate) fn begin_purge(&self, replay: &str) {
        let mut purging = self.purging.write().unwrap_or_else(PoisonError::into_inner);
        purging.push(replay.to_owned());
    }

    /// The purge is committed or given up.
    pub(crate) fn end_purge(&self, replay: &str) {
        let mut purging = self.purging.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = purging.iter().position(|id| id == replay) {
            purging.remove(at);
        }
    }

    /// Segments that are in no version any more and whose files are still there.
    pub(crate) fn graveyard(&self) -> MutexGuard<'_, Vec<Arc<SegmentMeta>>> {
        self.graveyard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that quota and disk still allow.
    pub(crate) fn bytes_left(&self) -> u64 {
        let free = disk::free_bytes(&self.root).unwrap_or(u64::MAX);
        let Some(quota) = self.config.quota_bytes else {
            return free;
        };
        let used = self.unsealed().saturating_add(self.view().segment_bytes());
        quota.saturating_sub(used).min(free)
    }

    /// Bytes that the log leaves free, so that what it holds can still be sealed.
    pub(crate) fn headroom(&self) -> u64 {
        (self.unsealed() / 2).saturating_add((self.capacity / 64).min(HEADROOM_BYTES_MAX))
    }

    /// Bytes of the log that are not sealed.
    pub(crate) fn unsealed(&self) -> u64 {
        self.wal_bytes.load(Ordering::Relaxed)
    }

    /// True when the store closes.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Most bytes that are kept for sealing beside half of the log.
const HEADROOM_BYTES_MAX: u64 = 64 * 1024 * 1024;
