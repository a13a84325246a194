//! Tunnels over UDP: VXLAN, GENEVE, GTP-U, Teredo.
//!
//! Enters: ports and payload of a datagram. Leaves: [`Opened`] when port, header and the first
//! octets inside agree. Refuses: everything else: it stays a datagram. A port alone proves nothing.
//! Limits: [`EXTENSIONS_MAX`] extension headers of GTP.
//! Source: RFC 7348 (VXLAN), RFC 8926 (GENEVE), 3GPP TS 29.281 (GTP-U), RFC 4380 (Teredo).

use codec::bytes::Reader;

use super::{Content, Kind, Opened};
use crate::link::{ETHERTYPE_IP4, ETHERTYPE_IP6};

/// Most extension headers of one GTP packet.
const EXTENSIONS_MAX: usize = 8;

/// Takes the header of a tunnel over UDP off.
pub(crate) fn of_udp(src_port: u16, dst_port: u16, payload: &[u8]) -> Option<Opened<'_>> {
    let r = Reader::new(payload);
    match (src_port, dst_port) {
        (_, 4789 | 8472 | 4790) => vxlan(r),
        (_, 6081) => geneve(r),
        (_, 2152) | (2152, _) => gtp(r),
        (_, 3544) | (3544, _) => teredo(r),
        _ => None,
    }
}

fn vxlan(mut r: Reader<'_>) -> Option<Opened<'_>> {
    let flags = r.u8()?;
    r.skip(3)?;
    let vni = r.u24_be()?;
    r.skip(1)?;
    let valid = flags & 0x08 != 0 && is_frame(r.rest());
    valid.then(|| Opened::new(Kind::Vxlan, Some(vni), Content::Frame(r.rest())))
}

fn geneve(mut r: Reader<'_>) -> Option<Opened<'_>> {
    let first = r.u8()?;
    let flags = r.u8()?;
    let kind = r.u16_be()?;
    let vni = r.u24_be()?;
    r.skip(1 + usize::from(first & 0x3f) * 4)?;
    if first >> 6 != 0 || flags & 0x3f != 0 {
        return None;
    }
    let rest = r.rest();
    let content = match kind {
        0x6558 if is_frame(rest) => Content::Frame(rest),
        ETHERTYPE_IP4 | ETHERTYPE_IP6 if ip(rest) == Some(kind) => Content::Network(kind, rest),
        _ => return None,
    };
    Some(Opened::new(Kind::Geneve, Some(vni), content))
}

fn gtp(mut r: Reader<'_>) -> Option<Opened<'_>> {
    let flags = r.u8()?;
    let message = r.u8()?;
    let length = usize::from(r.u16_be()?);
    let tunnel = r.u32_be()?;
    // Version 1, GTP and not its charging sister; a G-PDU carries a packet of the user.
    if flags >> 4 != 3 || message != 255 || length > r.remaining() {
        return None;
    }
    if flags & 7 != 0 {
        r.skip(3)?;
        let mut next = r.u8()?;
        let mut seen = 0;
        while flags & 4 != 0 && next != 0 {
            seen += 1;
            let units = usize::from(r.u8()?);
            if units == 0 || seen > EXTENSIONS_MAX {
                return None;
            }
            r.skip(units * 4 - 2)?;
            next = r.u8()?;
        }
    }
    let kind = ip(r.rest())?;
    let content = Content::Network(kind, r.rest());
    Some(Opened::new(Kind::Gtp, Some(tunnel), content))
}

fn teredo(mut r: Reader<'_>) -> Option<Opened<'_>> {
    if r.rest().starts_with(&[0, 1]) {
        r.skip(2)?;
        let (client, value) = (usize::from(r.u8()?), usize::from(r.u8()?));
        r.skip(client + value + 9)?;
    }
    if r.rest().starts_with(&[0, 0]) {
        r.skip(8)?;
    }
    let rest = r.rest();
    let stated = rest.get(4..6).and_then(|length| length.try_into().ok());
    let whole = stated.map(u16::from_be_bytes).map(usize::from) == rest.len().checked_sub(40);
    let valid = ip(rest) == Some(ETHERTYPE_IP6) && whole;
    valid.then(|| Opened::new(Kind::Teredo, None, Content::Network(ETHERTYPE_IP6, rest)))
}

/// The Ethernet type of what begins like an IP packet.
fn ip(bytes: &[u8]) -> Option<u16> {
    match bytes.first()? {
        0x45..=0x4f => Some(ETHERTYPE_IP4),
        0x60..=0x6f => Some(ETHERTYPE_IP6),
        _ => None,
    }
}

/// True for octets that begin like an Ethernet frame whose type is known.
fn is_frame(bytes: &[u8]) -> bool {
    let Some(&[hi, lo]) = bytes.get(12..14).and_then(<[u8]>::first_chunk) else {
        return false;
    };
    let payload = bytes.get(14..).unwrap_or(&[]);
    match u16::from_be_bytes([hi, lo]) {
        kind @ (ETHERTYPE_IP4 | ETHERTYPE_IP6) => ip(payload) == Some(kind),
        0x0806 => payload.starts_with(&[0, 1]),
        0x8100 | 0x88a8 | 0x8847 | 0x8848 | 0x8863 | 0x8864 | 0x88cc => true,
        0..0x0600 => payload.len() >= 3,
        _ => false,
    }
}
