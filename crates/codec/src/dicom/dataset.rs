//! The head of a data set, element by element, as its pieces come.
//!
//! Enters: pieces of a data set in order, cut anywhere. Leaves: the values of the wanted top-level
//! elements. Refuses: values beyond [`VALUE_BYTES_MAX`] (cut), nesting deeper than [`DEPTH_MAX`],
//! more than [`SCAN_BYTES_MAX`] bytes of headers and values; then it stops as broken.
//! Source: DICOM PS3.5 sections 7.1, 7.5 and annex A.

use super::{DEFLATED, DEFLATED_JPIP, EXPLICIT_BIG, IMPLICIT_LITTLE};

/// Most bytes kept of one value.
pub const VALUE_BYTES_MAX: usize = 512;
/// Deepest nesting of undefined-length sequences and items.
pub const DEPTH_MAX: usize = 16;
/// Most bytes looked at; skipped ones are free.
pub const SCAN_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// A length field that says "until the delimiter".
const UNDEFINED: u32 = 0xffff_ffff;

/// Group and element of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub u16, pub u16);

const ITEM: Tag = Tag(0xfffe, 0xe000);
const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);

/// How elements are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Implicit VR, little endian.
    ImplicitLittle,
    /// Explicit VR, little endian.
    ExplicitLittle,
    /// Explicit VR, big endian.
    ExplicitBig,
}

impl Encoding {
    /// The encoding of a transfer syntax; `None` for a deflated one. Every syntax not named here,
    /// private ones too, is explicit VR little endian, as PS3.5 requires of encapsulated ones.
    #[must_use]
    pub fn of_transfer_syntax(uid: &str) -> Option<Self> {
        match uid {
            DEFLATED => None,
            uid if DEFLATED_JPIP.contains(&uid) => None,
            IMPLICIT_LITTLE => Some(Self::ImplicitLittle),
            EXPLICIT_BIG => Some(Self::ExplicitBig),
            _ => Some(Self::ExplicitLittle),
        }
    }

    /// The encoding that the first eight bytes of a data set show.
    fn guess(first: [u8; 8]) -> Self {
        let [a, b, _, _, v, r, ..] = first;
        if !(v.is_ascii_uppercase() && r.is_ascii_uppercase()) {
            Self::ImplicitLittle
        } else if a == 0 && b != 0 {
            Self::ExplicitBig
        } else {
            Self::ExplicitLittle
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At an element header, of which `carry` holds a part.
    Header,
    /// In a wanted value: so many bytes to keep, then to skip.
    Value {
        tag: Tag,
        keep: usize,
        skip: u64,
    },
    /// In a value that is not wanted.
    Skip(u64),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    /// An item; otherwise a sequence.
    item: bool,
    /// Its elements are implicit VR little endian whatever surrounds it (UN of undefined length).
    implicit: bool,
}

/// Reads the head of one data set.
#[derive(Debug)]
pub struct Scanner {
    wanted: &'static [Tag],
    encoding: Option<Encoding>,
    state: State,
    carry: Vec<u8>,
    stack: Vec<Frame>,
    scanned: u64,
    broken: bool,
}

impl Scanner {
    /// A scanner for the top-level elements `wanted`, which ascend; with no encoding it is guessed
    /// from the first element.
    #[must_use]
    pub const fn new(wanted: &'static [Tag], encoding: Option<Encoding>) -> Self {
        Self {
            wanted,
            encoding,
            state: if wanted.is_empty() {
                State::Done
            } else {
                State::Header
            },
            carry: Vec::new(),
            stack: Vec::new(),
            scanned: 0,
            broken: false,
        }
    }

    /// True when no more bytes are wanted.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// True when it stopped because the data set is malformed or over a limit.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Bytes that need not be shown next: `u64::MAX` when none is wanted any more.
    #[must_use]
    pub const fn skippable(&self) -> u64 {
        match self.state {
            State::Done => u64::MAX,
            State::Skip(n) => n,
            State::Header | State::Value { .. } => 0,
        }
    }

    /// `n` bytes were not shown. More than [`Self::skippable`] means that data was lost: it stops.
    pub fn skip(&mut self, n: u64) {
        match self.state {
            State::Done => {}
            State::Skip(left) if n < left => self.state = State::Skip(left - n),
            State::Skip(left) if n == left => self.state = State::Header,
            State::Skip(_) | State::Header | State::Value { .. } => {
                if n > 0 {
                    self.stop(true);
                }
            }
        }
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.carry.capacity() + self.stack.capacity() * size_of::<Frame>()
    }

    /// Shows the next bytes; `found` gets each wanted element with its value, padding included.
    pub fn feed(&mut self, bytes: &[u8], found: &mut dyn FnMut(Tag, &[u8])) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_done() {
            rest = match self.state {
                State::Done => return,
                State::Skip(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    self.skip(u64::try_from(here).unwrap_or(0));
                    rest.get(here..).unwrap_or(&[])
                }
                State::Header => self.header(rest),
                State::Value { tag, keep, skip } => {
                    let (now, after) = rest.split_at(keep.min(rest.len()));
                    self.carry.extend_from_slice(now);
                    self.count(now.len());
                    if now.len() < keep {
                        let keep = keep - now.len();
                        self.state = State::Value { tag, keep, skip };
                        return;
                    }
                    self.value_end(tag, skip, found);
                    after
                }
            };
            // An empty wanted value ends where it starts.
            if let State::Value { tag, keep: 0, skip } = self.state {
                self.value_end(tag, skip, found);
            }
        }
    }

    fn value_end(&mut self, tag: Tag, skip: u64, found: &mut dyn FnMut(Tag, &[u8])) {
        found(tag, &self.carry);
        self.carry.clear();
        if self.wanted.last() == Some(&tag) {
            return self.stop(false);
        }
        self.state = if skip > 0 {
            State::Skip(skip)
        } else {
            State::Header
        };
    }

    fn count(&mut self, n: usize) {
        self.scanned += u64::try_from(n).unwrap_or(0);
        if self.scanned > SCAN_BYTES_MAX {
            self.stop(true);
        }
    }

    fn stop(&mut self, broken: bool) {
        self.state = State::Done;
        self.broken |= broken;
        self.carry = Vec::new();
        self.stack = Vec::new();
    }

    /// Completes the header in `carry` from `bytes`, acts on it, returns what is left.
    fn header<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut rest = bytes;
        loop {
            let need = self.header_bytes();
            if self.carry.len() >= need {
                let header = std::mem::take(&mut self.carry);
                self.element(&header);
                self.carry = header;
                self.carry.clear();
                return rest;
            }
            if rest.is_empty() {
                return rest;
            }
            let (now, after) = rest.split_at((need - self.carry.len()).min(rest.len()));
            self.carry.extend_from_slice(now);
            self.count(now.len());
            if self.is_done() {
                return after;
            }
            rest = after;
        }
    }

