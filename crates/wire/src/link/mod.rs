//! Link layer: from a frame to the network layer's octets.
//!
//! Enters: a [`Frame`]. Leaves: [`Layer3`]. Refuses: link types it does not know (by name and
//! number, counted per type), more than [`TAGS_MAX`] VLAN tags, [`LABELS_MAX`] MPLS labels or
//! [`LAYERS_MAX`] layers, LLC other than SNAP.
//! Source: IEEE 802.3, 802.1Q, RFC 1042, RFC 1661, RFC 2516, RFC 3032, RFC 4385, RFC 4448 (MPLS),
//! the LINKTYPE_ registry of tcpdump.org.

pub(crate) mod arp;
pub(crate) mod binding;
pub(crate) mod discovery;

use codec::bytes::Reader;
use model::Mac;

use crate::frame::{Frame, LinkType};
use crate::tunnel::{Kind, Layer, Stack};

/// IPv4.
pub(crate) const ETHERTYPE_IP4: u16 = 0x0800;
/// IPv6.
pub(crate) const ETHERTYPE_IP6: u16 = 0x86dd;
/// ARP.
pub(crate) const ETHERTYPE_ARP: u16 = 0x0806;
/// MPLS.
pub(crate) const ETHERTYPE_MPLS: u16 = 0x8847;
/// MPLS, labels assigned upstream.
pub(crate) const ETHERTYPE_MPLS_MULTICAST: u16 = 0x8848;
/// LLDP.
pub(crate) const ETHERTYPE_LLDP: u16 = 0x88cc;
/// CDP, under Cisco's number in SNAP.
pub(crate) const ETHERTYPE_CDP: u16 = 0x2000;
/// Cisco's number in SNAP.
const CISCO: [u8; 3] = [0, 0, 0x0c];
/// Most VLAN tags of one frame.
const TAGS_MAX: usize = 4;
/// Most MPLS labels of one stack.
const LABELS_MAX: usize = 16;
/// Most headers of any kind between a frame's start and its network layer.
const LAYERS_MAX: usize = 16;

/// The network layer of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer3<'a> {
    /// What follows.
    pub(crate) ethertype: u16,
    /// Its octets.
    pub(crate) bytes: &'a [u8],
    /// Hardware address of the sender; zero when the link has none.
    pub(crate) src: Mac,
    /// Hardware address of the receiver; zero when the link has none.
    pub(crate) dst: Mac,
    /// Outer VLAN identifier; 0 when untagged.
    pub(crate) vlan: u16,
    /// MPLS and PPPoE around it.
    pub(crate) tunnels: Stack,
}

/// Why a frame has no network layer for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The link type is not decoded.
    Link,
    /// Another reason, as a code.
    Code(&'static str),
}

/// Decodes a frame down to its network layer.
pub(crate) fn decode<'a>(frame: &Frame<'a>) -> Result<Layer3<'a>, Refusal> {
    let mut layer = match frame.link {
        LinkType::ETHERNET => ethernet(frame.bytes),
        LinkType::RAW => raw(frame.bytes),
        LinkType::IPV4 => Some(bare(ETHERTYPE_IP4, frame.bytes)),
        LinkType::IPV6 => Some(bare(ETHERTYPE_IP6, frame.bytes)),
        LinkType::LINUX_SLL => sll(frame.bytes),
        LinkType::LINUX_SLL2 => sll2(frame.bytes),
        LinkType::NULL => null(frame.bytes, true),
        LinkType::LOOP => null(frame.bytes, false),
        LinkType::PPP => ppp(frame.bytes),
        LinkType::C_HDLC => c_hdlc(frame.bytes),
        LinkType(_) => return Err(Refusal::Link),
    }
    .ok_or(Refusal::Code("link-short"))?;
    untag(&mut layer)?;
    if let Some(vlan) = frame.vlan {
        layer.vlan = vlan & 0x0fff;
    }
    Ok(layer)
}

/// Decodes an Ethernet frame that a tunnel carried.
pub(crate) fn decode_inner(bytes: &[u8]) -> Result<Layer3<'_>, Refusal> {
    let mut layer = ethernet(bytes).ok_or(Refusal::Code("link-short"))?;
    untag(&mut layer)?;
    Ok(layer)
}

