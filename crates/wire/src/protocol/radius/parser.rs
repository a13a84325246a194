//! Packets and the attributes that matter.
//!
//! Enters: a datagram. Leaves: code, identifier, attributes. Refuses: packets whose length or
//! attributes do not add up; more than [`ATTRIBUTES_MAX`] attributes.
//! Source: RFC 2865 sections 3 and 5, RFC 2866 section 5.

use std::net::{Ipv4Addr, Ipv6Addr};

use codec::bytes::Reader;
use codec::digest::hex;

/// Most attributes of one packet: more do not fit 4096 octets.
pub(super) const ATTRIBUTES_MAX: usize = 1024;
/// Octets before the attributes.
const HEADER_BYTES: usize = 20;
/// Longest packet.
const PACKET_BYTES_MAX: usize = 4096;

/// A packet.
pub(super) struct Packet<'a> {
    pub(super) code: u8,
    pub(super) id: u8,
    pub(super) attributes: Vec<(u8, &'a [u8])>,
}

/// Reads a packet; what follows it in the datagram is padding.
pub(super) fn read(bytes: &[u8]) -> Option<Packet<'_>> {
    let mut r = Reader::new(bytes);
    let (code, id, length) = (r.u8()?, r.u8()?, usize::from(r.u16_be()?));
    if code_name(code).is_none() || !(HEADER_BYTES..=PACKET_BYTES_MAX).contains(&length) {
        return None;
    }
    let mut r = Reader::new(bytes.get(HEADER_BYTES..length)?);
    let mut attributes = Vec::new();
    while !r.is_empty() && attributes.len() < ATTRIBUTES_MAX {
        let (kind, length) = (r.u8()?, usize::from(r.u8()?));
        attributes.push((kind, r.take(length.checked_sub(2)?)?));
    }
    Some(Packet {
        code,
        id,
        attributes,
    })
}

impl Packet<'_> {
    /// The first attribute of this kind.
    pub(super) fn first(&self, kind: u8) -> Option<&[u8]> {
        self.attributes
            .iter()
            .find(|(known, _)| *known == kind)
            .map(|(_, value)| *value)
    }

    pub(super) fn text(&self, kind: u8) -> Option<String> {
        self.first(kind).map(codec::ber::text)
    }

    pub(super) fn number(&self, kind: u8) -> Option<u32> {
        Reader::new(self.first(kind)?).u32_be()
    }

    pub(super) fn address(&self, kind: u8) -> Option<String> {
        let value = self.first(kind)?;
        let v4 = <[u8; 4]>::try_from(value).map(|octets| Ipv4Addr::from(octets).to_string());
        let v6 = || <[u8; 16]>::try_from(value).map(|octets| Ipv6Addr::from(octets).to_string());
        v4.or_else(|_| v6()).ok()
    }

    /// How the user proves who it is.
    pub(super) fn method(&self) -> (&'static str, Option<String>) {
        if let Some(eap) = self.first(79) {
            let kind = eap.get(4).filter(|_| matches!(eap.first(), Some(1 | 2)));
            return ("EAP", kind.map(|kind| eap_name(*kind)));
        }
        if self.first(3).is_some() {
            return ("CHAP", None);
        }
        if self.first(2).is_some() {
            return ("PAP", None);
        }
        if self.microsoft().any(|kind| matches!(kind, 1 | 25)) {
            return ("MS-CHAP", None);
        }
        ("RADIUS", None)
    }

    /// Kinds of Microsoft's own attributes.
    fn microsoft(&self) -> impl Iterator<Item = u8> {
        let own = self.attributes.iter().filter(|(kind, _)| *kind == 26);
        own.filter_map(|(_, value)| match value {
            [0, 0, 1, 0x37, kind, ..] => Some(*kind),
            _ => None,
        })
    }

    /// Vendors that have attributes of their own here, IANA numbers.
    pub(super) fn vendors(&self) -> Vec<u32> {
        let own = self.attributes.iter().filter(|(kind, _)| *kind == 26);
        let mut all: Vec<u32> = own
            .filter_map(|(_, value)| Reader::new(value).u32_be())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(super) fn hex(&self, kind: u8) -> Option<String> {
        self.first(kind).map(hex)
    }
}

/// Name of a code.
pub(super) const fn code_name(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "Access-Request",
        2 => "Access-Accept",
        3 => "Access-Reject",
        4 => "Accounting-Request",
        5 => "Accounting-Response",
        11 => "Access-Challenge",
        12 => "Status-Server",
        40 => "Disconnect-Request",
        41 => "Disconnect-ACK",
        42 => "Disconnect-NAK",
        43 => "CoA-Request",
        44 => "CoA-ACK",
        45 => "CoA-NAK",
        _ => return None,
    })
}

/// Name of an EAP method, IANA "EAP Method Types".
fn eap_name(kind: u8) -> String {
    match kind {
        1 => "Identity",
        3 => "Nak",
        4 => "MD5-Challenge",
        6 => "GTC",
        13 => "TLS",
        17 => "LEAP",
        21 => "TTLS",
        25 => "PEAP",
        26 => "MSCHAPv2",
        43 => "FAST",
        55 => "TEAP",
        other => return other.to_string(),
    }
    .to_owned()
}
