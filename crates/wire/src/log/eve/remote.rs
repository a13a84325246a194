//! `ssh`, `rdp`, `snmp`: remote access and management.
//!
//! Enters: banners, negotiations, questions. Leaves: SSH activity, network activity. Refuses: SNMP
//! communities: only whether it is one of the factory's.
//! Source: Suricata user guide, "Event type: SSH", "RDP", "SNMP".

use model::class::{Network, Ssh};
use model::fact::Facts;
use model::{Sensitive, Text};

use super::super::fields::Fields;
use super::super::said::{FAILURE, SUCCESS, Said, TRAFFIC};
use super::from_service;

pub(super) fn ssh(ssh: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let (client, server) = (ssh.inner("client"), ssh.inner("server"));
    let body = Ssh {
        version: client
            .word("proto_version")
            .or_else(|| server.word("proto_version")),
        hassh: client.inner("hassh").word("hash"),
        hassh_server: server.inner("hassh").word("hash"),
        client_software: client.word("software_version"),
        server_software: server.word("software_version"),
        algorithms: client.inner("hassh").word("string"),
        ..Ssh::default()
    };
    out.push(Said::new(OPEN, body));
}

pub(super) fn rdp(rdp: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let client = rdp.inner("client");
    let mut facts = Facts::of("rdp");
    facts.maybe("protocol", rdp.word("protocol"));
    facts.maybe("error", rdp.word("error"));
    for name in rdp.words("client_protocols") {
        facts.add("client_protocol", name);
    }
    for name in rdp.words("server_supports") {
        facts.add("server_supports", name);
    }
    for name in rdp.words("channels") {
        facts.add("channel", name);
    }
    facts.maybe("client_name", client.word("client_name"));
    facts.maybe("client_build", client.word("build"));
    facts.maybe("client_version", client.word("version"));
    facts.maybe("keyboard", client.word("keyboard_layout"));
    let failed = rdp.has("error") || rdp.text("error_code").is_some();
    let body = Network {
        about: Text::Borrowed("rdp"),
        operation: rdp.word("event_type"),
        object: rdp.person("cookie"),
        facts: facts.take(),
        ..Network::default()
    };
    let status = if failed { FAILURE } else { 0 };
    out.push(Said::new(TRAFFIC, body).status(status, rdp.word("error")));
}

pub(super) fn snmp(snmp: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let kind = snmp.text("pdu_type").unwrap_or("");
    let mut facts = Facts::of("snmp");
    facts.maybe("version", snmp.word("version"));
    facts.maybe("community", snmp.text("community").map(community));
    facts.maybe("pdu", snmp.word("pdu_type"));
    facts.maybe("error", snmp.word("error"));
    for object in snmp.words("vars") {
        facts.add("object", object);
    }
    let operation = match kind {
        "set_request" => "set",
        "trap_v1" | "trap_v2" | "inform_request" | "report" => "notify",
        _ => "query",
    };
    let body = Network {
        about: Text::Borrowed("snmp"),
        operation: Some(Text::Borrowed(operation)),
        object: snmp.text("usm").map(Sensitive::text),
        facts: facts.take(),
        ..Network::default()
    };
    let status = match (kind, snmp.has("error")) {
        ("response", false) => SUCCESS,
        ("response", true) => FAILURE,
        _ => 0,
    };
    let answer = from_service(record, &[161]);
    out.push(Said::new(TRAFFIC, body).status(status, None).answer(answer));
}

/// Whether a community is one that devices come with; the community itself is a password.
pub(in crate::log) fn community(text: &str) -> &'static str {
    let known = ["public", "private"];
    if known.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        "default"
    } else {
        "custom"
    }
}

/// OCSF SSH activity: open.
const OPEN: u16 = 1;
