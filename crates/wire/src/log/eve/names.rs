//! `dns`, `mdns`, `llmnr`, `dhcp`, `ntp`: names, addresses, clocks.
//!
//! Enters: versions 1 to 3 of the DNS records, the other records. Leaves: DNS, DHCP, NTP activity.
//! Refuses: nothing. Source: Suricata user guide, "Event type: DNS", "DHCP".

use model::Text;
use model::class::{Dhcp, Dns, Ntp};
use model::limit::LIST_ITEMS_MAX;

use super::super::fields::{Fields, owned, word};
use super::super::said::{FAILURE, OTHER, SUCCESS, Said};
use super::from_service;

pub(super) fn dns(dns: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let response = matches!(dns.text("type"), Some("answer" | "response"));
    let base = Dns {
        packet_uid: dns.narrow("id"),
        opcode: dns.narrow("opcode"),
        query_class: dns.word("rrclass"),
        ..Dns::default()
    };
    let mut bodies: Vec<Dns> = Vec::new();
    let questions = dns.items("queries");
    if questions.is_empty() {
        bodies.push(asked(dns, base));
    } else {
        let each = questions.iter();
        bodies.extend(each.map(|question| asked(Fields::of_value(question), base.clone())));
    }
    if !response {
        let events = bodies.into_iter().map(|body| Said::new(QUERY, body));
        return out.extend(events);
    }
    let rcode = dns.word("rcode");
    let status = match rcode.as_deref() {
        None => 0,
        Some("NOERROR") => SUCCESS,
        Some(_) => FAILURE,
    };
    // Port numbers tell the side: where a response stands depends on Suricata's version.
    let answer = from_service(record, &[53, 137, 5353, 5355]);
    for (index, mut body) in bodies.into_iter().enumerate() {
        body.rcode_name.clone_from(&rcode);
        body.rcode = rcode.as_deref().and_then(rcode_number);
        body.flags = set_flags(dns);
        if index == 0 {
            answers(dns, &mut body);
        }
        let said = Said::new(RESPONSE, body).status(status, rcode.clone());
        out.push(said.answer(answer));
    }
}

fn asked(question: Fields<'_>, base: Dns) -> Dns {
    let name = question.lower("rrname");
    Dns {
        query: name.map(|name| owned(name.trim_end_matches('.'))),
        query_type: question.word("rrtype"),
        ..base
    }
}

fn answers(dns: Fields<'_>, body: &mut Dns) {
    for answer in dns.items("answers") {
        let answer = Fields::of_value(answer);
        let Some(kind) = answer.word("rrtype") else {
            continue;
        };
        let data = answer.word("rdata").unwrap_or_else(|| parts(answer, &kind));
        body.answer_data.push(data);
        body.answer_type.push(kind);
        body.answer_ttl.push(answer.number("ttl").unwrap_or(0));
    }
    let more = dns.count("answers").saturating_sub(LIST_ITEMS_MAX);
    body.records_omitted = u32::try_from(more).ok().filter(|more| *more > 0);
    // Version 1 has one record for each answer.
    if body.answer_data.is_empty()
        && let (Some(data), Some(kind)) = (dns.word("rdata"), dns.word("rrtype"))
    {
        body.answer_data.push(data);
        body.answer_type.push(kind);
        body.answer_ttl.push(dns.number("ttl").unwrap_or(0));
    }
}

/// Data of several fields (`srv`, `soa`, `sshfp`), in the order of their presentation form.
fn parts(answer: Fields<'_>, kind: &str) -> Text {
    let key = kind.to_ascii_lowercase();
    let order: &[&str] = match kind {
        "SRV" => &["priority", "weight", "port", "name"],
        "SOA" => &[
            "mname", "rname", "serial", "refresh", "retry", "expire", "minimum",
        ],
        "SSHFP" => &["algo", "type", "fingerprint"],
        _ => &[],
    };
    let inner = answer.inner(&key);
    let found: Vec<Text> = order.iter().filter_map(|key| inner.word(key)).collect();
    Text::Owned(found.join(" "))
}

fn set_flags(dns: Fields<'_>) -> Vec<Text> {
    const NAMES: [(&str, &str); 6] = [
        ("aa", "AA"),
        ("tc", "TC"),
        ("rd", "RD"),
        ("ra", "RA"),
        ("ad", "AD"),
        ("cd", "CD"),
    ];
    let set = NAMES.iter().filter(|(key, _)| dns.flag(key) == Some(true));
    set.map(|(_, name)| Text::Borrowed(*name)).collect()
}

/// Source: IANA DNS RCODEs.
fn rcode_number(name: &str) -> Option<u16> {
    const NAMES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
        "NXRRSET", "NOTAUTH", "NOTZONE",
    ];
    let at = NAMES.iter().position(|known| *known == name)?;
    u16::try_from(at).ok()
}

pub(super) fn dhcp(dhcp: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let activity = match dhcp.text("dhcp_type").unwrap_or("") {
        "discover" => 1,
        "offer" => 2,
        "request" => 3,
        "decline" => 4,
        "ack" => 5,
        "nak" | "nack" => 6,
        "release" => 7,
        "inform" => 8,
        _ => OTHER,
    };
    let reply = dhcp.text("type") == Some("reply");
    let given = |key| dhcp.ip(key).filter(|ip| !ip.is_unspecified());
    let body = Dhcp {
        transaction: dhcp.number("id").map(|id| Text::Owned(format!("{id:08x}"))),
        lease_s: dhcp.number("lease_time"),
        relay: given("relay_ip"),
        client_mac: dhcp.mac("client_mac"),
        client_ip: given("assigned_ip").or_else(|| given("client_ip")),
        requested_ip: given("requested_ip"),
        server_ip: reply.then(|| record.ip("src_ip")).flatten(),
        host_name: dhcp.word("hostname"),
        vendor_class: dhcp.word("vendor_class_identifier"),
        routers: dhcp.ips("routers"),
        name_servers: dhcp.ips("dns_servers"),
        ..Dhcp::default()
    };
    let status = match activity {
        5 => SUCCESS,
        4 | 6 => FAILURE,
        _ => 0,
    };
    let answer = from_service(record, &[67]);
    out.push(
        Said::new(activity, body)
            .status(status, None)
            .answer(answer),
    );
}

pub(super) fn ntp(ntp: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let mode = ntp.narrow::<u16>("mode").unwrap_or(0);
    let body = Ntp {
        version: ntp.word("version").unwrap_or_default(),
        stratum: ntp.narrow("stratum"),
        stratum_id: ntp.narrow("stratum").map(stratum_group),
        reference: ntp.value("reference_id").and_then(word),
        ..Ntp::default()
    };
    let activity = if (1..=7).contains(&mode) { mode } else { OTHER };
    let answer = from_service(record, &[123]);
    out.push(Said::new(activity, body).answer(answer));
}

/// Strata as OCSF groups them.
pub(in crate::log) const fn stratum_group(stratum: u16) -> u16 {
    match stratum {
        0 => 0,
        1 => 1,
        2..=15 => 2,
        16 => 16,
        _ => 17,
    }
}

/// OCSF DNS activities.
const QUERY: u16 = 1;
const RESPONSE: u16 = 2;
