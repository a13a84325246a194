//! Records, and handshake messages put together from them.
//!
//! Enters: bytes of one side. Leaves: record headers; whole handshake messages that are wanted.
//! Refuses: to keep messages that are not wanted, or longer than [`MESSAGE_BYTES_MAX`].
//! Source: RFC 8446 sections 4 and 5.1, RFC 5246 section 6.2.

use codec::bytes::Reader;

/// Octets of a record header.
pub(super) const RECORD_HEADER_BYTES: usize = 5;
/// Longest wanted handshake message that is put together.
pub(super) const MESSAGE_BYTES_MAX: usize = 48 * 1024;
/// Longest record: 2^14 and the expansion that RFC 5246 allows.
const RECORD_BYTES_MAX: usize = 16_384 + 2048;
const MESSAGE_HEADER_BYTES: usize = 4;

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    ChangeCipher,
    Alert,
    Handshake,
    Data,
    Heartbeat,
}

impl Content {
    const fn of(octet: u8) -> Option<Self> {
        Some(match octet {
            20 => Self::ChangeCipher,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::Data,
            24 => Self::Heartbeat,
            _ => return None,
        })
    }
}

/// The head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub(super) content: Content,
    pub(super) version: u16,
    pub(super) len: usize,
}

impl RecordHeader {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        Some(Self {
            content: Content::of(r.u8()?)?,
            version: r.u16_be()?,
            len: usize::from(r.u16_be()?),
        })
    }

    /// True when fewer bytes than a header may still become one.
    pub(super) fn may_start(bytes: &[u8]) -> bool {
        bytes.len() < RECORD_HEADER_BYTES
            && bytes
                .first()
                .is_none_or(|&octet| Content::of(octet).is_some())
            && bytes.get(1).is_none_or(|&major| matches!(major, 3 | 0x7f))
    }

    pub(super) fn is_plausible(self) -> bool {
        let version = matches!(self.version, 0x0300..=0x0304 | 0x7f00..=0x7fff);
        let len = match self.content {
            Content::ChangeCipher => self.len == 1,
            Content::Alert => (2..=512).contains(&self.len),
            Content::Handshake | Content::Heartbeat => (1..=RECORD_BYTES_MAX).contains(&self.len),
            Content::Data => self.len <= RECORD_BYTES_MAX,
        };
        version && len
    }
}

/// Puts handshake messages of one side together.
#[derive(Default)]
pub(super) struct Messages {
    kept: Vec<u8>,
    unwanted: usize,
    /// True when a wanted message was longer than the limit.
    pub(super) overflow: bool,
}

impl Messages {
    /// Forgets a message under way: bytes of it were lost.
    pub(super) fn reset(&mut self) {
        self.kept = Vec::new();
        self.unwanted = 0;
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.kept.capacity()
    }

    /// Adds bytes and calls `found` with the type and body of every whole message that `wanted`
    /// accepts; messages not wanted are only announced, with an empty body.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        wanted: impl Fn(u8) -> bool,
        found: &mut dyn FnMut(u8, &[u8]),
    ) {
        while !bytes.is_empty() {
            if self.unwanted > 0 {
                let n = self.unwanted.min(bytes.len());
                self.unwanted -= n;
                bytes = bytes.get(n..).unwrap_or(&[]);
                continue;
            }
            let target = match self.header() {
                Some((_, len)) => MESSAGE_HEADER_BYTES + len,
                None => MESSAGE_HEADER_BYTES,
            };
            let n = target.saturating_sub(self.kept.len()).min(bytes.len());
            let (now, later) = bytes.split_at_checked(n).unwrap_or((bytes, &[]));
            self.kept.extend_from_slice(now);
            bytes = later;
            self.settle(&wanted, found);
        }
    }

    /// Looks at what is kept: a header decides, a whole message is handed on.
    fn settle(&mut self, wanted: &impl Fn(u8) -> bool, found: &mut dyn FnMut(u8, &[u8])) {
        let Some((kind, len)) = self.header() else {
            return;
        };
        let long = len > MESSAGE_BYTES_MAX;
        if !wanted(kind) || long {
            self.overflow |= long && wanted(kind);
            self.unwanted = len;
            self.kept.clear();
            return found(kind, &[]);
        }
        if let Some(body) = self.kept.get(MESSAGE_HEADER_BYTES..)
            && body.len() >= len
        {
            found(kind, body);
            self.kept.clear();
        }
    }

    /// What of a message is there when no more can come.
    pub(super) fn partial(&self) -> Option<(u8, &[u8])> {
        let (kind, _) = self.header()?;
        Some((kind, self.kept.get(MESSAGE_HEADER_BYTES..)?))
    }

    fn header(&self) -> Option<(u8, usize)> {
        let mut r = Reader::new(&self.kept);
        let kind = r.u8()?;
        Some((kind, usize::try_from(r.u24_be()?).ok()?))
    }
}

/// The first certificate of a Certificate message.
pub(super) fn leaf(body: &[u8]) -> Option<&[u8]> {
    let mut r = Reader::new(body);
    r.u24_be()?;
    let len = usize::try_from(r.u24_be()?).ok()?;
    r.take(len)
}
