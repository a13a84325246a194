//! Events of mail, files, time, management and databases of the shared captures, when these are
//! present.
//!
//! With `VIGIE_DUMP=FILE` set, the events are written there, one line each, for comparison with
//! another dissector.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "functions of a test, outside of its test functions"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use model::class::Body;
use model::port::EventSink;
use model::record::Cell;
use model::{Event, Nanos};
use vigie_wire::{Frame, LinkType, WireConfig, Worker};

#[derive(Default)]
struct Kept(Vec<Event>);

impl EventSink for Kept {
    fn event(&mut self, event: Event) {
        let flows = matches!(&event.body, Body::Network(body) if body.about == "flow");
        if !flows {
            self.0.push(event);
        }
    }
}

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
fn events(path: &Path) -> Vec<Event> {
    let file = std::fs::read(path).unwrap();
    let mut kept = Kept::default();
    let nanos = match le32(&file, 0) {
        0xa1b2_c3d4 => 1000,
        0xa1b2_3c4d => 1,
        _ => return Vec::new(),
    };
    let link = LinkType(u16::try_from(le32(&file, 20) & 0xffff).unwrap());
    let mut worker = Worker::new(WireConfig::default());
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
        worker.frame(&frame, &mut kept);
        at += 16 + len;
    }
    worker.finish(&mut kept);
    kept.0
}

fn line(file: &str, event: &Event) -> String {
    let class = event.body.class().name;
    let mut out = format!(
        "file={file}\tclass={class}\tactivity={}\tstatus={}",
        event.meta.activity, event.meta.status
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
    let fields = event.body.class().fields;
    event.body.each(&mut |index, cell| {
        let value = match cell {
            Cell::Null => return,
            Cell::Bool(v) => v.to_string(),
            Cell::U64(v) => v.to_string(),
            Cell::I64(v) => v.to_string(),
            Cell::Text(v) => v.to_owned(),
            Cell::Ip(v) => v.to_string(),
            Cell::Mac(v) => v.to_string(),
            Cell::Time(v) => v.0.to_string(),
            Cell::Sensitive(v) => v.reveal().map_or("", |(_, clear)| clear).to_owned(),
            Cell::TextList(v) => v.join(","),
            Cell::U64List(v) => format!("{v:?}"),
            Cell::IpList(v) => format!("{v:?}"),
        };
        let value = value.replace(['\t', '\n', '\r'], " ");
        let _ = write!(out, "\t{}={value}", fields[index].column);
    });
    out + "\n"
}

fn dump(paths: &[PathBuf]) -> Vec<Event> {
    let mut all = Vec::new();
    let mut text = String::new();
    for path in paths {
        let name: Vec<_> = path
            .iter()
            .rev()
            .take(2)
            .map(|part| part.to_string_lossy())
            .collect();
        let name = format!("{}/{}", name[1], name[0]);
        let found = events(path);
        found.iter().for_each(|event| text += &line(&name, event));
        all.extend(found);
    }
    if let Some(to) = std::env::var_os("VIGIE_DUMP") {
        let mut to = PathBuf::from(to);
        to.set_extension(paths.len().to_string());
        std::fs::write(to, text).unwrap();
    }
    all
}

#[test]
fn other_captures_needs_shared() {
    let Some(captures) = shared() else {
        println!("no shared captures found");
        return;
    };
    let mut paths = Vec::new();
    for folder in ["zeek", "arkime", "suricata-verify", "ipfixprobe"] {
        walk(&captures.join(folder), &mut paths);
    }
    paths.push(captures.join("minihospital.pcap"));
    paths.sort();
    assert!(!dump(&paths).is_empty());
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "pcap")
        {
            paths.push(path);
        }
    }
}
