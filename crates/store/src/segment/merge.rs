//! Merging sorted segments into one, streaming: memory is one batch per input.
//!
//! Enters: segments of one class. Leaves: one segment of the next level. Refuses: inputs that
//! cannot be read: the merge is given up and they stay. Source: k-way merge (Knuth, TAOCP 3,
//! section 5.4.1).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{TimestampMillisecondType, UInt32Type, UInt64Type};
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::SegmentMeta;
use super::write::{column, write};
use crate::batch::nulls;
use crate::error::StoreError;
use crate::schema::ClassSchema;
use crate::wal::rows::conform;

/// Rows read and written at once.
const CHUNK_ROWS: usize = 8192;

/// Merges segments; the new one is in place and not yet in the catalog.
pub(crate) fn merge(
    root: &Path,
    schema: &'static ClassSchema,
    inputs: &[Arc<SegmentMeta>],
    id: u64,
    level: u8,
) -> Result<SegmentMeta, StoreError> {
    let generation = inputs
        .iter()
        .map(|segment| segment.generation)
        .max()
        .unwrap_or(0);
    let mut meta = SegmentMeta::empty(schema, id, level, generation);
    meta.replaces = inputs.iter().map(|segment| segment.id).collect();
    // Invariant: the inputs are of one tenant.
    debug_assert!(
        inputs
            .windows(2)
            .all(|two| matches!(two, [a, b] if a.replay == b.replay))
    );
    meta.replay = inputs.first().and_then(|segment| segment.replay.clone());
    let mut merger = Merger::open(root, schema, inputs)?;
    let chunks = std::iter::from_fn(|| merger.next_chunk().transpose());
    write(root, schema, &mut meta, chunks)?;
    Ok(meta)
}

/// Order of rows: time, node, sequence; then the input.
type Key = (i64, u32, u64, usize);

struct Merger {
    schema: &'static ClassSchema,
    inputs: Vec<Input>,
    heads: BinaryHeap<Reverse<Key>>,
}

struct Input {
    reader: ParquetRecordBatchReader,
    batch: RecordBatch,
    keys: Vec<(i64, u32, u64)>,
    at: usize,
}

impl Merger {
    fn open(
        root: &Path,
        schema: &'static ClassSchema,
        segments: &[Arc<SegmentMeta>],
    ) -> Result<Self, StoreError> {
        let mut inputs = Vec::new();
        let mut heads = BinaryHeap::new();
        for segment in segments {
            let path = root.join(&segment.path);
            let file = File::open(&path).map_err(|e| StoreError::io(&path, "open", e))?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)?
                .with_batch_size(CHUNK_ROWS)
                .build()?;
            let batch = RecordBatch::new_empty(Arc::clone(&schema.arrow));
            let mut input = Input {
                reader,
                batch,
                keys: Vec::new(),
                at: 0,
            };
            if input.refill(schema)?
                && let Some((time, node, seq)) = input.keys.first()
            {
                heads.push(Reverse((*time, *node, *seq, inputs.len())));
            }
            inputs.push(input);
        }
        Ok(Self {
            schema,
            inputs,
            heads,
        })
    }

    /// The next rows in order; `None` at the end. A chunk ends where an input runs out of its
    /// batch.
    fn next_chunk(&mut self) -> Result<Option<RecordBatch>, StoreError> {
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(CHUNK_ROWS);
        let mut empty = None;
        while places.len() < CHUNK_ROWS {
            let Some(Reverse((_, _, _, from))) = self.heads.pop() else {
                break;
            };
            let Some(input) = self.inputs.get_mut(from) else {
                break;
            };
            places.push((from, input.at));
            input.at += 1;
            match input.keys.get(input.at) {
                Some((time, node, seq)) => self.heads.push(Reverse((*time, *node, *seq, from))),
                None => {
                    empty = Some(from);
                    break;
                }
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let chunk = self.gathered(&places)?;
        if let Some(from) = empty
            && let Some(input) = self.inputs.get_mut(from)
            && input.refill(self.schema)?
            && let Some((time, node, seq)) = input.keys.first()
        {
            self.heads.push(Reverse((*time, *node, *seq, from)));
        }
        Ok(Some(chunk))
    }

    fn gathered(&self, places: &[(usize, usize)]) -> Result<RecordBatch, StoreError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.arrow.fields().len());
        for (index, field) in self.schema.arrow.fields().iter().enumerate() {
            let arrays: Vec<&dyn Array> = self
                .inputs
                .iter()
                .map(|input| input.batch.column(index).as_ref())
                .collect();
            let absent = arrays.iter().all(|array| array.null_count() == array.len());
            columns.push(if absent {
                nulls(field.data_type(), places.len())
            } else {
                interleave(&arrays, places)?
            });
        }
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema.arrow),
            columns,
        )?)
    }
}

impl Input {
    /// Reads the next batch; false at the end.
    fn refill(&mut self, schema: &ClassSchema) -> Result<bool, StoreError> {
        self.at = 0;
        self.keys.clear();
        let Some(batch) = self.reader.next() else {
            self.batch = RecordBatch::new_empty(Arc::clone(&schema.arrow));
            return Ok(false);
        };
        self.batch = conform(schema, &batch?)?;
        let times = column::<TimestampMillisecondType>(&self.batch, "time")?;
        let nodes = column::<UInt32Type>(&self.batch, "node")?;
        let seqs = column::<UInt64Type>(&self.batch, "seq")?;
        let rows = times.iter().zip(nodes).zip(seqs);
        self.keys
            .extend(rows.map(|((time, node), seq)| (*time, *node, *seq)));
        Ok(!self.keys.is_empty())
    }
}
