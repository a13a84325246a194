//! Frames: their header, and the header block fragment inside.
//!
//! Enters: bytes. Leaves: type, flags, stream, fragment without padding and priority. Refuses:
//! padding longer than its frame. Source: RFC 9113 sections 4.1 and 6.

use codec::bytes::Reader;

/// Octets of a frame header.
pub(super) const HEADER_BYTES: usize = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Reset,
    Settings,
    Push,
    GoAway,
    Continuation,
    /// PRIORITY, PING, WINDOW_UPDATE and whatever came later.
    Other,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) len: usize,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Frame {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        Some(Self {
            len: usize::try_from(r.u24_be()?).ok()?,
            kind: match r.u8()? {
                0 => Kind::Data,
                1 => Kind::Headers,
                3 => Kind::Reset,
                4 => Kind::Settings,
                5 => Kind::Push,
                7 => Kind::GoAway,
                9 => Kind::Continuation,
                _ => Kind::Other,
            },
            flags: r.u8()?,
            stream: r.u32_be()? & 0x7fff_ffff,
        })
    }

    pub(super) const fn ends_stream(self) -> bool {
        self.flags & END_STREAM != 0
    }

    pub(super) const fn ends_headers(self) -> bool {
        self.flags & END_HEADERS != 0
    }

    pub(super) const fn is_padded(self) -> bool {
        self.flags & PADDED != 0
    }

    /// The stream that a HEADERS or PUSH_PROMISE frame opens, and its part of a header block.
    pub(super) fn fragment(self, payload: &[u8]) -> Option<(u32, &[u8])> {
        let mut r = Reader::new(payload);
        let padding = if self.is_padded() {
            usize::from(r.u8()?)
        } else {
            0
        };
        let mut stream = self.stream;
        if self.kind == Kind::Push {
            stream = r.u32_be()? & 0x7fff_ffff;
        } else if self.flags & PRIORITY != 0 {
            r.skip(5)?;
        }
        let len = r.remaining().checked_sub(padding)?;
        Some((stream, r.take(len)?))
    }
}
