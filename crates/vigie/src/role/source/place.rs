//! The place reached in a log, kept on disk.
//!
//! Enters: places, with the batch whose events end there. Leaves: `source-NAME.json`, written only
//! of what is on disk on the other side. Refuses: nothing.
//! Source: none. A place that is too early only repeats events, which the store refuses; one that
//! is too late would lose them.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wire::log::Position;

use crate::state::DataDir;

/// Between two writes.
const WRITE: Duration = Duration::from_secs(1);
/// Octets by which a file is known again beside its number.
const HEAD_BYTES: usize = 512;

/// A place in one log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Device and number of the file.
    pub(super) file: (u64, u64),
    /// Digest of the first octets, and how many.
    pub(super) head: (String, usize),
    /// Octets, lines and events before it.
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) seq: u64,
}

impl Place {
    /// The place for the reader.
    pub(super) const fn position(&self) -> Position {
        Position {
            bytes: self.bytes,
            lines: self.lines,
            seq: self.seq,
        }
    }

    /// True when `file` is the one that the place is in.
    pub(super) fn is_of(&self, file: &File) -> io::Result<bool> {
        let about = file.metadata()?;
        let same = (about.dev(), about.ino()) == self.file && about.len() >= self.bytes;
        Ok(same && head(file, self.head.1)? == self.head)
    }

    /// The begin of `file`.
    pub(super) fn begin(file: &File, seq: u64) -> io::Result<Self> {
        let about = file.metadata()?;
        Ok(Self {
            file: (about.dev(), about.ino()),
            head: head(file, HEAD_BYTES)?,
            bytes: 0,
            lines: 0,
            seq,
        })
    }

    /// Moves to what the reader reached; the more of the head there is, the better it is known.
    pub(super) fn advance(&mut self, file: &File, to: Position) {
        if self.head.1 < HEAD_BYTES
            && let Ok(longer) = head(file, HEAD_BYTES)
        {
            self.head = longer;
        }
        (self.bytes, self.lines, self.seq) = (to.bytes, to.lines, to.seq);
    }
}

fn head(file: &File, length: usize) -> io::Result<(String, usize)> {
    let mut octets = vec![0; length.min(HEAD_BYTES)];
    let mut have = 0;
    while let Some(room) = octets.get_mut(have..).filter(|room| !room.is_empty()) {
        match file.read_at(room, have as u64)? {
            0 => break,
            read => have += read,
        }
    }
    octets.truncate(have);
    Ok((blake3::hash(&octets).to_hex().to_string(), have))
}

/// The places of all logs of a source.
pub(super) struct Places {
    dir: DataDir,
    name: String,
    kept: BTreeMap<String, Place>,
    waiting: VecDeque<(u64, BTreeMap<String, Place>)>,
    written: Instant,
    changed: bool,
}

impl Places {
    /// Those kept by an earlier run.
    pub(super) fn open(dir: &DataDir, source: &str) -> Self {
        let name = format!("source-{source}.json");
        Self {
            dir: dir.clone(),
            kept: dir.json(&name).unwrap_or_default(),
            name,
            waiting: VecDeque::new(),
            written: Instant::now(),
            changed: false,
        }
    }

    /// The place kept for a log.
    pub(super) fn of(&self, log: &str) -> Option<&Place> {
        self.kept.get(log)
    }

    /// The events up to `places` end with batch number `batch`.
    pub(super) fn note(&mut self, batch: u64, places: BTreeMap<String, Place>) {
        match self.waiting.back_mut() {
            Some((last, known)) if *last == batch => *known = places,
            _ => self.waiting.push_back((batch, places)),
        }
    }

    /// Keeps what is settled; at once when `now`, else every second.
    pub(super) fn keep(&mut self, settled: u64, now: bool) {
        while self
            .waiting
            .front()
            .is_some_and(|(batch, _)| *batch <= settled)
        {
            if let Some((_, places)) = self.waiting.pop_front() {
                for (log, place) in places {
                    self.changed |= self.kept.get(&log) != Some(&place);
                    self.kept.insert(log, place);
                }
            }
        }
        if !self.changed || !now && self.written.elapsed() < WRITE {
            return;
        }
        self.write();
    }

    /// Keeps the begin of a log at once: after a kill its events must get the same numbers again.
    pub(super) fn first(&mut self, log: String, place: Place) {
        self.kept.insert(log, place);
        self.write();
    }

    fn write(&mut self) {
        self.written = Instant::now();
        match self.dir.write_json(&self.name, &self.kept) {
            Ok(()) => self.changed = false,
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "a source's place was not kept");
            }
        }
    }
}
