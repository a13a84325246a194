//! Internet layer: IPv4 and IPv6 headers.
//!
//! Enters: the octets of a network layer. Leaves: [`Packet`]. Refuses: headers that are not whole,
//! lengths below the header's; checksums are not verified (offloads make them wrong on hosts).
//! A chain of more than [`HEADERS_MAX`] extension headers is followed no further.
//! Source: RFC 791, RFC 8200, RFC 4302, RFC 6275, RFC 7401.

pub(crate) mod fragment;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use codec::bytes::Reader;

/// Most extension headers of one packet.
const HEADERS_MAX: usize = 12;

/// An address as 128 bits: IPv4 mapped into IPv6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Addr(pub(crate) u128);

impl Addr {
    /// Of four octets.
    pub(crate) const fn v4(octets: [u8; 4]) -> Self {
        Self(0xffff_0000_0000 | u32::from_be_bytes(octets) as u128)
    }

    /// Of sixteen octets.
    pub(crate) const fn v6(octets: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(octets))
    }

    /// As the standard library's type.
    pub(crate) const fn ip(self, v6: bool) -> IpAddr {
        if v6 {
            return IpAddr::V6(Ipv6Addr::from_bits(self.0));
        }
        let [.., a, b, c, d] = self.0.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    }
}

/// One IP packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    /// Source.
    pub(crate) src: Addr,
    /// Destination.
    pub(crate) dst: Addr,
    /// True for IPv6.
    pub(crate) v6: bool,
    /// Protocol of the payload; for a chain cut at its limit, the next extension header.
    pub(crate) protocol: u8,
    /// Time to live, hop limit.
    pub(crate) hop_limit: u8,
    /// Octets of the payload that were captured.
    pub(crate) payload: &'a [u8],
    /// Octets of the payload on the wire.
    pub(crate) payload_len: u32,
    /// Octets of the packet on the wire, header included.
    pub(crate) ip_len: u32,
    /// Frames that this packet came in: more than 1 when put together.
    pub(crate) frames: u32,
    /// Its place in a datagram, when it is only a part.
    pub(crate) part: Option<Part>,
    /// An anomaly of its header that does not hide the payload.
    pub(crate) anomaly: Option<&'static str>,
}

/// The place of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Identification, with the addresses and the protocol.
    pub(crate) id: u32,
    /// Offset in octets.
    pub(crate) offset: u32,
    /// True when more follow.
    pub(crate) more: bool,
}

/// Decodes an IPv4 packet; what follows its total length is padding.
pub(crate) fn decode_v4(bytes: &[u8]) -> Result<Packet<'_>, &'static str> {
    let Some((head, _)) = bytes.split_first_chunk::<20>() else {
        return Err("ip4-header-short");
    };
    let [
        first,
        _,
        l0,
        l1,
        i0,
        i1,
        f0,
        f1,
        ttl,
        protocol,
        _,
        _,
        s0,
        s1,
        s2,
        s3,
        d0,
        d1,
        d2,
        d3,
    ] = *head;
    let header = usize::from(first & 15) * 4;
    if first >> 4 != 4 || header < 20 {
        return Err("ip4-header-malformed");
    }
    let stated = usize::from(u16::from_be_bytes([l0, l1]));
    // Segmentation offload leaves 0 in frames longer than the field can say.
    let total = if stated == 0 { bytes.len() } else { stated };
    if total < header {
        return Err("ip4-length-malformed");
    }
    let Some(payload) = bytes.get(header..total.min(bytes.len())) else {
        return Err("ip4-header-short");
    };
    let word = u16::from_be_bytes([f0, f1]);
    let offset = u32::from(word & 0x1fff) * 8;
    let more = word & 0x2000 != 0;
    let part = (more || offset > 0).then(|| Part {
        id: u32::from(u16::from_be_bytes([i0, i1])),
        offset,
        more,
    });
    let packet = Packet {
        src: Addr::v4([s0, s1, s2, s3]),
        dst: Addr::v4([d0, d1, d2, d3]),
        v6: false,
        protocol,
        hop_limit: ttl,
        payload,
        payload_len: length(total - header),
        ip_len: length(total),
        frames: 1,
        part,
        anomaly: None,
    };
    Ok(if protocol == AUTHENTICATION && part.is_none() {
        packet.authenticated()
    } else {
        packet
    })
}

