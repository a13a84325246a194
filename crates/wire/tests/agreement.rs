//! SSH, DHCP, LDAP, SMTP, SNMP, NTP, MQTT and Modbus of the recorded day, beside what tshark says.
//!
//! Those of the first ring are compared in `crates/vigie/tests/agreement.rs`, everything on all
//! captures by `./dev bench agreement`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "functions of a test, outside of its test functions"
)]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use model::class::{Body, Network};
use model::{Event, fact};

/// Wanted of both recall and precision, in percent.
const PERCENT: u64 = 99;

/// How often something was said.
#[derive(Default)]
struct Facts(BTreeMap<(&'static str, String), u64>);

impl Facts {
    fn say(&mut self, kind: &'static str, value: impl Into<String>, times: u64) {
        *self.0.entry((kind, value.into())).or_default() += times;
    }
}

/// The recorded day as a capture.
fn day() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packed = std::fs::read(root.join("lab/recorded/day.pcap.zst.xor")).unwrap();
    let packed: Vec<u8> = packed.into_iter().map(|octet| octet ^ 0xa5).collect();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (zst, plain) = (folder.join("agreement.zst"), folder.join("agreement.pcap"));
    std::fs::write(&zst, packed).unwrap();
    let mut zstd = Command::new("zstd");
    zstd.args(["-q", "-f", "-d", "--long=27"])
        .arg(&zst)
        .arg("-o")
        .arg(&plain);
    assert!(
        zstd.status()
            .expect("zstd is needed for this test")
            .success()
    );
    plain
}

/// What tshark is asked for.
const FIELDS: &[&str] = &[
    "ssh.protocol",
    "ssh.kex.hassh",
    "ssh.kex.hasshserver",
    "dhcp.option.dhcp",
    "dhcp.hw.mac_addr",
    "ldap.baseObject",
    "smtp.req.command",
    "snmp.data",
    "ntp.flags.mode",
    "ntp.stratum",
    "mqtt.topic",
    "modbus.func_code",
    "tcp.dstport",
];
/// Messages of DHCP, from 1 on.
const DHCP: &[&str] = &[
    "", "Discover", "Offer", "Request", "Decline", "Ack", "Nak", "Release",
];
/// Operations of SNMP.
const SNMP: &[&str] = &[
    "get", "get_next", "response", "set", "trap", "get_bulk", "inform", "trap", "report",
];

fn theirs(capture: &Path) -> Facts {
    let mut command = Command::new("tshark");
    command
        .arg("-n")
        .arg("-r")
        .arg(capture)
        .args(["-o", "tls.keylog_file:"]);
    command.args([
        "-Y",
        "ssh || dhcp || ldap || smtp || snmp || ntp || mqtt || modbus",
    ]);
    command.args(["-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("tshark is needed for this test");
    let mut facts = Facts::default();
    for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
        let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
        let cells: Vec<&str> = line.split('\t').collect();
        let values = |field: &str| {
            let at = FIELDS.iter().position(|known| *known == field).unwrap();
            cells
                .get(at)
                .map_or("", |cell| *cell)
                .split('|')
                .filter(|value| !value.is_empty())
        };
        for software in values("ssh.protocol") {
            facts.say("ssh", software.trim_start_matches("SSH-2.0-").trim(), 1);
        }
        values("ssh.kex.hassh").for_each(|hash| facts.say("hassh", hash, 1));
        values("ssh.kex.hasshserver").for_each(|hash| facts.say("hassh server", hash, 1));
        for (kind, mac) in values("dhcp.option.dhcp").zip(values("dhcp.hw.mac_addr")) {
            let kind: usize = kind.parse().unwrap();
            facts.say("dhcp", format!("{} {mac}", DHCP[kind]), 1);
        }
        values("ldap.baseObject").for_each(|base| facts.say("ldap search", base, 1));
        let mails = values("smtp.req.command")
            .filter(|verb| *verb == "DATA")
            .count();
        facts.say("mails", "", u64::try_from(mails).unwrap());
        values("snmp.data")
            .for_each(|pdu| facts.say("snmp", SNMP[pdu.parse::<usize>().unwrap()], 1));
        for (_, stratum) in values("ntp.flags.mode")
            .zip(values("ntp.stratum"))
            .filter(|(mode, _)| *mode == "4")
        {
            facts.say("ntp", stratum, 1);
        }
        values("mqtt.topic").for_each(|topic| facts.say("mqtt topic", topic, 1));
        let side = if values("tcp.dstport").any(|port| port == "502") {
            "modbus"
        } else {
            "modbus answer"
        };
        values("modbus.func_code").for_each(|code| facts.say(side, code, 1));
    }
    child.wait().unwrap();
    facts
}

fn ours(events: &[Event]) -> Facts {
    let mut facts = Facts::default();
    for event in events {
        match &event.body {
            Body::Ssh(ssh) => {
                let software = [&ssh.client_software, &ssh.server_software];
                software
                    .into_iter()
                    .flatten()
                    .for_each(|one| facts.say("ssh", &**one, 1));
                ssh.hassh
                    .iter()
                    .for_each(|hash| facts.say("hassh", &**hash, 1));
                ssh.hassh_server
                    .iter()
                    .for_each(|hash| facts.say("hassh server", &**hash, 1));
            }
            Body::Dhcp(dhcp) => {
                let kind = event.body.class().activity(event.meta.activity);
                let mac = dhcp
                    .client_mac
                    .map_or_else(String::new, |mac| mac.to_string());
                facts.say("dhcp", format!("{kind} {mac}"), 1);
            }
            Body::Email(_) => facts.say("mails", "", 1),
            Body::Ntp(ntp) => {
                let stratum = ntp
                    .stratum
                    .map_or_else(String::new, |stratum| stratum.to_string());
                facts.say("ntp", stratum, ntp.responses.unwrap_or(0));
            }
            Body::Network(network) => exchange(network, &mut facts),
            Body::Authentication(_)
            | Body::Http(_)
            | Body::Dns(_)
            | Body::Rdp(_)
            | Body::Smb(_)
            | Body::Ftp(_)
            | Body::Tunnel(_)
            | Body::Inventory(_)
            | Body::Medical(_) => {}
        }
    }
    facts
}

fn exchange(network: &Network, facts: &mut Facts) {
    let said = |wanted: &str| {
        let parts = network.facts.iter().filter_map(|one| fact::parts(one));
        parts
            .filter(|(_, key, _)| *key == wanted)
            .map(|(_, _, value)| value)
            .collect::<Vec<_>>()
    };
    let number = |wanted: &str| {
        said(wanted)
            .first()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0)
    };
    let object = network.object.as_ref().and_then(|object| object.reveal());
    let object = object.map_or("", |(_, clear)| clear);
    match (&*network.about, network.operation.as_deref()) {
        ("ldap", Some("search")) => {
            facts.say("ldap search", object.split('?').next().unwrap_or(""), 1);
        }
        ("snmp", _) => {
            for (name, count) in said("pdu").iter().filter_map(|one| one.rsplit_once(':')) {
                facts.say("snmp", name, count.parse().unwrap());
            }
        }
        ("mqtt", Some("publish")) => {
            facts.say("mqtt topic", object, network.object_count.unwrap_or(1));
        }
        ("modbus", _) => {
            let code = said("function").first().copied().unwrap_or("").to_owned();
            facts.say("modbus", code.clone(), number("requests"));
            facts.say("modbus answer", code, number("answers"));
        }
        _ => {}
    }
}

#[test]
fn the_day_s_services_read_as_tshark_reads_them() {
    let capture = day();
    let ours = ours(&support::events(&capture, None).0);
    let theirs = theirs(&capture);
    let mut kinds: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    let mut differences = Vec::new();
    let both = theirs
        .0
        .keys()
        .chain(ours.0.keys())
        .collect::<std::collections::BTreeSet<_>>();
    for key in both {
        let count = |facts: &Facts| facts.0.get(key).copied().unwrap_or(0);
        let (their, our) = (count(&theirs), count(&ours));
        let sum = kinds.entry(key.0).or_default();
        *sum = (sum.0 + their, sum.1 + our, sum.2 + their.min(our));
        if their != our {
            differences.push(format!("{key:?}: tshark {their}, vigie {our}"));
        }
    }
    println!("{kinds:?}");
    assert_eq!(kinds.len(), 11, "{kinds:?}");
    for (kind, (their, our, both)) in kinds {
        assert!(their > 0, "{kind}: tshark says nothing");
        let enough = both * 100 >= their.max(our) * PERCENT;
        assert!(
            enough,
            "{kind}: tshark {their}, vigie {our}, both {both}: {differences:#?}"
        );
    }
}
