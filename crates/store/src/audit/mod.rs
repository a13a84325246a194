//! The security audit trail: append-only, hash-chained, on disk before the action.
//!
//! Enters: [`AuditEntry`]s. Leaves: one JSON line each, with the BLAKE3 of the line before it and,
//! under the site's key, a mark that only this site can make; a sealed head beside the file counts
//! the lines, so that lines cut off at the end are missed at the next start.
//! Refuses: to return before line and head are synced; entries over [`LINE_BYTES_MAX`]. It cannot
//! tell that file and head were both put back to an older copy: ship the trail for that.
//! Source: `DESIGN.md` section 3, `STYLE.md` rule 49; chain as in RFC 9162's idea of append-only
//! logs.

mod head;

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::SiteKey;
use model::port::{AuditEntry, AuditTrail};
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::StoreError;
use head::{Head, Seal};

/// Longest line.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Newest format that this program writes and reads.
pub const VERSION: u32 = 2;

/// The trail of one store.
pub struct Trail {
    path: PathBuf,
    seal: Seal,
    state: Mutex<State>,
    found: Option<Verified>,
}

struct State {
    file: File,
    bytes: u64,
    next: u64,
    hash: String,
    head: Head,
}

/// One line: the entry, its number and its place in the chain.
#[derive(Serialize, Deserialize)]
struct Line {
    n: u64,
    #[serde(flatten)]
    entry: AuditEntry,
    prev: String,
    hash: String,
    /// Under the site's key; absent in lines of version 1.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    mac: String,
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
    /// Lines were cut off at the end: how many entries there are, and how many were lost.
    Truncated {
        /// Entries in the file.
        entries: u64,
        /// Entries that the sealed head counted and the file had no more.
        lost: u64,
    },
    /// The sealed head was missing or not this site's: what may have been cut off is not known.
    /// How many entries there are.
    HeadLost(u64),
}

impl Trail {
    /// Opens the trail in `dir`, or begins one.
    ///
    /// # Errors
    /// Failures of the disk; a newer format.
    pub fn open(dir: &Path, key: &SiteKey) -> Result<Self, StoreError> {
        disk::make_dir(dir)?;
        let path = dir.join("trail.jsonl");
        let seal = Seal::new(key);
        let fresh = !path.exists();
        if fresh {
            let header = Header {
                format: FORMAT.to_owned(),
                version: VERSION,
            };
            let mut line = json(&header)?;
            line.push(b'\n');
            disk::write_atomic(&path, &line)?;
        }
        let (state, found) = State::load(dir, &path, &seal, fresh)?;
        Ok(Self {
            path,
            seal,
            state: Mutex::new(state),
            found,
        })
    }

    /// What the start found wrong at the end of the trail; [`Self::verify`] goes on saying it.
    #[must_use]
    pub const fn found_at_start(&self) -> Option<&Verified> {
        self.found.as_ref()
    }

