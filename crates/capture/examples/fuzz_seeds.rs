//! Seeds for fuzzing from real captures: each conversation becomes one script of
//! `wire::protocol::replay::fuzz`, in the folder of the protocol that it turns out to be.
//!
//! Enters: an output folder and captures. Leaves: files named by a hash of their content.
//! Refuses: more than [`SCRIPT_BYTES_MAX`] of a conversation, more than [`SEEDS_MAX`] of a
//! protocol.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool speaks on its standard streams"
)]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use vigie_capture::file::Source;
use wire::protocol::{REGISTRY, replay};

/// Longest script.
const SCRIPT_BYTES_MAX: usize = 8 * 1024;
/// Most seeds of one protocol.
const SEEDS_MAX: usize = 400;

type Flow = (u8, Vec<u8>, Vec<u8>, u16, u16);

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(out) = arguments.next() else {
        eprintln!("seeds OUT CAPTURE... | seeds --list");
        std::process::exit(2);
    };
    if out.as_os_str() == "--list" {
        for protocol in REGISTRY {
            println!("{}", protocol.name());
        }
        return;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for capture in arguments {
        let Ok(mut source) = Source::open(&capture) else {
            continue;
        };
        let mut scripts: BTreeMap<Flow, Vec<u8>> = BTreeMap::new();
        while let Ok(Some(frame)) = source.next() {
            if let Some((flow, payload)) = dissect(frame.bytes) {
                extend(&mut scripts, flow, payload);
            }
        }
        for script in scripts.values() {
            let Some(name) = replay::fuzz(REGISTRY, script).name else {
                continue;
            };
            let count = counts.entry(name).or_default();
            if *count < SEEDS_MAX {
                *count += write(&out, name, script);
            }
        }
    }
    for (name, count) in counts {
        println!("{name}\t{count}");
    }
}

/// 1 when it was new.
fn write(out: &Path, name: &str, script: &[u8]) -> usize {
    let mut hasher = DefaultHasher::new();
    script.hash(&mut hasher);
    let folder = out.join(name);
    let file = folder.join(format!("seed-{:016x}", hasher.finish()));
    if file.exists() || std::fs::create_dir_all(&folder).is_err() {
        return 0;
    }
    usize::from(std::fs::write(file, script).is_ok())
}

/// Adds a payload to its conversation, which began with its client.
fn extend(scripts: &mut BTreeMap<Flow, Vec<u8>>, flow: Flow, payload: &[u8]) {
    let (kind, from, to, client, server) = flow;
    let back = (kind, to.clone(), from.clone(), server, client);
    let (key, side) = if scripts.contains_key(&back) {
        (back, 1)
    } else {
        ((kind, from, to, client, server), 0)
    };
    let script = scripts
        .entry(key)
        .or_insert_with(|| vec![kind, replay::port_octet(server)]);
    for piece in payload.chunks(255) {
        if script.len() + piece.len() > SCRIPT_BYTES_MAX {
            return;
        }
        script.extend([side, u8::try_from(piece.len()).unwrap_or(0)]);
        script.extend_from_slice(piece);
    }
}

/// The conversation and the payload of an Ethernet frame with TCP or UDP; empty payloads too, so
/// that whoever opens is known.
fn dissect(frame: &[u8]) -> Option<(Flow, &[u8])> {
    let mut at = 12;
    while matches!(frame.get(at..at + 2)?, [0x81, 0x00] | [0x88, 0xa8]) {
        at += 4;
    }
    let packet = frame.get(at + 2..)?;
    let (protocol, from, to, segment) = match packet.first()? >> 4 {
        4 => {
            let head = usize::from(packet.first()? & 15) * 4;
            let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
            let segment = packet.get(head..total.min(packet.len()))?;
            (
                *packet.get(9)?,
                packet.get(12..16)?,
                packet.get(16..20)?,
                segment,
            )
        }
        6 => (
            *packet.get(6)?,
            packet.get(8..24)?,
            packet.get(24..40)?,
            packet.get(40..)?,
        ),
        _ => return None,
    };
    let port = |at: usize| {
        Some(u16::from_be_bytes([
            *segment.get(at)?,
            *segment.get(at + 1)?,
        ]))
    };
    let (kind, head) = match protocol {
        6 => (0, usize::from(segment.get(12)? >> 4) * 4),
        17 => (1, 8),
        _ => return None,
    };
    Some((
        (kind, from.to_vec(), to.to_vec(), port(0)?, port(2)?),
        segment.get(head..)?,
    ))
}
