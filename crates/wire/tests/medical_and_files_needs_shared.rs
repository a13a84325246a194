//! DICOM, HL7, SMB, Modbus, S7 and BACnet events of the shared captures, when these are present.
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
        let mut building = false;
        if let Body::Network(network) = &event.body {
            building = matches!(&*network.about, "modbus" | "s7comm" | "bacnet");
        }
        if building || matches!(event.body.class().uid, 99_904_001 | 4006) {
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
    let mut out = format!("file={file}\tstatus={}", event.meta.status);
    if let Some(c) = &event.connection {
        let port = |port: Option<u16>| port.unwrap_or(0);
        let ends = (c.src(), port(c.src_port), c.dst(), port(c.dst_port));
        let _ = write!(
            out,
            "\tsrc={}:{}\tdst={}:{}",
            ends.0, ends.1, ends.2, ends.3
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

fn count(events: &[Event], column: &str, value: &str) -> usize {
    let matches = |event: &&Event| {
        let fields = event.body.class().fields;
        let mut found = false;
        event.body.each(&mut |index, cell| {
            if let Cell::Text(text) = cell {
                found |= fields[index].column == column && text == value;
            }
        });
        found
    };
    events.iter().filter(matches).count()
}

#[test]
fn minihospital_needs_shared() {
    let Some(captures) = shared() else {
        println!("no shared captures found");
        return;
    };
    let found = dump(&[captures.join("minihospital.pcap")]);
    assert_eq!(count(&found, "med_standard", "hl7v2"), 45);
    assert_eq!(count(&found, "ack_code", "AA"), 45);
    assert!(count(&found, "med_operation", "C-STORE") > 0);
    assert!(found.iter().any(|event| event.body.class().uid == 4006));
}

#[test]
fn other_captures_needs_shared() {
    let Some(captures) = shared() else {
        println!("no shared captures found");
        return;
    };
    let mut paths = Vec::new();
    for folder in ["zeek", "arkime", "suricata-verify"] {
        walk(&captures.join(folder), &mut paths);
    }
    paths.sort();
    assert!(!dump(&paths).is_empty());
}

/// The sum of a counter over the events of one protocol and operation.
fn sum(events: &[Event], about: &str, operation: &str, key: &str) -> u64 {
    let mut total = 0;
    for event in events {
        let Body::Network(network) = &event.body else {
            continue;
        };
        if network.about != about || network.operation.as_deref() != Some(operation) {
            continue;
        }
        let counters = network
            .facts
            .iter()
            .filter_map(|fact| model::fact::parts(fact));
        let wanted = counters.filter(|(_, known, _)| *known == key);
        total += wanted
            .map(|(_, _, n)| n.parse::<u64>().unwrap())
            .sum::<u64>();
    }
    total
}

fn told(events: &[Event], wanted: &str) -> bool {
    let mut found = false;
    for event in events {
        if let Body::Network(network) = &event.body {
            found |= network.facts.iter().any(|fact| fact == wanted);
        }
    }
    found
}

/// Figures of tshark 4.0.17 on the same captures: requests and answers by function.
#[test]
fn building_captures_needs_shared() {
    let Some(captures) = shared() else {
        println!("no shared captures found");
        return;
    };
    let of = |name: &str| dump(&[captures.join(name)]);
    let found = of("minihospital.pcap");
    assert_eq!(
        sum(&found, "modbus", "read_holding_registers", "requests"),
        11
    );
    assert_eq!(
        sum(&found, "modbus", "write_single_register", "requests"),
        8
    );
    let found = of("zeek/modbus__modbusSmall.pcap");
    assert_eq!(sum(&found, "modbus", "read_coils", "answers"), 8);
    assert_eq!(sum(&found, "modbus", "write_multiple_coils", "answers"), 8);
    let found = of("ics/bacnet__bacnet_example.pcap");
    assert_eq!(sum(&found, "bacnet", "read_property", "requests"), 1400);
    assert_eq!(sum(&found, "bacnet", "read_property", "answers"), 1400);
    // Sent by a tool that counts its datagrams wrongly.
    assert_eq!(
        sum(&found, "bacnet", "reinitialize_device", "requests"),
        120
    );
    assert_eq!(sum(&found, "bacnet", "who_is", "requests"), 7);
    let found = of("ics/s7comm__s7ident.pcap");
    assert!(found.iter().any(|event| event.body.class().uid == 4001));
    let found = of("ics/s7comm__snap7.pcap");
    assert!(told(&found, "s7comm.vendor=Siemens"));
    assert!(count(&found, "operation", "plc_control") > 0);
    assert_eq!(count(&found, "operation", "start_upload"), 5);
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
