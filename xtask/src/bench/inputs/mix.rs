//! The mix: every shared Ethernet capture, four times, spread over an hour.
//!
//! Enters: a folder of captures. Leaves: one capture in time order; within each trace the spacing
//! is kept. Copies have addresses of their own, changed so that checksums stay right.
//! Refuses: what is not Ethernet, what was there already, traces of more than
//! [`TRACE_PACKETS_MAX`] packets. Source: `docs/benchmarks/wire.md`.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Numbers;
use super::pcap::{Capture, ETHERNET, Packet, Writer};

/// Copies of each trace.
const COPIES: u16 = 4;
/// Largest trace that is taken.
const TRACE_PACKETS_MAX: usize = 60_000;
/// Over how long the traces begin.
const SPREAD_US: u64 = 3_600_000_000;
/// When the hour begins.
const START_US: u64 = 1_700_000_000_000_000;

/// Writes the mix of the captures under `corpora`.
pub(super) fn make(corpora: &Path, work: &Path, path: &Path) -> Result<()> {
    let scratch = work.join("scratch.pcap");
    let mut known = BTreeSet::new();
    let mut traces: Vec<Vec<Packet>> = Vec::new();
    for file in files(corpora)? {
        let mut hasher = DefaultHasher::new();
        fs::read(&file)?.hash(&mut hasher);
        if !known.insert(hasher.finish()) {
            continue;
        }
        match Capture::read(&file, &scratch)? {
            Some(Capture { link, packets })
                if link == ETHERNET
                    && !packets.is_empty()
                    && packets.len() <= TRACE_PACKETS_MAX =>
            {
                traces.push(packets);
            }
            _ => {}
        }
    }
    let mut numbers = Numbers(0x6d69_7831);
    let mut order: Vec<(u64, u16, u32, u32)> = Vec::new();
    for copy in 0..COPIES {
        for (trace, packets) in traces.iter().enumerate() {
            let begin = START_US + numbers.next() % SPREAD_US;
            let first = packets.first().map_or(0, |packet| packet.time_us);
            for (index, packet) in packets.iter().enumerate() {
                // A trace whose clock goes back starts again where it began.
                let since = packet.time_us.saturating_sub(first);
                order.push((begin + since, copy, trace as u32, index as u32));
            }
        }
    }
    order.sort_unstable();
    let mut writer = Writer::create(path)?;
    for (time_us, copy, trace, index) in &order {
        let packet = &traces[*trace as usize][*index as usize];
        if *copy == 0 {
            writer.write(*time_us, packet.wire_len, &packet.bytes)?;
        } else {
            let mut bytes = packet.bytes.clone();
            rewrite(&mut bytes, *copy);
            writer.write(*time_us, packet.wire_len, &bytes)?;
        }
    }
    println!("mix: {} traces, {COPIES} copies", traces.len());
    writer.finish(path)
}

/// Every file that may be a capture, in a stable order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let capture = path
                .extension()
                .is_some_and(|name| name == "pcap" || name == "pcapng" || name == "cap");
            if path.is_dir() {
                folders.push(path);
            } else if capture {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Gives a copy its own addresses; IP, TCP and UDP checksums stay right.
fn rewrite(frame: &mut [u8], copy: u16) {
    let mut at = 12;
    let kind = |frame: &[u8], at: usize| -> Option<u16> {
        Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]))
    };
    while matches!(kind(frame, at), Some(0x8100 | 0x88a8)) {
        at += 4;
    }
    match kind(frame, at) {
        Some(0x0800) => {
            shift(frame.get_mut(at + 14..at + 18), copy);
            shift(frame.get_mut(at + 18..at + 22), copy);
        }
        Some(0x86dd) => {
            shift(frame.get_mut(at + 10..at + 26), copy);
            shift(frame.get_mut(at + 26..at + 42), copy);
        }
        _ => {}
    }
}

/// Adds `copy` to the first word of an address and takes it from the last: the sum stays. Left
/// alone: multicast, loopback, unspecified, and what would wrap or change its first octet.
fn shift(address: Option<&mut [u8]>, copy: u16) {
    let Some([a, b, .., y, z]) = address else {
        return;
    };
    if matches!(*a, 0 | 127 | 224..=255) {
        return;
    }
    let first = u16::from_be_bytes([*a, *b]);
    let last = u16::from_be_bytes([*y, *z]);
    let (Some(first), Some(last)) = (first.checked_add(copy), last.checked_sub(copy)) else {
        return;
    };
    let [first_a, first_b] = first.to_be_bytes();
    if first_a == *a {
        *b = first_b;
        [*y, *z] = last.to_be_bytes();
    }
}
