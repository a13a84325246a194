//! GRE and what lives in it: Ethernet, NVGRE, ERSPAN, PPTP, MPLS, WCCP.
//!
//! Enters: the payload of IP protocol 47. Leaves: [`Opened`]. Refuses: headers that are not whole,
//! versions above 1, more than [`ROUTES_MAX`] source routes. Types of payload that are not followed
//! are [`Content::Other`].
//! Source: RFC 2784, RFC 2890, RFC 1701, RFC 2637 (PPTP), RFC 7637 (NVGRE),
//! draft-foschiano-erspan-03, draft-ietf-wrec-wccp.

use codec::bytes::Reader;

use super::{Content, Kind, Opened};
use crate::link::{ETHERTYPE_IP4, ETHERTYPE_IP6, ETHERTYPE_MPLS, ETHERTYPE_MPLS_MULTICAST, ppp};

/// Most source route entries of one header.
const ROUTES_MAX: usize = 16;
/// Subnets below this one are reserved: the key is then a plain GRE key.
const VSID_MIN: u32 = 0x1000;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGE: u16 = 0x0080;

/// Takes a GRE header off.
pub(crate) fn of_gre(payload: &[u8]) -> Result<Opened<'_>, &'static str> {
    let mut r = Reader::new(payload);
    let (Some(flags), Some(kind)) = (r.u16_be(), r.u16_be()) else {
        return Err("gre-header-short");
    };
    match flags & 7 {
        0 => plain(flags, kind, r).ok_or("gre-header-short"),
        1 if kind == 0x880b => pptp(flags, r).ok_or("gre-header-short"),
        _ => Err("gre-version-unknown"),
    }
}

fn plain(flags: u16, kind: u16, mut r: Reader<'_>) -> Option<Opened<'_>> {
    if flags & (CHECKSUM | ROUTING) != 0 {
        r.skip(4)?;
    }
    let key = if flags & KEY == 0 {
        None
    } else {
        Some(r.u32_be()?)
    };
    let numbered = flags & SEQUENCE != 0;
    if numbered {
        r.skip(4)?;
    }
    if flags & ROUTING != 0 {
        routes(&mut r)?;
    }
    let rest = r.rest();
    Some(match kind {
        ETHERTYPE_IP4 | ETHERTYPE_IP6 | ETHERTYPE_MPLS | ETHERTYPE_MPLS_MULTICAST | 0x8100 => {
            Opened::new(Kind::Gre, key, Content::Network(kind, rest))
        }
        0x6558 => {
            let subnet = key.map(|key| key >> 8).filter(|&id| id >= VSID_MIN);
            match subnet {
                Some(id) if !numbered => Opened::new(Kind::Nvgre, Some(id), Content::Frame(rest)),
                _ => Opened::new(Kind::GreFrame, key, Content::Frame(rest)),
            }
        }
        0x88be if !numbered => Opened::new(Kind::Erspan1, None, Content::Frame(rest)),
        0x88be | 0x22eb => erspan(rest)?,
        0x880b => Opened::new(Kind::Gre, key, in_ppp(rest)),
        0x883e => Opened::new(Kind::Gre, key, wccp(rest)),
        _ => Opened::new(Kind::Gre, key, Content::Other),
    })
}

/// Source routes of RFC 1701: entries until an empty one.
fn routes(r: &mut Reader<'_>) -> Option<()> {
    for _ in 0..ROUTES_MAX {
        let family = r.u16_be()?;
        r.skip(1)?;
        let length = r.u8()?;
        if family == 0 && length == 0 {
            return Some(());
        }
        r.skip(usize::from(length))?;
    }
    None
}

fn erspan(bytes: &[u8]) -> Option<Opened<'_>> {
    let mut r = Reader::new(bytes);
    let word = r.u32_be()?;
    let session = Some(word & 0x3ff);
    if word >> 28 == 1 {
        r.skip(4)?;
        let content = Content::Frame(r.rest());
        return Some(Opened::new(Kind::Erspan2, session, content));
    }
    if word >> 28 != 2 {
        return Some(Opened::new(Kind::Erspan3, None, Content::Other));
    }
    r.skip(4)?;
    let tail = r.u32_be()?;
    if tail & 1 == 1 {
        r.skip(8)?;
    }
    let content = match tail >> 10 & 0x1f {
        0 => Content::Frame(r.rest()),
        2 => Content::Network(version(r.rest()), r.rest()),
        _ => Content::Other,
    };
    Some(Opened::new(Kind::Erspan3, session, content))
}

fn pptp(flags: u16, mut r: Reader<'_>) -> Option<Opened<'_>> {
    r.skip(2)?;
    let call = r.u16_be()?;
    let numbered = flags & SEQUENCE != 0;
    if numbered {
        r.skip(4)?;
    }
    if flags & ACKNOWLEDGE != 0 {
        r.skip(4)?;
    }
    // Without a number it is an acknowledgement only.
    let content = if numbered {
        in_ppp(r.rest())
    } else {
        Content::Other
    };
    Some(Opened::new(Kind::Pptp, Some(u32::from(call)), content))
}

fn in_ppp(bytes: &[u8]) -> Content<'_> {
    match ppp(bytes) {
        Some(layer) if matches!(layer.ethertype, ETHERTYPE_IP4 | ETHERTYPE_IP6) => {
            Content::Network(layer.ethertype, layer.bytes)
        }
        _ => Content::Other,
    }
}

/// WCCP: version 2 has four octets before the packet; their first is no IP version.
fn wccp(bytes: &[u8]) -> Content<'_> {
    let packet = match bytes.first() {
        Some(first) if first >> 4 == 4 => bytes,
        _ => bytes.get(4..).unwrap_or(&[]),
    };
    Content::Network(version(packet), packet)
}

/// The Ethernet type of an IP packet, by its version.
fn version(bytes: &[u8]) -> u16 {
    match bytes.first().map(|first| first >> 4) {
        Some(6) => ETHERTYPE_IP6,
        _ => ETHERTYPE_IP4,
    }
}
