//! What the threads of the store share.
//!
//! Enters: commits and views. Leaves: one consistent view at any moment.
//! Refuses: two catalog commits at once. Source: `facts/store.md` section 6, Invariants.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
        Self {
            root,
            config,
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
        *slot = Arc::new(view);
        Ok(rows)
    }

    /// Commits a change of the catalog and, in the same moment for queries, drops the generation
    /// that it sealed from memory.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a segment that a new one takes over is gone: its rows must
    /// not come back.
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
        let has = |id: &u64| before.segments.iter().any(|segment| segment.id == *id);
        if !change.add.iter().all(|new| new.replaces.iter().all(has)) {
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
        *slot = Arc::new(view);
        drop(slot);
        let gone = before
            .segments
            .iter()
            .filter(|segment| change.remove.contains(&segment.id));
        let mut graveyard = self
            .graveyard
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        graveyard.extend(gone.cloned());
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

    /// Deletes the files of removed segments that no query can still see.
    pub(crate) fn bury(&self) -> Result<(), StoreError> {
        let mut graveyard = self
            .graveyard
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (dead, seen): (Vec<_>, Vec<_>) = graveyard
            .drain(..)
            .partition(|segment| Arc::strong_count(segment) == 1);
        *graveyard = seen;
        drop(graveyard);
        dead.iter()
            .try_for_each(|segment| disk::remove(&self.root.join(&segment.path)))
    }

    /// Removes the oldest segments until at least `bytes` are given up; how many bytes went.
    /// Queries that still read them end with an error, ingestion goes on.
    pub(crate) fn make_room(&self, bytes: u64) -> Result<u64, StoreError> {
        let view = self.view();
        let mut oldest = view.catalog.segments.clone();
        oldest.sort_by_key(|segment| (segment.logged_max, segment.id));
        let mut freed = 0u64;
        let mut remove = Vec::new();
        let mut paths = Vec::new();
        for segment in oldest {
            if freed >= bytes {
                break;
            }
            freed += segment.bytes;
            remove.push(segment.id);
            paths.push(segment.path.clone());
        }
        if remove.is_empty() {
            return Ok(0);
        }
        metric::STORE_RETIRED.add(remove.len() as u64);
        tracing::warn!(
            segments = remove.len(),
            freed,
            "disk full; oldest segments removed"
        );
        // The files first: the commit itself needs room on a full disk.
        for path in paths {
            disk::remove(&self.root.join(path))?;
        }
        self.commit(&Change {
            remove,
            ..Change::default()
        })?;
        Ok(freed)
    }

    /// Bytes that the quota still allows.
    pub(crate) fn quota_left(&self) -> u64 {
        let Some(quota) = self.config.quota_bytes else {
            return u64::MAX;
        };
        let log = self.wal_bytes.load(Ordering::Relaxed);
        let used = log.saturating_add(self.view().segment_bytes());
        quota.saturating_sub(used)
    }

    /// True when the store closes.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Bytes that one call of [`Core::make_room`] gives up.
pub(crate) const ROOM_BYTES: u64 = 64 * 1024 * 1024;
