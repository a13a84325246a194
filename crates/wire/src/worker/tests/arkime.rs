//! Flows against those of another engine, on the shared captures. It counts frame octets, we IP's;
//! it opens tunnels, splits by its own limits and knows protocols that are no flow here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::{Body, Event};
use serde_json::Value;

use super::*;

fn shared() -> PathBuf {
    std::env::var_os("VIGIE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    )
}

/// Time, length on the wire, octets.
type Frames = Vec<(Nanos, u32, Vec<u8>)>;

/// The frames of a little-endian classic pcap.
fn read(bytes: &[u8]) -> Option<(u16, Frames)> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let unit = match word(0)? {
        0xa1b2_c3d4 => 1000,
        0xa1b2_3c4d => 1,
        _ => return None,
    };
    let link = (word(20)? & 0xffff) as u16;
    let (mut at, mut out) = (24, Vec::new());
    while let (Some(s), Some(u), Some(n), Some(wire)) =
        (word(at), word(at + 4), word(at + 8), word(at + 12))
    {
        let Some(frame) = bytes.get(at + 16..at + 16 + n as usize) else {
            break;
        };
        let time = Nanos(i64::from(s) * 1_000_000_000 + i64::from(u) * unit);
        out.push((time, wire, frame.to_vec()));
        at += 16 + n as usize;
    }
    Some((link, out))
}

type Figures = BTreeMap<String, (u64, u64)>;

fn ours(bytes: &[u8]) -> Option<BTreeMap<String, Figures>> {
    let (link, frames) = read(bytes)?;
    let mut worker = Worker::new(WireConfig::default());
    let mut events: Vec<Event> = Vec::new();
    for (number, (time, wire_len, bytes)) in (1..).zip(&frames) {
        let frame = Frame {
            link: LinkType(link),
            wire_len: *wire_len,
            ..testing::frame(*time, number, bytes)
        };
        worker.frame(&frame, &mut events);
    }
    worker.finish(&mut events);
    let mut out: BTreeMap<String, Figures> = BTreeMap::new();
    for event in &events {
        let (Some(connection), Body::Network(body)) = (&event.connection, &event.body) else {
            continue;
        };
        if body.about != "flow" {
            continue;
        }
        let flow = out
            .entry(connection.community_id.as_deref()?.to_owned())
            .or_default();
        let ends = [
            (
                connection.src(),
                connection.src_port,
                body.packets_out,
                body.bytes_out,
            ),
            (
                connection.dst(),
                connection.dst_port,
                body.packets_in,
                body.bytes_in,
            ),
        ];
        for (ip, port, packets, bytes) in ends {
            let port = if matches!(connection.protocol, 6 | 17 | 132) {
                port.unwrap_or(0)
            } else {
                0
            };
            let figures = flow.entry(format!("{ip} {port}")).or_default();
            figures.0 += packets?;
            figures.1 += bytes?;
        }
    }
    Some(out)
}

fn theirs(text: &str) -> BTreeMap<String, (Figures, Vec<String>)> {
    let json: Value = serde_json::from_str(text).unwrap();
    let mut out: BTreeMap<String, (Figures, Vec<String>)> = BTreeMap::new();
    for session in json["sessions3"].as_array().unwrap() {
        let body = &session["body"];
        let Some(id) = body["network"]["community_id"].as_str() else {
            continue;
        };
        let flow = out.entry(id.to_owned()).or_default();
        for end in ["source", "destination"] {
            let end = &body[end];
            let port = if matches!(body["ipProtocol"].as_u64(), Some(6 | 17 | 132)) {
                end["port"].as_u64().unwrap_or(0)
            } else {
                0
            };
            let ip: IpAddr = end["ip"].as_str().unwrap().parse().unwrap();
            let figures = flow.0.entry(format!("{ip} {port}")).or_default();
            figures.0 += end["packets"].as_u64().unwrap_or(0);
            figures.1 += end["bytes"].as_u64().unwrap_or(0);
        }
        let protocols = body["protocol"].as_array().into_iter().flatten();
        flow.1
            .extend(protocols.filter_map(Value::as_str).map(str::to_owned));
    }
    out
}

#[test]
fn flows_agree_with_arkime_needs_shared() {
    let Ok(folder) = std::fs::read_dir(shared().join("corpora/pcap/arkime")) else {
        println!("no shared captures found");
        return;
    };
    let (mut known, mut found, mut endpoints, mut packets, mut bytes) = (0, 0, 0, 0, 0);
    let mut paths: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "pcap"))
    {
        let Some(ours) = ours(&std::fs::read(path).unwrap()) else {
            println!("{}: not a little-endian pcap", path.display());
            continue;
        };
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for (id, (flow, protocols)) in
            theirs(&std::fs::read_to_string(path.with_extension("test")).unwrap())
        {
            known += 1;
            let Some(mine) = ours.get(&id) else {
                println!("{name}: {id} not found {:?} {protocols:?}", flow.keys());
                continue;
            };
            found += 1;
            let same_ends = mine.keys().eq(flow.keys());
            let same_packets =
                same_ends && mine.values().map(|f| f.0).eq(flow.values().map(|f| f.0));
            // Their octets are the frame's: at least an Ethernet header more, at most padding to
            // 60.
            let near = |(mine, theirs): (&(u64, u64), &(u64, u64))| {
                theirs.1 >= mine.1 && theirs.1 - mine.1 <= mine.0 * 64
            };
            let same_bytes = same_packets && mine.values().zip(flow.values()).all(near);
            endpoints += u32::from(same_ends);
            packets += u32::from(same_packets);
            bytes += u32::from(same_bytes);
            if !same_bytes {
                println!("{name}: {id} {protocols:?}\n   ours {mine:?}\n   theirs {flow:?}");
            }
        }
    }
    println!(
        "community IDs {known}, found {found}, endpoints {endpoints}, packets {packets}, \
         bytes {bytes}"
    );
    assert!(known == 0 || found * 100 >= known * 85);
}