/// Decodes a network layer that a tunnel carried, between these stations.
pub(crate) fn decode_network(
    ethertype: u16,
    bytes: &[u8],
    src: Mac,
    dst: Mac,
) -> Result<Layer3<'_>, Refusal> {
    let mut layer = Layer3 {
        src,
        dst,
        ..bare(ethertype, bytes)
    };
    untag(&mut layer)?;
    Ok(layer)
}

fn bare(ethertype: u16, bytes: &[u8]) -> Layer3<'_> {
    Layer3 {
        ethertype,
        bytes,
        src: Mac([0; 6]),
        dst: Mac([0; 6]),
        vlan: 0,
        tunnels: Stack::default(),
    }
}

fn ethernet(bytes: &[u8]) -> Option<Layer3<'_>> {
    let (head, rest) = bytes.split_first_chunk::<14>()?;
    let [a, b, c, d, e, f, g, h, i, j, k, l, hi, lo] = *head;
    Some(Layer3 {
        ethertype: u16::from_be_bytes([hi, lo]),
        bytes: rest,
        src: Mac([g, h, i, j, k, l]),
        dst: Mac([a, b, c, d, e, f]),
        vlan: 0,
        tunnels: Stack::default(),
    })
}

/// Takes VLAN tags, SNAP, MPLS and PPPoE headers off.
fn untag(layer: &mut Layer3<'_>) -> Result<(), Refusal> {
    let mut tags = 0;
    for _ in 0..LAYERS_MAX {
        match layer.ethertype {
            ETHERTYPE_IP4 | ETHERTYPE_IP6 | ETHERTYPE_ARP | ETHERTYPE_LLDP => return Ok(()),
            0x8100 | 0x88a8 | 0x9100 => {
                tags += 1;
                if tags > TAGS_MAX {
                    return Err(Refusal::Code("link-vlan-tags-limit"));
                }
                let (head, rest) = layer.bytes.split_first_chunk::<4>().ok_or(SHORT)?;
                let [tag_hi, tag_lo, hi, lo] = *head;
                if tags == 1 {
                    layer.vlan = u16::from_be_bytes([tag_hi, tag_lo]) & 0x0fff;
                }
                layer.ethertype = u16::from_be_bytes([hi, lo]);
                layer.bytes = rest;
            }
            0x8864 => {
                let (head, rest) = layer.bytes.split_first_chunk::<6>().ok_or(SHORT)?;
                let [_, _, session_hi, session_lo, _, _] = *head;
                let inner = ppp(rest).ok_or(SHORT)?;
                let session = u16::from_be_bytes([session_hi, session_lo]);
                layer.note(Layer::new(Kind::Pppoe, Some(u32::from(session))))?;
                layer.ethertype = inner.ethertype;
                layer.bytes = inner.bytes;
            }
            ETHERTYPE_MPLS | ETHERTYPE_MPLS_MULTICAST => unlabel(layer)?,
            0..0x0600 => {
                let [0xaa, 0xaa, 3, a, b, c, hi, lo, ..] = *layer.bytes else {
                    return Err(Refusal::Code("link-llc"));
                };
                let rest = layer.bytes.get(8..).ok_or(SHORT)?;
                layer.ethertype = u16::from_be_bytes([hi, lo]);
                layer.bytes = rest;
                match [a, b, c] {
                    [0, 0, 0] => {}
                    CISCO if layer.ethertype == ETHERTYPE_CDP => return Ok(()),
                    _ => return Err(Refusal::Code("link-llc")),
                }
                if layer.ethertype < 0x0600 {
                    return Err(Refusal::Code("link-llc"));
                }
            }
            // EAPOL and the like.
            _ => return Err(Refusal::Code("link-other")),
        }
    }
    Err(Refusal::Code("link-layers-limit"))
}

impl Layer3<'_> {
    /// Notes a tunnel around what follows.
    fn note(&mut self, tunnel: Layer) -> Result<(), Refusal> {
        if self.tunnels.push(tunnel) {
            Ok(())
        } else {
            Err(Refusal::Code("tunnel-depth-limit"))
        }
    }
}

