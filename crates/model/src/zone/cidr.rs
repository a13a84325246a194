//! One prefix.
//!
//! Enters: `address/length`, or an address alone. Leaves: a masked prefix. Refuses: lengths beyond
//! the family's. Source: RFC 4632 section 3.1, RFC 4291 section 2.3.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::net::{mapped, unmapped};

/// Bits in front of an IPv4 address that is mapped into IPv6.
const MAPPED_BITS: u8 = 96;

/// A prefix; its host bits are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: u128,
    /// Length within the mapped form.
    bits: u8,
    v4: bool,
}

/// A text that is not a prefix.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a prefix such as 10.1.0.0/16")]
pub struct NotCidr;

/// The mask of the first `bits` of 128.
pub(super) fn mask(bits: u8) -> u128 {
    let host_bits = 128u32.saturating_sub(u32::from(bits));
    u128::MAX.checked_shl(host_bits).unwrap_or(0)
}

impl Cidr {
    /// The prefix of `len` bits around `ip`; `None` when the family has fewer.
    #[must_use]
    pub fn new(ip: IpAddr, len: u8) -> Option<Self> {
        let v4 = ip.is_ipv4();
        if len > if v4 { 32 } else { 128 } {
            return None;
        }
        let bits = if v4 { MAPPED_BITS + len } else { len };
        let network = u128::from_be_bytes(mapped(ip)) & mask(bits);
        Some(Self { network, bits, v4 })
    }

    /// True when `ip` is of the same family and within.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip_bits = u128::from_be_bytes(mapped(ip));
        self.v4 == ip.is_ipv4() && ip_bits & mask(self.bits) == self.network
    }

    /// Its first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        if self.v4 {
            unmapped(self.network.to_be_bytes())
        } else {
            IpAddr::V6(self.network.into())
        }
    }

    /// Its length, within its own family.
    #[must_use]
    pub const fn len(&self) -> u8 {
        if self.v4 {
            self.bits.saturating_sub(MAPPED_BITS)
        } else {
            self.bits
        }
    }

    /// True for a prefix of zero bits: everything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) const fn of_mapped(network: u128, bits: u8, v4: bool) -> Self {
        Self { network, bits, v4 }
    }

    pub(super) const fn network(&self) -> u128 {
        self.network
    }

    pub(super) const fn mapped_bits(&self) -> u8 {
        self.bits
    }

    pub(super) const fn is_v4(&self) -> bool {
        self.v4
    }
}

impl FromStr for Cidr {
    type Err = NotCidr;

    fn from_str(text: &str) -> Result<Self, NotCidr> {
        let (ip, len) = match text.split_once('/') {
            Some((ip, len)) => (ip, Some(len)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| NotCidr)?;
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        let len = match len {
            Some(len) if len.bytes().all(|b| b.is_ascii_digit()) => {
                len.parse().map_err(|_| NotCidr)?
            }
            Some(_) => return Err(NotCidr),
            None => whole,
        };
        Self::new(ip, len).ok_or(NotCidr)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first(), self.len())
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
