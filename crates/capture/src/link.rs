//! Names of link types, for messages.
//!
//! Enters: a number of a capture file. Leaves: its name. Refuses: nothing; an unknown number has a
//! name that says so. Source: the `LINKTYPE_` registry of tcpdump.org.

use std::fmt;

use wire::LinkType;

/// Displays a link type as `105 (IEEE 802.11)`.
#[derive(Clone, Copy, Debug)]
pub struct Named(pub LinkType);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({})",
            self.0.0,
            name(self.0).unwrap_or("no known name")
        )
    }
}

/// The name of a link type; `None` for numbers that are not in the table.
#[must_use]
pub fn name(link: LinkType) -> Option<&'static str> {
    let at = NAMES
        .binary_search_by_key(&link.0, |(number, _)| *number)
        .ok()?;
    NAMES.get(at).map(|(_, name)| *name)
}

/// The link type of a file's number: old systems wrote their own numbers for raw IP.
#[must_use]
pub(crate) const fn of_file(number: u16) -> LinkType {
    match number {
        // DLT_RAW is 12 on most systems and 14 on OpenBSD (libpcap, pcap/dlt.h).
        12 | 14 => LinkType::RAW,
        number => LinkType(number),
    }
}

/// Sorted by number.
const NAMES: &[(u16, &str)] = &[
    (0, "BSD loopback"),
    (1, "Ethernet"),
    (3, "AX.25"),
    (6, "IEEE 802.5 Token Ring"),
    (7, "ARCNET"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (50, "PPP in HDLC-like framing"),
    (51, "PPPoE"),
    (99, "Symantec Enterprise Firewall"),
    (100, "RFC 1483 ATM"),
    (101, "raw IP"),
    (104, "Cisco HDLC"),
    (105, "IEEE 802.11"),
    (107, "Frame Relay"),
    (108, "OpenBSD loopback"),
    (113, "Linux cooked v1"),
    (114, "Apple LocalTalk"),
    (117, "OpenBSD pflog"),
    (119, "Prism monitor mode"),
    (122, "RFC 2625 IP over Fibre Channel"),
    (123, "SunATM"),
    (127, "IEEE 802.11 radiotap"),
    (129, "ARCNET, Linux"),
    (138, "Apple IP over IEEE 1394"),
    (139, "MTP2 with pseudo-header"),
    (140, "MTP2"),
    (141, "MTP3"),
    (142, "SCCP"),
    (143, "DOCSIS"),
    (144, "Linux IrDA"),
    (147, "private use 0"),
    (163, "IEEE 802.11 AVS"),
    (165, "BACnet MS/TP"),
    (166, "PPP, pppd"),
    (169, "GPRS LLC"),
    (177, "Linux LAPD"),
    (187, "Bluetooth HCI H4"),
    (189, "USB, Linux"),
    (192, "PPI"),
    (195, "IEEE 802.15.4 with FCS"),
    (201, "Bluetooth HCI H4 with pseudo-header"),
    (202, "AX.25 KISS"),
    (203, "LAPD"),
    (204, "PPP with direction"),
    (205, "Cisco HDLC with direction"),
    (206, "Frame Relay with direction"),
    (209, "IPMB, Linux"),
    (215, "IEEE 802.15.4 non-ASK PHY"),
    (220, "USB, Linux, padded"),
    (224, "Fibre Channel FC-2"),
    (226, "Solaris ipnet"),
    (227, "CAN, SocketCAN"),
    (228, "raw IPv4"),
    (229, "raw IPv6"),
    (230, "IEEE 802.15.4 without FCS"),
    (231, "D-Bus"),
    (235, "DVB-CI"),
    (239, "Linux NFLOG"),
    (240, "Hilscher netANALYZER"),
    (242, "IP over InfiniBand"),
    (243, "MPEG-2 transport stream"),
    (247, "InfiniBand"),
    (248, "SCTP"),
    (249, "USBPcap"),
    (251, "Bluetooth LE"),
    (252, "Wireshark upper PDU"),
    (253, "Linux Netlink"),
    (254, "Bluetooth Linux monitor"),
    (256, "Bluetooth LE with pseudo-header"),
    (258, "PKTAP"),
    (259, "EPON"),
    (264, "ISO 14443"),
    (266, "USB, macOS"),
    (270, "DOCSIS with pseudo-header"),
    (271, "Linux vsock monitor"),
    (274, "Ethernet, mPacket"),
    (276, "Linux cooked v2"),
    (283, "IEEE 802.15.4 TAP"),
    (288, "USB 2.0"),
    (289, "ATSC 3.0 ALP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found() {
        assert!(NAMES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!(Named(LinkType(105)).to_string(), "105 (IEEE 802.11)");
        assert_eq!(Named(LinkType(9999)).to_string(), "9999 (no known name)");
        assert_eq!(of_file(12), LinkType::RAW);
    }
}
