//! One log file through its lives.
//!
//! Enters: a path, perhaps the place that an earlier run reached. Leaves: events of each whole
//! line, once. Refuses: nothing. Limits: [`PIECE_BYTES`] at a time, [`HEAD_BYTES_MAX`] of a TSV
//! log's head. Source: `logrotate` (rename, create, copytruncate), Zeek's log rotation.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::Event;
use tracing::{info, warn};
use wire::log::{LogConfig, LogKind, LogReader, Position};

use super::super::outlet::Totals;
use super::super::place::Place;
use super::{rotated, totals};

/// Octets read at a time.
const PIECE_BYTES: usize = 128 * 1024;
/// Octets of a TSV log's head that are read again after a restart.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// A writer may still write into a file that was renamed, until it is told to open a new one.
const GRACE: Duration = Duration::from_secs(2);

/// A log that is followed.
pub(in crate::role::source) struct Log {
    path: PathBuf,
    kind: Option<LogKind>,
    config: LogConfig,
    kept: Option<Place>,
    open: Option<Open>,
    /// Sequence of the next event.
    next: Option<u64>,
    before: Totals,
    missing: bool,
    /// Where numbers that were never given begin, until it was taken.
    fresh: Option<Place>,
}

struct Open {
    file: File,
    reader: LogReader,
    place: Place,
    read: u64,
    /// Octets before the place at which it was opened: an earlier run counted them.
    skipped: u64,
    /// Since when the path names another file.
    gone: Option<Instant>,
}

impl Log {
    pub(in crate::role::source) const fn new(
        path: PathBuf,
        kind: Option<LogKind>,
        config: LogConfig,
        kept: Option<Place>,
    ) -> Self {
        Self {
            path,
            kind,
            config,
            kept,
            open: None,
            next: None,
            before: NOTHING,
            missing: false,
            fresh: None,
        }
    }

    pub(in crate::role::source) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the events given so far end.
    pub(in crate::role::source) fn place(&self) -> Option<Place> {
        self.open.as_ref().map(|open| open.place.clone())
    }

    /// The begin of a log whose events have numbers that no place kept leads to: it must be kept
    /// before the first of them leaves.
    pub(in crate::role::source) const fn take_fresh(&mut self) -> Option<Place> {
        self.fresh.take()
    }

    /// Why there is nothing to read.
    pub(in crate::role::source) fn problem(&self) -> Option<String> {
        let absent = self.missing && self.kind == Some(LogKind::Eve);
        absent.then(|| format!("{}: there is no such file", self.path.display()))
    }

    pub(in crate::role::source) fn totals(&self) -> Totals {
        let mut sum = self.before.clone();
        if let Some(open) = &self.open {
            add(&mut sum, &open.totals());
        }
        sum
    }

    /// Reads a piece; false when there is nothing new.
    pub(in crate::role::source) fn read(&mut self, events: &mut Vec<Event>) -> io::Result<bool> {
        if self.open.is_none() && !self.begin()? {
            return Ok(false);
        }
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        let mut piece = vec![0; PIECE_BYTES];
        let length = open.file.read(&mut piece)?;
        if length > 0 {
            let piece = piece.get(..length).unwrap_or(&[]);
            open.feed(piece, events);
            return Ok(true);
        }
        match open.after(&self.path)? {
            After::Same => Ok(false),
            After::Truncated => {
                let path = self.path.display().to_string();
                warn!(
                    path,
                    "a log was truncated; what had not been read of it is lost"
                );
                self.close(events);
                Ok(true)
            }
            After::Replaced => {
                self.close(events);
                Ok(true)
            }
        }
    }

