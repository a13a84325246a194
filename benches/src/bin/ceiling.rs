//! The ceiling probe: what one core can do when nothing is parsed and nothing is written.
//!
//! Enters: a classic little-endian pcap of Ethernet frames. Leaves: counts on standard output.
//! Reads through a 1 MiB buffer, decodes Ethernet, VLAN, IPv4, IPv6, TCP and UDP, hashes flows
//! symmetrically, follows sequence numbers per direction, guesses by the first byte, and touches
//! every TCP payload byte for a histogram. No reassembly, no event: an upper bound, not a
//! competitor.
//! Refuses: other formats. Source: `docs/benchmarks/wire.md`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};

const READ_BUFFER: usize = 1 << 20;
const FRAME_MAX: usize = 256 * 1024;

#[derive(Default)]
struct Flow {
    next: [u32; 2],
    packets: [u64; 2],
    bytes: [u64; 2],
    first: [u8; 2],
}

struct Totals {
    packets: u64,
    bytes: u64,
    other: u64,
    out_of_order: u64,
    histogram: [u64; 256],
}

struct Key {
    hash: u64,
    forward: bool,
}

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let Ok(file) = File::open(&path) else {
        eprintln!("ceiling: {path}: cannot be opened");
        std::process::exit(2);
    };
    let mut input = BufReader::with_capacity(READ_BUFFER, file);
    let mut head = [0u8; 24];
    if input.read_exact(&mut head).is_err() || head[..4] != [0xd4, 0xc3, 0xb2, 0xa1] {
        eprintln!("ceiling: {path}: not a little-endian microsecond pcap");
        std::process::exit(3);
    }
    let mut totals = Totals {
        packets: 0,
        bytes: 0,
        other: 0,
        out_of_order: 0,
        histogram: [0; 256],
    };
    let mut flows: HashMap<u64, Flow> = HashMap::with_capacity(1 << 16);
    let mut frame = vec![0u8; FRAME_MAX];
    let mut record = [0u8; 16];
    while input.read_exact(&mut record).is_ok() {
        let len = u32::from_le_bytes([record[8], record[9], record[10], record[11]]) as usize;
        if len > FRAME_MAX || input.read_exact(&mut frame[..len]).is_err() {
            break;
        }
        totals.packets += 1;
        totals.bytes += len as u64;
        if ethernet(&frame[..len], &mut flows, &mut totals).is_none() {
            totals.other += 1;
        }
    }
    let seen: u64 = totals.histogram.iter().sum();
    println!(
        concat!(
            "{{\"packets\":{},\"bytes\":{},\"flows\":{},\"other\":{},",
            "\"out_of_order\":{},\"payload\":{}}}"
        ),
        totals.packets,
        totals.bytes,
        flows.len(),
        totals.other,
        totals.out_of_order,
        seen
    );
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn ethernet(frame: &[u8], flows: &mut HashMap<u64, Flow>, totals: &mut Totals) -> Option<()> {
    let mut at = 12;
    let mut kind = u16_at(frame, at)?;
    while matches!(kind, 0x8100 | 0x88a8) {
        at += 4;
        kind = u16_at(frame, at)?;
    }
    let packet = frame.get(at + 2..)?;
    match kind {
        0x0800 => {
            let header = usize::from(packet.first()? & 15) * 4;
            let total = usize::from(u16_at(packet, 2)?);
            if u16_at(packet, 6)? & 0x1fff != 0 {
                return None;
            }
            let key = key(packet.get(12..16)?, packet.get(16..20)?);
            let payload = packet.get(header..total.min(packet.len()))?;
            transport(*packet.get(9)?, payload, key, flows, totals)
        }
        0x86dd => {
            let length = usize::from(u16_at(packet, 4)?) + 40;
            let key = key(packet.get(8..24)?, packet.get(24..40)?);
            let payload = packet.get(40..length.min(packet.len()))?;
            transport(*packet.get(6)?, payload, key, flows, totals)
        }
        _ => None,
    }
}

fn key(src: &[u8], dst: &[u8]) -> Key {
    let fold = |bytes: &[u8]| {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    Key {
        hash: fold(src).wrapping_add(fold(dst)),
        forward: src <= dst,
    }
}

fn transport(
    protocol: u8,
    segment: &[u8],
    key: Key,
    flows: &mut HashMap<u64, Flow>,
    totals: &mut Totals,
) -> Option<()> {
    if !matches!(protocol, 6 | 17) {
        return None;
    }
    let (src, dst) = (u16_at(segment, 0)?, u16_at(segment, 2)?);
    let ports = u64::from(src.min(dst)) << 16 | u64::from(src.max(dst));
    let hash = (key.hash ^ ports << 8 ^ u64::from(protocol)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let side = usize::from(if key.forward { src > dst } else { src <= dst });
    let flow = flows.entry(hash).or_default();
    flow.packets[side] += 1;
    flow.bytes[side] += segment.len() as u64;
    if protocol == 17 {
        return Some(());
    }
    let header = usize::from(segment.get(12)? >> 4) * 4;
    let payload = segment.get(header..)?;
    let sequence = u32::from_be_bytes([segment[4], segment[5], segment[6], segment[7]]);
    if flow.next[side] != 0 && flow.next[side] != sequence {
        totals.out_of_order += 1;
    }
    flow.next[side] = sequence.wrapping_add(payload.len() as u32);
    if flow.first[side] == 0 {
        flow.first[side] = payload.first().copied().unwrap_or(0);
    }
    for byte in payload {
        totals.histogram[usize::from(*byte)] += 1;
    }
    Some(())
}
