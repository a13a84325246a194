//! What is in memory: rows that are in the log and not yet sealed, searchable at once.
//!
//! Enters: committed batches. Leaves: immutable views; a query holds one and sees neither a gap nor
//! a double between memory and segments. Refuses: nothing; the writer bounds the rows.
//! Source: `facts/store.md` section 6 (OpenObserve #8638 is the case to avoid).

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat;
use datafusion::arrow::error::ArrowError;

use crate::batch::nulls;
use crate::catalog::Version;
use crate::schema::ClassSchema;
use crate::tenant::{self, Replay, Tenant};

/// A batch with its class.
pub(crate) type ClassBatch = (&'static ClassSchema, RecordBatch);

/// The rows of one log generation.
#[derive(Clone, Default)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) rows: u64,
    classes: BTreeMap<(Replay, u32), Arc<Vec<RecordBatch>>>,
}

/// What a query sees.
#[derive(Clone, Default)]
pub(crate) struct View {
    /// Sealed.
    pub(crate) catalog: Arc<Version>,
    /// In memory, ascending by generation.
    pub(crate) hot: Vec<Arc<Generation>>,
}

impl Generation {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// Adds batches; small neighbours grow together, so that lists stay short.
    pub(crate) fn add(&mut self, batches: Vec<ClassBatch>) -> Result<(), ArrowError> {
        for (schema, batch) in batches {
            for (replay, part) in tenant::split(batch)? {
                self.put(schema, replay, part)?;
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        schema: &'static ClassSchema,
        replay: Replay,
        batch: RecordBatch,
    ) -> Result<(), ArrowError> {
        self.rows += batch.num_rows() as u64;
        let list = self.classes.entry((replay, schema.class.uid)).or_default();
        let list = Arc::make_mut(list);
        list.push(batch);
        while let [.., before, last] = list.as_slice() {
            let together = before.num_rows() + last.num_rows();
            if before.num_rows() > 2 * last.num_rows() || together > BATCH_ROWS {
                break;
            }
            let merged = join(schema, before, last)?;
            list.truncate(list.len() - 2);
            list.push(merged);
        }
        Ok(())
    }

    /// Classes that have rows, whatever their tenant.
    pub(crate) fn classes(&self) -> impl Iterator<Item = (u32, &[RecordBatch])> {
        self.parts().map(|(_, uid, list)| (uid, list))
    }

    /// Replay (`None`: real), class, batches.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Option<&str>, u32, &[RecordBatch])> {
        self.classes
            .iter()
            .map(|((replay, uid), list)| (replay.as_deref(), *uid, list.as_slice()))
    }
}

impl View {
    /// Rows of what really happened.
    pub(crate) fn real_rows(&self) -> u64 {
        let parts = self.hot.iter().flat_map(|generation| generation.parts());
        let hot = parts
            .filter(|(replay, _, _)| replay.is_none())
            .flat_map(|(_, _, list)| list)
            .map(|batch| batch.num_rows() as u64);
        let sealed = self.catalog.segments.iter();
        let sealed = sealed
            .filter(|segment| segment.replay.is_none())
            .map(|segment| segment.rows);
        hot.sum::<u64>() + sealed.sum::<u64>()
    }

    /// Batches of a class and of some tenants in memory.
    pub(crate) fn hot_batches(&self, class_uid: u32, tenant: Tenant) -> Vec<RecordBatch> {
        let parts = self.hot.iter().flat_map(|generation| generation.parts());
        parts
            .filter(|(replay, uid, _)| *uid == class_uid && tenant.holds(*replay))
            .flat_map(|(_, _, list)| list.iter().cloned())
            .collect()
    }

    /// Bytes of all segments.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.catalog
            .segments
            .iter()
            .map(|segment| segment.bytes)
            .sum()
    }
}

fn join(
    schema: &ClassSchema,
    before: &RecordBatch,
    last: &RecordBatch,
) -> Result<RecordBatch, ArrowError> {
    let rows = before.num_rows() + last.num_rows();
    let columns: Result<Vec<ArrayRef>, ArrowError> = before
        .columns()
        .iter()
        .zip(last.columns())
        .map(|(a, b)| {
            if a.null_count() == a.len() && b.null_count() == b.len() {
                Ok(nulls(a.data_type(), rows))
            } else {
                concat(&[a.as_ref(), b.as_ref()])
            }
        })
        .collect();
    RecordBatch::try_new(Arc::clone(&schema.arrow), columns?)
}

/// Rows of a full batch.
pub(crate) const BATCH_ROWS: usize = 8192;
