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

impl LinkType {
    /// Its name in the registry of tcpdump.org, for messages; `unknown` for one not listed here.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "NULL",
            1 => "ETHERNET",
            6 => "IEEE802_5",
            7 => "ARCNET_BSD",
            8 => "SLIP",
            9 => "PPP",
            10 => "FDDI",
            50 => "PPP_HDLC",
            51 => "PPP_ETHER",
            101 => "RAW",
            104 => "C_HDLC",
            105 => "IEEE802_11",
            107 => "FRELAY",
            108 => "LOOP",
            113 => "LINUX_SLL",
            117 => "PFLOG",
            119 => "IEEE802_11_PRISM",
            127 => "IEEE802_11_RADIOTAP",
            163 => "IEEE802_11_AVS",
            187 => "BLUETOOTH_HCI_H4",
            189 => "USB_LINUX",
            192 => "PPI",
            195 => "IEEE802_15_4_WITHFCS",
            220 => "USB_LINUX_MMAPPED",
            228 => "IPV4",
            229 => "IPV6",
            230 => "IEEE802_15_4_NOFCS",
            239 => "NFLOG",
            249 => "USBPCAP",
            276 => "LINUX_SLL2",
            _ => "unknown",
        }
    }
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
