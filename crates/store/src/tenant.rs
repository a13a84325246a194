//! Tenants: what really happened, and each replay apart from it.
//!
//! Enters: labels of events, batches. Leaves: batches of one tenant each, so that memory and
//! segments never mix them; which tenants a query looks at. Refuses: a replay in what really
//! happened: an event with a label `replay:ID` belongs to that replay, whatever else it says.
//! Source: `DESIGN.md` section 5; `docs/adr/0007`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::error::ArrowError;
use model::Text;

/// What the label of a replayed event starts with; its identifier follows.
pub const LABEL: &str = "replay:";

/// The identifier of a replay; `None` where it stands for what really happened.
pub(crate) type Replay = Option<Arc<str>>;

/// Which tenants a query looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// What really happened.
    #[default]
    Real,
    /// Every replay.
    Replayed,
    /// Both: one event is asked for by its identity.
    Both,
}

impl Tenant {
    /// True when it holds events of this replay, or real ones for `None`.
    pub(crate) const fn holds(self, replay: Option<&str>) -> bool {
        match self {
            Self::Real => replay.is_none(),
            Self::Replayed => replay.is_some(),
            Self::Both => true,
        }
    }
}

/// The replay that an event's labels name.
#[must_use]
pub fn replay_of(labels: &[Text]) -> Option<&str> {
    labels.iter().find_map(|label| label.strip_prefix(LABEL))
}

/// The rows of a batch by tenant; a batch of one tenant is not copied.
pub(crate) fn split(batch: RecordBatch) -> Result<Vec<(Replay, RecordBatch)>, ArrowError> {
    let replays = rows_of(&batch);
    let Some(first) = replays.first().cloned() else {
        return Ok(vec![(None, batch)]);
    };
    if replays.iter().all(|replay| *replay == first) {
        return Ok(vec![(first, batch)]);
    }
    let mut masks: BTreeMap<Replay, Vec<bool>> = BTreeMap::new();
    for replay in &replays {
        masks.entry(replay.clone()).or_default();
    }
    for (tenant, mask) in &mut masks {
        mask.extend(replays.iter().map(|replay| replay == tenant));
    }
    let parts = masks.into_iter().map(|(replay, mask)| {
        let rows = filter_record_batch(&batch, &BooleanArray::from(mask))?;
        Ok((replay, rows))
    });
    parts.collect()
}

/// The replay of every row; empty when no row has a label.
fn rows_of(batch: &RecordBatch) -> Vec<Replay> {
    let Some(labels) = batch.column_by_name("labels") else {
        return Vec::new();
    };
    let Some(lists) = labels.as_list_opt::<i32>() else {
        return Vec::new();
    };
    if lists.null_count() == lists.len() {
        return Vec::new();
    }
    let mut last: Replay = None;
    let mut out = Vec::with_capacity(lists.len());
    for list in lists.iter() {
        let found = list.and_then(|list| {
            let texts = list.as_string_opt::<i32>()?;
            let mut ids = texts
                .iter()
                .filter_map(|text| text?.strip_prefix(LABEL).map(str::to_owned));
            ids.next()
        });
        // Neighbours are of one replay: its name is kept once.
        if last.as_deref() != found.as_deref() {
            last = found.map(Arc::from);
        }
        out.push(last.clone());
    }
    out
}

#[cfg(test)]
mod tests;
