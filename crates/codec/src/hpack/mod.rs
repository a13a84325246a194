//! HPACK: header fields of HTTP/2.
//!
//! Enters: header blocks in order, and the table size that the decoder's side announced. Leaves:
//! names and values. Refuses: blocks that are malformed, from the point where they are. Limits:
//! [`TABLE_BYTES_MAX`] octets of dynamic table, [`STRING_BYTES_MAX`] octets a literal. After
//! [`Decoder::lose`] older entries are unknown: newer ones still have the right index, so that a
//! passive reader finds its feet again.
//! Source: RFC 7541.

mod huffman;

use std::collections::VecDeque;

use crate::bytes::Reader;

/// Most octets of the dynamic table, as RFC 7541 section 4.1 counts them.
pub const TABLE_BYTES_MAX: usize = 64 * 1024;
/// Longest literal that is decoded; a longer one ends the block.
pub const STRING_BYTES_MAX: usize = 64 * 1024;
/// Size of the table until SETTINGS say otherwise.
const TABLE_BYTES: usize = 4096;
/// What an entry costs besides its octets.
const ENTRY_COST: usize = 32;

/// Name and value of an entry of the dynamic table.
type Entry = (Box<[u8]>, Box<[u8]>);

/// Why a block was not decoded to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The block ends inside a field.
    #[error("header block cut")]
    Cut,
    /// An index beyond the table.
    #[error("no such header index")]
    Index,
    /// A literal or a number is too long.
    #[error("header literal too long")]
    Long,
}

/// One direction's decoder.
#[derive(Debug)]
pub struct Decoder {
    /// Newest first.
    entries: VecDeque<Entry>,
    bytes: usize,
    bytes_max: usize,
    lost: bool,
    unknown: u32,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            bytes_max: TABLE_BYTES,
            lost: false,
            unknown: 0,
        }
    }
}

/// What a field's name is.
enum Name<'a> {
    Known(Box<[u8]>),
    Static(&'a [u8]),
    Unknown,
}

impl Decoder {
    /// Forgets the table: a block of this direction was not seen.
    pub fn lose(&mut self) {
        self.entries.clear();
        self.bytes = 0;
        self.lost = true;
    }

    /// Fields that referred to entries lost.
    #[must_use]
    pub const fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Heap bytes that it holds.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.bytes + self.entries.capacity() * size_of::<Entry>()
    }

    /// The most that the reader of this direction allows the table to have.
    pub fn allow(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max.min(TABLE_BYTES_MAX);
        self.shrink(self.bytes_max);
    }

    /// Decodes a block; `found` is called with every name and value.
    ///
    /// # Errors
    /// What ended the block early; fields before it were found.
    pub fn decode(
        &mut self,
        block: &[u8],
        found: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), Error> {
        let mut r = Reader::new(block);
        while let Some(first) = r.u8() {
            if first & 0x80 != 0 {
                let index = number(first, 7, &mut r)?;
                self.indexed(index, found)?;
            } else if first & 0xe0 == 0x20 {
                let bytes_max = number(first, 5, &mut r)?.min(TABLE_BYTES_MAX);
                self.shrink(bytes_max);
                self.bytes_max = bytes_max;
            } else {
                let keep = first & 0x40 != 0;
                let index = number(first, if keep { 6 } else { 4 }, &mut r)?;
                self.literal(index, keep, &mut r, found)?;
            }
        }
        Ok(())
    }

    fn indexed(&mut self, index: usize, found: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Error> {
        if let Some((name, value)) = index.checked_sub(1).and_then(|at| STATIC.get(at)) {
            found(name.as_bytes(), value.as_bytes());
            return Ok(());
        }
        match self.entry(index) {
            Some((name, value)) => found(name, value),
            None if self.lost && index > STATIC.len() => {
                self.unknown = self.unknown.saturating_add(1)
            }
            None => return Err(Error::Index),
        }
        Ok(())
    }

    fn literal(
        &mut self,
        index: usize,
        keep: bool,
        r: &mut Reader<'_>,
        found: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(), Error> {
        let name = if index == 0 {
            Name::Known(string(r)?.into_boxed_slice())
        } else if let Some((name, _)) = STATIC.get(index - 1) {
            Name::Static(name.as_bytes())
        } else if let Some((name, _)) = self.entry(index) {
            Name::Known(name.clone())
        } else if self.lost {
            Name::Unknown
        } else {
            return Err(Error::Index);
        };
        let value = string(r)?.into_boxed_slice();
        let name: Box<[u8]> = match name {
            Name::Known(name) => name,
            Name::Static(name) => name.into(),
            Name::Unknown => {
                self.unknown = self.unknown.saturating_add(1);
                if keep {
                    self.insert(Box::default(), value);
                }
                return Ok(());
            }
        };
        found(&name, &value);
        if keep {
            self.insert(name, value);
        }
        Ok(())
    }

    fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index.checked_sub(STATIC.len() + 1)?)
    }

    fn insert(&mut self, name: Box<[u8]>, value: Box<[u8]>) {
        let cost = name.len() + value.len() + ENTRY_COST;
        if cost > self.bytes_max {
            return self.shrink(0);
        }
        self.shrink(self.bytes_max - cost);
        self.bytes += cost;
        self.entries.push_front((name, value));
    }

    fn shrink(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max
            && let Some((name, value)) = self.entries.pop_back()
        {
            let cost = name.len() + value.len() + ENTRY_COST;
            self.bytes = self.bytes.saturating_sub(cost);
        }
    }
}

/// A number whose first `bits` bits are in `first`.
fn number(first: u8, bits: u8, r: &mut Reader<'_>) -> Result<usize, Error> {
    let mask = (1_u8 << bits) - 1;
    let mut value = usize::from(first & mask);
    if first & mask < mask {
        return Ok(value);
    }
    for shift in (0..28).step_by(7) {
        let octet = r.u8().ok_or(Error::Cut)?;
        value += usize::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Error::Long)
}

fn string(r: &mut Reader<'_>) -> Result<Vec<u8>, Error> {
    let first = r.u8().ok_or(Error::Cut)?;
    let length = number(first, 7, r)?;
    if length > STRING_BYTES_MAX {
        return Err(Error::Long);
    }
    let bytes = r.take(length).ok_or(Error::Cut)?;
    if first & 0x80 == 0 {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::with_capacity(length * 8 / 5);
    // A code that is not whole keeps its head: the field is worth having.
    huffman::decode(bytes, &mut out);
    Ok(out)
}

/// The static table, index 1 first.
#[rustfmt::skip]
static STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
    (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"),
    (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""),
    ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""),
    ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
    ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
    ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""),
    ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""),
    ("via", ""), ("www-authenticate", ""),
];

#[cfg(test)]
mod tests;
