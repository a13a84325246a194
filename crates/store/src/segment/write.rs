//! Sealing: the rows of a generation become segments.
//!
//! Enters: batches of one class. Leaves: files in place, synced, with their metadata; not yet in
//! the catalog. Refuses: more than [`PARTS_MAX`] hours in one seal: they share one segment then.
//! Source: `facts/store.md` section 6 ("x.part -> fsync -> rename -> fsync directory").

use std::collections::BTreeMap;
use std::path::Path;

use datafusion::arrow::array::{ArrayRef, AsArray as _, RecordBatch};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, TimestampMillisecondType, UInt32Type, UInt64Type,
};
use datafusion::parquet::arrow::ArrowWriter;

use super::{HOUR_MS, SegmentMeta, layout};
use crate::batch::nulls;
use crate::disk;
use crate::error::StoreError;
use crate::schema::{ClassSchema, SCHEMA_VERSION};

/// Most segments that one class gets from one seal.
pub(crate) const PARTS_MAX: usize = 64;
/// Rows that are put in order at once.
const CHUNK_ROWS: usize = 8192;

/// Where a row stands, ordered as a segment is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    time: i64,
    node: u32,
    seq: u64,
    batch: usize,
    at: usize,
}

/// What one sealing concerns.
#[derive(Clone, Copy)]
pub(crate) struct Sealing<'a> {
    /// The store's directory.
    pub(crate) root: &'a Path,
    /// Log generation.
    pub(crate) generation: u64,
    /// The replay that all rows belong to; `None` for what really happened.
    pub(crate) replay: Option<&'a str>,
}

/// Seals the batches of one class and tenant; `next_id` gives identifiers.
pub(crate) fn seal(
    of: Sealing<'_>,
    schema: &'static ClassSchema,
    batches: &[RecordBatch],
    next_id: &mut dyn FnMut() -> u64,
    sealed: &mut Vec<SegmentMeta>,
) -> Result<(), StoreError> {
    let mut parts: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for (number, batch) in batches.iter().enumerate() {
        for (row, logged) in rows_of(batch, number)? {
            parts
                .entry(logged.div_euclid(HOUR_MS))
                .or_default()
                .push(row);
        }
    }
    if parts.len() > PARTS_MAX {
        let all: Vec<Row> = parts.into_values().flatten().collect();
        parts = BTreeMap::from([(0, all)]);
    }
    for rows in parts.values_mut() {
        rows.sort_unstable();
        let mut meta = SegmentMeta::empty(schema, next_id(), 0, of.generation);
        meta.replay = of.replay.map(str::to_owned);
        let chunks = rows
            .chunks(CHUNK_ROWS)
            .map(|chunk| ordered(schema, batches, chunk));
        write(of.root, schema, &mut meta, chunks)?;
        sealed.push(meta);
    }
    Ok(())
}

impl SegmentMeta {
    /// Metadata of a segment without rows yet.
    pub(crate) fn empty(schema: &ClassSchema, id: u64, level: u8, generation: u64) -> Self {
        Self {
            id,
            class_uid: schema.class.uid,
            path: String::new(),
            rows: 0,
            bytes: 0,
            time_min: i64::MAX,
            time_max: i64::MIN,
            logged_min: i64::MAX,
            logged_max: i64::MIN,
            level,
            generation,
            replaces: Vec::new(),
            replay: None,
            nodes: Vec::new(),
            schema_version: SCHEMA_VERSION,
        }
    }

    /// Takes the rows of a batch into account.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        let times = column::<TimestampMillisecondType>(batch, "time")?;
        let logged = column::<TimestampMillisecondType>(batch, "logged_time")?;
        let nodes = column::<UInt32Type>(batch, "node")?;
        let seqs = column::<UInt64Type>(batch, "seq")?;
        self.rows += batch.num_rows() as u64;
        for time in times {
            self.time_min = self.time_min.min(*time);
            self.time_max = self.time_max.max(*time);
        }
        for time in logged {
            self.logged_min = self.logged_min.min(*time);
            self.logged_max = self.logged_max.max(*time);
        }
        let mut last = 0usize;
        for (node, seq) in nodes.iter().zip(seqs) {
            let at = match self.nodes.get(last) {
                Some((known, _, _)) if known == node => last,
                _ => match self.nodes.iter().position(|(known, _, _)| known == node) {
                    Some(at) => at,
                    None => {
                        self.nodes.push((*node, *seq, *seq));
                        self.nodes.len() - 1
                    }
                },
            };
            if let Some((_, from, to)) = self.nodes.get_mut(at) {
                *from = (*from).min(*seq);
                *to = (*to).max(*seq);
            }
            last = at;
        }
        Ok(())
    }
}

/// Writes the chunks as the file of `meta`, completes `meta`, and puts the file in place.
pub(crate) fn write(
    root: &Path,
    schema: &'static ClassSchema,
    meta: &mut SegmentMeta,
    chunks: impl Iterator<Item = Result<RecordBatch, StoreError>>,
) -> Result<(), StoreError> {
    let part = root
        .join(layout::DIR)
        .join(format!("{:016x}.part", meta.id));
    let done = write_part(&part, schema, meta, chunks).and_then(|()| {
        meta.path = layout::path_of(schema.class.name, meta.logged_max, meta.id);
        let path = root.join(&meta.path);
        if let Some(dir) = path.parent() {
            disk::make_dir(dir)?;
        }
        disk::put_in_place(&part, &path)?;
        let size = std::fs::metadata(&path).map_err(|e| StoreError::io(&path, "size", e))?;
        meta.bytes = size.len();
        Ok(())
    });
    if done.is_err() {
        // A full disk must not keep the half segment; what stays is removed at the next start.
        let _ = std::fs::remove_file(&part);
    }
    done
}

