//! What other sensors saw: their logs as events of ours.
//!
//! Enters: octets of a Suricata EVE log, a Zeek log (JSON or TSV), datagrams of a flow exporter.
//! Leaves: the events that the packet path would have made of the same facts, labelled with where
//! they come from. Refuses: lines over [`LINE_BYTES_MAX`] and lines that are no record, one by one,
//! with number and reason; credentials, always. Record types without a mapping are counted by name
//! (at most [`TYPES_MAX`] of them). Holds one line at a time.
//! Source: Suricata user guide (EVE JSON), Zeek documentation (log formats).
//! To add a record type: one function in a file of `eve/` or `zeek/`, one line in its `TABLE`.

mod emit;
mod eve;
mod fields;
mod fuzz;
mod lines;
mod names;
pub mod netflow;
mod refused;
mod said;
mod time;
mod zeek;

use std::collections::BTreeMap;

use model::port::EventSink;
use model::{Millis, NodeId, Text};
use serde_json::Value;

use crate::config::Sequence;
use emit::Emitter;
use lines::{Line, Lines};

pub use fuzz::{fuzz_eve, fuzz_netflow, fuzz_zeek};
pub use refused::{Reason, Refused};

/// Longest line that is read, in octets; a longer one is passed over and refused.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Most names of record types that are counted one by one; the others share one count.
pub const TYPES_MAX: usize = 64;
/// Octets of a file's begin that tell what it is.
const HEAD_LINES_MAX: usize = 16;

/// Which log a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// Suricata's EVE: one JSON object a line.
    Eve,
    /// Zeek's logs, one JSON object a line.
    ZeekJson,
    /// Zeek's logs, columns between tabs.
    ZeekTsv,
}

impl LogKind {
    /// The kind of a log by its first octets; `None` when they are of none of them.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        if head.starts_with(b"#separator ") {
            return Some(Self::ZeekTsv);
        }
        let lines = head.split(|octet| *octet == b'\n');
        lines.take(HEAD_LINES_MAX).find_map(Self::of_line)
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii();
        if line.first() != Some(&b'{') {
            return None;
        }
        if let Ok(Value::Object(record)) = serde_json::from_slice(line) {
            let eve = record.contains_key("event_type") && record.contains_key("timestamp");
            let zeek = record.contains_key("ts") && zeek::is_record(&record);
            return if eve {
                Some(Self::Eve)
            } else {
                zeek.then_some(Self::ZeekJson)
            };
        }
        // A first line that is longer than what was read of it, or damaged.
        let has = |mark: &[u8]| line.windows(mark.len()).any(|part| part == mark);
        if has(b"\"event_type\"") && has(b"\"timestamp\"") {
            Some(Self::Eve)
        } else if has(b"\"ts\"") && (has(b"\"uid\"") || has(b"\"_path\"")) {
            Some(Self::ZeekJson)
        } else {
            None
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eve => "Suricata EVE",
            Self::ZeekJson => "Zeek JSON",
            Self::ZeekTsv => "Zeek TSV",
        }
    }
}

/// What a reader is told at its start.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Who makes the events.
    pub node: NodeId,
    /// Site name of the events.
    pub site: Text,
    /// How events get their identity: by line number, or counted on from a value.
    pub sequence: Sequence,
}

/// What a reader met so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Lines, refused ones and comments included.
    pub lines: u64,
    /// Events made.
    pub events: u64,
    /// Lines refused.
    pub refused: u64,
    /// Records of types that are known and hold nothing for us (`stats`, `alert`, `notice`).
    pub passed_over: BTreeMap<String, u64>,
    /// Records of types that nothing here knows; names beyond [`TYPES_MAX`] count as `others`.
    pub unknown: BTreeMap<String, u64>,
    /// Time of the latest record, 0 before the first.
    pub last: Millis,
}

/// A place in a log, from which reading can go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Octets of whole lines read.
    pub bytes: u64,
    /// Those lines.
    pub lines: u64,
    /// Sequence of the next event.
    pub seq: u64,
}

/// Reads one log, in pieces of any size.
pub struct LogReader {
    kind: LogKind,
    lines: Lines,
    work: Work,
}

