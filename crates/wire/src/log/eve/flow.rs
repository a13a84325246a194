//! `flow`: a conversation's figures.
//!
//! Enters: `flow`, `tcp`. Leaves: network activity about a flow. Refuses: nothing.
//! Source: Suricata user guide, "Event type: Flow".

use model::Text;
use model::class::Network;

use super::super::fields::Fields;
use super::super::names::flags;
use super::super::said::{FAILURE, SUCCESS, Said, TRAFFIC};

pub(super) fn flow(flow: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let tcp = record.inner("tcp");
    let octet = |key| {
        let text = tcp.text(key)?;
        u8::from_str_radix(text, 16).ok()
    };
    let (ours, theirs) = (octet("tcp_flags_ts"), octet("tcp_flags_tc"));
    let (start, end) = (flow.time("start"), flow.time("end"));
    let (out_packets, in_packets) = (flow.number("pkts_toserver"), flow.number("pkts_toclient"));
    let (out_bytes, in_bytes) = (flow.number("bytes_toserver"), flow.number("bytes_toclient"));
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    let state = flow.text("state").unwrap_or("");
    let reset = ours.unwrap_or(0) | theirs.unwrap_or(0);
    let reset = reset & RST != 0;
    let reason = match flow.text("reason") {
        _ if reset => "reset",
        _ if state == "closed" && record.has("tcp") => "closed",
        Some("shutdown") => "end_of_capture",
        Some("forced") => "evicted",
        _ => "timeout",
    };
    let (activity, status) = match (record.has("tcp"), state) {
        (false, _) => (TRAFFIC, 0),
        (true, _) if reset => (RESET, 0),
        (true, "closed") => (CLOSE, SUCCESS),
        (true, "new") if in_packets == Some(0) => (FAIL, FAILURE),
        (true, _) => (TRAFFIC, 0),
    };
    let body = Network {
        about: Text::Borrowed("flow"),
        duration_ms: start
            .zip(end)
            .map(|(start, end)| end.0.saturating_sub(start.0)),
        start,
        end,
        bytes: sum(out_bytes, in_bytes),
        bytes_in: in_bytes,
        bytes_out: out_bytes,
        packets: sum(out_packets, in_packets),
        packets_in: in_packets,
        packets_out: out_packets,
        end_reason: Some(Text::Borrowed(reason)),
        tcp_flags_out: ours.map(flags),
        tcp_flags_in: theirs.map(flags),
        ..Network::default()
    };
    out.push(Said::new(activity, body).status(status, None).at(end));
}

/// TCP flag.
const RST: u8 = 4;
/// OCSF network activities.
const CLOSE: u16 = 2;
const RESET: u16 = 3;
const FAIL: u16 = 4;
