//! Version 5: one fixed form.
//!
//! Enters: a header of 24 octets, records of 48. Leaves: [`Flow`]s. Refuses: less than announced.
//! Source: Cisco, "NetFlow Export Datagram Format", tables B-3 and B-4.

use std::net::IpAddr;

use codec::bytes::Reader;
use model::Millis;

use super::Head;
use super::record::{Flow, Way};

/// The header, and how many records follow.
pub(super) fn head(reader: &mut Reader<'_>, exporter: IpAddr) -> Option<(Head, u16)> {
    reader.skip(2)?;
    let count = reader.u16_be()?;
    let uptime = reader.u32_be()?;
    let seconds = i64::from(reader.u32_be()?);
    let nanos = i64::from(reader.u32_be()?);
    let sequence = reader.u32_be()?;
    let engine = reader.u16_be()?;
    let sampling = reader.u16_be()?;
    let head = Head {
        version: 5,
        exporter,
        domain: u32::from(engine),
        sequence,
        sent: Millis(seconds * 1000 + nanos / 1_000_000),
        uptime: Some(uptime),
        // The two high bits are the mode.
        sampling: u32::from(sampling & 0x3fff),
    };
    Some((head, count))
}

/// One record.
pub(super) fn record(reader: &mut Reader<'_>) -> Option<Flow> {
    let address = |octets: [u8; 4]| Some(IpAddr::from(octets));
    let (src, dst) = (reader.array()?, reader.array()?);
    reader.skip(4)?;
    let (input, output) = (reader.u16_be()?, reader.u16_be()?);
    let (packets, octets) = (reader.u32_be()?, reader.u32_be()?);
    let (first, last) = (reader.u32_be()?, reader.u32_be()?);
    let (src_port, dst_port) = (reader.u16_be()?, reader.u16_be()?);
    reader.skip(1)?;
    let (flags, protocol) = (reader.u8()?, reader.u8()?);
    reader.skip(9)?;
    Some(Flow {
        src: address(src),
        dst: address(dst),
        src_port: Some(src_port),
        dst_port: Some(dst_port),
        protocol,
        input: Some(u32::from(input)),
        output: Some(u32::from(output)),
        first_up: Some(first),
        last_up: Some(last),
        out: Way {
            octets: Some(u64::from(octets)),
            packets: Some(u64::from(packets)),
            flags: Some(flags),
        },
        ..Flow::default()
    })
}