/// All but the splitting into lines.
struct Work {
    emit: Emitter,
    zeek: zeek::Header,
    counts: LogCounts,
}

impl LogReader {
    /// A reader at the begin of a log.
    #[must_use]
    pub fn new(kind: LogKind, config: &LogConfig) -> Self {
        Self {
            kind,
            lines: Lines::default(),
            work: Work {
                emit: Emitter::new(config),
                zeek: zeek::Header::default(),
                counts: LogCounts::default(),
            },
        }
    }

    /// Time of recording of the events to come; when it is not set, that of the event.
    pub const fn set_logged_time(&mut self, now: Millis) {
        self.work.emit.logged = Some(now);
    }

    /// Goes on at a place that was left earlier. The head of a TSV log must have been fed before.
    pub fn resume(&mut self, at: Position) {
        self.lines = Lines::at(at.bytes, at.lines);
        self.work.emit.next = at.seq;
    }

    /// The events to come are counted from here on; lines go on as they were.
    pub const fn resume_sequence(&mut self, seq: u64) {
        self.work.emit.next = seq;
    }

    /// Where whole lines end.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            bytes: self.lines.done(),
            lines: self.lines.number(),
            seq: self.work.emit.next,
        }
    }

    /// What was met so far.
    #[must_use]
    pub const fn counts(&self) -> &LogCounts {
        &self.work.counts
    }

    /// Reads a piece. Each refused line is told once, when its end was seen.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn EventSink,
        refused: &mut dyn FnMut(Refused),
    ) {
        let (kind, work) = (self.kind, &mut self.work);
        self.lines.feed(bytes, &mut |number, line| {
            work.line(kind, number, line, sink, refused);
        });
    }

    /// The end: a last line without line feed is a line.
    pub fn finish(&mut self, sink: &mut dyn EventSink, refused: &mut dyn FnMut(Refused)) {
        let (kind, work) = (self.kind, &mut self.work);
        self.lines.finish(&mut |number, line| {
            work.line(kind, number, line, sink, refused);
        });
    }
}

impl Work {
    fn line(
        &mut self,
        kind: LogKind,
        number: u64,
        line: Line<'_>,
        sink: &mut dyn EventSink,
        refused: &mut dyn FnMut(Refused),
    ) {
        self.counts.lines = self.counts.lines.saturating_add(1);
        self.emit.begin(number);
        let outcome = match line {
            Line::TooLong => Err(Reason::TooLong),
            Line::Whole(line) if line.trim_ascii().is_empty() => return,
            Line::Whole(line) => self.record(kind, line, sink),
        };
        if let Err(reason) = outcome {
            self.counts.refused = self.counts.refused.saturating_add(1);
            refused(Refused {
                line: number,
                reason,
            });
        }
    }

    fn record(
        &mut self,
        kind: LogKind,
        line: &[u8],
        sink: &mut dyn EventSink,
    ) -> Result<(), Reason> {
        let read = match kind {
            LogKind::Eve => eve::read(line),
            LogKind::ZeekJson => zeek::read_json(line),
            LogKind::ZeekTsv => match self.zeek.line(line)? {
                Some(record) => zeek::read(&record, self.zeek.path()),
                None => return Ok(()),
            },
        }?;
        match read {
            Read::Events(record) => {
                self.counts.last = self.counts.last.max(record.time);
                let made = self.emit.send(*record, sink);
                self.counts.events = self.counts.events.saturating_add(made);
            }
            Read::PassedOver(name) => count(&mut self.counts.passed_over, name),
            Read::Unknown(name) => count(&mut self.counts.unknown, name),
        }
        Ok(())
    }
}

/// What a line holds.
enum Read {
    /// A record of a type that is mapped.
    Events(Box<said::Record>),
    /// A record of a type that holds nothing for us.
    PassedOver(String),
    /// A record of a type that nothing here knows.
    Unknown(String),
}

fn count(counts: &mut BTreeMap<String, u64>, mut name: String) {
    if counts.len() >= TYPES_MAX && !counts.contains_key(&name) {
        name = "others".to_owned();
    }
    let count = counts.entry(name).or_default();
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests;
