//! What the tests on shared captures need: where these are, what is in them, a line per event.
//!
//! With `VIGIE_DUMP=FILE` set, [`dump`] writes the lines there, for comparison with another
//! dissector.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "shared by test files, none of which uses all of it"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Event, Nanos};
use vigie_wire::testing::said;
use vigie_wire::{Frame, LinkType, Secrets, Stats, WireConfig, Worker};

/// The folder of the shared captures, when there is one.
pub(crate) fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("VIGIE_SHARED").map_or(root, PathBuf::from);
    let captures = shared.join("corpora/pcap");
    if !captures.is_dir() {
        println!("no shared captures found");
        return None;
    }
    Some(captures)
}

/// Every capture below `folder`, in order.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else if path
            .extension()
            .is_some_and(|e| e == "pcap" || e == "trace")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The events of a classic little-endian capture; other containers give none.
pub(crate) fn events(path: &Path, secrets: Option<Arc<dyn Secrets>>) -> (Vec<Event>, Stats) {
    let config = WireConfig {
        secrets,
        ..WireConfig::default()
    };
    events_with(path, config)
}

/// The same with this configuration.
pub(crate) fn events_with(path: &Path, config: WireConfig) -> (Vec<Event>, Stats) {
    let file = std::fs::read(path).unwrap();
    let mut worker = Worker::new(config);
    let mut events = Vec::new();
    let nanos = match file.get(..24).map(|_| le32(&file, 0)) {
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

fn line(file: &str, event: &Event) -> String {
    let class = event.body.class();
    let mut out = format!(
        "file={file}\tclass={}\tactivity={}\tstatus={}\tlabels={}",
        class.name,
        event.meta.activity,
        event.meta.status,
        event.meta.labels.join(",")
    );
    if let Some(c) = &event.connection {
        let port = |port: Option<u16>| port.unwrap_or(0);
        let ends = (c.src(), port(c.src_port), c.dst(), port(c.dst_port));
        let _ = write!(
            out,
            "\tproto={}\tsrc={}:{}\tdst={}:{}",
            c.app, ends.0, ends.1, ends.2, ends.3
        );
    }
    event.body.each(&mut |index, cell| {
        if let Some(value) = said(cell) {
            let value = value.replace(['\t', '\n', '\r'], " ");
            let _ = write!(out, "\t{}={value}", class.fields[index].column);
        }
    });
    out + "\n"
}

/// The events of captures, each written as a line where `VIGIE_DUMP` says.
pub(crate) fn dump(paths: &[PathBuf]) -> (Vec<Event>, Vec<Stats>) {
    let (mut all, mut counts) = (Vec::new(), Vec::new());
    let mut text = String::new();
    for path in paths {
        let name: Vec<_> = path
            .iter()
            .rev()
            .take(2)
            .map(|p| p.to_string_lossy())
            .collect();
        let name = format!("{}/{}", name[1], name[0]);
        let (found, stats) = events(path, None);
        found.iter().for_each(|event| text += &line(&name, event));
        all.extend(found);
        counts.push(stats);
    }
    if let Some(to) = std::env::var_os("VIGIE_DUMP") {
        let to = PathBuf::from(to).with_extension(paths.len().to_string());
        std::fs::write(to, text).unwrap();
    }
    (all, counts)
}