    /// The file is over: its last line too, even without an end.
    fn close(&mut self, events: &mut Vec<Event>) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        open.reader.finish(events, &mut |_| {});
        self.next = Some(open.reader.position().seq);
        add(&mut self.before, &open.totals());
    }

    /// Opens the file, or the rest of the one before it; false while there is none.
    fn begin(&mut self) -> io::Result<bool> {
        if let Some(place) = self.kept.take() {
            return self.again(place);
        }
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.missing = true;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        self.missing = false;
        let Some(kind) = self.kind_of(&mut file)? else {
            return Ok(false);
        };
        let mut reader = LogReader::new(kind, &self.config);
        let seq = self.next.unwrap_or(reader.position().seq);
        reader.resume(Position {
            seq,
            ..Position::default()
        });
        let place = Place::begin(&file, seq)?;
        if self.next.is_none() {
            self.fresh = Some(place.clone());
        }
        self.open = Some(Open::new(file, reader, place));
        Ok(true)
    }

    /// Goes on where an earlier run was.
    fn again(&mut self, place: Place) -> io::Result<bool> {
        let path = self.path.display().to_string();
        let file = match File::open(&self.path) {
            Ok(file) if place.is_of(&file)? => Some(file),
            Ok(_) => rotated(&self.path, &place),
            Err(error) if error.kind() == ErrorKind::NotFound => rotated(&self.path, &place),
            Err(error) => {
                self.kept = Some(place);
                return Err(error);
            }
        };
        let Some(mut file) = file else {
            // Its events could have other numbers now than before: new ones, so that none is taken
            // for one that is there already.
            warn!(
                path,
                "a log was replaced while nobody read; what was not read of it is lost"
            );
            self.before.lost += 1;
            return self.begin();
        };
        let Some(kind) = self.kind_of(&mut file)? else {
            self.kept = Some(place);
            return Ok(false);
        };
        let mut reader = LogReader::new(kind, &self.config);
        if kind == LogKind::ZeekTsv {
            let (head, mut none) = (head(&mut file)?, Vec::<Event>::new());
            reader.feed(&head, &mut none, &mut |_| {});
        }
        reader.resume(place.position());
        file.seek(SeekFrom::Start(place.bytes))?;
        info!(path, bytes = place.bytes, "a log is read on");
        self.open = Some(Open::new(file, reader, place));
        Ok(true)
    }

    /// What the file holds; `None` while it is empty.
    fn kind_of(&self, file: &mut File) -> io::Result<Option<LogKind>> {
        if let Some(kind) = self.kind {
            return Ok(Some(kind));
        }
        let mut first = [0];
        let length = file.read(&mut first)?;
        file.seek(SeekFrom::Start(0))?;
        Ok((length > 0).then_some(match first {
            [b'#'] => LogKind::ZeekTsv,
            _ => LogKind::ZeekJson,
        }))
    }
}

/// What became of a file that was read to its end.
enum After {
    Same,
    Truncated,
    Replaced,
}

impl Open {
    fn new(file: File, reader: LogReader, place: Place) -> Self {
        Self {
            read: place.bytes,
            skipped: place.bytes,
            file,
            reader,
            place,
            gone: None,
        }
    }

    fn feed(&mut self, piece: &[u8], events: &mut Vec<Event>) {
        self.gone = None;
        self.read = self.read.saturating_add(piece.len() as u64);
        self.reader.set_logged_time(crate::time::now());
        self.reader.feed(piece, events, &mut |_| {});
        self.place.advance(&self.file, self.reader.position());
    }

    fn after(&mut self, path: &Path) -> io::Result<After> {
        let own = self.file.metadata()?;
        if own.len() < self.read {
            return Ok(After::Truncated);
        }
        let named = std::fs::metadata(path).ok();
        if named.is_some_and(|named| (named.dev(), named.ino()) == (own.dev(), own.ino())) {
            self.gone = None;
            return Ok(After::Same);
        }
        let gone = *self.gone.get_or_insert_with(Instant::now);
        Ok(if gone.elapsed() >= GRACE {
            After::Replaced
        } else {
            After::Same
        })
    }

    fn totals(&self) -> Totals {
        totals(self.reader.counts(), self.read.saturating_sub(self.skipped))
    }
}

const NOTHING: Totals = Totals {
    records: 0,
    bytes: 0,
    refused: 0,
    lost: 0,
    unknown: 0,
};

fn add(sum: &mut Totals, more: &Totals) {
    sum.records = sum.records.saturating_add(more.records);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
    sum.refused = sum.refused.saturating_add(more.refused);
    sum.lost = sum.lost.saturating_add(more.lost);
    sum.unknown = sum.unknown.saturating_add(more.unknown);
}

/// The lines with `#` that a TSV log begins with.
fn head(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut octets = vec![0; HEAD_BYTES_MAX];
    let mut have = 0;
    while let Some(room) = octets.get_mut(have..).filter(|room| !room.is_empty()) {
        match file.read(room)? {
            0 => break,
            read => have += read,
        }
    }
    octets.truncate(have);
    let mut head = Vec::new();
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if line.first() != Some(&b'#') {
            break;
        }
        head.extend_from_slice(line);
    }
    Ok(head)
}
