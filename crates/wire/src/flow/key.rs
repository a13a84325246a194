//! Which packets belong together: the symmetric five-tuple.
//!
//! Enters: addresses, protocol and ports of a packet. Leaves: [`Key`] and its hash. Refuses:
//! nothing.
//! Source: Community ID 1.0 (pairing of ICMP types); the hash multiplies and folds 64-bit words.

use crate::ip::Addr;

/// Addresses, protocol and ports as a packet has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuple {
    /// Source.
    pub(crate) src: Addr,
    /// Destination.
    pub(crate) dst: Addr,
    /// Source port, or ICMP type.
    pub(crate) src_port: u16,
    /// Destination port, or the ICMP type that answers, or the code of one that nothing answers.
    pub(crate) dst_port: u16,
    /// IP protocol.
    pub(crate) protocol: u8,
    /// True for IPv6.
    pub(crate) v6: bool,
    /// True for ICMP messages that nothing answers: both directions are different flows.
    pub(crate) one_way: bool,
    /// True for a tunnel's own packets.
    pub(crate) tunnel: bool,
    /// The virtual network that the packet belongs to, 0 for none.
    pub(crate) space: u16,
}

/// The same for both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key {
    low: Addr,
    high: Addr,
    /// Ports of low and high, then the virtual network, flags and protocol: 16 bits each but the
    /// last two.
    rest: u64,
}

impl Key {
    /// The key of a packet, and whether its source is the `high` endpoint.
    #[inline]
    pub(crate) fn of(tuple: &Tuple) -> (Self, bool) {
        let flags = (u64::from(tuple.tunnel) << 10)
            | (u64::from(tuple.one_way) << 9)
            | (u64::from(tuple.v6) << 8);
        let tail = (u64::from(tuple.space) << 16) | flags | u64::from(tuple.protocol);
        let source = (tuple.src, tuple.src_port);
        let target = (tuple.dst, tuple.dst_port);
        let from_high = !tuple.one_way && source > target;
        let (low, high) = if from_high {
            (target, source)
        } else {
            (source, target)
        };
        let key = Self {
            low: low.0,
            high: high.0,
            rest: (u64::from(low.1) << 48) | (u64::from(high.1) << 32) | tail,
        };
        (key, from_high)
    }

    /// IP protocol.
    pub(crate) const fn protocol(&self) -> u8 {
        let [.., protocol] = self.rest.to_be_bytes();
        protocol
    }

    /// True for IPv6.
    pub(crate) const fn v6(&self) -> bool {
        self.rest & 0x100 != 0
    }

    /// Address and port of the `high` endpoint or of the other.
    pub(crate) const fn endpoint(&self, high: bool) -> (Addr, u16) {
        let [a, b, c, d, ..] = self.rest.to_be_bytes();
        if high {
            (self.high, u16::from_be_bytes([c, d]))
        } else {
            (self.low, u16::from_be_bytes([a, b]))
        }
    }

    /// A 64-bit hash.
    #[inline]
    pub(crate) fn hash(&self, seed: u64) -> u64 {
        let (low_hi, low_lo) = halves(self.low.0);
        let (high_hi, high_lo) = halves(self.high.0);
        let addresses = fold(low_lo ^ seed ^ K0, high_lo ^ K1);
        let ports = fold(self.rest ^ K2, seed ^ K3);
        if low_hi | high_hi == 0 {
            // IPv4: the upper halves are zero.
            return fold(addresses ^ K1, ports ^ K0);
        }
        let upper = fold(low_hi ^ seed ^ K3, high_hi ^ K2);
        fold(addresses ^ upper.rotate_left(23), ports ^ K0)
    }
}

/// A hash of two addresses, the same for both directions.
pub(crate) fn hash_addresses(a: Addr, b: Addr) -> u32 {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let key = Key { low, high, rest: 0 };
    let (upper, _) = halves_u64(key.hash(0));
    upper
}

/// Multiplies to 128 bits and folds the halves.
#[inline]
pub(crate) fn fold(a: u64, b: u64) -> u64 {
    let (high, low) = halves(u128::from(a).wrapping_mul(u128::from(b)));
    high ^ low
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "taking the halves is the point"
)]
const fn halves(value: u128) -> (u64, u64) {
    ((value >> 64) as u64, value as u64)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "taking the halves is the point"
)]
pub(crate) const fn halves_u64(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

/// The ports that stand for an ICMP type and code, and whether nothing answers such a message.
pub(crate) fn icmp_ports(v6: bool, kind: u8, code: u8) -> (u16, u16, bool) {
    match icmp_answer(v6, kind) {
        Some(answer) => (u16::from(kind), u16::from(answer), false),
        None => (u16::from(kind), u16::from(code), true),
    }
}

/// The type that answers `kind`, or that `kind` answers.
fn icmp_answer(v6: bool, kind: u8) -> Option<u8> {
    let pairs: &[(u8, u8)] = if v6 {
        &[
            (128, 129),
            (133, 134),
            (135, 136),
            (130, 131),
            (144, 145),
            (139, 140),
        ]
    } else {
        &[(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)]
    };
    pairs.iter().find_map(|&(ask, answer)| {
        if kind == ask {
            Some(answer)
        } else if kind == answer {
            Some(ask)
        } else {
            None
        }
    })
}

/// True when `kind` answers another type.
pub(crate) fn icmp_is_answer(v6: bool, kind: u8) -> bool {
    if v6 {
        matches!(kind, 129 | 131 | 134 | 136 | 140 | 145)
    } else {
        matches!(kind, 0 | 9 | 14 | 16 | 18)
    }
}

// Odd constants with balanced bits (fractional parts of square roots of primes).
const K0: u64 = 0x6a09_e667_f3bc_c909;
const K1: u64 = 0xbb67_ae85_84ca_a73b;
const K2: u64 = 0x3c6e_f372_fe94_f82b;
const K3: u64 = 0xa54f_f53a_5f1d_36f1;
