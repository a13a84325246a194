//! The catalog: which segments exist, as one version at a time.
//!
//! Enters: changes. Leaves: immutable versions. Refuses: a change made for another version.
//! Later: the same trait over PostgreSQL. Source: `facts/store.md` section 6.

mod local;
mod object;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::seen::{Range, Seen};
use crate::segment::SegmentMeta;

pub use local::LocalCatalog;
pub(crate) use local::segment_files;
pub(crate) use object::{local_store, local_url};

/// One immutable state of the catalog.
#[derive(Clone, Debug, Default)]
pub struct Version {
    /// Ascending by one with each commit.
    pub number: u64,
    /// Segments, ascending by identifier.
    pub segments: Vec<Arc<SegmentMeta>>,
    /// Log generations up to this one are sealed.
    pub sealed: u64,
    /// Identities that were ever sealed.
    pub seen: Seen,
    /// Replays that were purged, in the order of their purges; nothing of them is taken back.
    pub purged: Arc<Vec<String>>,
}

/// What one commit changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Change {
    /// New segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<SegmentMeta>,
    /// Segments that go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<u64>,
    /// Generation that is now sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<u64>,
    /// Identities that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Range>,
    /// Replays that are purged by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purged: Vec<String>,
}

/// The one place where segments become visible.
pub trait Catalog: Send + Sync {
    /// The version now.
    fn current(&self) -> Arc<Version>;

    /// Applies a change made for version `expected`; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another commit came first; failures of the disk.
    fn commit(&self, change: &Change, expected: u64) -> Result<Arc<Version>, StoreError>;
}

impl Version {
    /// This version with a change applied.
    #[must_use]
    pub fn with(&self, change: &Change) -> Self {
        let mut segments: Vec<Arc<SegmentMeta>> = self
            .segments
            .iter()
            .filter(|segment| !change.remove.contains(&segment.id))
            .cloned()
            .collect();
        segments.extend(change.add.iter().cloned().map(Arc::new));
        segments.sort_by_key(|segment| segment.id);
        let mut seen = self.seen.clone();
        change.seen.iter().for_each(|range| seen.add(*range));
        let mut purged = Arc::clone(&self.purged);
        if !change.purged.is_empty() {
            let list = Arc::make_mut(&mut purged);
            list.retain(|id| !change.purged.contains(id));
            list.extend(change.purged.iter().cloned());
            let forgotten = list.len().saturating_sub(PURGED_MAX);
            list.drain(..forgotten);
        }
        Self {
            number: self.number + 1,
            segments,
            sealed: change.sealed.unwrap_or(self.sealed).max(self.sealed),
            seen,
            purged,
        }
    }
}

/// Most purged replays that are remembered; the oldest are forgotten beyond.
pub(crate) const PURGED_MAX: usize = 4096;

#[cfg(test)]
mod tests;
