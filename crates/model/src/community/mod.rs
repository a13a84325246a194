//! Community ID: one name for a flow that other tools compute alike.
//!
//! Enters: addresses, protocol, ports (or ICMP type and code). Leaves: `1:` and base64 of SHA-1.
//! Refuses: nothing. Source: Community ID Flow Hashing specification, version 1, seed 0.

use std::net::IpAddr;

use sha1::{Digest as _, Sha1};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;

/// The Community ID of a flow. For ICMP and ICMPv6 the ports are type and code of the first
/// message; protocols without ports ignore them.
#[must_use]
pub fn community_id(
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    src_port: u16,
    dst_port: u16,
) -> String {
    let (ports, one_way) = match protocol {
        TCP | UDP | SCTP => (Some((src_port, dst_port)), false),
        ICMP => icmp(src_port, dst_port, answer_of_icmp),
        ICMP6 => icmp(src_port, dst_port, answer_of_icmp6),
        _ => (None, false),
    };
    let (src_port, dst_port) = ports.unwrap_or_default();
    let (source, target) = (Octets::of(src), Octets::of(dst));
    let ordered = (source.as_slice(), src_port) < (target.as_slice(), dst_port);
    let ((low, low_port), (high, high_port)) = if one_way || ordered {
        ((&source, src_port), (&target, dst_port))
    } else {
        ((&target, dst_port), (&source, src_port))
    };
    let mut hash = Sha1::new();
    hash.update([0, 0]);
    hash.update(low.as_slice());
    hash.update(high.as_slice());
    hash.update([protocol, 0]);
    if ports.is_some() {
        hash.update(low_port.to_be_bytes());
        hash.update(high_port.to_be_bytes());
    }
    let mut out = String::with_capacity(30);
    out.push_str("1:");
    base64(&hash.finalize(), &mut out);
    out
}

/// Type and the type that answers it stand for ports; without an answer, type and code, one way.
fn icmp(kind: u16, code: u16, answer: fn(u16) -> Option<u16>) -> (Option<(u16, u16)>, bool) {
    match answer(kind) {
        Some(answer) => (Some((kind, answer)), false),
        None => (Some((kind, code)), true),
    }
}

/// Source: RFC 792, RFC 950, RFC 1256.
const fn answer_of_icmp(kind: u16) -> Option<u16> {
    Some(match kind {
        0 => 8,
        8 => 0,
        9 => 10,
        10 => 9,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        _ => return None,
    })
}

/// Source: RFC 4443, RFC 2710, RFC 4861, RFC 4620, RFC 6275.
const fn answer_of_icmp6(kind: u16) -> Option<u16> {
    Some(match kind {
        128 => 129,
        129 => 128,
        130 => 131,
        131 => 130,
        133 => 134,
        134 => 133,
        135 => 136,
        136 => 135,
        139 => 140,
        140 => 139,
        144 => 145,
        145 => 144,
        _ => return None,
    })
}

/// The octets of an address, in network order.
enum Octets {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Octets {
    const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => Self::V6(v6.octets()),
        }
    }

    const fn as_slice(&self) -> &[u8] {
        match self {
            Self::V4(octets) => octets,
            Self::V6(octets) => octets,
        }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends base64 with padding. Source: RFC 4648 section 4.
fn base64(bytes: &[u8], out: &mut String) {
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = usize::try_from(group >> (18 - 6 * place) & 63).unwrap_or(0);
            let shown = ALPHABET.get(digit).map_or('=', |digit| char::from(*digit));
            out.push(if place <= chunk.len() { shown } else { '=' });
        }
    }
}

#[cfg(test)]
mod tests;
