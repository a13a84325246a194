//! Tunnels, QUIC, HTTP/2, WebSocket and decryption on the shared captures, when these are present.
//!
//! With `VIGIE_DUMP=FILE` set, a line for each event is written there, for comparison with another
//! dissector.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "functions of a test, outside of its test functions"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::record::Cell;
use model::{Body, Event, Nanos};
use vigie_wire::{Frame, KeyLog, LinkType, Secrets, Stats, WireConfig, Worker};

fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("VIGIE_SHARED").map_or(root, PathBuf::from);
    let captures = shared.join("corpora/pcap");
    captures.is_dir().then_some(captures)
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The events of a classic little-endian capture; other containers give none.
fn events(path: &Path, secrets: Option<Arc<dyn Secrets>>) -> (Vec<Event>, Stats) {
    let file = std::fs::read(path).unwrap();
    let mut worker = Worker::new(WireConfig {
        secrets,
        ..WireConfig::default()
    });
    let mut events = Vec::new();
    let nanos = match file.get(..4).map(|_| le32(&file, 0)) {
        Some(0xa1b2_c3d4) => 1000,
        Some(0xa1b2_3c4d) => 1,
        _ => return (events, worker.stats().clone()),
    };
    let link = LinkType(u16::try_from(le32(&file, 20) & 0xffff).unwrap());
    let (mut at, mut number) = (24, 0);
    while at + 16 <= file.len() {
        let seconds = i64::from(le32(&file, at)) * 1_000_000_000;
        let time = Nanos(seconds + i64::from(le32(&file, at + 4)) * nanos);
        let len = usize::try_from(le32(&file, at + 8)).unwrap();
        let Some(bytes) = file.get(at + 16..at + 16 + len) else {
            break;
        };
        number += 1;
        let frame = Frame {
            time,
            number,
            link,
            wire_len: le32(&file, at + 12),
            bytes,
            vlan: None,
        };
        worker.frame(&frame, &mut events);
        at += 16 + len;
    }
    worker.finish(&mut events);
    (events, worker.stats().clone())
}

fn line(event: &Event) -> String {
    let class = event.body.class();
    let app = event.connection.as_ref().map_or("", |c| &c.app).to_owned();
    let mut out = format!("{} {app} {}", class.name, event.meta.labels.join(","));
    event.body.each(&mut |index, cell| {
        let value = match cell {
            Cell::Text(text) => text.to_owned(),
            Cell::TextList(list) => list.join(","),
            Cell::U64(number) => number.to_string(),
            Cell::Sensitive(value) => value.reveal().map_or("", |(_, clear)| clear).to_owned(),
            _ => return,
        };
        write!(out, " {}={value}", class.fields[index].column).unwrap();
    });
    out
}

fn captures(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            captures(&path, out);
        } else if path
            .extension()
            .is_some_and(|e| e == "pcap" || e == "trace")
        {
            out.push(path);
        }
    }
}

#[test]
fn every_capture_says_what_is_recognised_needs_shared() {
    let Some(folder) = shared() else {
        println!("no shared captures found");
        return;
    };
    let mut paths = Vec::new();
    captures(&folder, &mut paths);
    let mut dump = String::new();
    let mut protocols: BTreeMap<String, u64> = BTreeMap::new();
    let mut problems: BTreeMap<&str, u64> = BTreeMap::new();
    for path in &paths {
        let (events, stats) = events(path, None);
        for (name, counts) in &stats.protocols {
            *protocols.entry((*name).to_owned()).or_default() += counts.parsed + counts.gave_up;
        }
        for (code, count) in &stats.problems {
            *problems.entry(code).or_default() += count;
        }
        let name = path.strip_prefix(&folder).unwrap().display();
        for event in &events {
            writeln!(dump, "{name} {}", line(event)).unwrap();
        }
    }
    println!(
        "captures {}\nprotocols {protocols:?}\nproblems {problems:?}",
        paths.len()
    );
    if let Some(target) = std::env::var_os("VIGIE_DUMP") {
        std::fs::write(target, dump).unwrap();
    }
    for name in ["gre", "vxlan", "quic", "http2", "websocket"] {
        assert!(protocols.contains_key(name), "{name}");
    }
}

#[test]
fn a_key_log_opens_the_hospital_needs_shared() {
    let Some(folder) = shared() else {
        println!("no shared captures found");
        return;
    };
    let mut keys = KeyLog::default();
    keys.add(&std::fs::read(folder.join("minihospital.keylog")).unwrap());
    let (events, stats) = events(&folder.join("minihospital.pcap"), Some(Arc::new(keys)));
    let mut opened: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        if event.meta.labels.iter().any(|label| label == "decrypted") {
            let app = event.connection.as_ref().map_or("", |c| &c.app).to_owned();
            *opened.entry(app).or_default() += 1;
        }
    }
    let hello = |event: &&Event| matches!(&event.body, Body::Network(n) if n.about == "tls");
    let handshakes = events.iter().filter(hello).count();
    println!(
        "handshakes {handshakes}, decrypted {opened:?}, anomalies {:?}",
        stats.anomalies
    );
    assert!(opened.get("http").is_some_and(|count| *count > 0));
    assert!(opened.get("http2").is_some_and(|count| *count > 0));
    assert!(!stats.anomalies.contains_key("tls-decrypt-failed"));
}
