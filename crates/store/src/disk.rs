//! Files that survive: atomic replacement, directory syncs, free space.
//!
//! Enters: paths and bytes. Leaves: durable files. Refuses: to rename before the data is on disk.
//! Source: POSIX `fsync`, `rename`; `facts/store.md` section 4.3.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
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

/// Removes a file; one that is already gone is fine. The directory is synced.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_dir),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::io(path, "remove", error)),
    }
}

/// Reads a whole file of at most `bytes_max` bytes.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    let mut bytes = Vec::new();
    let taken = file.take(bytes_max).read_to_end(&mut bytes);
    taken.map_err(|e| StoreError::io(path, "read", e))?;
    Ok(bytes)
}

/// Bytes free for this user on the disk of `path`; `None` when the system does not say.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
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
