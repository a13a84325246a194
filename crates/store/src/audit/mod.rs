//! The security audit trail: append-only, hash-chained, on disk before the action.
//!
//! Enters: [`AuditEntry`]s. Leaves: one JSON line each, with the BLAKE3 of the line before it.
//! Refuses: to return before the line is synced; entries over [`LINE_BYTES_MAX`].
//! Source: `DESIGN.md` section 3, `STYLE.md` rule 49; chain as in RFC 9162's idea of append-only
//! logs.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::port::{AuditEntry, AuditTrail};
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::StoreError;

/// Longest line.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Newest format that this program writes and reads.
pub const VERSION: u32 = 1;

/// The trail of one store.
pub struct Trail {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: File,
    bytes: u64,
    next: u64,
    hash: String,
}

/// One line: the entry, its number and its place in the chain.
#[derive(Serialize, Deserialize)]
struct Line {
    n: u64,
    #[serde(flatten)]
    entry: AuditEntry,
    prev: String,
    hash: String,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// What a check of the whole trail found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Every line follows from the one before it; how many entries.
    Whole(u64),
    /// The first line that does not, counted from 1.
    Broken(u64),
}

impl Trail {
    /// Opens the trail in `dir`, or begins one.
    ///
    /// # Errors
    /// Failures of the disk; a newer format.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        disk::make_dir(dir)?;
        let path = dir.join("trail.jsonl");
        if !path.exists() {
            let header = Header {
                format: FORMAT.to_owned(),
                version: VERSION,
            };
            let mut line = json(&header)?;
            line.push(b'\n');
            disk::write_atomic(&path, &line)?;
        }
        let state = State::load(&path)?;
        Ok(Self {
            path,
            state: Mutex::new(state),
        })
    }

    /// Appends one entry; it is on disk when this returns.
    ///
    /// # Errors
    /// The trail could not be written: the action must not be taken.
    pub fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = chained(&state.hash, state.next, entry)?;
        let prev = state.hash.clone();
        let entry = entry.clone();
        let mut bytes = json(&Line {
            n: state.next,
            entry,
            prev,
            hash: hash.clone(),
        })?;
        bytes.push(b'\n');
        if bytes.len() > LINE_BYTES_MAX {
            return Err(StoreError::Audit("an entry is too long".to_owned()));
        }
        let written = state
            .file
            .write_all(&bytes)
            .and_then(|()| state.file.sync_data());
        if let Err(error) = written {
            let whole = state.bytes;
            let _ = state.file.set_len(whole);
            return Err(StoreError::io(&self.path, "append", error));
        }
        state.bytes += bytes.len() as u64;
        state.next += 1;
        state.hash = hash;
        Ok(())
    }

    /// Checks the whole chain.
    ///
    /// # Errors
    /// The file could not be read.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = state.bytes;
        drop(state);
        verify(&self.path, whole)
    }

    fn tail(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = state.bytes;
        drop(state);
        let mut file = File::open(&self.path).map_err(|e| StoreError::io(&self.path, "open", e))?;
        let mut take = TAIL_BYTES;
        loop {
            let from = whole.saturating_sub(take);
            let text = read_span(&mut file, from, whole)
                .map_err(|e| StoreError::io(&self.path, "read", e))?;
            let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            if from > 0 && !lines.is_empty() {
                lines.remove(0);
            }
            let entries: Vec<AuditEntry> = lines
                .iter()
                .rev()
                .filter_map(|line| serde_json::from_slice::<Line>(line).ok())
                .map(|line| line.entry)
                .take(limit)
                .collect();
            if entries.len() >= limit || from == 0 {
                return Ok(entries);
            }
            take = take.saturating_mul(4);
        }
    }
}

impl AuditTrail for Trail {
    fn record(&self, entry: &AuditEntry) -> Result<(), String> {
        self.append(entry).map_err(|error| error.to_string())
    }

    fn latest(&self, limit: usize) -> Result<Vec<AuditEntry>, String> {
        self.tail(limit.min(LATEST_MAX))
            .map_err(|error| error.to_string())
    }
}

impl State {
    /// Finds the end of the chain; a torn last line was never acknowledged and is cut off.
    fn load(path: &Path) -> Result<Self, StoreError> {
        let io = |action| move |e| StoreError::io(path, action, e);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(path)
            .map_err(io("open"))?;
        let mut reader = BufReader::new(File::open(path).map_err(io("open"))?);
        let mut state = Self {
            file,
            bytes: 0,
            next: 1,
            hash: String::new(),
        };
        let mut line = Vec::new();
        let mut first = true;
        loop {
            line.clear();
            let taken = reader.read_until(b'\n', &mut line).map_err(io("read"))?;
            if taken == 0 || line.last() != Some(&b'\n') {
                break;
            }
            state.bytes += taken as u64;
            if std::mem::take(&mut first) {
                state.hash = check_header(path, &line)?;
            } else if let Ok(line) = serde_json::from_slice::<Line>(&line) {
                state.next = line.n + 1;
                state.hash = line.hash;
            }
        }
        if !line.is_empty() {
            tracing::warn!("audit trail: torn last line cut off");
            state.file.set_len(state.bytes).map_err(io("cut"))?;
            state.file.sync_all().map_err(io("sync"))?;
        }
        Ok(state)
    }
}

fn check_header(path: &Path, line: &[u8]) -> Result<String, StoreError> {
    let damaged = || StoreError::Damaged {
        path: path.to_owned(),
        offset: 0,
        what: "not an audit trail",
    };
    let header: Header = serde_json::from_slice(line).map_err(|_| damaged())?;
    if header.format != FORMAT {
        return Err(damaged());
    }
    if header.version > VERSION {
        return Err(StoreError::NewerFormat {
            path: path.to_owned(),
            found: header.version,
            known: VERSION,
        });
    }
    Ok(blake3::hash(line).to_hex().to_string())
}

fn verify(path: &Path, whole: u64) -> Result<Verified, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    let mut reader = BufReader::new(file.take(whole));
    let mut line = Vec::new();
    let mut number = 0u64;
    let mut hash = String::new();
    loop {
        line.clear();
        let taken = reader
            .read_until(b'\n', &mut line)
            .map_err(|e| StoreError::io(path, "read", e))?;
        if taken == 0 {
            return Ok(Verified::Whole(number.saturating_sub(1)));
        }
        number += 1;
        if number == 1 {
            match check_header(path, &line) {
                Ok(first) => hash = first,
                Err(_) => return Ok(Verified::Broken(1)),
            }
            continue;
        }
        let Ok(read) = serde_json::from_slice::<Line>(&line) else {
            return Ok(Verified::Broken(number));
        };
        let right = chained(&hash, number - 1, &read.entry)?;
        if read.n != number - 1 || read.prev != hash || read.hash != right {
            return Ok(Verified::Broken(number));
        }
        hash = right;
    }
}

/// The hash of an entry: over the one before it, its number and its content.
fn chained(prev: &str, n: u64, entry: &AuditEntry) -> Result<String, StoreError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prev.as_bytes());
    hasher.update(&n.to_le_bytes());
    hasher.update(&json(entry)?);
    Ok(hasher.finalize().to_hex().to_string())
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Audit(error.to_string()))
}

fn read_span(file: &mut File, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(to - from).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// First line's `format`.
const FORMAT: &str = "vigie-audit";
/// Most entries of one answer.
const LATEST_MAX: usize = 10_000;
/// Bytes read from the end at first.
const TAIL_BYTES: u64 = 256 * 1024;

#[cfg(test)]
mod tests;
