//! Fragments: header, what is bound, what is called, who.
//!
//! Enters: the start of a fragment. Leaves: typed values. Refuses: more than [`OFFERS_MAX`]
//! interfaces of one binding; fragments of versions other than 5. Source: C706 section 12.6.

use codec::bytes::Reader;

use crate::protocol::Probe;

/// Octets of the header that every fragment has.
pub(super) const HEADER_BYTES: usize = 16;
/// Octets of an answer that are looked at.
const ANSWER_BYTES: usize = 32;
/// Octets of a request that are looked at: an endpoint mapper's names an interface.
const REQUEST_BYTES: usize = 128;
/// Most octets of a binding or log-in that are looked at.
pub(super) const BIND_BYTES_MAX: usize = 16 * 1024;
/// Most interfaces of one binding.
pub(super) const OFFERS_MAX: usize = 32;
/// Octets before the token of a log-in.
const VERIFIER_BYTES: usize = 8;

/// Kinds of fragments.
pub(super) const REQUEST: u8 = 0;
pub(super) const RESPONSE: u8 = 2;
pub(super) const FAULT: u8 = 3;
pub(super) const BIND: u8 = 11;
pub(super) const BIND_ACK: u8 = 12;
pub(super) const BIND_NAK: u8 = 13;
pub(super) const ALTER: u8 = 14;
pub(super) const ALTER_ACK: u8 = 15;
pub(super) const AUTH3: u8 = 16;

/// The header of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) little: bool,
    pub(super) length: usize,
    pub(super) auth_length: usize,
    pub(super) call: u32,
}

impl Header {
    /// True for the first fragment of a call.
    pub(super) const fn is_first(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Octets that are looked at.
    pub(super) fn wanted(&self) -> usize {
        let most = match self.kind {
            REQUEST => REQUEST_BYTES,
            RESPONSE | FAULT => ANSWER_BYTES,
            BIND..=AUTH3 => BIND_BYTES_MAX,
            _ => HEADER_BYTES,
        };
        self.length.min(most)
    }
}

/// Reads a header; `None` when it is none or cut.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let mut r = Reader::new(bytes);
    let (major, minor, kind, flags) = (r.u8()?, r.u8()?, r.u8()?, r.u8()?);
    let representation: [u8; 4] = r.array()?;
    let little = representation.first().is_some_and(|first| first >> 4 == 1);
    let mut short = || if little { r.u16_le() } else { r.u16_be() };
    let (length, auth_length) = (usize::from(short()?), usize::from(short()?));
    let call = if little { r.u32_le()? } else { r.u32_be()? };
    let known = major == 5 && minor <= 1 && kind <= 19;
    let plain = representation.get(2..) == Some(&[0, 0]);
    let fits = length >= HEADER_BYTES && auth_length < length;
    (known && plain && fits).then_some(Header {
        kind,
        flags,
        little,
        length,
        auth_length,
        call,
    })
}

/// Whether a conversation starts here.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    if !b"\x05\x00".starts_with(bytes.get(..2).unwrap_or(bytes)) {
        return Probe::No;
    }
    if bytes.len() < HEADER_BYTES {
        return Probe::NeedMore;
    }
    match header(bytes) {
        Some(header) if matches!(header.kind, BIND | BIND_ACK | BIND_NAK) => Probe::Certain,
        Some(header) if matches!(header.kind, REQUEST | RESPONSE | FAULT | ALTER..=AUTH3) => {
            Probe::Maybe
        }
        _ => Probe::No,
    }
}

/// An interface that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) context: u16,
    pub(super) interface: [u8; 16],
    pub(super) version: u16,
}

/// A reader of the fragment's byte order, after the header.
struct Body<'a> {
    reader: Reader<'a>,
    little: bool,
}

impl<'a> Body<'a> {
    fn new(header: &Header, bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        reader.skip(HEADER_BYTES)?;
        Some(Self {
            reader,
            little: header.little,
        })
    }

