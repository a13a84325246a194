//! Replays that the store holds, and their end.
//!
//! Enters: the name of a replay, who wants it gone and why. Leaves: the store without its events
//! and clear values; the trail knows before and after. Refuses: a purge without a reason; events of
//! a purged replay that come late. Invariant: one catalog commit removes all of it, so that a crash
//! leaves the whole replay or nothing. Limits: `catalog::PURGED_MAX` names remembered.
//! Source: `DESIGN.md` section 5; `docs/adr/0007`.

use std::collections::BTreeMap;
use std::time::Duration;

use datafusion::arrow::datatypes::TimestampMillisecondType;
use model::port::AuditEntry;
use serde::Serialize;

use crate::catalog::Change;
use crate::error::StoreError;
use crate::segment::write::column;
use crate::store::Store;
use crate::vault::Opening;

/// One replay in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplayInfo {
    /// Its identifier, without `replay:`.
    pub id: String,
    /// Events, in memory and in segments.
    pub events: u64,
    /// Bytes of its segments.
    pub segment_bytes: u64,
    /// Earliest event time, milliseconds.
    pub time_min: i64,
    /// Latest event time, milliseconds.
    pub time_max: i64,
}

/// Every replay that the store knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replays {
    /// Those with events, by identifier.
    pub present: Vec<ReplayInfo>,
    /// Those that were purged, in the order of their purges.
    pub purged: Vec<String>,
}

/// What a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// Events.
    pub events: u64,
    /// Segments.
    pub segments: u64,
    /// Bytes of them.
    pub segment_bytes: u64,
    /// Files of clear values.
    pub vault_files: u64,
}

impl Store {
    /// The replays in the store, and those that were purged.
    ///
    /// # Errors
    /// A batch in memory has no times.
    pub fn replays(&self) -> Result<Replays, StoreError> {
        let view = self.core.view();
        let mut found: BTreeMap<&str, ReplayInfo> = BTreeMap::new();
        let mut count = |id, events, bytes, (first, last): (i64, i64)| {
            let info = found.entry(id).or_insert_with(|| ReplayInfo {
                id: id.to_owned(),
                time_min: i64::MAX,
                time_max: i64::MIN,
                ..ReplayInfo::default()
            });
            info.events += events;
            info.segment_bytes += bytes;
            info.time_min = info.time_min.min(first);
            info.time_max = info.time_max.max(last);
        };
        for segment in &view.catalog.segments {
            if let Some(id) = &segment.replay {
                let span = (segment.time_min, segment.time_max);
                count(id.as_str(), segment.rows, segment.bytes, span);
            }
        }
        for (replay, _, batches) in view.hot.iter().flat_map(|generation| generation.parts()) {
            let Some(id) = replay else { continue };
            for batch in batches {
                let times = column::<TimestampMillisecondType>(batch, "time")?;
                if let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) {
                    count(id, batch.num_rows() as u64, 0, (*first, *last));
                }
            }
        }
        Ok(Replays {
            present: found.into_values().collect(),
            purged: Vec::clone(&view.catalog.purged),
        })
    }

    /// Removes a replay for good: its events, and its clear values from the vault. What of it comes
    /// later is not taken. Files that a running query still reads go when it ends.
    ///
    /// # Errors
    /// No name or reason; the trail could not be written; the events in memory were not sealed
    /// within `wait`: then nothing was removed.
    pub fn purge(
        &self,
        replay: &str,
        opening: &Opening<'_>,
        wait: Duration,
    ) -> Result<Purged, StoreError> {
        if replay.is_empty() || opening.reason.trim().is_empty() {
            return Err(StoreError::Vault("a purge needs a replay and a reason"));
        }
        let entry = |action: &str, outcome: String| AuditEntry {
            time: opening.now.0,
            actor: opening.actor.to_owned(),
            action: action.to_owned(),
            object: format!("replay {replay}"),
            reason: opening.reason.to_owned(),
            outcome,
        };
        let asked = entry("replay_purge_asked", "ok".to_owned());
        self.trail().append(&asked)?;
        self.core.begin_purge(replay);
        let purged = self.purge_now(replay, wait);
        self.core.end_purge(replay);
        let outcome = match &purged {
            Ok(purged) => format!(
                "ok: {} events, {} vault files",
                purged.events, purged.vault_files
            ),
            Err(error) => error.to_string(),
        };
        self.trail().append(&entry("replay_purged", outcome))?;
        purged
    }

    fn purge_now(&self, replay: &str, wait: Duration) -> Result<Purged, StoreError> {
        // Nothing new is taken, so what there is stands in segments after this.
        self.flush(wait)?;
        let mut purged = Purged::default();
        self.core.commit_with(|version| {
            let mut change = Change {
                purged: vec![replay.to_owned()],
                ..Change::default()
            };
            for segment in &version.segments {
                if segment.replay.as_deref() == Some(replay) {
                    purged.events += segment.rows;
                    purged.segments += 1;
                    purged.segment_bytes += segment.bytes;
                    change.remove.push(segment.id);
                }
            }
            change
        })?;
        self.core.bury()?;
        purged.vault_files = self.core.vault.forget(replay)?;
        Ok(purged)
    }
}

#[cfg(test)]
mod tests;
