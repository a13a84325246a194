//! `conn`: a conversation's figures.
//!
//! Enters: `conn`. Leaves: network activity about a flow. Refuses: nothing. Octets are those of IP
//! packets where Zeek counted them, else those of payload.
//! Source: Zeek documentation, "conn.log".

use model::class::Network;
use model::fact::Facts;
use model::{Millis, Text};

use super::super::fields::Fields;
use super::super::names::protocol;
use super::super::said::{FAILURE, SUCCESS, Said, TRAFFIC};
use super::super::time::span_ms;

pub(super) fn conn(conn: Fields<'_>, out: &mut Vec<Said>) {
    let duration = conn.float("duration").and_then(span_ms);
    let start = conn.time("ts");
    let end = start.map(|start| Millis(start.0.saturating_add(duration.unwrap_or(0))));
    let octets = |ip, payload| conn.number(ip).or_else(|| conn.number(payload));
    let bytes_out = octets("orig_ip_bytes", "orig_bytes");
    let bytes_in = octets("resp_ip_bytes", "resp_bytes");
    let (packets_out, packets_in) = (conn.number("orig_pkts"), conn.number("resp_pkts"));
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    let tcp = conn.text("proto").map(protocol) == Some(6);
    let (activity, status, reason) = end_of(tcp, conn.text("conn_state").unwrap_or(""));
    let mut facts = Facts::of("zeek");
    facts.maybe("conn_state", conn.word("conn_state"));
    facts.maybe("history", conn.word("history"));
    let body = Network {
        about: Text::Borrowed("flow"),
        duration_ms: Some(duration.unwrap_or(0)),
        start,
        end,
        bytes: sum(bytes_out, bytes_in),
        bytes_in,
        bytes_out,
        packets: sum(packets_out, packets_in),
        packets_in,
        packets_out,
        end_reason: Some(Text::Borrowed(reason)),
        gap_bytes: conn.number("missed_bytes").filter(|missed| *missed > 0),
        facts: facts.take(),
        ..Network::default()
    };
    out.push(Said::new(activity, body).status(status, None).at(end));
}

/// OCSF activity, status and reason of an end that Zeek calls by one word.
fn end_of(tcp: bool, state: &str) -> (u16, u16, &'static str) {
    match state {
        _ if !tcp => (TRAFFIC, 0, "timeout"),
        "SF" => (2, SUCCESS, "closed"),
        "S0" => (4, FAILURE, "timeout"),
        "REJ" => (5, FAILURE, "reset"),
        "RSTO" | "RSTR" | "RSTOS0" | "RSTRH" => (3, 0, "reset"),
        _ => (TRAFFIC, 0, "timeout"),
    }
}
