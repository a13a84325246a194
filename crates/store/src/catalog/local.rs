//! The catalog of one machine: an append-only manifest of checksummed changes.
//!
//! Enters: changes. Leaves: durable versions; a manifest that grew long is replaced by one that
//! starts with the whole state. Refuses: a newer format; a manifest damaged in the middle is
//! rebuilt from the segments, which describe themselves. Source: own format, version 1, frames as
//! in the log.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Catalog, Change, Version};
use crate::disk;
use crate::error::StoreError;
use crate::frame::{self, Found};
use crate::segment::{SegmentMeta, layout, read};
use crate::wal;

/// What a manifest starts with.
const MAGIC: &[u8; 8] = b"VIGIECAT";
/// Newest version that this program writes and reads.
const VERSION: u32 = 1;
/// Frame kind: a [`Change`] in JSON.
const KIND_CHANGE: u8 = 1;
/// Longest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// A manifest that grew by this much since its start is replaced.
const GROWTH_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Bytes kept aside so that segments can still be given up on a full disk.
const RESERVE_BYTES: usize = 64 * 1024;

/// The manifest of one machine.
pub struct LocalCatalog {
    root: PathBuf,
    state: Mutex<State>,
}

struct State {
    version: Arc<Version>,
    number: u64,
    path: PathBuf,
    file: File,
    bytes: u64,
    grown: u64,
    broken: bool,
}

impl LocalCatalog {
    /// Opens the catalog below the store's directory, or begins one.
    ///
    /// # Errors
    /// Failures of the disk; a newer format.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let dir = root.join("catalog");
        disk::make_dir(&dir)?;
        let mut numbers: Vec<u64> = disk::names(&dir)?
            .iter()
            .filter_map(|name| number_of(name))
            .collect();
        numbers.sort_unstable();
        let latest = numbers.last().copied();
        let version = match latest {
            None => Version::default(),
            Some(number) => match load(&manifest(&dir, number))? {
                Some(version) => version,
                None => rebuild(root)?,
            },
        };
        let number = latest.map_or(1, |number| number + 1);
        // A start on a full disk needs room for the new manifest.
        disk::remove(&dir.join("reserve"))?;
        let state = begin(&dir, number, version)?;
        for old in numbers {
            disk::remove(&manifest(&dir, old))?;
        }
        let catalog = Self {
            root: root.to_owned(),
            state: Mutex::new(state),
        };
        catalog.keep_reserve();
        Ok(catalog)
    }

    fn reserve(&self) -> PathBuf {
        self.root.join("catalog").join("reserve")
    }

    /// Makes the reserve when there is none and the disk has room.
    fn keep_reserve(&self) {
        let path = self.reserve();
        if path.exists() {
            return;
        }
        // Not zeros: some disks keep no blocks for those.
        if let Err(error) = disk::write_atomic(&path, &[0x5a; RESERVE_BYTES]) {
            let _ = std::fs::remove_file(path.with_extension("part"));
            tracing::debug!(%error, "no reserve for the catalog yet");
        }
    }

    /// Replaces a manifest that grew long or must not be used any more.
    fn renew(&self, state: &mut State) -> Result<(), StoreError> {
        let old = state.path.clone();
        let version = Version::clone(&state.version);
        *state = begin(&self.root.join("catalog"), state.number + 1, version)?;
        disk::remove(&old)
    }
}

impl Catalog for LocalCatalog {
    fn current(&self) -> Arc<Version> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.version)
    }

    fn commit(&self, change: &Change, expected: u64) -> Result<Arc<Version>, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = state.version.number;
        if found != expected {
            return Err(StoreError::Conflict { expected, found });
        }
        if state.broken {
            self.renew(&mut state)?;
        }
        let mut appended = state.append(change);
        let gives_up = change.add.is_empty() && !change.remove.is_empty();
        if gives_up && matches!(appended, Err(StoreError::DiskFull { .. })) {
            disk::remove(&self.reserve())?;
            if state.broken {
                self.renew(&mut state)?;
            }
            appended = state.append(change);
        }
        appended?;
        state.version = Arc::new(state.version.with(change));
        // The change is durable: what follows must not make it look failed.
        if state.grown > GROWTH_BYTES_MAX
            && let Err(error) = self.renew(&mut state)
        {
            tracing::warn!(%error, "the catalog's manifest stays long; it is renewed later");
        }
        if !gives_up {
            self.keep_reserve();
        }
        Ok(Arc::clone(&state.version))
    }
}

impl State {
    fn append(&mut self, change: &Change) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        push_change(&mut bytes, change)?;
        if let Err((error, whole)) = disk::append(&mut self.file, self.bytes, &bytes) {
            // What is left of a broken manifest must not be written to: begin another.
            self.broken = !whole;
            return Err(StoreError::io(&self.path, "append", error));
        }
        self.bytes += bytes.len() as u64;
        self.grown += bytes.len() as u64;
        Ok(())
    }
}

fn push_change(bytes: &mut Vec<u8>, change: &Change) -> Result<(), StoreError> {
    let json = serde_json::to_vec(change).map_err(|e| StoreError::Columns(e.to_string()))?;
    if frame::push(bytes, KIND_CHANGE, &[&json]) {
        Ok(())
    } else {
        Err(StoreError::Columns(
            "a change is too long for the manifest".to_owned(),
        ))
    }
}

