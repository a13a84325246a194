//! Compaction: many small segments become one per class and hour, then one per day.
//!
//! Enters: a view. Leaves: segments in the compact layout, the old ones removed in the same commit.
//! Refuses: merges over [`ROWS_MAX`] rows or [`INPUTS_MAX`] segments at once; open hours.
//! Source: `facts/store.md` sections 4.1 and 6.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::Change;
use crate::core::Core;
use crate::disk;
use crate::error::StoreError;
use crate::schema::ClassSchema;
use crate::segment::{DAY_MS, HOUR_MS, SegmentMeta, merge};

/// Most rows of a merged segment.
const ROWS_MAX: u64 = 40_000_000;
/// Most segments merged at once.
const INPUTS_MAX: usize = 64;
/// An hour is closed this long after its end, so that stragglers are in.
const CLOSED_AFTER_MS: i64 = 600_000;

/// Merges what can be merged now.
pub(crate) fn run(core: &Core) -> Result<(), StoreError> {
    let now = (core.config.now)().0;
    for (level, span) in [(0u8, HOUR_MS), (1, DAY_MS)] {
        // Replays stay apart, so that one can be removed by its segments.
        let mut groups: BTreeMap<(u32, i64, Option<String>), Vec<Arc<SegmentMeta>>> =
            BTreeMap::new();
        for segment in &core.view().catalog.segments {
            let slot = segment.logged_max.div_euclid(span);
            let closed = (slot + 1)
                .saturating_mul(span)
                .saturating_add(CLOSED_AFTER_MS)
                <= now;
            if segment.level == level && closed {
                groups
                    .entry((segment.class_uid, slot, segment.replay.clone()))
                    .or_default()
                    .push(Arc::clone(segment));
            }
        }
        for ((class_uid, _, _), mut inputs) in groups {
            inputs.sort_by_key(|segment| (segment.time_min, segment.id));
            for chunk in chunks(inputs) {
                // A lone hour is rewritten once for its layout; a lone day is already compact.
                if core.stopping() || (level > 0 && chunk.len() < 2) {
                    continue;
                }
                merge_into_one(core, class_uid, &chunk, level + 1)?;
            }
        }
    }
    Ok(())
}

/// Splits a group so that no merge is too large.
fn chunks(inputs: Vec<Arc<SegmentMeta>>) -> Vec<Vec<Arc<SegmentMeta>>> {
    let mut out: Vec<Vec<Arc<SegmentMeta>>> = Vec::new();
    let mut rows = 0;
    for segment in inputs {
        rows += segment.rows;
        match out.last_mut() {
            Some(chunk) if rows <= ROWS_MAX && chunk.len() < INPUTS_MAX => chunk.push(segment),
            _ => {
                rows = segment.rows;
                out.push(vec![segment]);
            }
        }
    }
    out
}

fn merge_into_one(
    core: &Core,
    class_uid: u32,
    inputs: &[Arc<SegmentMeta>],
    level: u8,
) -> Result<(), StoreError> {
    let Some(schema) = ClassSchema::of(class_uid) else {
        return Ok(());
    };
    let merged = merge::merge(&core.root, schema, inputs, core.next_segment(), level);
    let meta = match merged {
        // Room was made of an input before it could be opened: nothing is left to merge.
        Err(error) if !all_there(core, inputs) => {
            tracing::debug!(%error, "a merge lost its inputs");
            return Ok(());
        }
        merged => merged?,
    };
    let path = core.root.join(&meta.path);
    let change = Change {
        add: vec![meta],
        remove: inputs.iter().map(|segment| segment.id).collect(),
        ..Change::default()
    };
    match core.commit(&change) {
        Ok(()) => Ok(()),
        // Room was made of an input, or its replay was purged, in this very moment: its rows must
        // not come back.
        Err(StoreError::Conflict { .. }) => disk::remove(&path),
        Err(error) => {
            disk::remove(&path)?;
            Err(error)
        }
    }
}

fn all_there(core: &Core, inputs: &[Arc<SegmentMeta>]) -> bool {
    let view = core.view();
    let segments = &view.catalog.segments;
    inputs
        .iter()
        .all(|input| segments.iter().any(|segment| segment.id == input.id))
}