    /// Bytes that the header in `carry` has: 8, or 12 for explicit VRs with a long length.
    fn header_bytes(&mut self) -> usize {
        let Some(first) = self.carry.first_chunk::<8>().copied() else {
            return 8;
        };
        let encoding = *self.encoding.get_or_insert_with(|| Encoding::guess(first));
        if self.implicit(encoding) || tag(&first, encoding).0 == ITEM.0 {
            return 8;
        }
        let [_, _, _, _, v, r, ..] = first;
        if is_long(&[v, r]) { 12 } else { 8 }
    }

    fn implicit(&self, encoding: Encoding) -> bool {
        encoding == Encoding::ImplicitLittle || self.stack.last().is_some_and(|f| f.implicit)
    }

    fn element(&mut self, header: &[u8]) {
        let encoding = self.encoding.unwrap_or(Encoding::ImplicitLittle);
        let implicit = self.implicit(encoding);
        let order = if implicit {
            Encoding::ImplicitLittle
        } else {
            encoding
        };
        let Some(first) = header.first_chunk::<8>() else {
            return self.stop(true);
        };
        let tag = tag(first, order);
        let [_, _, _, _, v, r, l, m] = *first;
        let (vr, length) = if implicit || tag.0 == ITEM.0 {
            ([0, 0], number([v, r, l, m], order))
        } else if !(v.is_ascii_uppercase() && r.is_ascii_uppercase()) {
            return self.stop(true);
        } else if let Some(long) = header.get(8..).and_then(|b| b.first_chunk::<4>()) {
            ([v, r], number(*long, order))
        } else {
            let short = if order == Encoding::ExplicitBig {
                u16::from_be_bytes([l, m])
            } else {
                u16::from_le_bytes([l, m])
            };
            ([v, r], u32::from(short))
        };
        match self.stack.last() {
            None => self.top(tag, vr, length),
            Some(frame) if frame.item => self.inside_item(tag, vr, length),
            Some(frame) => self.inside_sequence(tag, length, frame.implicit),
        }
    }

    fn top(&mut self, tag: Tag, vr: [u8; 2], length: u32) {
        if self.wanted.last().is_none_or(|last| tag > *last) {
            return self.stop(false);
        }
        if length == UNDEFINED {
            return self.push(false, vr == *b"UN");
        }
        if self.wanted.binary_search(&tag).is_err() {
            return self.pass(length);
        }
        let length = u64::from(length);
        let keep = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(VALUE_BYTES_MAX);
        let skip = length - u64::try_from(keep).unwrap_or(0);
        self.state = State::Value { tag, keep, skip };
    }

    fn inside_item(&mut self, tag: Tag, vr: [u8; 2], length: u32) {
        if tag == ITEM_END {
            self.stack.pop();
        } else if length == UNDEFINED {
            self.push(false, vr == *b"UN");
        } else {
            self.pass(length);
        }
    }

    fn inside_sequence(&mut self, tag: Tag, length: u32, implicit: bool) {
        match (tag, length) {
            (SEQUENCE_END, _) => {
                self.stack.pop();
            }
            (ITEM, UNDEFINED) => self.push(true, implicit),
            (ITEM, length) => self.pass(length),
            _ => self.stop(true),
        }
    }

    fn pass(&mut self, length: u32) {
        self.state = if length == 0 {
            State::Header
        } else {
            State::Skip(u64::from(length))
        };
    }

    fn push(&mut self, item: bool, implicit: bool) {
        if self.stack.len() >= DEPTH_MAX {
            return self.stop(true);
        }
        let implicit = implicit || self.stack.last().is_some_and(|frame| frame.implicit);
        self.stack.push(Frame { item, implicit });
        self.state = State::Header;
    }
}

fn tag(first: &[u8; 8], order: Encoding) -> Tag {
    let [a, b, c, d, ..] = *first;
    if order == Encoding::ExplicitBig {
        Tag(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
    } else {
        Tag(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
    }
}

const fn number(bytes: [u8; 4], order: Encoding) -> u32 {
    match order {
        Encoding::ExplicitBig => u32::from_be_bytes(bytes),
        Encoding::ImplicitLittle | Encoding::ExplicitLittle => u32::from_le_bytes(bytes),
    }
}

/// Value representations with two reserved octets and a 32-bit length.
const fn is_long(vr: &[u8; 2]) -> bool {
    matches!(
        vr,
        b"OB"
            | b"OD"
            | b"OF"
            | b"OL"
            | b"OV"
            | b"OW"
            | b"SQ"
            | b"SV"
            | b"UC"
            | b"UN"
            | b"UR"
            | b"UT"
            | b"UV"
    )
}
