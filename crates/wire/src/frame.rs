//! A captured frame as `capture` hands it over.
//!
//! Enters: borrowed octets. Leaves: nothing by itself. Refuses: nothing; decoding is `link`'s.
//! Source: the LINKTYPE_ registry of tcpdump.org.

use model::Nanos;

/// What a frame starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: four octets of address family in host order.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP.
    pub const PPP: Self = Self(9);
    /// Raw IP, version by the first nibble.
    pub const RAW: Self = Self(101);
    /// PPP or Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// OpenBSD loopback: the family in network order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// One captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was captured.
    pub time: Nanos,
    /// Its number in the file or on the queue, from 1.
    pub number: u64,
    /// What it starts with.
    pub link: LinkType,
    /// Its length on the wire, which may exceed `bytes`.
    pub wire_len: u32,
    /// Octets captured.
    pub bytes: &'a [u8],
    /// VLAN identifier that the kernel stripped, if any.
    pub vlan: Option<u16>,
}
