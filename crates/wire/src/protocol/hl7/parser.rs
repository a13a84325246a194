//! The stream of one side, cut into the segments that matter.
//!
//! Enters: bytes. Leaves: starts and ends of messages, segments MSH, PID, PV1, MSA. Refuses:
//! to wait for more than [`SEGMENT_BYTES_MAX`] bytes of a segment: its head is given then.
//! Source: HL7 v2.5.1 chapter 2; MLLP release 1.

use codec::hl7::{CR, FS, LF, VT, ends_segment, is_header};

/// Most bytes of one segment that are looked at.
pub(super) const SEGMENT_BYTES_MAX: usize = 8 * 1024;

/// What the scanner found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A block starts (VT).
    Open,
    /// A wanted segment; `whole` is false when it was cut at the limit.
    Segment { bytes: &'a [u8], whole: bool },
    /// A block ends (FS).
    Close,
    /// Bytes between messages that are not HL7, so many.
    Junk(usize),
}

/// One step of the scanner.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan<'a> {
    /// Bytes used up; zero with no item means that more are needed.
    pub(super) used: usize,
    /// What they were.
    pub(super) item: Option<Item<'a>>,
}

impl<'a> Scan<'a> {
    const fn used(used: usize) -> Self {
        Self { used, item: None }
    }

    const fn item(used: usize, item: Item<'a>) -> Self {
        let item = Some(item);
        Self { used, item }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Between messages.
    #[default]
    Outside,
    /// In a line between messages that is not HL7.
    Junk,
    /// Inside a message, where a segment starts.
    Segment,
    /// Inside a segment that is not wanted.
    Unwanted,
}

/// Cuts the stream of one side.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    at: At,
    /// Bytes of a wanted segment already searched for its end.
    searched: usize,
}

impl Scanner {
    /// Looks at the next bytes, at least one.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        let scan = match self.at {
            At::Outside => self.outside(bytes),
            At::Junk => self.junk(bytes),
            At::Segment => self.segment(bytes),
            At::Unwanted => self.unwanted(bytes),
        };
        if scan.used > 0 {
            self.searched = 0;
        }
        scan
    }

    /// Bytes were lost: what follows is taken as the rest of something unwanted.
    pub(super) fn lose(&mut self) {
        self.searched = 0;
        self.at = match self.at {
            At::Outside | At::Junk => At::Junk,
            At::Segment | At::Unwanted => At::Unwanted,
        };
    }

    fn outside<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        match bytes {
            [] => Scan::used(0),
            [VT, ..] => {
                self.at = At::Segment;
                Scan::item(1, Item::Open)
            }
            [CR | LF | FS | b' ' | 0, ..] => Scan::used(1),
            [_, ..] => match header_start(bytes) {
                None => Scan::used(0),
                Some(true) => {
                    self.at = At::Segment;
                    self.segment(bytes)
                }
                Some(false) => {
                    self.at = At::Junk;
                    self.junk(bytes)
                }
            },
        }
    }

    fn junk<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        let end = bytes.iter().position(|byte| ends_segment(*byte));
        if end.is_some() {
            self.at = At::Outside;
        }
        match end.unwrap_or(bytes.len()) {
            // The line ends at once: what ends it is looked at from outside.
            0 => self.outside(bytes),
            used => Scan::item(used, Item::Junk(used)),
        }
    }

    fn segment<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        match bytes {
            [] => return Scan::used(0),
            [FS, ..] => {
                self.at = At::Outside;
                return Scan::item(1, Item::Close);
            }
            [VT, ..] => return Scan::item(1, Item::Open),
            [CR | LF, ..] => return Scan::used(1),
            [_, ..] => {}
        }
        let name = bytes.get(..3).unwrap_or(bytes);
        let wanted = WANTED.iter().any(|wanted| wanted.starts_with(name));
        if !wanted {
            self.at = At::Unwanted;
            return self.unwanted(bytes);
        }
        let window = bytes.get(..SEGMENT_BYTES_MAX).unwrap_or(bytes);
        let fresh = window.get(self.searched..).unwrap_or(&[]);
        if let Some(end) = fresh.iter().position(|byte| ends_segment(*byte)) {
            let (bytes, _) = window.split_at(self.searched + end);
            return Scan::item(bytes.len(), Item::Segment { bytes, whole: true });
        }
        if window.len() < SEGMENT_BYTES_MAX {
            self.searched = window.len();
            return Scan::used(0);
        }
        self.at = At::Unwanted;
        let item = Item::Segment {
            bytes: window,
            whole: false,
        };
        Scan::item(window.len(), item)
    }

    fn unwanted<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        match bytes.iter().position(|byte| ends_segment(*byte)) {
            Some(0) => {
                self.at = At::Segment;
                self.segment(bytes)
            }
            Some(end) => {
                self.at = At::Segment;
                Scan::used(end)
            }
            None => Scan::used(bytes.len()),
        }
    }
}

/// Whether a header segment starts here; `None` when too few bytes are there to tell.
fn header_start(bytes: &[u8]) -> Option<bool> {
    let name = bytes.get(..3).unwrap_or(bytes);
    if name.len() == 3 {
        return Some(is_header(name));
    }
    let possible = [b"MSH", b"FHS", b"BHS"].iter().any(|h| h.starts_with(name));
    if possible { None } else { Some(false) }
}

/// Segments whose content is looked at.
const WANTED: [&[u8]; 4] = [b"MSH", b"PID", b"PV1", b"MSA"];
