//! Who has which hardware address, as ARP and neighbour discovery state it.
//!
//! Enters: ARP payloads, ICMPv6 neighbour discovery messages. Leaves: (address, hardware address).
//! Refuses: probes (0.0.0.0, ::), group addresses, other hardware than Ethernet, hop limits other
//! than 255, more than [`OPTIONS_MAX`] options. Source: RFC 826, RFC 5227, RFC 4861.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use codec::bytes::Reader;
use model::Mac;

/// Most options of one neighbour discovery message.
const OPTIONS_MAX: usize = 16;

/// An address and the hardware address that answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// Address.
    pub(crate) ip: IpAddr,
    /// Hardware address.
    pub(crate) mac: Mac,
    /// `ARP` or `ND`.
    pub(crate) source: &'static str,
}

/// The sender's binding of an ARP packet.
pub(crate) fn of_arp(bytes: &[u8]) -> Option<Binding> {
    let mut reader = Reader::new(bytes);
    if reader.array::<6>()? != [0, 1, 8, 0, 6, 4] {
        return None;
    }
    let operation = reader.u16_be()?;
    let mac = Mac(reader.array()?);
    let ip = Ipv4Addr::from(reader.array::<4>()?);
    let usable = !ip.is_unspecified() && !ip.is_broadcast() && !ip.is_multicast();
    if !matches!(operation, 1 | 2) || !usable {
        return None;
    }
    binding(IpAddr::V4(ip), mac, "ARP")
}

/// The binding that a neighbour discovery message states.
pub(crate) fn of_nd(src: Ipv6Addr, hop_limit: u8, icmp: &[u8]) -> Option<Binding> {
    if hop_limit != 255 {
        return None;
    }
    let mut reader = Reader::new(icmp);
    let kind = reader.u8()?;
    if reader.u8()? != 0 {
        return None;
    }
    reader.skip(2)?;
    let (ip, wanted) = match kind {
        // Router solicitation, router advertisement, neighbour solicitation: source link-layer
        // address.
        133 => (reader.skip(4).map(|()| src)?, 1),
        134 => (reader.skip(12).map(|()| src)?, 1),
        135 => (reader.skip(20).map(|()| src)?, 1),
        // Neighbour advertisement: target link-layer address of the target.
        136 => {
            reader.skip(4)?;
            (Ipv6Addr::from(reader.array::<16>()?), 2)
        }
        _ => return None,
    };
    if ip.is_unspecified() || ip.is_multicast() {
        return None;
    }
    for _ in 0..OPTIONS_MAX {
        let option = reader.u8()?;
        let length = usize::from(reader.u8()?) * 8;
        let value = reader.take(length.checked_sub(2)?)?;
        if option == wanted && length == 8 {
            return binding(IpAddr::V6(ip), Mac(value.try_into().ok()?), "ND");
        }
    }
    None
}

fn binding(ip: IpAddr, mac: Mac, source: &'static str) -> Option<Binding> {
    if mac.is_group() || mac == Mac::default() {
        return None;
    }
    Some(Binding { ip, mac, source })
}
