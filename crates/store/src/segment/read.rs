//! Looking into a segment without the query engine.
//!
//! Enters: a path. Leaves: its metadata, its sequences of a node. Refuses: a newer column layout.
//! Source: Apache Parquet 2.11.

use std::fs::File;
use std::path::Path;

use datafusion::arrow::datatypes::{UInt32Type, UInt64Type};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::write::column;
use super::{META_KEY, SegmentMeta};
use crate::error::StoreError;
use crate::schema::SCHEMA_VERSION;

/// The metadata that a segment carries.
pub(crate) fn meta(path: &Path) -> Result<SegmentMeta, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    let bytes = file
        .metadata()
        .map_err(|e| StoreError::io(path, "size", e))?
        .len();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    // The last one wins: it was appended when the rows were known.
    let text = pairs
        .into_iter()
        .flatten()
        .rfind(|pair| pair.key == META_KEY)
        .and_then(|pair| pair.value.as_deref())
        .unwrap_or("");
    let damaged = |_| StoreError::Damaged {
        path: path.to_owned(),
        offset: bytes,
        what: "no segment description in the footer",
    };
    let mut meta: SegmentMeta = serde_json::from_str(text).map_err(damaged)?;
    if meta.schema_version > SCHEMA_VERSION {
        return Err(StoreError::NewerFormat {
            path: path.to_owned(),
            found: meta.schema_version,
            known: SCHEMA_VERSION,
        });
    }
    meta.bytes = bytes;
    Ok(meta)
}

/// Which of `wanted` (ascending) sequences of a node the segment holds, ascending.
pub(crate) fn sequences(path: &Path, node: u32, wanted: &[u64]) -> Result<Vec<u64>, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["node", "seq"]);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(65_536)
        .build()?;
    let mut found = Vec::new();
    for batch in reader {
        let batch = batch?;
        let nodes = column::<UInt32Type>(&batch, "node")?;
        let seqs = column::<UInt64Type>(&batch, "seq")?;
        let hits = nodes.iter().zip(seqs).filter(|(known, _)| **known == node);
        found.extend(
            hits.map(|(_, seq)| *seq)
                .filter(|seq| wanted.binary_search(seq).is_ok()),
        );
    }
    found.sort_unstable();
    Ok(found)
}
