//! HL7 version 2 in its vertical-bar encoding: segments, fields, components, escapes, characters.
//!
//! Enters: bytes of a message or of one segment. Leaves: borrowed sub-slices by HL7 numbering (from
//! 1), decoded text. Refuses: nothing; what is absent is empty. Limits: fields by number, one pass
//! each; [`TEXT_BYTES_MAX`] of decoded text.
//! Source: HL7 v2.5.1 chapter 2 (encoding), table 0211 (character sets), Transport: MLLP release 1.

mod charset;

use std::borrow::Cow;

pub use charset::Charset;

/// MLLP start of a block.
pub const VT: u8 = 0x0b;
/// MLLP end of a block, followed by [`CR`].
pub const FS: u8 = 0x1c;
/// End of a segment.
pub const CR: u8 = 0x0d;
/// Not an end of a segment by the standard, but sent as one.
pub const LF: u8 = 0x0a;
/// Longest text that [`Charset::text`] makes of one value, in bytes of input.
pub const TEXT_BYTES_MAX: usize = 4096;

/// True for the names of segments that start a message or a batch: `MSH`, `FHS`, `BHS`.
#[must_use]
pub fn is_header(name: &[u8]) -> bool {
    matches!(name, b"MSH" | b"FHS" | b"BHS")
}

/// True for bytes that end a segment: CR, and leniently LF, FS and VT.
#[must_use]
pub const fn ends_segment(byte: u8) -> bool {
    matches!(byte, CR | LF | FS | VT)
}

/// The characters that separate the parts of a message (MSH-1 and MSH-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separators {
    /// Between fields, `|`.
    pub field: u8,
    /// Between components of a field, `^`.
    pub component: u8,
    /// Between repetitions of a field, `~`.
    pub repetition: u8,
    /// Around escape sequences, `\`.
    pub escape: u8,
    /// Between sub-components of a component, `&`.
    pub subcomponent: u8,
}

impl Default for Separators {
    fn default() -> Self {
        Self {
            field: b'|',
            component: b'^',
            repetition: b'~',
            escape: b'\\',
            subcomponent: b'&',
        }
    }
}

impl Separators {
    /// Those that a header segment (`MSH`, `FHS`, `BHS`) declares; `None` when it is not one or its
    /// field separator cannot be one. Characters that MSH-2 leaves out keep their usual value.
    #[must_use]
    pub fn of_header(segment: &[u8]) -> Option<Self> {
        if !is_header(segment.get(..3)?) {
            return None;
        }
        let field = *segment.get(3)?;
        if !field.is_ascii() || field.is_ascii_alphanumeric() || field < 0x20 {
            return None;
        }
        let mut out = Self {
            field,
            ..Self::default()
        };
        let declared = segment.get(4..).unwrap_or(&[]);
        let mut declared = declared.iter().copied().take_while(|b| *b != field);
        let slots = [
            &mut out.component,
            &mut out.repetition,
            &mut out.escape,
            &mut out.subcomponent,
        ];
        for slot in slots {
            match declared.next() {
                Some(byte) if !byte.is_ascii_alphanumeric() && byte > 0x20 => *slot = byte,
                _ => break,
            }
        }
        Some(out)
    }
}

/// One segment, without its terminator.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    bytes: &'a [u8],
    separators: Separators,
}

impl<'a> Segment<'a> {
    /// The segment in `bytes`, to be read with `separators`.
    #[must_use]
    pub const fn new(bytes: &'a [u8], separators: Separators) -> Self {
        Self { bytes, separators }
    }

    /// Its name: the first three bytes.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        self.bytes.get(..3).unwrap_or(self.bytes)
    }

    /// Field `number`, from 1, by HL7 numbering: in header segments field 1 is the separator
    /// itself. Empty when absent.
    #[must_use]
    pub fn field(&self, number: usize) -> Field<'a> {
        let header = is_header(self.name());
        let bytes = match (header, number) {
            (true, 1) => self.bytes.get(3..4).unwrap_or(&[]),
            (true, n) => self.split(n.saturating_sub(1)),
            (false, n) => self.split(n),
        };
        Field {
            bytes,
            separators: self.separators,
        }
    }

    fn split(&self, at: usize) -> &'a [u8] {
        let mut parts = self.bytes.split(|byte| *byte == self.separators.field);
        parts.nth(at).unwrap_or(&[])
    }
}

/// One field, or one repetition of it.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    bytes: &'a [u8],
    separators: Separators,
}

impl<'a> Field<'a> {
    /// Its bytes as sent.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// True when nothing was sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its repetitions, at least one.
    pub fn repetitions(&self) -> impl Iterator<Item = Self> + 'a {
        let separators = self.separators;
        self.bytes
            .split(move |byte| *byte == separators.repetition)
            .map(move |bytes| Self { bytes, separators })
    }

    /// Component `number`, from 1, of the first repetition; empty when absent.
    #[must_use]
    pub fn component(&self, number: usize) -> &'a [u8] {
        let first = nth(self.bytes, self.separators.repetition, 1);
        nth(first, self.separators.component, number)
    }

    /// Sub-component `number` of component `component`, both from 1; empty when absent.
    #[must_use]
    pub fn subcomponent(&self, component: usize, number: usize) -> &'a [u8] {
        let component = self.component(component);
        nth(component, self.separators.subcomponent, number)
    }
}

fn nth(bytes: &[u8], separator: u8, number: usize) -> &[u8] {
    let mut parts = bytes.split(|byte| *byte == separator);
    parts.nth(number.saturating_sub(1)).unwrap_or(&[])
}

/// The segments of one message, terminators and empty lines left out.
pub fn segments(message: &[u8], separators: Separators) -> impl Iterator<Item = Segment<'_>> {
    message
        .split(|byte| ends_segment(*byte))
        .filter(|bytes| !bytes.is_empty())
        .map(move |bytes| Segment::new(bytes, separators))
}

/// Replaces the escape sequences `\F\ \S\ \T\ \R\ \E\` and `\Xhh..\`; highlighting and formatting
/// commands and unknown sequences are left as they stand, an unfinished one too.
#[must_use]
pub fn unescape(bytes: &[u8], separators: Separators) -> Cow<'_, [u8]> {
    if !bytes.contains(&separators.escape) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == separators.escape) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        let inside = from.get(1..).unwrap_or(&[]);
        let Some(end) = inside.iter().position(|byte| *byte == separators.escape) else {
            rest = from;
            break;
        };
        let (sequence, after) = inside.split_at(end);
        match escaped(sequence, separators) {
            Some(value) => {
                out.extend_from_slice(&value);
                rest = after.get(1..).unwrap_or(&[]);
            }
            None => {
                out.push(separators.escape);
                out.extend_from_slice(sequence);
                rest = after;
                if sequence.is_empty() {
                    out.push(separators.escape);
                    rest = after.get(1..).unwrap_or(&[]);
                }
            }
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn escaped(sequence: &[u8], separators: Separators) -> Option<Vec<u8>> {
    match sequence {
        b"F" => Some(vec![separators.field]),
        b"S" => Some(vec![separators.component]),
        b"T" => Some(vec![separators.subcomponent]),
        b"R" => Some(vec![separators.repetition]),
        b"E" => Some(vec![separators.escape]),
        [b'X', digits @ ..] if !digits.is_empty() && digits.len().is_multiple_of(2) => digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
