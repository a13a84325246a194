//! `ssh`, `rdp`, `dce_rpc`, `snmp`.
//!
//! Enters: remote access and management. Leaves: SSH activity, Authentication, network activity.
//! Refuses: SNMP communities: only whether it is one of the factory's.
//! Source: Zeek documentation, "ssh.log", "rdp.log", "dce_rpc.log", "snmp.log".

use model::Text;
use model::class::{Authentication, Network, Ssh};
use model::fact::Facts;

use super::super::eve::community;
use super::super::fields::{Fields, owned};
use super::super::said::{FAILURE, SUCCESS, Said, TRAFFIC};

pub(super) fn ssh(ssh: Fields<'_>, out: &mut Vec<Said>) {
    let success = ssh.flag("auth_success");
    let body = Ssh {
        version: ssh.number("version").map(|version| match version {
            1 => Text::Borrowed("1.5"),
            _ => Text::Borrowed("2.0"),
        }),
        hassh: ssh.word("hassh"),
        hassh_server: ssh.word("hasshServer"),
        client_software: ssh.text("client").map(software),
        server_software: ssh.text("server").map(software),
        algorithms: ssh.word("hasshAlgorithms"),
        encrypted: ssh.has("cipher_alg").then_some(true),
        ..Ssh::default()
    };
    out.push(Said::new(OPEN, body).status(u16::from(ssh.has("cipher_alg")), None));
    let attempts = ssh.number("auth_attempts").filter(|attempts| *attempts > 0);
    if success.is_none() && attempts.is_none() {
        return;
    }
    let mut facts = Facts::of("ssh");
    facts.maybe("attempts", attempts);
    // Zeek infers it from the sizes of encrypted packets.
    facts.add("inferred", true);
    let login = Authentication {
        auth_protocol: Some(Text::Borrowed("SSH")),
        is_cleartext: Some(false),
        is_remote: Some(true),
        service: Some(Text::Borrowed("ssh")),
        facts: facts.take(),
        ..Authentication::default()
    };
    out.push(Said::new(LOGON, login).outcome(success, None));
}

/// `SSH-2.0-OpenSSH_9.2`: the part after the version.
fn software(banner: &str) -> Text {
    owned(banner.splitn(3, '-').nth(2).unwrap_or(banner))
}

pub(super) fn rdp(rdp: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("rdp");
    facts.maybe("protocol", rdp.word("security_protocol"));
    facts.maybe("result", rdp.word("result"));
    for name in rdp.words("client_channels") {
        facts.add("channel", name);
    }
    facts.maybe("keyboard", rdp.word("keyboard_layout"));
    facts.maybe("client_build", rdp.word("client_build"));
    facts.maybe("client_name", rdp.word("client_name"));
    facts.maybe("encryption", rdp.word("encryption_level"));
    facts.maybe("certificate", rdp.word("cert_type"));
    let body = Network {
        about: Text::Borrowed("rdp"),
        operation: Some(Text::Borrowed("connect")),
        object: rdp.person("cookie"),
        facts: facts.take(),
        ..Network::default()
    };
    let status = match rdp.text("result") {
        Some("Success" | "Succeed" | "encrypted") => SUCCESS,
        Some(result) if result.contains("ail") => FAILURE,
        _ => 0,
    };
    out.push(Said::new(TRAFFIC, body).status(status, rdp.word("result")));
}

pub(super) fn dce_rpc(rpc: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("dcerpc");
    facts.maybe("endpoint", rpc.word("endpoint"));
    facts.maybe("pipe", rpc.word("named_pipe"));
    let body = Network {
        about: Text::Borrowed("dcerpc"),
        operation: rpc.word("operation"),
        facts: facts.take(),
        ..Network::default()
    };
    out.push(Said::new(TRAFFIC, body));
}

pub(super) fn snmp(snmp: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("snmp");
    facts.maybe("version", snmp.word("version"));
    facts.maybe("community", snmp.text("community").map(community));
    facts.maybe("description", snmp.word("display_string"));
    facts.maybe("up_since", snmp.time("up_since").map(|time| time.0));
    let count = |key| snmp.number(key).unwrap_or(0);
    let names = [
        ("get_requests", "get"),
        ("get_bulk_requests", "get_bulk"),
        ("get_responses", "response"),
        ("set_requests", "set"),
    ];
    for (key, name) in names.iter().filter(|(key, _)| count(key) > 0) {
        facts.add("pdu", format_args!("{name}:{}", count(key)));
    }
    let sets = count("set_requests");
    let body = Network {
        about: Text::Borrowed("snmp"),
        operation: Some(Text::Borrowed(if sets > 0 { "set" } else { "query" })),
        object_count: Some(
            names
                .iter()
                .map(|(key, _)| count(key))
                .fold(0, u64::saturating_add),
        ),
        facts: facts.take(),
        ..Network::default()
    };
    let answered = count("get_responses") > 0;
    out.push(Said::new(TRAFFIC, body).outcome(answered.then_some(true), None));
}

/// OCSF activities.
const OPEN: u16 = 1;
const LOGON: u16 = 1;