    /// Appends one entry; it is on disk when this returns.
    ///
    /// # Errors
    /// The trail could not be written: the action must not be taken.
    pub fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let hash = chained(&state.hash, state.next, entry)?;
        let mut bytes = json(&Line {
            n: state.next,
            entry: entry.clone(),
            prev: state.hash.clone(),
            mac: self.seal.mark(state.next, &hash),
            hash: hash.clone(),
        })?;
        bytes.push(b'\n');
        if bytes.len() > LINE_BYTES_MAX {
            return Err(StoreError::Audit("an entry is too long".to_owned()));
        }
        if let Err((error, _)) = disk::append(&mut state.file, state.bytes, &bytes) {
            return Err(StoreError::io(&self.path, "append", error));
        }
        state.bytes += bytes.len() as u64;
        state.head.count = state.next;
        state.next += 1;
        state.head.hash.clone_from(&hash);
        state.hash = hash;
        // A crash before this leaves a line more than the head counts: its mark says it is ours.
        state.head.write(&self.seal)
    }

    /// Checks the whole chain, and its end against the sealed head.
    ///
    /// # Errors
    /// The file could not be read.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (whole, count, last) = (state.bytes, state.next - 1, state.hash.clone());
        let told = state.head.told(count);
        drop(state);
        let chain = verify(&self.path, whole, &self.seal, &last)?;
        let Verified::Whole(entries) = chain else {
            return Ok(chain);
        };
        if entries < count {
            let lost = count - entries;
            return Ok(Verified::Truncated { entries, lost });
        }
        Ok(told.unwrap_or(chain))
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
    /// Finds the end of the chain and compares it with the head; what is wrong there. A torn last
    /// line beyond the head was never acknowledged and is cut off.
    fn load(
        dir: &Path,
        path: &Path,
        seal: &Seal,
        fresh: bool,
    ) -> Result<(Self, Option<Verified>), StoreError> {
        let io = |action| move |e| StoreError::io(path, action, e);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(path)
            .map_err(io("open"))?;
        let (head, known) = Head::open(dir, seal)?;
        let mut reader = BufReader::new(File::open(path).map_err(io("open"))?);
        let mut state = Self {
            file,
            bytes: 0,
            next: 1,
            hash: String::new(),
            head,
        };
        let mut end = End::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let taken = reader.read_until(b'\n', &mut line).map_err(io("read"))?;
            if taken == 0 || line.last() != Some(&b'\n') {
                break;
            }
            if state.bytes == 0 {
                (state.hash, end.version) = check_header(path, &line)?;
            } else if let Ok(line) = serde_json::from_slice::<Line>(&line) {
                end.look(&line, &state.head, seal);
                state.next = line.n + 1;
                state.hash = line.hash;
            }
            state.bytes += taken as u64;
        }
        if !line.is_empty() {
            tracing::warn!("audit trail: torn last line cut off");
            state.file.set_len(state.bytes).map_err(io("cut"))?;
            state.file.sync_all().map_err(io("sync"))?;
        }
        let found = state.settle(&end, known || fresh, seal)?;
        Ok((state, found))
    }

    /// Brings the head in line with the file, keeping what was wrong in it.
    fn settle(
        &mut self,
        end: &End,
        known: bool,
        seal: &Seal,
    ) -> Result<Option<Verified>, StoreError> {
        let entries = self.next - 1;
        let before = self.head.told(entries);
        if !known && (end.version > 1 || end.marked) {
            self.head.missing += 1;
        } else if known && entries < self.head.count {
            self.head.lost += self.head.count - entries;
        } else if known && (end.foreign || end.other) {
            self.head.rewritten = self.head.count.max(1);
        }
        self.head.count = entries;
        self.head.hash.clone_from(&self.hash);
        self.head.write(seal)?;
        let now = self.head.told(entries);
        Ok(if now == before { None } else { now })
    }
}

/// What the end of a trail looks like beside its head.
#[derive(Default)]
struct End {
    version: u32,
    /// A line carries a mark.
    marked: bool,
    /// A line beyond the head carries none of ours.
    foreign: bool,
    /// The head's line has another hash.
    other: bool,
}

impl End {
    fn look(&mut self, line: &Line, head: &Head, seal: &Seal) {
        self.marked |= !line.mac.is_empty();
        self.foreign |= line.n > head.count && line.mac != seal.mark(line.n, &line.hash);
        self.other |= line.n == head.count && line.hash != head.hash;
    }
}

/// Hash and version of the first line.
fn check_header(path: &Path, line: &[u8]) -> Result<(String, u32), StoreError> {
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
    Ok((blake3::hash(line).to_hex().to_string(), header.version))
}

fn verify(path: &Path, whole: u64, seal: &Seal, last: &str) -> Result<Verified, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io(path, "open", e))?;
    let mut reader = BufReader::new(file.take(whole));
    let mut line = Vec::new();
    let mut number = 0u64;
    let mut read_bytes = 0u64;
    let mut hash = String::new();
    let mut marked = false;
    loop {
        line.clear();
        let taken = reader
            .read_until(b'\n', &mut line)
            .map_err(|e| StoreError::io(path, "read", e))?;
        if taken == 0 {
            // The same length with another end: the last line was written anew.
            let other = read_bytes == whole && hash != last;
            return Ok(if other {
                Verified::Broken(number)
            } else {
                Verified::Whole(number.saturating_sub(1))
            });
        }
        read_bytes += taken as u64;
        number += 1;
        if number == 1 {
            match check_header(path, &line) {
                Ok((first, version)) => (hash, marked) = (first, version > 1),
                Err(_) => return Ok(Verified::Broken(1)),
            }
            continue;
        }
        let Ok(read) = serde_json::from_slice::<Line>(&line) else {
            return Ok(Verified::Broken(number));
        };
        let right = chained(&hash, number - 1, &read.entry)?;
        // From the first mark on every line has one.
        marked |= !read.mac.is_empty();
        let mark = !marked || read.mac == seal.mark(read.n, &read.hash);
        if read.n != number - 1 || read.prev != hash || read.hash != right || !mark {
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
