//! A flow as an event.
//!
//! Enters: a datagram's head and a [`Flow`]. Leaves: a record. Refuses: flows without addresses.
//! Octets are those of IP packets. Sampled figures are multiplied by the interval, which is told.
//! Source: `model::class::Network`.

use model::class::Network;
use model::fact::Facts;
use model::{Connection, Millis, Text};

use super::super::names::flags;
use super::super::said::{Record, SUCCESS, Said, TRAFFIC};
use super::Head;
use super::record::{Flow, Way};

/// The event of a flow.
pub(super) fn record(head: &Head, flow: &Flow) -> Option<Record> {
    let (src, dst) = (flow.src?, flow.dst?);
    let icmp = matches!(flow.protocol, ICMP | ICMP6);
    let ported = matches!(flow.protocol, TCP | UDP | SCTP);
    // Version 5 writes type and code of ICMP into the destination port.
    let both = flow
        .icmp
        .or_else(|| flow.dst_port.map(u16::to_be_bytes).map(|[t, c]| (t, c)));
    let both = both.filter(|_| icmp);
    let (first, last) = times(head, flow);
    let connection = Connection {
        src_ip: Some(src),
        src_port: both.map_or(flow.src_port.filter(|_| ported), |(kind, _)| {
            Some(kind.into())
        }),
        src_mac: flow.src_mac,
        dst_ip: Some(dst),
        dst_port: both.map_or(flow.dst_port.filter(|_| ported), |(_, code)| {
            Some(code.into())
        }),
        dst_mac: flow.dst_mac,
        protocol: u16::from(flow.protocol),
        vlan: flow.vlan,
        ..Connection::default()
    };
    Some(Record {
        time: last,
        label: Text::Borrowed(match head.version {
            5 => "log:netflow/v5",
            9 => "log:netflow/v9",
            _ => "log:netflow/ipfix",
        }),
        connection,
        said: vec![said(head, flow, first, last)],
    })
}

fn said(head: &Head, flow: &Flow, first: Millis, last: Millis) -> Said {
    let sampling = flow.sampling.filter(|n| *n > 1).unwrap_or(head.sampling);
    let times = u64::from(sampling.max(1));
    let scaled = |count: Option<u64>| count.map(|count| count.saturating_mul(times));
    let (out, back) = (flow.out, flow.back);
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    let tcp = flow.protocol == TCP;
    let (reason, activity, status) = end_of(tcp, flow.end, out, back);
    let mut facts = Facts::of("netflow");
    facts.add("exporter", head.exporter);
    facts.maybe("domain", (head.domain > 0).then_some(head.domain));
    facts.maybe("input", flow.input);
    facts.maybe("output", flow.output);
    facts.maybe("sampling", (times > 1).then(|| format!("1:{times}")));
    let body = Network {
        about: Text::Borrowed("flow"),
        duration_ms: Some(last.0.saturating_sub(first.0)),
        start: Some(first),
        end: Some(last),
        bytes: scaled(sum(out.octets, back.octets)),
        bytes_in: scaled(back.octets),
        bytes_out: scaled(out.octets),
        packets: scaled(sum(out.packets, back.packets)),
        packets_in: scaled(back.packets),
        packets_out: scaled(out.packets),
        end_reason: Some(Text::Borrowed(reason)),
        tcp_flags_out: out.flags.filter(|_| tcp).map(flags),
        tcp_flags_in: back.flags.filter(|_| tcp).map(flags),
        facts: facts.take(),
        ..Network::default()
    };
    Said::new(activity, body).status(status, None)
}

/// Reason, OCSF activity and status. Source: IANA flowEndReason.
fn end_of(tcp: bool, end: Option<u8>, out: Way, back: Way) -> (&'static str, u16, u16) {
    let seen = out.flags.unwrap_or(0) | back.flags.unwrap_or(0);
    match end {
        Some(2) => ("ongoing", TRAFFIC, 0),
        Some(4 | 5) => ("evicted", TRAFFIC, 0),
        _ if tcp && seen & RST != 0 => ("reset", RESET, 0),
        _ if tcp && seen & FIN != 0 => ("closed", CLOSE, SUCCESS),
        _ => ("timeout", TRAFFIC, 0),
    }
}

/// First and last packet, as exactly as the record allows.
fn times(head: &Head, flow: &Flow) -> (Millis, Millis) {
    let by_uptime = |at: Option<u32>| match (at, head.uptime, flow.started) {
        (Some(at), Some(up), _) => {
            // The uptime wraps after 49 days; what seems to lie ahead by little does.
            let back = up.wrapping_sub(at).cast_signed();
            Some(head.sent.0.saturating_sub(i64::from(back)))
        }
        (Some(at), None, Some(started)) => Some(started.saturating_add(i64::from(at))),
        _ => None,
    };
    let last = flow.last.or_else(|| by_uptime(flow.last_up));
    let first = flow.first.or_else(|| by_uptime(flow.first_up));
    let duration = flow.duration.unwrap_or(0);
    let (first, last) = match (first, last) {
        (Some(first), Some(last)) => (first, last),
        (Some(first), None) => (first, first.saturating_add(duration)),
        (None, Some(last)) => (last.saturating_sub(duration), last),
        (None, None) => (head.sent.0, head.sent.0),
    };
    (Millis(first.min(last)), Millis(last))
}

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;
/// TCP flags.
const FIN: u8 = 1;
const RST: u8 = 4;
/// OCSF network activities.
const CLOSE: u16 = 2;
const RESET: u16 = 3;
