use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::ocsf::{Clearance, EventWriter};
use wire::LinkType;
use wire::protocol::Side;
use wire::testing::{self, Talk, frame};

use super::*;
use crate::file::{Resolution, Writer};

fn line(event: &Event) -> String {
    let mut out = Vec::new();
    EventWriter::default().write(event, &mut out, Clearance::Clear);
    String::from_utf8(out).unwrap()
}

fn alone(path: &Path) -> Vec<String> {
    let mut source = Source::open(path).unwrap();
    let mut worker = Worker::new(WireConfig::default());
    let mut events = Vec::new();
    while let Ok(Some(frame)) = source.next() {
        worker.frame(&frame, &mut events);
    }
    worker.finish(&mut events);
    events.iter().map(line).collect()
}

fn together(path: &Path, workers: u32) -> (Vec<String>, Ended) {
    let mut source = Source::open(path).unwrap();
    let fan = Fan {
        workers,
        config: WireConfig::default(),
        prepare: &|_| true,
        render: &|events: Vec<Event>| events.iter().map(line).collect::<Vec<_>>(),
    };
    let mut lines = Vec::new();
    let ended = fan.read(&mut source, &mut |part| {
        lines.extend(part);
        true
    });
    (lines, ended)
}

/// Conversations, one inside a VXLAN tunnel, an ICMP error of a router, and fragments.
fn capture(folder: &Path) -> PathBuf {
    let mut frames = Vec::new();
    for i in 0..60u8 {
        let server = SocketAddr::from(([10, 0, 1, i % 7], 80 + u16::from(i % 3)));
        let client = SocketAddr::from(([10, 0, 2, i], 40_000));
        let mut talk = Talk::new(client, server, u32::from(i));
        talk.now = talk.now.plus_ms(i64::from(i) * 9_000);
        let talk = talk
            .open()
            .say(Side::Client, b"GET /a HTTP/1.1\r\nHost: x.example\r\n\r\n")
            .say(
                Side::Server,
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            );
        let talk = if i % 4 == 0 { talk.close() } else { talk };
        for (time, bytes) in talk.frames {
            if i % 5 == 0 {
                frames.extend(vxlan(&bytes, i).into_iter().map(|bytes| (time, bytes)));
            } else if i % 7 == 1 {
                frames.push((time, unreachable(&bytes)));
                frames.push((time, bytes));
            } else {
                frames.push((time, bytes));
            }
        }
    }
    frames.sort_by_key(|(time, _)| *time);
    let path = folder.join("many.pcap");
    let file = std::fs::File::create(&path).unwrap();
    let out = std::io::BufWriter::new(file);
    let mut writer = Writer::new(out, LinkType::ETHERNET, Resolution::Nanoseconds).unwrap();
    for (number, (time, bytes)) in (1..).zip(&frames) {
        writer.write(&frame(*time, number, bytes)).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn packet(src: [u8; 4], dst: [u8; 4], protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let ip = testing::ip4(src, dst, protocol, fragment, payload);
    testing::ethernet([2; 6], [4; 6], 0x0800, &ip)
}

/// A tunnel's packet, every third in two fragments.
fn vxlan(inner: &[u8], end: u8) -> Vec<Vec<u8>> {
    let vni = [&[8, 0, 0, 0, 0, 0, 7, 0], inner].concat();
    let udp = testing::udp(49_152 + u16::from(end), 4789, &vni);
    let ends = ([172, 16, 0, end % 3], [172, 16, 1, 1]);
    if end.is_multiple_of(3) {
        let (head, tail) = udp.split_at(48);
        let more = 0x2000;
        return vec![
            packet(ends.0, ends.1, 17, more, head),
            packet(ends.0, ends.1, 17, 6, tail),
        ];
    }
    vec![packet(ends.0, ends.1, 17, 0, &udp)]
}

fn unreachable(of: &[u8]) -> Vec<u8> {
    let icmp = [&[3, 1, 0, 0, 0, 0, 0, 0], &of[14..42]].concat();
    packet([10, 9, 9, 9], [10, 0, 2, 1], 1, 0, &icmp)
}

#[test]
fn several_workers_send_what_one_sends() {
    let folder = tempfile::tempdir().unwrap();
    let path = capture(folder.path());
    let one = alone(&path);
    assert!(one.len() > 100, "{}", one.len());
    for workers in [1, 2, 3, 7] {
        let (lines, ended) = together(&path, workers);
        let differs = one.iter().zip(&lines).find(|(a, b)| a != b);
        assert_eq!(differs, None, "{workers}");
        assert_eq!(one.len(), lines.len());
        let packets: u64 = ended.stats.iter().map(|stats| stats.packets).sum();
        assert_eq!((packets, ended.error.is_none()), (ended.frames, true));
    }
}

#[test]
fn reading_stops_when_nobody_takes_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = capture(folder.path());
    let mut source = Source::open(&path).unwrap();
    let fan = Fan {
        workers: 2,
        config: WireConfig::default(),
        prepare: &|_| true,
        render: &|events: Vec<Event>| events.len(),
    };
    let mut taken = 0;
    fan.read(&mut source, &mut |_| {
        taken += 1;
        false
    });
    assert_eq!(taken, 1);
}

#[test]
fn shared_captures_give_the_same_with_three_workers_needs_shared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("VIGIE_SHARED").map_or(root, PathBuf::from);
    let folder = shared.join("corpora/pcap");
    let (mut same, mut all) = (0, 0);
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let small = entry.metadata().is_ok_and(|meta| meta.len() < 300_000);
            if path.is_dir() {
                folders.push(path);
            } else if small && Source::open(&path).is_ok() {
                let equal = alone(&path) == together(&path, 3).0;
                all += 1;
                same += usize::from(equal);
                assert!(equal, "{}", path.display());
            }
        }
    }
    say(same, all);
}

fn say(same: usize, all: usize) {
    println!("{same} of {all} shared captures give the same with three workers");
}
