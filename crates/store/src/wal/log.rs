//! The growing end of the log: one file per generation.
//!
//! Enters: encoded batches. Leaves: frames on disk, synced when [`Log::commit`] returns.
//! Refuses: to go on in a file whose sync failed, since that may have lost earlier pages: a new one
//! is begun. A write that failed is cut back. Source: `facts/store.md` section 4.3.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::path_of;
use super::rows::{Encoded, Shape, schema_message};
use crate::disk;
use crate::error::StoreError;
use crate::frame;
use crate::schema::ClassSchema;

/// What a log file starts with.
pub(crate) const MAGIC: &[u8; 8] = b"VIGIEWAL";
/// Newest version that this program writes and reads.
pub(crate) const VERSION: u32 = 1;
/// Frame kind: an IPC schema message with its number.
pub(crate) const KIND_SCHEMA: u8 = 1;
/// Frame kind: an IPC batch with the number of its schema.
pub(crate) const KIND_BATCH: u8 = 2;

/// The log file of one generation.
pub(crate) struct Log {
    pub(crate) generation: u64,
    path: PathBuf,
    file: File,
    bytes: u64,
    shapes: BTreeMap<Shape, u32>,
    broken: bool,
}

impl Log {
    /// Begins the file of a generation.
    pub(crate) fn create(dir: &Path, generation: u64) -> Result<Self, StoreError> {
        let path = path_of(dir, generation);
        let head = frame::file_head(MAGIC, VERSION, generation);
        let file = begin(&path, &head).inspect_err(|_| {
            // On a full disk even an empty file is one too many.
            let _ = std::fs::remove_file(&path);
        })?;
        disk::sync_dir(dir)?;
        let bytes = head.len() as u64;
        Ok(Self {
            generation,
            path,
            file,
            bytes,
            shapes: BTreeMap::new(),
            broken: false,
        })
    }

    /// Bytes of the file.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// True after a failure: begin another generation before the next commit.
    pub(crate) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Appends the batches and syncs; `bytes_left` is what a quota still allows.
    ///
    /// # Errors
    /// Nothing of the batches counts as written then; the file takes no more.
    pub(crate) fn commit(&mut self, batches: &[&Encoded], left: u64) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        let mut fresh = Vec::new();
        for batch in batches {
            let number = self.number_of(batch, &mut fresh, &mut bytes)?;
            let fits = frame::push(
                &mut bytes,
                KIND_BATCH,
                &[
                    &number.to_le_bytes(),
                    &batch.rows.to_le_bytes(),
                    &u32::try_from(batch.message.len())
                        .unwrap_or(u32::MAX)
                        .to_le_bytes(),
                    &batch.message,
                    &batch.body,
                ],
            );
            if !fits {
                return Err(StoreError::Columns(
                    "a batch is too long for the log".to_owned(),
                ));
            }
        }
        if bytes.len() as u64 > left {
            return Err(StoreError::DiskFull {
                path: self.path.clone(),
            });
        }
        if let Err((error, whole)) = disk::append(&mut self.file, self.bytes, &bytes) {
            self.broken = !whole;
            return Err(StoreError::io(&self.path, "append", error));
        }
        self.bytes += bytes.len() as u64;
        for (shape, number) in fresh {
            self.shapes.insert(shape, number);
        }
        Ok(())
    }

    fn number_of(
        &self,
        batch: &Encoded,
        fresh: &mut Vec<(Shape, u32)>,
        bytes: &mut Vec<u8>,
    ) -> Result<u32, StoreError> {
        if let Some(number) = self.shapes.get(&batch.shape) {
            return Ok(*number);
        }
        if let Some((_, number)) = fresh.iter().find(|(shape, _)| *shape == batch.shape) {
            return Ok(*number);
        }
        let unknown = || StoreError::Columns("unknown class".to_owned());
        let schema = ClassSchema::of(batch.shape.class_uid).ok_or_else(unknown)?;
        let number = u32::try_from(self.shapes.len() + fresh.len()).unwrap_or(u32::MAX);
        let message = schema_message(schema, &batch.shape);
        let class = batch.shape.class_uid.to_le_bytes();
        frame::push(
            bytes,
            KIND_SCHEMA,
            &[&number.to_le_bytes(), &class, &message],
        );
        fresh.push((batch.shape.clone(), number));
        Ok(number)
    }
}

fn begin(path: &Path, head: &[u8]) -> Result<File, StoreError> {
    let mut file = disk::open_private(path)?;
    file.write_all(head)
        .map_err(|e| StoreError::io(path, "write", e))?;
    file.sync_all()
        .map_err(|e| StoreError::io(path, "sync", e))?;
    Ok(file)
}
