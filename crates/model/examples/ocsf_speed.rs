//! How fast events become OCSF JSON, the binary form, and back, on one core.
//!
//! `cargo run --release -p vigie-model --example ocsf_speed [MILLIONS]`: a mix of half flows, 30 %
//! DNS and 20 % HTTP events, masked, as the store's figures use.

#![expect(clippy::print_stdout, reason = "an example that prints its figures")]

use std::hint::black_box;

use vigie_model::binary::{decode, encode};
use vigie_model::class::{Body, Dns, Http, Network};
use vigie_model::event::{Connection, Event, Meta};
use vigie_model::ocsf::{Clearance, EventWriter, read_event};
use vigie_model::sensitive::{Sensitive, SiteKey};
use vigie_model::{EventUid, Millis, NodeId};

/// Seconds that this thread was on a processor; noise of other programs does not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text
        .split_whitespace()
        .next()
        .and_then(|n| n.parse::<f64>().ok());
    nanos.unwrap_or(f64::NAN) / 1e9
}

fn event(index: u64, body: Body) -> Event {
    let [.., c, d] = index.to_be_bytes();
    Event {
        meta: Meta {
            uid: EventUid {
                node: NodeId(7),
                seq: 1_760_000_000_000_000 + index,
            },
            time: Millis(1_760_000_000_000),
            logged_time: Millis(1_760_000_000_050),
            site: "chu-nord".into(),
            activity: 6,
            severity: 1,
            status: 1,
            ..Meta::default()
        },
        connection: Some(Box::new(Connection {
            src_ip: Some([10, 20, c, d].into()),
            src_port: Some(49_152),
            src_zone: Some("imaging".into()),
            dst_ip: Some([10, 1, 0, 53].into()),
            dst_port: Some(443),
            flow: Some("00c0ffee00c0ffee".into()),
            community_id: Some("1:LQU9qZlK+B5F3KDmev6m5PMibrg=".into()),
            protocol: 6,
            direction: 3,
            app: "tls".into(),
            ..Connection::default()
        })),
        body,
    }
}

fn flow() -> Body {
    Network {
        about: "flow".into(),
        duration_ms: Some(1234),
        start: Some(Millis(1_760_000_000_000)),
        end: Some(Millis(1_760_000_001_234)),
        bytes: Some(123_456),
        bytes_in: Some(120_000),
        bytes_out: Some(3456),
        packets: Some(120),
        packets_in: Some(80),
        packets_out: Some(40),
        end_reason: Some("closed".into()),
        tcp_flags_out: Some("FSPA".into()),
        tcp_flags_in: Some("FSPA".into()),
        ..Network::default()
    }
    .into()
}

fn dns() -> Body {
    Dns {
        query: Some("pacs-archive.imaging.chu-nord.example".into()),
        query_type: Some("A".into()),
        query_class: Some("IN".into()),
        packet_uid: Some(4711),
        answer_data: vec!["10.1.0.9".into(), "10.1.0.10".into()],
        answer_type: vec!["A".into(), "A".into()],
        answer_ttl: vec![300, 300],
        rcode: Some(0),
        rcode_name: Some("NOERROR".into()),
        query_time: Some(Millis(1_760_000_000_000)),
        response_time: Some(Millis(1_760_000_000_002)),
        ..Dns::default()
    }
    .into()
}

fn http() -> Body {
    Http {
        method: Some("GET".into()),
        version: Some("1.1".into()),
        host: Some("ris.chu-nord.example".into()),
        path: Some(Sensitive::path("/fhir/Patient/12345")),
        user_agent: Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0".into()),
        code: Some(200),
        content_type: Some("application/fhir+json".into()),
        response_bytes: Some(5120),
        latency_ms: Some(12),
        ..Http::default()
    }
    .into()
}

fn main() {
    let millions: usize = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let rounds = millions * 1000;
    let key = SiteKey::new([7; 32]);
    let mut events: Vec<Event> = (0..1000u64)
        .map(|index| {
            let body = match index % 10 {
                0..=4 => flow(),
                5..=7 => dns(),
                _ => http(),
            };
            event(index, body)
        })
        .collect();
    events.iter_mut().for_each(|event| drop(event.mask(&key)));
    let report = |what: &str, start: f64, bytes: usize, rounds: usize| {
        let seconds = cpu_seconds() - start;
        let count = u32::try_from(rounds * 1000).map_or(0.0, f64::from);
        println!(
            "{what}: {:.0} events per CPU second, {} bytes/event",
            count / seconds,
            bytes / 1000
        );
    };
    let (mut out, mut writer) = (Vec::new(), EventWriter::default());
    let start = cpu_seconds();
    for _ in 0..rounds {
        out.clear();
        for event in &events {
            writer.write(event, &mut out, Clearance::Masked);
            out.push(b'\n');
        }
        black_box(&out);
    }
    report("json write", start, out.len(), rounds);
    let text = String::from_utf8_lossy(&out).into_owned();
    let start = cpu_seconds();
    for _ in 0..rounds / 20 {
        text.lines()
            .for_each(|line| drop(black_box(read_event(line))));
    }
    report("json read", start, out.len(), rounds / 20);
    let start = cpu_seconds();
    for _ in 0..rounds {
        out.clear();
        events.iter().for_each(|event| {
            encode(event, &mut out);
        });
        black_box(&out);
    }
    report("binary encode", start, out.len(), rounds);
    let start = cpu_seconds();
    for _ in 0..rounds {
        let mut rest = out.as_slice();
        while let Ok((event, used)) = decode(rest) {
            black_box(&event);
            rest = rest.get(used..).unwrap_or(&[]);
        }
    }
    report("binary decode", start, out.len(), rounds);
}
