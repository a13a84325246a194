//! LLDP: one data unit.
//!
//! Enters: the payload of EtherType 0x88cc. Leaves: a [`Neighbour`]. Refuses: what does not start
//! with a chassis identifier. Limits: [`UNITS_MAX`] units. Source: IEEE 802.1AB-2016 clause 8,
//! ANSI/TIA-1057 clause 10.

use codec::bytes::Reader;
use model::Text;

use super::{Neighbour, mac};

/// Most units (TLVs) of one message.
const UNITS_MAX: usize = 128;
/// Organisation of LLDP-MED.
const MED: [u8; 3] = [0x00, 0x12, 0xbb];
/// Organisation of IEEE 802.1.
const BRIDGE: [u8; 3] = [0x00, 0x80, 0xc2];
const CAPABILITIES: [&str; 11] = [
    "other",
    "repeater",
    "bridge",
    "wlan_access_point",
    "router",
    "telephone",
    "docsis",
    "station",
    "c_vlan",
    "s_vlan",
    "two_port_relay",
];

/// Reads a data unit.
pub(crate) fn read(bytes: &[u8]) -> Option<Neighbour> {
    let mut r = Reader::new(bytes);
    let mut out = Neighbour::new("LLDP");
    for number in 0..UNITS_MAX {
        let Some(head) = r.u16_be() else {
            break;
        };
        let (kind, length) = (head >> 9, usize::from(head & 0x1ff));
        if number == 0 && kind != 1 {
            return None;
        }
        if kind == 0 {
            break;
        }
        let Some(value) = r.take(length) else {
            break;
        };
        unit(&mut out, kind, value);
    }
    let known = out.chassis.is_some() || !out.attributes.is_empty();
    known.then_some(out)
}

fn unit(out: &mut Neighbour, kind: u16, value: &[u8]) {
    match (kind, value) {
        (1, [4, octets @ ..]) => out.chassis = mac(octets),
        (1, [5, family, octets @ ..]) => out.address(*family, octets),
        (1, [_, text @ ..]) => out.text("chassis", text),
        (2, [3, octets @ ..]) => {
            if let Some(mac) = mac(octets) {
                out.note("port", &mac.to_string());
            }
        }
        (2, [_, text @ ..]) => out.text("port", text),
        (4, text) => out.text("port_description", text),
        (5, text) => out.text("hostname", text),
        (6, text) => out.text("description", text),
        (7, [_, _, high, low, ..]) => {
            let enabled = u16::from_be_bytes([*high, *low]);
            out.capabilities(u32::from(enabled), &CAPABILITIES);
        }
        (8, [length, family, rest @ ..]) => {
            let octets = usize::from(*length).checked_sub(1);
            out.address(*family, octets.and_then(|n| rest.get(..n)).unwrap_or(&[]));
        }
        (127, [a, b, c, subtype, rest @ ..]) => organisation(out, [*a, *b, *c], *subtype, rest),
        _ => {}
    }
}

fn organisation(out: &mut Neighbour, who: [u8; 3], subtype: u8, value: &[u8]) {
    match (who, subtype, value) {
        (MED, 5, text) => out.text("hardware", text),
        (MED, 6, text) => out.text("firmware", text),
        (MED, 7, text) => out.text("software", text),
        (MED, 8, text) => out.text("serial", text),
        (MED, 9, text) => out.text("vendor", text),
        (MED, 10, text) => out.text("model", text),
        (MED, 11, text) => out.text("asset_tag", text),
        (BRIDGE, 1, [high, low]) => {
            let vlan = u16::from_be_bytes([*high, *low]);
            let vlan = Text::Owned(vlan.to_string());
            out.note("port_vlan", &vlan);
        }
        _ => {}
    }
}
