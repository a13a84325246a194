//! Reading a log file back after a start.
//!
//! Enters: a file. Leaves: its batches in order, and what was wrong with it. A torn tail is cut
//! off; a bad frame in the middle is reported and the frames behind it are still read.
//! Refuses: a newer format. Limits: `FILE_BYTES_MAX`. Source: `facts/store.md` section 4.3.

use std::collections::BTreeMap;
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::log::{KIND_BATCH, KIND_SCHEMA, MAGIC, VERSION};
use super::rows;
use crate::disk;
use crate::error::StoreError;
use crate::frame::{self, Found};
use crate::schema::ClassSchema;

/// Longest log file that is read: four times the largest generation.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What a file held.
#[derive(Default)]
pub(crate) struct Replayed {
    /// Batches in the order of their commits.
    pub(crate) batches: Vec<(&'static ClassSchema, RecordBatch)>,
    /// Offsets of bad places with right frames behind them.
    pub(crate) damaged: Vec<u64>,
    /// Length without the torn tail, when there is one.
    pub(crate) torn_at: Option<u64>,
}

/// Reads the file of a generation.
pub(crate) fn replay(path: &Path) -> Result<Replayed, StoreError> {
    let bytes = disk::read(path, FILE_BYTES_MAX)?;
    let mut out = Replayed::default();
    let Some((version, _)) = frame::read_file_head(&bytes, MAGIC) else {
        // A crash between creation and the first sync: nothing was acknowledged in it.
        if bytes.len() >= frame::FILE_HEAD_BYTES && bytes.iter().any(|byte| *byte != 0) {
            out.damaged.push(0);
        }
        out.torn_at = Some(0);
        return Ok(out);
    };
    if version > VERSION {
        return Err(StoreError::NewerFormat {
            path: path.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    let mut schemas = BTreeMap::new();
    let mut at = frame::FILE_HEAD_BYTES;
    while let Some(rest) = bytes.get(at..) {
        match frame::read(rest) {
            Found::End => break,
            Found::Frame(kind, payload, len) => {
                if take(kind, payload, &mut schemas, &mut out).is_none() {
                    out.damaged.push(at as u64);
                }
                at += len;
            }
            Found::Bad => match frame::resync(rest) {
                Some(skip) => {
                    out.damaged.push(at as u64);
                    at += skip;
                }
                None => {
                    out.torn_at = Some(at as u64);
                    break;
                }
            },
        }
    }
    Ok(out)
}

type Schemas = BTreeMap<u32, (&'static ClassSchema, SchemaRef)>;

/// Takes one right frame; `None` when its content does not make sense.
fn take(kind: u8, payload: &[u8], schemas: &mut Schemas, out: &mut Replayed) -> Option<()> {
    let (number, rest) = payload.split_first_chunk::<4>()?;
    let number = u32::from_le_bytes(*number);
    match kind {
        KIND_SCHEMA => {
            let (class, message) = rest.split_first_chunk::<4>()?;
            let class = ClassSchema::of(u32::from_le_bytes(*class))?;
            schemas.insert(number, (class, rows::read_schema(message)?));
        }
        KIND_BATCH => {
            let (_, rest) = rest.split_first_chunk::<4>()?;
            let (len, rest) = rest.split_first_chunk::<4>()?;
            let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
            let (message, body) = rest.split_at_checked(len)?;
            let (class, written) = schemas.get(&number)?;
            out.batches
                .push((class, rows::decode(class, written, message, body).ok()?));
        }
        _ => return None,
    }
    Some(())
}

/// Cuts the torn tail off, so that a later start does not meet it in the middle.
pub(crate) fn cut(path: &Path, length: u64) -> Result<(), StoreError> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(|e| StoreError::io(path, "open", e))?;
    file.set_len(length)
        .map_err(|e| StoreError::io(path, "cut the torn tail of", e))?;
    file.sync_all().map_err(|e| StoreError::io(path, "sync", e))
}
