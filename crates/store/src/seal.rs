//! The sealer thread: closed generations become segments.
//!
//! Enters: closed generations, in order. Leaves: segments, one catalog commit each, a trimmed log.
//! Refuses: to trim before the commit. A crash at any point replays the generation or finds it
//! sealed, never both. Source: `facts/store.md` section 6, "Commit once".

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use model::metric;

use crate::catalog::Change;
use crate::core::Core;
use crate::disk;
use crate::error::StoreError;
use crate::hot::Generation;
use crate::schema::ClassSchema;
use crate::seen::Range;
use crate::segment::{SegmentMeta, write};
use crate::wal;

/// A closed generation.
pub(crate) struct SealJob {
    pub(crate) generation: u64,
    pub(crate) ranges: Vec<Range>,
    pub(crate) wal_bytes: u64,
}

/// How long the sealer rests after a failure.
const REST: Duration = Duration::from_millis(500);
/// Between two words about the same failure.
const TRIES_TOLD: usize = 60;
/// Tries before a closing store leaves the rest to the next start.
const CLOSING_TRIES: usize = 2;

/// Seals what the start found in the log, then runs until the log thread is gone.
pub(crate) fn run(core: &Arc<Core>, backlog: Vec<SealJob>, jobs: &Receiver<SealJob>) {
    for job in backlog
        .into_iter()
        .chain(std::iter::from_fn(|| jobs.recv().ok()))
    {
        if !until_sealed(core, &job) {
            return;
        }
    }
}

/// Tries until a generation is sealed; false when the store closes before.
fn until_sealed(core: &Core, job: &SealJob) -> bool {
    let mut tries = 0;
    while let Err(error) = seal(core, job) {
        if tries % TRIES_TOLD == 0 {
            tracing::error!(%error, tries, "a generation could not be sealed; trying again");
        }
        tries += 1;
        if core.stopping() && tries >= CLOSING_TRIES {
            return false;
        }
        if matches!(error, StoreError::DiskFull { .. }) {
            match core.make_room(job.wal_bytes / 2) {
                Ok(freed) if freed > 0 => continue,
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "no room could be made"),
            }
        }
        std::thread::sleep(REST);
    }
    true
}

/// Seals one generation.
pub(crate) fn seal(core: &Core, job: &SealJob) -> Result<(), StoreError> {
    // Not the view: it would keep files of removed segments.
    let hot = core
        .view()
        .hot
        .iter()
        .find(|hot| hot.number == job.generation)
        .cloned();
    let mut add = Vec::new();
    if let Some(hot) = hot {
        if core.bytes_left() < job.wal_bytes / 4 {
            return Err(StoreError::DiskFull {
                path: core.root.clone(),
            });
        }
        if let Err(error) = segments_of(core, &hot, &mut add) {
            abandon(core, &add);
            return Err(error);
        }
    }
    let seen = job.ranges.clone();
    let change = Change {
        add,
        remove: Vec::new(),
        sealed: Some(job.generation),
        seen,
        ..Change::default()
    };
    if let Err(error) = core.commit(&change) {
        abandon(core, &change.add);
        return Err(error);
    }
    disk::remove(&wal::path_of(&core.root.join("wal"), job.generation))?;
    core.wal_bytes.fetch_sub(job.wal_bytes, Ordering::Relaxed);
    metric::STORE_WAL_BYTES.set(core.wal_bytes.load(Ordering::Relaxed));
    core.sealed.store(job.generation, Ordering::Release);
    Ok(())
}

fn segments_of(
    core: &Core,
    hot: &Generation,
    add: &mut Vec<SegmentMeta>,
) -> Result<(), StoreError> {
    for (replay, uid, batches) in hot.parts() {
        let Some(schema) = ClassSchema::of(uid) else {
            continue;
        };
        let mut next_id = || core.next_segment();
        let of = write::Sealing {
            root: &core.root,
            generation: hot.number,
            replay,
        };
        write::seal(of, schema, batches, &mut next_id, add)?;
    }
    Ok(())
}

/// Removes segments that did not get into the catalog; the next start removes what stays.
fn abandon(core: &Core, segments: &[SegmentMeta]) {
    for segment in segments {
        if let Err(error) = disk::remove(&core.root.join(&segment.path)) {
            tracing::warn!(%error, "an unused segment stays until the next start");
        }
    }
}
