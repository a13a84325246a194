//! `dns`, `dhcp`, `ntp`: names, addresses, clocks.
//!
//! Enters: exchanges. Leaves: DNS, DHCP, NTP activity. Refuses: nothing.
//! Source: Zeek documentation, "dns.log", "dhcp.log", "ntp.log".

use model::class::{Dhcp, Dns, Ntp};
use model::limit::LIST_ITEMS_MAX;
use model::{Connection, Millis, Text};

use super::super::eve::stratum_group;
use super::super::fields::{Fields, owned};
use super::super::said::{FAILURE, OTHER, SUCCESS, Said};
use super::super::time::span_ms;

pub(super) fn dns(dns: Fields<'_>, out: &mut Vec<Said>) {
    let flag = |key, name| (dns.flag(key) == Some(true)).then_some(Text::Borrowed(name));
    let rcode = dns.word("rcode_name");
    let rtt = dns.float("rtt").and_then(span_ms);
    let asked = dns.time("ts");
    let ttls = dns.items("TTLs").iter();
    let name = dns.lower("query");
    let data = dns.words("answers");
    let mut body = Dns {
        query: name.map(|name| owned(name.trim_end_matches('.'))),
        query_type: dns.word("qtype_name"),
        query_class: dns.text("qclass_name").map(class),
        packet_uid: dns.narrow("trans_id"),
        rcode: dns.narrow("rcode"),
        rcode_name: rcode.clone(),
        query_time: asked,
        response_time: asked
            .zip(rtt)
            .map(|(at, rtt)| Millis(at.0.saturating_add(rtt))),
        answer_ttl: ttls
            .filter_map(serde_json::Value::as_f64)
            .map(whole)
            .collect(),
        ..Dns::default()
    };
    // Zeek does not say the type of each answer; that of addresses can be seen.
    body.answer_type = data.iter().map(|data| kind(data)).collect();
    let more = dns.count("answers").saturating_sub(LIST_ITEMS_MAX);
    body.records_omitted = u32::try_from(more).ok().filter(|more| *more > 0);
    body.answer_data = data;
    body.flags = [
        flag("AA", "AA"),
        flag("TC", "TC"),
        flag("RD", "RD"),
        flag("RA", "RA"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (activity, status) = match rcode.as_deref() {
        None => (QUERY, 0),
        Some("NOERROR") => (RESPONSE, SUCCESS),
        Some(_) => (RESPONSE, FAILURE),
    };
    out.push(Said::new(activity, body).status(status, rcode));
}

fn class(name: &str) -> Text {
    match name {
        "C_INTERNET" => Text::Borrowed("IN"),
        "C_CHAOS" => Text::Borrowed("CH"),
        "C_ANY" => Text::Borrowed("ANY"),
        other => owned(other),
    }
}

fn kind(data: &str) -> Text {
    match data.parse() {
        Ok(std::net::IpAddr::V4(_)) => Text::Borrowed("A"),
        Ok(std::net::IpAddr::V6(_)) => Text::Borrowed("AAAA"),
        Err(_) => Text::Borrowed("unknown"),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and times to live have 31 bits"
)]
fn whole(seconds: f64) -> u64 {
    seconds.max(0.0) as u64
}

pub(super) fn dhcp(dhcp: Fields<'_>, out: &mut Vec<Said>) {
    let last = dhcp.words("msg_types").pop().unwrap_or_default();
    let activity = match last.as_ref() {
        "DISCOVER" => 1,
        "OFFER" => 2,
        "REQUEST" => 3,
        "DECLINE" => 4,
        "ACK" => 5,
        "NAK" => 6,
        "RELEASE" => 7,
        "INFORM" => 8,
        _ => OTHER,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the conversion saturates, and a lease has 32 bits"
    )]
    let lease = dhcp.float("lease_time").map(|seconds| seconds as u64);
    let body = Dhcp {
        lease_s: lease,
        client_mac: dhcp.mac("mac"),
        client_ip: dhcp.ip("assigned_addr").or_else(|| dhcp.ip("client_addr")),
        requested_ip: dhcp.ip("requested_addr"),
        server_ip: dhcp.ip("server_addr"),
        host_name: dhcp.word("host_name").or_else(|| dhcp.word("client_fqdn")),
        domain: dhcp.word("domain"),
        vendor_class: dhcp.word("client_software"),
        ..Dhcp::default()
    };
    let status = match activity {
        5 => SUCCESS,
        4 | 6 => FAILURE,
        _ => 0,
    };
    out.push(Said::new(activity, body).status(status, None));
}

/// dhcp.log sums several conversations and has members of its own for the ends.
pub(super) fn dhcp_ends(dhcp: Fields<'_>, out: &mut Connection) {
    out.src_ip = out.src_ip.or_else(|| dhcp.ip("client_addr"));
    out.dst_ip = out.dst_ip.or_else(|| dhcp.ip("server_addr"));
    out.src_port = out.src_port.or(Some(68));
    out.dst_port = out.dst_port.or(Some(67));
    out.src_mac = out.src_mac.or_else(|| dhcp.mac("mac"));
    out.flow = dhcp.words("uids").into_iter().next();
}

pub(super) fn ntp(ntp: Fields<'_>, out: &mut Vec<Said>) {
    let mode: u16 = ntp.narrow("mode").unwrap_or(0);
    let log2 = |key| {
        // Zeek writes the seconds themselves.
        let seconds = ntp.float(key).filter(|seconds| *seconds > 0.0)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm of a finite number"
        )]
        let power = seconds.log2().round() as i64;
        Some(power)
    };
    let body = Ntp {
        version: ntp.word("version").unwrap_or_default(),
        stratum: ntp.narrow("stratum"),
        stratum_id: ntp.narrow("stratum").map(stratum_group),
        precision: log2("precision"),
        poll: log2("poll"),
        delay: ntp.float("root_delay").and_then(span_ms),
        dispersion: ntp.float("root_disp").and_then(span_ms),
        reference: ntp.word("ref_id"),
        ..Ntp::default()
    };
    let activity = if (1..=7).contains(&mode) { mode } else { OTHER };
    out.push(Said::new(activity, body).answer(false));
}

/// OCSF DNS activities.
const QUERY: u16 = 1;
const RESPONSE: u16 = 2;
