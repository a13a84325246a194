//! The write-ahead log: an event is acknowledged when it is in here and synced.
//!
//! Enters: Arrow batches of masked rows. Leaves: one file per generation, of checksummed frames;
//! replay gives the batches back. Refuses: to acknowledge before the sync. Limits:
//! `frame::FRAME_BYTES_MAX`. Source: `facts/store.md` sections 4.3 and 6.

pub(crate) mod log;
pub(crate) mod replay;
pub(crate) mod rows;

use std::path::{Path, PathBuf};

/// The file of a generation.
pub(crate) fn path_of(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("{generation:016x}.wal"))
}

/// The generation of a file name.
pub(crate) fn generation_of(name: &str) -> Option<u64> {
    let stem = name.strip_suffix(".wal")?;
    if stem.len() == 16 {
        u64::from_str_radix(stem, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
