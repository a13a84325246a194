//! CDP: one announcement.
//!
//! Enters: the payload after SNAP with Cisco's number 0x2000. Leaves: a [`Neighbour`]. Refuses:
//! versions other than 1 and 2. Limits: [`UNITS_MAX`] units, [`ADDRESSES_MAX`] addresses.
//! Source: Cisco, "Understanding and Configuring the Cisco Discovery Protocol".

use codec::bytes::Reader;

use super::Neighbour;

/// Most units (TLVs) of one message.
const UNITS_MAX: usize = 64;
/// Most addresses of one unit.
const ADDRESSES_MAX: u32 = 64;
const CAPABILITIES: [&str; 10] = [
    "router",
    "transparent_bridge",
    "source_route_bridge",
    "switch",
    "station",
    "igmp",
    "repeater",
    "telephone",
    "remote",
    "two_port_relay",
];

/// Reads an announcement.
pub(crate) fn read(bytes: &[u8]) -> Option<Neighbour> {
    let mut r = Reader::new(bytes);
    if !matches!(r.u8()?, 1 | 2) {
        return None;
    }
    // Time to live, checksum.
    r.skip(3)?;
    let mut out = Neighbour::new("CDP");
    for _ in 0..UNITS_MAX {
        let (Some(kind), Some(length)) = (r.u16_be(), r.u16_be()) else {
            break;
        };
        let length = usize::from(length).checked_sub(4);
        let Some(value) = length.and_then(|length| r.take(length)) else {
            break;
        };
        unit(&mut out, kind, value);
    }
    (!out.attributes.is_empty()).then_some(out)
}

fn unit(out: &mut Neighbour, kind: u16, value: &[u8]) {
    match (kind, value) {
        (0x01, text) => out.text("hostname", text),
        (0x02 | 0x16, list) => addresses(out, list),
        (0x03, text) => out.text("port", text),
        (0x04, [a, b, c, d]) => {
            out.capabilities(u32::from_be_bytes([*a, *b, *c, *d]), &CAPABILITIES);
        }
        (0x05, text) => out.text("software", text),
        (0x06, text) => out.text("model", text),
        (0x0a, [high, low]) => {
            let vlan = u16::from_be_bytes([*high, *low]);
            out.note("port_vlan", &vlan.to_string());
        }
        (0x14, text) => out.text("system_name", text),
        _ => {}
    }
}

fn addresses(out: &mut Neighbour, list: &[u8]) {
    let mut r = Reader::new(list);
    let count = r.u32_be().unwrap_or(0).min(ADDRESSES_MAX);
    for _ in 0..count {
        let mut next = || {
            let _kind = r.u8()?;
            let length = usize::from(r.u8()?);
            let protocol = r.take(length)?;
            let length = usize::from(r.u16_be()?);
            Some((protocol, r.take(length)?))
        };
        let Some((protocol, address)) = next() else {
            break;
        };
        let family = match protocol {
            [0xcc] => 1,
            [0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd] => 2,
            _ => continue,
        };
        out.address(family, address);
    }
}