    fn u16(&mut self) -> Option<u16> {
        if self.little {
            self.reader.u16_le()
        } else {
            self.reader.u16_be()
        }
    }

    fn u32(&mut self) -> Option<u32> {
        if self.little {
            self.reader.u32_le()
        } else {
            self.reader.u32_be()
        }
    }
}

/// What BIND and ALTER_CONTEXT ask for.
pub(super) fn offers(header: &Header, bytes: &[u8]) -> Vec<Offer> {
    let mut out = Vec::new();
    let mut read = || {
        let mut body = Body::new(header, bytes)?;
        body.reader.skip(8)?;
        let count = usize::from(body.reader.u8()?).min(OFFERS_MAX);
        body.reader.skip(3)?;
        for _ in 0..count {
            let context = body.u16()?;
            let syntaxes = usize::from(body.reader.u8()?);
            body.reader.skip(1)?;
            let mut interface: [u8; 16] = body.reader.array()?;
            if header.little {
                swap(&mut interface);
            }
            let version = body.u16()?;
            body.reader.skip(2)?;
            out.push(Offer {
                context,
                interface,
                version,
            });
            body.reader.skip(20 * syntaxes)?;
        }
        Some(())
    };
    let _ = read();
    out
}

/// What BIND_ACK answers to each interface, in their order: 0 accepted, 3 a feature negotiation.
pub(super) fn results(header: &Header, bytes: &[u8]) -> Vec<u16> {
    let mut out = Vec::new();
    let mut read = || {
        let mut body = Body::new(header, bytes)?;
        body.reader.skip(8)?;
        let address = usize::from(body.u16()?);
        body.reader.skip(address)?;
        let position = body.reader.position();
        body.reader.skip(position.next_multiple_of(4) - position)?;
        let count = usize::from(body.reader.u8()?).min(OFFERS_MAX);
        body.reader.skip(3)?;
        for _ in 0..count {
            out.push(body.u16()?);
            body.reader.skip(22)?;
        }
        Some(())
    };
    let _ = read();
    out
}

/// Context and operation number of a request.
pub(super) fn request(header: &Header, bytes: &[u8]) -> Option<(u16, u16)> {
    let mut body = Body::new(header, bytes)?;
    body.u32()?;
    Some((body.u16()?, body.u16()?))
}

/// The interface that a request to the endpoint mapper asks the address of: the first floor of a
/// protocol tower, of 19 octets with protocol identifier 13. Source: C706 appendix L.
pub(super) fn mapped(bytes: &[u8]) -> Option<[u8; 16]> {
    let body = bytes.get(HEADER_BYTES..)?;
    let floor = body.windows(3).position(|at| at == [19, 0, 13])?;
    let mut interface = Reader::new(body.get(floor + 3..)?).array()?;
    swap(&mut interface);
    Some(interface)
}

/// Status of a fault.
pub(super) fn fault(header: &Header, bytes: &[u8]) -> Option<u32> {
    let mut body = Body::new(header, bytes)?;
    body.reader.skip(8)?;
    body.u32()
}

/// Kind and level of a log-in, and its token.
pub(super) fn verifier<'a>(header: &Header, bytes: &'a [u8]) -> Option<(u8, u8, &'a [u8])> {
    if header.auth_length == 0 {
        return None;
    }
    let end = header.length.checked_sub(header.auth_length)?;
    let mut r = Reader::new(bytes.get(end.checked_sub(VERIFIER_BYTES)?..)?);
    let (kind, level) = (r.u8()?, r.u8()?);
    Some((kind, level, bytes.get(end..header.length)?))
}

/// The first three parts of an identifier are numbers: most significant octet first.
const fn swap(uuid: &mut [u8; 16]) {
    let [a, b, c, d, e, f, g, h, ..] = uuid;
    (*a, *b, *c, *d) = (*d, *c, *b, *a);
    (*e, *f) = (*f, *e);
    (*g, *h) = (*h, *g);
}
