//! Every shared capture, when these are present: what is recognised, what is told, what a key log
//! opens.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Event;
use model::class::Body;
use support::{dump, events, shared, walk};
use vigie_wire::KeyLog;

/// Events of all captures, by class, or by what a Network Activity is about: at least so many.
#[rustfmt::skip]
const TOLD: &[(&str, u64)] = &[
    ("authentication", 251),
    ("bacnet", 2038),
    ("dhcp_activity", 580),
    ("dns_activity", 1701),
    ("email_activity", 71),
    ("flow", 4371),
    ("flow with encrypted.sizes", 153),
    ("flow with ssh.looks_like", 40),
    ("ftp_activity", 2120),
    ("http_activity", 472),
    ("imap", 3),
    ("inventory_info", 141),
    ("ldap", 27),
    ("medical_exchange_activity", 340),
    ("modbus", 107),
    ("mqtt", 264),
    ("mysql", 23),
    ("ntp_activity", 40),
    ("pop3", 10),
    ("postgresql", 10),
    ("quic", 37),
    ("s7comm", 66),
    ("smb_activity", 2264),
    ("smtp", 68),
    ("snmp", 34),
    ("socks", 12),
    ("ssdp", 19),
    ("ssh_activity", 107),
    ("syslog", 3),
    ("tds", 1),
    ("tls", 270),
    ("tunnel_activity", 83),
    ("websocket", 11),
];

#[test]
fn every_capture_is_told_needs_shared() {
    let Some(folder) = shared() else {
        return;
    };
    let (events, stats) = dump(&walk(&folder));
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        let kind = if let Body::Network(network) = &event.body {
            network.about.to_string()
        } else {
            event.body.class().name.to_owned()
        };
        if let Body::Network(network) = &event.body
            && kind == "flow"
        {
            for what in ["encrypted.sizes", "ssh.looks_like"] {
                let has = network.facts.iter().any(|fact| fact.starts_with(what));
                *told.entry(format!("flow with {what}")).or_default() += u64::from(has);
            }
        }
        *told.entry(kind).or_default() += 1;
    }
    let mut problems: BTreeMap<&str, u64> = BTreeMap::new();
    for (code, count) in stats.iter().flat_map(|stats| &stats.problems) {
        *problems.entry(code).or_default() += count;
    }
    println!("told {told:?}\nproblems {problems:?}");
    for (kind, least) in TOLD {
        let found = told.get(*kind).copied().unwrap_or(0);
        assert!(found >= *least, "{kind}: {found}, was {least}");
    }
    for protocol in ["gre", "vxlan"] {
        let seen = |stats: &vigie_wire::Stats| stats.protocols.contains_key(protocol);
        assert!(stats.iter().any(seen), "{protocol}");
    }
}

#[test]
fn a_key_log_opens_the_hospital_needs_shared() {
    let Some(folder) = shared() else {
        return;
    };
    let mut keys = KeyLog::default();
    keys.add(&std::fs::read(folder.join("minihospital.keylog")).unwrap());
    let (events, stats) = events(&folder.join("minihospital.pcap"), Some(Arc::new(keys)));
    let mut opened: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        if event.meta.labels.iter().any(|label| label == "decrypted") {
            let app = event.connection.as_ref().map_or("", |c| &c.app).to_owned();
            *opened.entry(app).or_default() += 1;
        }
    }
    let hello = |event: &&Event| matches!(&event.body, Body::Network(n) if n.about == "tls");
    let handshakes = events.iter().filter(hello).count();
    println!(
        "handshakes {handshakes}, decrypted {opened:?}, anomalies {:?}",
        stats.anomalies
    );
    assert!(opened.get("http").is_some_and(|count| *count > 0));
    assert!(opened.get("http2").is_some_and(|count| *count > 0));
    assert!(!stats.anomalies.contains_key("tls-decrypt-failed"));
}