/// Writes a manifest that starts with the whole of `version`, and opens it for appending.
fn begin(dir: &Path, number: u64, version: Version) -> Result<State, StoreError> {
    let path = manifest(dir, number);
    let part = path.with_extension("part");
    let mut bytes = frame::file_head(MAGIC, VERSION, number);
    let change = Change {
        add: version
            .segments
            .iter()
            .map(|segment| SegmentMeta::clone(segment))
            .collect(),
        remove: Vec::new(),
        sealed: Some(version.sealed),
        seen: version.seen.ranges(),
        purged: Vec::clone(&version.purged),
    };
    push_change(&mut bytes, &change)?;
    let mut file = disk::open_private(&part)?;
    file.write_all(&bytes)
        .map_err(|e| StoreError::io(&part, "write", e))?;
    file.sync_all()
        .map_err(|e| StoreError::io(&part, "sync", e))?;
    disk::put_in_place(&part, &path)?;
    let bytes = bytes.len() as u64;
    Ok(State {
        version: Arc::new(version),
        number,
        path,
        file,
        bytes,
        grown: 0,
        broken: false,
    })
}

/// The state of a manifest; `None` when it is damaged in the middle.
fn load(path: &Path) -> Result<Option<Version>, StoreError> {
    let bytes = disk::read(path, MANIFEST_BYTES_MAX)?;
    let Some((version, _)) = frame::read_file_head(&bytes, MAGIC) else {
        return Ok(None);
    };
    if version > VERSION {
        return Err(StoreError::NewerFormat {
            path: path.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    let mut state = Version::default();
    let mut at = frame::FILE_HEAD_BYTES;
    while let Some(rest) = bytes.get(at..) {
        match frame::read(rest) {
            Found::End => break,
            Found::Frame(KIND_CHANGE, payload, len) => {
                let Ok(change) = serde_json::from_slice::<Change>(payload) else {
                    return Ok(None);
                };
                state = state.with(&change);
                at += len;
            }
            Found::Frame(..) => return Ok(None),
            Found::Bad if frame::resync(rest).is_some() => return Ok(None),
            // A torn last change was never acknowledged.
            Found::Bad => break,
        }
    }
    Ok(Some(state))
}

/// The state that the segments themselves describe. Those of a generation whose log still exists
/// are left out: the log seals them again. Those that a compacted one took over are left out too.
fn rebuild(root: &Path) -> Result<Version, StoreError> {
    tracing::warn!("catalog damaged; rebuilding it from the segments");
    let wal_dir = root.join("wal");
    let open: BTreeSet<u64> = if wal_dir.is_dir() {
        disk::names(&wal_dir)?
            .iter()
            .filter_map(|name| wal::generation_of(name))
            .collect()
    } else {
        BTreeSet::new()
    };
    let mut found = Vec::new();
    for path in segment_files(root)? {
        match read::meta(&root.join(&path)) {
            Ok(mut meta) => {
                meta.path = path;
                found.push(meta);
            }
            Err(error @ StoreError::NewerFormat { .. }) => return Err(error),
            Err(error) => tracing::error!(%error, "segment left out of the rebuilt catalog"),
        }
    }
    let replaced: BTreeSet<u64> = found
        .iter()
        .flat_map(|meta| meta.replaces.iter().copied())
        .collect();
    found.retain(|meta| !replaced.contains(&meta.id));
    found.retain(|meta| meta.level > 0 || !open.contains(&meta.generation));
    let sealed = found.iter().map(|meta| meta.generation).max().unwrap_or(0);
    let sealed = open
        .first()
        .map_or(sealed, |first| sealed.min(first.saturating_sub(1)));
    let mut seen = crate::seen::Seen::default();
    for meta in &found {
        for (node, from, to) in &meta.nodes {
            seen.blur(*node, *from, *to);
        }
    }
    let change = Change {
        add: found,
        sealed: Some(sealed),
        ..Change::default()
    };
    let mut version = Version {
        seen,
        ..Version::default()
    }
    .with(&change);
    version.number = 1;
    Ok(version)
}

/// Paths of all segment files below the store's directory, sorted.
pub(crate) fn segment_files(root: &Path) -> Result<Vec<String>, StoreError> {
    let mut files = Vec::new();
    let top = root.join(layout::DIR);
    if !top.is_dir() {
        return Ok(files);
    }
    for class in disk::names(&top)? {
        let class_dir = top.join(&class);
        if !class_dir.is_dir() {
            continue;
        }
        for day in disk::names(&class_dir)? {
            let day_dir = class_dir.join(&day);
            if !day_dir.is_dir() {
                continue;
            }
            for name in disk::names(&day_dir)? {
                if name.ends_with(".parquet") {
                    files.push(format!("{}/{class}/{day}/{name}", layout::DIR));
                }
            }
        }
    }
    Ok(files)
}

fn manifest(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.manifest"))
}

fn number_of(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_suffix(".manifest")?, 16).ok()
}
