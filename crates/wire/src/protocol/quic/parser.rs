//! Long headers and frames.
//!
//! Enters: datagrams, opened payloads. Leaves: packets, CRYPTO data, closing codes. Refuses:
//! headers that are not whole, connection identifiers over 20 octets. Limits: [`PACKETS_MAX`]
//! packets of a datagram, [`FRAMES_MAX`] frames of a packet, [`RANGES_MAX`] ranges of an
//! acknowledgement.
//! Source: RFC 9000 sections 12, 17 and 19, RFC 9369 section 3.2; for Google's own versions the
//! public header of their QUIC wire layout specification.

use codec::bytes::Reader;
use model::Text;

/// Most packets of one datagram that are looked at.
pub(super) const PACKETS_MAX: usize = 8;
/// Most frames of one packet.
const FRAMES_MAX: usize = 256;
/// Most ranges of one acknowledgement.
const RANGES_MAX: u64 = 256;
/// Longest connection identifier.
const ID_BYTES_MAX: usize = 20;

/// A version number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(pub(super) u32);

impl Version {
    /// Version 2.
    pub(super) const TWO: Self = Self(0x6b33_43cf);

    /// True for versions that exist: 1, 2, the drafts, Google's.
    pub(super) const fn is_known(self) -> bool {
        self.is_ietf() || self.is_google()
    }

    /// True for versions whose Initial packets can be opened.
    pub(super) const fn is_ietf(self) -> bool {
        matches!(self.0, 1 | 0x6b33_43cf | 0xff00_0017..=0xff00_0022)
    }

    /// Q or T and three digits.
    pub(super) const fn is_google(self) -> bool {
        let [q, a, b, c] = self.0.to_be_bytes();
        matches!(q, b'Q' | b'T') && a == b'0' && b.is_ascii_digit() && c.is_ascii_digit()
    }

    /// As people write it.
    pub(super) fn text(self) -> Text {
        match self.0 {
            1 => "1".into(),
            0x6b33_43cf => "2".into(),
            0xff00_0000..=0xff00_00ff => format!("draft-{}", self.0 & 0xff).into(),
            number if self.is_google() => String::from_utf8_lossy(&number.to_be_bytes())
                .into_owned()
                .into(),
            number => format!("0x{number:08x}").into(),
        }
    }
}

/// What a packet with a long header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Negotiation,
    Initial,
    ZeroRtt,
    Handshake,
    Retry,
}

/// A packet with a long header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long<'a> {
    pub(super) kind: Kind,
    pub(super) version: Version,
    /// Identifier of the connection at the receiver.
    pub(super) to: &'a [u8],
    /// The header up to the packet number, for an Initial packet.
    pub(super) header: &'a [u8],
    /// What follows: packet number and payload; versions for a negotiation.
    pub(super) rest: &'a [u8],
    /// Octets of the whole packet.
    pub(super) len: usize,
}

impl<'a> Long<'a> {
    /// Reads the packet at the start of `bytes`; a payload that was cut keeps its head.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let first = r.u8()?;
        let version = Version(r.u32_be()?);
        if first & 0x80 == 0 {
            return None;
        }
        let to_len = usize::from(r.u8()?);
        let to = r.take(to_len)?;
        let from_len = usize::from(r.u8()?);
        r.skip(from_len)?;
        if version.0 != 0 && (first & 0x40 == 0 || to_len.max(from_len) > ID_BYTES_MAX) {
            return None;
        }
        let kind = kind(first, version);
        let mut packet = Self {
            kind,
            version,
            to,
            header: &[],
            rest: r.rest(),
            len: bytes.len(),
        };
        if matches!(kind, Kind::Negotiation | Kind::Retry) || version.is_google() {
            return Some(packet);
        }
        if kind == Kind::Initial {
            let token = usize::try_from(varint(&mut r)?).ok()?;
            r.skip(token)?;
        }
        let len = usize::try_from(varint(&mut r)?).ok()?;
        packet.header = bytes.get(..r.position())?;
        packet.rest = r.rest().get(..len).unwrap_or(r.rest());
        packet.len = r.position().saturating_add(len).min(bytes.len());
        Some(packet)
    }
}