impl Packet<'_> {
    /// The same after an authentication header, if it is whole.
    fn authenticated(mut self) -> Self {
        if let &[protocol, len, ..] = self.payload {
            let skip = (usize::from(len) + 2) * 4;
            if let Some(rest) = self.payload.get(skip..) {
                self.protocol = protocol;
                self.payload = rest;
                self.payload_len = self.payload_len.saturating_sub(length(skip));
            }
        }
        self
    }
}

/// Authentication header, which stands before the transport layer of IPv4 too.
const AUTHENTICATION: u8 = 51;

/// Decodes an IPv6 packet and its extension headers.
pub(crate) fn decode_v6(bytes: &[u8]) -> Result<Packet<'_>, &'static str> {
    let Some((head, rest)) = bytes.split_first_chunk::<40>() else {
        return Err("ip6-header-short");
    };
    let mut reader = Reader::new(head);
    let (Some([first, ..]), Some(stated), Some([next, hop_limit]), Some(src), Some(dst)) = (
        reader.array::<4>(),
        reader.u16_be(),
        reader.array(),
        reader.array(),
        reader.array(),
    ) else {
        return Err("ip6-header-short");
    };
    if first >> 4 != 6 {
        return Err("ip6-header-malformed");
    }
    // 0 stands for a jumbogram or for segmentation offload.
    let wire = if stated == 0 {
        rest.len()
    } else {
        usize::from(stated)
    };
    let rest = rest.get(..wire.min(rest.len())).unwrap_or(rest);
    let chain = follow(next, rest)?;
    Ok(Packet {
        src: Addr::v6(src),
        dst: Addr::v6(dst),
        v6: true,
        protocol: chain.protocol,
        hop_limit,
        payload: rest.get(chain.at..).unwrap_or(&[]),
        payload_len: length(wire.saturating_sub(chain.at)),
        ip_len: length(wire + 40),
        frames: 1,
        part: chain.part,
        anomaly: chain.anomaly,
    })
}

/// Where a chain of extension headers ends.
pub(crate) struct Chain {
    /// Protocol of what follows.
    pub(crate) protocol: u8,
    /// Octets of the chain.
    pub(crate) at: usize,
    /// The fragment header, when the packet is a part; the chain is then followed no further.
    pub(crate) part: Option<Part>,
    /// The limit that ended the walk.
    pub(crate) anomaly: Option<&'static str>,
}

/// Follows extension headers from `next` over `bytes`.
pub(crate) fn follow(next: u8, bytes: &[u8]) -> Result<Chain, &'static str> {
    const SHORT: &str = "ip6-extension-short";
    let mut chain = Chain {
        protocol: next,
        at: 0,
        part: None,
        anomaly: None,
    };
    for _ in 0..HEADERS_MAX {
        let units = match chain.protocol {
            // Hop-by-hop, routing, destination options, mobility, HIP, shim6.
            0 | 43 | 60 | 135 | 139 | 140 => 8,
            // Authentication header: its length counts 4 octets.
            AUTHENTICATION => 4,
            44 => 0,
            _ => return Ok(chain),
        };
        let rest = bytes.get(chain.at..).unwrap_or(&[]);
        let Some((&[protocol, len, offset_hi, offset_lo, id0, id1, id2, id3], _)) =
            rest.split_first_chunk::<8>()
        else {
            return Err(SHORT);
        };
        chain.protocol = protocol;
        chain.at += match units {
            8 => (usize::from(len) + 1) * 8,
            4 => (usize::from(len) + 2) * 4,
            _ => 8,
        };
        if units == 0 {
            let word = u16::from_be_bytes([offset_hi, offset_lo]);
            if word & 0xfff9 != 0 {
                chain.part = Some(Part {
                    id: u32::from_be_bytes([id0, id1, id2, id3]),
                    offset: u32::from(word & 0xfff8),
                    more: word & 1 == 1,
                });
                return Ok(chain);
            }
        }
        if chain.at > bytes.len() {
            return Err(SHORT);
        }
    }
    chain.anomaly = Some("ip6-extension-limit");
    Ok(chain)
}

/// A length that came from a 16-bit field or a frame.
pub(crate) fn length(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