fn write_part(
    part: &Path,
    schema: &'static ClassSchema,
    meta: &mut SegmentMeta,
    chunks: impl Iterator<Item = Result<RecordBatch, StoreError>>,
) -> Result<(), StoreError> {
    let file = disk::open_private(part)?;
    let synced = file
        .try_clone()
        .map_err(|e| StoreError::io(part, "open", e))?;
    let properties = layout::properties(schema, meta);
    let buffered = std::io::BufWriter::with_capacity(256 * 1024, disk::Steady::new(file));
    let mut writer = ArrowWriter::try_new(buffered, schema.arrow.clone(), Some(properties))
        .map_err(|e| parquet_error(part, e))?;
    for chunk in chunks {
        let chunk = chunk?;
        meta.add(&chunk)?;
        writer.write(&chunk).map_err(|e| parquet_error(part, e))?;
    }
    let described = serde_json::to_string(meta).unwrap_or_default();
    writer.append_key_value_metadata(datafusion::parquet::file::metadata::KeyValue::new(
        super::META_KEY.to_owned(),
        described,
    ));
    let buffered = writer.into_inner().map_err(|e| parquet_error(part, e))?;
    buffered
        .into_inner()
        .map_err(|e| StoreError::io(part, "write", e.into_error()))?;
    synced
        .sync_all()
        .map_err(|e| StoreError::io(part, "sync", e))
}

/// Keeps "disk full" apart from other failures of the Parquet writer.
fn parquet_error(path: &Path, error: datafusion::parquet::errors::ParquetError) -> StoreError {
    use std::error::Error as _;
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner
            .downcast_ref::<std::io::Error>()
            .is_some_and(crate::error::is_full)
        {
            return StoreError::DiskFull {
                path: path.to_owned(),
            };
        }
        cause = inner.source();
    }
    if error.to_string().contains("No space left") {
        return StoreError::DiskFull {
            path: path.to_owned(),
        };
    }
    StoreError::Columns(error.to_string())
}

fn rows_of(
    batch: &RecordBatch,
    number: usize,
) -> Result<impl Iterator<Item = (Row, i64)>, StoreError> {
    let times = column::<TimestampMillisecondType>(batch, "time")?;
    let logged = column::<TimestampMillisecondType>(batch, "logged_time")?;
    let nodes = column::<UInt32Type>(batch, "node")?;
    let seqs = column::<UInt64Type>(batch, "seq")?;
    let rows = times.iter().zip(nodes).zip(seqs).zip(logged).enumerate();
    Ok(rows.map(move |(at, (((time, node), seq), logged))| {
        (
            Row {
                time: *time,
                node: *node,
                seq: *seq,
                batch: number,
                at,
            },
            *logged,
        )
    }))
}

/// The values of a spine column, which is never absent.
pub(crate) fn column<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a [T::Native], StoreError> {
    let wrong = || StoreError::Columns(format!("column {name} is missing"));
    let column = batch.column_by_name(name).ok_or_else(wrong)?;
    Ok(column.as_primitive_opt::<T>().ok_or_else(wrong)?.values())
}

/// The rows of `chunk`, in its order; columns that hold nothing cost nothing.
fn ordered(
    schema: &ClassSchema,
    batches: &[RecordBatch],
    chunk: &[Row],
) -> Result<RecordBatch, StoreError> {
    if let Some(slice) = contiguous(batches, chunk) {
        return Ok(slice);
    }
    // Only the batches that this chunk draws from.
    let mut used: Vec<usize> = chunk.iter().map(|row| row.batch).collect();
    used.sort_unstable();
    used.dedup();
    let places: Vec<(usize, usize)> = chunk
        .iter()
        .map(|row| (used.binary_search(&row.batch).unwrap_or(0), row.at))
        .collect();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.arrow.fields().len());
    for (index, field) in schema.arrow.fields().iter().enumerate() {
        let arrays: Vec<&dyn datafusion::arrow::array::Array> = used
            .iter()
            .filter_map(|batch| batches.get(*batch))
            .map(|batch| batch.column(index).as_ref())
            .collect();
        let empty = arrays.iter().all(|array| array.null_count() == array.len());
        columns.push(if empty {
            nulls(field.data_type(), chunk.len())
        } else {
            interleave(&arrays, &places)?
        });
    }
    Ok(RecordBatch::try_new(schema.arrow.clone(), columns)?)
}

/// The chunk as a slice of one batch, when its rows already stand in order there.
fn contiguous(batches: &[RecordBatch], chunk: &[Row]) -> Option<RecordBatch> {
    let first = chunk.first()?;
    let in_order = chunk
        .iter()
        .enumerate()
        .all(|(at, row)| row.batch == first.batch && row.at == first.at + at);
    if !in_order {
        return None;
    }
    batches
        .get(first.batch)
        .map(|batch| batch.slice(first.at, chunk.len()))
}