const fn kind(first: u8, version: Version) -> Kind {
    if version.0 == 0 {
        return Kind::Negotiation;
    }
    // Version 2 counts from Retry.
    let shift = if version.0 == Version::TWO.0 { 3 } else { 0 };
    match ((first >> 4 & 3) + shift) & 3 {
        0 => Kind::Initial,
        1 => Kind::ZeroRtt,
        2 => Kind::Handshake,
        _ => Kind::Retry,
    }
}

/// A number of 1, 2, 4 or 8 octets.
pub(super) fn varint(r: &mut Reader<'_>) -> Option<u64> {
    let first = r.u8()?;
    let more = (1_usize << (first >> 6)) - 1;
    let rest = r.take(more)?.iter();
    Some(rest.fold(u64::from(first & 0x3f), |value, octet| {
        value << 8 | u64::from(*octet)
    }))
}

/// What the frames of an Initial packet say.
#[derive(Default)]
pub(super) struct Frames<'a> {
    /// Offset and data of CRYPTO frames.
    pub(super) crypto: Vec<(u64, &'a [u8])>,
    /// Code of a CONNECTION_CLOSE.
    pub(super) close: Option<u64>,
    /// True when a frame was not understood.
    pub(super) broken: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn parse(payload: &'a [u8]) -> Self {
        let mut frames = Self::default();
        let mut r = Reader::new(payload);
        let mut seen = 0;
        while !r.is_empty() {
            // Padding is not counted: it fills packets.
            if r.rest().first() == Some(&0) {
                let zeros = r.rest().iter().take_while(|&&octet| octet == 0).count();
                if r.skip(zeros).is_none() {
                    break;
                }
                continue;
            }
            seen += 1;
            if seen > FRAMES_MAX || frames.one(&mut r).is_none() {
                frames.broken = true;
                break;
            }
        }
        frames
    }

    fn one(&mut self, r: &mut Reader<'a>) -> Option<()> {
        match varint(r)? {
            1 => {}
            kind @ (2 | 3) => {
                varint(r)?;
                varint(r)?;
                let ranges = varint(r)?;
                if ranges > RANGES_MAX {
                    return None;
                }
                for _ in 0..1 + ranges * 2 {
                    varint(r)?;
                }
                if kind == 3 {
                    for _ in 0..3 {
                        varint(r)?;
                    }
                }
            }
            6 => {
                let offset = varint(r)?;
                let len = usize::try_from(varint(r)?).ok()?;
                self.crypto.push((offset, r.take(len)?));
            }
            kind @ (0x1c | 0x1d) => {
                self.close = Some(varint(r)?);
                if kind == 0x1c {
                    varint(r)?;
                }
                let len = usize::try_from(varint(r)?).ok()?;
                r.skip(len)?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// The version of a packet with Google's public header, and what follows the header.
pub(super) fn google(bytes: &[u8]) -> Option<(Version, &[u8])> {
    let mut r = Reader::new(bytes);
    let flags = r.u8()?;
    // Version present, identifier of 8 octets, nothing of later layouts.
    if flags & 0xc9 != 0x09 {
        return None;
    }
    r.skip(8)?;
    let version = Version(r.u32_be()?);
    version.is_google().then(|| (version, r.rest()))
}

/// The server name in Google's own client hello: tags with the end of their values.
pub(super) fn google_name(bytes: &[u8]) -> Option<&[u8]> {
    const TAGS_MAX: usize = 128;
    let at = bytes.windows(4).position(|tag| tag == b"CHLO")?;
    let mut r = Reader::new(bytes.get(at + 4..)?);
    let tags = usize::from(r.u16_le()?);
    r.skip(2)?;
    if tags > TAGS_MAX {
        return None;
    }
    let mut start = 0;
    let mut place = None;
    for _ in 0..tags {
        let tag: [u8; 4] = r.array()?;
        let end = usize::try_from(r.u32_le()?).ok()?;
        if &tag == b"SNI\0" {
            place = Some(start..end);
        }
        start = end;
    }
    r.rest().get(place?)
}