/// Takes a stack of MPLS labels off. What follows says no type: IP shows its version, a
/// pseudowire's control word starts with 0, and a frame without one has a type that is known.
fn unlabel(layer: &mut Layer3<'_>) -> Result<(), Refusal> {
    let mut reader = Reader::new(layer.bytes);
    let mut entry = reader.u32_be().ok_or(SHORT)?;
    let outer = entry >> 12;
    for _ in 1..LABELS_MAX {
        if entry & 0x100 != 0 {
            break;
        }
        entry = reader.u32_be().ok_or(SHORT)?;
    }
    if entry & 0x100 == 0 {
        return Err(Refusal::Code("link-mpls-labels-limit"));
    }
    layer.note(Layer::new(Kind::Mpls, Some(outer)))?;
    let rest = reader.rest();
    layer.bytes = rest;
    layer.ethertype = match rest.first().ok_or(SHORT)? {
        0x45..=0x4f => ETHERTYPE_IP4,
        0x60..=0x6f => ETHERTYPE_IP6,
        first => {
            let control = rest.get(4..).filter(|_| first >> 4 == 0);
            let frames = [control, Some(rest)];
            let known = |frame: &Layer3<'_>| {
                matches!(
                    frame.ethertype,
                    ETHERTYPE_IP4 | ETHERTYPE_IP6 | ETHERTYPE_ARP | 0x8100 | 0x88a8
                )
            };
            let mut frames = frames.into_iter().flatten().filter_map(ethernet);
            let inner = frames.find(known).ok_or(Refusal::Code("link-mpls-other"))?;
            (layer.src, layer.dst, layer.bytes) = (inner.src, inner.dst, inner.bytes);
            inner.ethertype
        }
    };
    Ok(())
}

const SHORT: Refusal = Refusal::Code("link-short");

fn raw(bytes: &[u8]) -> Option<Layer3<'_>> {
    let ethertype = match bytes.first()? >> 4 {
        4 => ETHERTYPE_IP4,
        6 => ETHERTYPE_IP6,
        _ => 0xffff,
    };
    Some(bare(ethertype, bytes))
}

fn sll(bytes: &[u8]) -> Option<Layer3<'_>> {
    let mut reader = Reader::new(bytes);
    reader.skip(4)?;
    let length = reader.u16_be()?;
    let address: [u8; 6] = reader.array()?;
    reader.skip(2)?;
    let ethertype = reader.u16_be()?;
    let mut layer = bare(ethertype, reader.rest());
    if length == 6 {
        layer.src = Mac(address);
    }
    Some(layer)
}

fn sll2(bytes: &[u8]) -> Option<Layer3<'_>> {
    let mut reader = Reader::new(bytes);
    let ethertype = reader.u16_be()?;
    reader.skip(9)?;
    let length = reader.u8()?;
    let address: [u8; 6] = reader.array()?;
    reader.skip(2)?;
    let mut layer = bare(ethertype, reader.rest());
    if length == 6 {
        layer.src = Mac(address);
    }
    Some(layer)
}

/// BSD loopback. The family is in the capturing host's order; only small values occur.
fn null(bytes: &[u8], host_order: bool) -> Option<Layer3<'_>> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let big = u32::from_be_bytes(*head);
    let family = if host_order && big > 0xffff {
        big.swap_bytes()
    } else {
        big
    };
    let ethertype = match family {
        2 => ETHERTYPE_IP4,
        10 | 24 | 28 | 30 => ETHERTYPE_IP6,
        _ => 0xffff,
    };
    Some(bare(ethertype, rest))
}

/// The network layer of a PPP frame, with or without address and control octets.
pub(crate) fn ppp(bytes: &[u8]) -> Option<Layer3<'_>> {
    let bytes = match bytes {
        [0xff, 0x03, rest @ ..] => rest,
        whole => whole,
    };
    let (protocol, rest) = match bytes {
        [one, rest @ ..] if one & 1 == 1 => (u16::from(*one), rest),
        [hi, lo, rest @ ..] => (u16::from_be_bytes([*hi, *lo]), rest),
        _ => return None,
    };
    let ethertype = match protocol {
        0x0021 => ETHERTYPE_IP4,
        0x0057 => ETHERTYPE_IP6,
        _ => 0xffff,
    };
    Some(bare(ethertype, rest))
}

fn c_hdlc(bytes: &[u8]) -> Option<Layer3<'_>> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let [address, _, hi, lo] = *head;
    if address == 0xff {
        return ppp(bytes);
    }
    Some(bare(u16::from_be_bytes([hi, lo]), rest))
}

#[cfg(test)]
mod tests;
