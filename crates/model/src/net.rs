//! Addresses below and beside IP.
//!
//! Enters: octets. Leaves: typed addresses with their usual text form. Refuses: nothing.
//! Source: IEEE 802 (MAC), RFC 4291 section 2.5.5.2 (IPv4-mapped IPv6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A 48-bit hardware address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// True for group addresses (broadcast and multicast).
    #[must_use]
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// The vendor prefix: first three octets.
    #[must_use]
    pub const fn oui(self) -> [u8; 3] {
        [self.0[0], self.0[1], self.0[2]]
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A text that is not six hexadecimal octets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hardware address")]
pub struct NotMac;

impl FromStr for Mac {
    type Err = NotMac;

    fn from_str(text: &str) -> Result<Self, NotMac> {
        let mut out = [0u8; 6];
        let mut parts = text.split([':', '-']);
        for slot in &mut out {
            let part = parts.next().ok_or(NotMac)?;
            *slot = u8::from_str_radix(part, 16).map_err(|_| NotMac)?;
        }
        if parts.next().is_some() {
            Err(NotMac)
        } else {
            Ok(Self(out))
        }
    }
}

/// The 16-octet form in which the store keeps addresses: IPv4 is mapped into IPv6.
#[must_use]
pub const fn mapped(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The address of a 16-octet form; the inverse of [`mapped`].
#[must_use]
pub fn unmapped(octets: [u8; 16]) -> IpAddr {
    let v6 = Ipv6Addr::from(octets);
    v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
}

/// The unspecified address, for facts that have none.
pub const NO_IP: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
