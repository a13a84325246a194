//! Files that survive: atomic replacement, directory syncs, free space.
//!
//! Enters: paths and bytes. Leaves: durable files. Refuses: to rename before the data is on disk.
//! Source: POSIX `fsync`, `rename`; `facts/store.md` section 4.3.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::error::StoreError;

/// Makes a directory and its parents, durable.
pub(crate) fn make_dir(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    match fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(StoreError::io(path, "make the directory", error)),
    }
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    let dir = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    dir.sync_all()
        .map_err(|e| StoreError::io(path, "sync the directory", e))
}

/// Writes a whole file atomically: `.part`, sync, rename, sync of the directory. Mode 0600.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let part = path.with_extension("part");
    let mut file = open_private(&part)?;
    file.write_all(bytes)
        .map_err(|e| StoreError::io(&part, "write", e))?;
    file.sync_all()
        .map_err(|e| StoreError::io(&part, "sync", e))?;
    put_in_place(&part, path)
}

/// Renames a synced `.part` file into place, durable.
pub(crate) fn put_in_place(part: &Path, path: &Path) -> Result<(), StoreError> {
    fs::rename(part, path).map_err(|e| StoreError::io(path, "rename into place", e))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// A new, empty file that only its owner may read.
pub(crate) fn open_private(path: &Path) -> Result<File, StoreError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .read(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| StoreError::io(path, "create", e))
}

/// Appends to a file and syncs; whether the file still ends at `end`, so that it may go on.
///
/// A write that failed is cut back and the file goes on. After a sync that failed nothing is known
/// of earlier pages: the file must not be used any more.
pub(crate) fn append(
    file: &mut File,
    end: u64,
    bytes: &[u8],
) -> Result<(), (std::io::Error, bool)> {
    if let Err(error) = file.write_all(bytes) {
        let cut = file
            .set_len(end)
            .and_then(|()| file.seek(SeekFrom::Start(end)));
        return Err((error, cut.is_ok()));
    }
    file.sync_data().map_err(|error| {
        // Best effort: readers also cope with the tail that may stay.
        let _ = file.set_len(end);
        let _ = file.sync_all();
        (error, false)
    })
}

/// A file written by and by: synced every [`STEADY_BYTES`], so that the log's own syncs never wait
/// behind a whole segment.
pub(crate) struct Steady {
    file: File,
    unsynced: usize,
}

impl Steady {
    pub(crate) const fn new(file: File) -> Self {
        Self { file, unsynced: 0 }
    }
}

impl std::io::Write for Steady {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written;
        if self.unsynced >= STEADY_BYTES {
            self.unsynced = 0;
            self.file.sync_data()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Bytes of a segment between two syncs.
const STEADY_BYTES: usize = 2 * 1024 * 1024;

/// Removes a file; one that is already gone is fine. The directory is synced.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_dir),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io(path, "remove", error)),
    }
}

/// Removes what is below a folder: what queries spilled before a kill, say.
pub(crate) fn empty(folder: &Path) -> Result<(), StoreError> {
    for name in names(folder)? {
        let path = folder.join(name);
        let gone = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        gone.map_err(|e| StoreError::io(&path, "remove", e))?;
    }
    Ok(())
}

/// Reads a whole file of at most `bytes_max` bytes.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    let mut bytes = Vec::new();
    let taken = file.take(bytes_max).read_to_end(&mut bytes);
    taken.map_err(|e| StoreError::io(path, "read", e))?;
    Ok(bytes)
}

/// The bytes of a file from one offset to another, or to its end when that comes first.
pub(crate) fn read_span(path: &Path, from: u64, to: u64) -> Result<Vec<u8>, StoreError> {
    let mut file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))
        .and_then(|_| file.take(to.saturating_sub(from)).read_to_end(&mut bytes))
        .map_err(|e| StoreError::io(path, "read", e))?;
    Ok(bytes)
}

/// Bytes free for this user on the disk of `path`; `None` when the system does not say.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes of the whole disk of `path`; `None` when the system does not say.
pub(crate) fn total_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_blocks.saturating_mul(stat.f_frsize))
}

/// Names in a directory, sorted.
pub(crate) fn names(path: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let entries = fs::read_dir(path).map_err(|e| StoreError::io(path, "list", e))?;
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io(path, "list", e))?;
        if let Some(name) = entry.file_name().to_str() {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Fills `out` with random octets of the operating system.
pub(crate) fn random(out: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(out).map_err(|_| StoreError::Vault("the system gives no random numbers"))
}
