//! How far the events read from a log of Suricata agree with our own of the same capture.
//!
//! Enters: pairs of an EVE log and a capture. Leaves: per kind of fact, how many each side has, and
//! the shares. Refuses: nothing; a pair that cannot be read is named and left out.
//! Source: `docs/benchmarks/agreement-sources.md`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool speaks on its standard streams"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use model::class::{Dns, Http, Network};
use model::{Body, Connection, Event};
use vigie_capture::file::Source;
use wire::log::{LogConfig, LogKind, LogReader};
use wire::{Sequence, WireConfig, Worker};

/// Octets of an Ethernet header, which Suricata counts and we do not.
const ETHERNET: u64 = 14;

type Facts = BTreeMap<&'static str, BTreeSet<String>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut theirs, mut ours) = (Facts::new(), Facts::new());
    for (number, pair) in arguments.chunks_exact(2).enumerate() {
        let [log, capture] = pair else { continue };
        match (
            log_events(Path::new(log)),
            capture_events(Path::new(capture)),
        ) {
            (Some(from_log), Some(from_capture)) => {
                gather(&from_log, number, ETHERNET, &mut theirs);
                gather(&from_capture, number, 0, &mut ours);
            }
            _ => eprintln!("{capture}: left out"),
        }
    }
    println!(
        "| fact | by the log | by the capture | both | of ours in theirs | of theirs in ours |"
    );
    println!("|---|---|---|---|---|---|");
    let kinds: BTreeSet<&&str> = theirs.keys().chain(ours.keys()).collect();
    let none = BTreeSet::new();
    for kind in kinds {
        let (a, b) = (
            theirs.get(*kind).unwrap_or(&none),
            ours.get(*kind).unwrap_or(&none),
        );
        let both = a.intersection(b).count();
        let share = |of: usize| match of {
            0 => "-".to_owned(),
            of => format!("{}.{} %", both * 1000 / of / 10, both * 1000 / of % 10),
        };
        let (left, right) = (share(b.len()), share(a.len()));
        println!(
            "| {kind} | {} | {} | {both} | {left} | {right} |",
            a.len(),
            b.len()
        );
        if std::env::var_os("DIFFERENCES").is_some() {
            a.difference(b)
                .take(20)
                .for_each(|fact| eprintln!("{kind} log only: {fact}"));
            b.difference(a)
                .take(20)
                .for_each(|fact| eprintln!("{kind} capture only: {fact}"));
        }
    }
}

fn log_events(path: &Path) -> Option<Vec<Event>> {
    let log = std::fs::read(path).ok()?;
    let config = LogConfig {
        node: model::NodeId(1),
        site: "x".into(),
        sequence: Sequence::Packet,
    };
    let mut reader = LogReader::new(LogKind::of(&log)?, &config);
    let mut events = Vec::new();
    reader.feed(&log, &mut events, &mut |line| {
        eprintln!("line {}: {}", line.line, line.reason)
    });
    reader.finish(&mut events, &mut |_| {});
    Some(events)
}

fn capture_events(path: &Path) -> Option<Vec<Event>> {
    let mut source = Source::open(path).ok()?;
    let mut worker = Worker::new(WireConfig::default());
    let mut events = Vec::new();
    while let Ok(Some(frame)) = source.next() {
        worker.frame(&frame, &mut events);
    }
    worker.finish(&mut events);
    Some(events)
}

/// Facts of a capture's events; `header` octets of each packet are not those of IP.
fn gather(events: &[Event], number: usize, header: u64, out: &mut Facts) {
    let mut flows: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for event in events {
        let Some(link) = event.connection.as_deref() else {
            continue;
        };
        if let Body::Network(network) = &event.body {
            let sni = network.tls_sni.as_ref();
            if network.about == "flow" {
                flow_figures(link, network, &mut flows);
            } else if let (Some(sni), "tls" | "quic") = (sni, &*network.about) {
                let fact = format!("{number} {} {sni}", ends(link));
                out.entry("server name").or_default().insert(fact);
            }
        } else if let Body::Dns(dns) = &event.body {
            dns_names(number, link, dns, out);
        } else if let Body::Http(http) = &event.body {
            http_facts(number, link, http, out);
        }
    }
    for (flow, (packets, bytes)) in flows {
        let bytes = bytes.saturating_sub(packets * header);
        let flow = format!("{number} {flow}");
        let mut add = |kind, fact| out.entry(kind).or_default().insert(fact);
        add("flow packets", format!("{flow} {packets}"));
        add("flow bytes", format!("{flow} {bytes}"));
        add("flow ends", flow);
    }
}

/// The two ends whichever opened, and the protocol.
fn ends(link: &Connection) -> String {
    let end = |ip: Option<IpAddr>, port: Option<u16>| (ip, port.unwrap_or(0));
    let (a, b) = (
        end(link.src_ip, link.src_port),
        end(link.dst_ip, link.dst_port),
    );
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let show = |(ip, port): (Option<IpAddr>, u16)| match ip {
        Some(ip) => format!("{ip} {port}"),
        None => format!("? {port}"),
    };
    format!("{} {} {}", link.protocol, show(low), show(high))
}

fn flow_figures(link: &Connection, flow: &Network, flows: &mut BTreeMap<String, (u64, u64)>) {
    // Types of ICMP questions and answers stand in another order on both sides.
    if !matches!(link.protocol, 6 | 17) {
        return;
    }
    let sum = flows.entry(ends(link)).or_default();
    sum.0 += flow.packets.unwrap_or(0);
    sum.1 += flow.bytes.unwrap_or(0);
}

fn dns_names(number: usize, link: &Connection, dns: &Dns, out: &mut Facts) {
    if let (Some(name), "dns") = (&dns.query, &*link.app) {
        let kind = dns.query_type.as_deref().unwrap_or("");
        let fact = format!("{number} {} {name} {kind}", ends(link));
        out.entry("DNS name").or_default().insert(fact);
    }
}

fn http_facts(number: usize, link: &Connection, http: &Http, out: &mut Facts) {
    let ends = ends(link);
    if let Some(host) = &http.host {
        out.entry("HTTP host")
            .or_default()
            .insert(format!("{number} {ends} {host}"));
    }
    if let Some(code) = http.code {
        let path = http
            .path
            .as_ref()
            .and_then(|path| path.reveal())
            .map_or("", |path| path.1);
        let fact = format!("{number} {ends} {path} {code}");
        out.entry("HTTP path and status").or_default().insert(fact);
    }
}
