//! The live sensor on the switch of the lab, beside `vigie read` of the capture of that run: the
//! same events, no drop; and the inventory that came of it, as the console shows it.
//!
//! CI runs a few quiet seconds of the hospital, `./dev soak lab` a whole minute with its intruder.
//! Needs root and the programs of the lab (`docs/howto/run-the-lab.md`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    reason = "a failing step is a failing test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use capture::file::Source;
use serde_json::Value;
use support::{Running, Session, binary, query, root, run, stdout, vigie};

/// Seconds of the benign loops in CI; `VIGIE_LAB_SECONDS` asks for more, and for the attacks.
const SECONDS: u64 = 12;
/// Wanted of each class with enough events, both ways, in percent.
const PERCENT: f64 = 99.0;
/// Classes with fewer events are judged by the number that differs.
const FEW: u64 = 100;
const DIFFERENT_MAX: u64 = 1;
const LAN_HOSTS: usize = 20;
/// The stamps of two sockets on one packet differ by less.
const CLOCKS_MS: i64 = 3;

const CLASSES: &[&str] = &[
    "network_activity",
    "dns_activity",
    "http_activity",
    "smb_activity",
    "medical_exchange_activity",
    "dhcp_activity",
    "ssh_activity",
];

/// What a clock, a node or a buffer decides, not the wire.
const NOT_FACTS: &[&str] = &[
    "uid",
    "seq",
    "node",
    "flow",
    "logged_time",
    "time",
    "start_time",
    "end_time",
    "query_time",
    "response_time",
];

/// Facts of a row as text: connection and protocol, without clocks.
fn fact(row: &Value) -> String {
    let mut row = row.as_object().unwrap().clone();
    row.retain(|name, _| !NOT_FACTS.contains(&name.as_str()) && !name.ends_with("_ms"));
    // Whether silence ends a flow before the run does is the clock's word too.
    let silent = row
        .get("end_reason")
        .is_some_and(|reason| reason == "timeout" || reason == "end_of_capture");
    if silent {
        row.remove("end_reason");
        row.remove("activity");
    }
    Value::Object(row).to_string()
}

/// When a row's packets began, in milliseconds.
fn began(row: &Value) -> i64 {
    let at = |name: &str| row[name].as_i64();
    at("start_time").or_else(|| at("time")).unwrap()
}

/// Rows of a class; interim reports are left out, because they follow a clock.
fn rows(dir: &Path, class: &str) -> Vec<Value> {
    let rest = match class {
        "network_activity" => " where activity <> 3",
        _ => "",
    };
    query(dir, &format!("select * from {class}{rest}"))
}

/// Conversations that began before the sensor: tcpdump begins first.
fn earlier(rows: &[Value], first: i64) -> BTreeSet<String> {
    let early = rows.iter().filter(|row| began(row) < first - CLOCKS_MS);
    early.map(|row| row["community_id"].to_string()).collect()
}

/// Facts of rows, with how often each is there; those of these conversations are left out.
fn facts(rows: &[Value], without: &BTreeSet<String>) -> BTreeMap<String, u64> {
    let mut facts = BTreeMap::new();
    for row in rows {
        if without.contains(&row["community_id"].to_string()) {
            continue;
        }
        *facts.entry(fact(row)).or_default() += 1;
    }
    facts
}

/// How many facts of `left` stand in `right` too.
fn shared(left: &BTreeMap<String, u64>, right: &BTreeMap<String, u64>) -> u64 {
    left.iter()
        .map(|(fact, n)| *n.min(right.get(fact).unwrap_or(&0)))
        .sum()
}

/// Facts of `left` that are not in `right`, a few of them.
fn only(left: &BTreeMap<String, u64>, right: &BTreeMap<String, u64>) -> Vec<String> {
    let missing = left
        .iter()
        .filter(|(fact, n)| *n > right.get(*fact).unwrap_or(&0));
    missing.map(|(fact, _)| fact.clone()).take(4).collect()
}

/// Runs the hospital with our sensor at its switch; the folder of its result.
fn hospital(folder: &Path, dir: &Path, seconds: Option<u64>) -> PathBuf {
    let out = folder.join("out");
    let log = dir.with_extension("log");
    let sensor = format!(
        "exec env NO_COLOR=1 {} --data-dir {} up --interface $LAB_IF --console 127.0.0.1:0 2>>{}",
        binary().display(),
        dir.display(),
        log.display()
    );
    let mut lab = Command::new(root().join("lab/hospital.sh"));
    lab.arg("all")
        .env("LAB_OUT", &out)
        .env("LAB_SENSOR", sensor)
        .env(
            "LAB_SENSOR_READY",
            format!("grep -q ' capturing ' {}", log.display()),
        )
        .env("LAB_SECONDS", seconds.unwrap_or(SECONDS).to_string())
        .env("LAB_ATTACKS", if seconds.is_some() { "1" } else { "0" })
        .stdin(Stdio::null());
    let ended = run(&mut lab);
    let said = String::from_utf8_lossy(&ended.stderr);
    // 1: some exchange of the lab failed, on a busy machine; what was on the wire still counts.
    let ran = matches!(ended.status.code(), Some(0 | 1));
    assert!(ran, "the lab: {}: {said}", ended.status);
    println!("\nlab: {}", String::from_utf8_lossy(&ended.stdout).trim());
    out
}

/// Both stores, class by class; what is wrong.
fn compare(live: &Path, file: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let seen: Vec<Vec<Value>> = CLASSES.iter().map(|class| rows(live, class)).collect();
    let first = seen.iter().flatten().map(began).min().unwrap();
    for (class, live) in CLASSES.iter().zip(&seen) {
        let file = rows(file, class);
        let before = earlier(&file, first);
        let (live, file) = (facts(live, &before), facts(&file, &before));
        let (ours, theirs): (u64, u64) = (live.values().sum(), file.values().sum());
        let both = shared(&live, &file);
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let percent = |whole: u64| match whole {
            0 => 100.0,
            _ => both as f64 * 100.0 / whole as f64,
        };
        let (recall, precision) = (percent(theirs), percent(ours));
        println!(
            "lab {class:<26} {ours:>6} live {theirs:>6} in the file {both:>6} the same: recall \
             {recall:.2} %, precision {precision:.2} %"
        );
        let different = ours.max(theirs) - both;
        let bad = match theirs {
            0..FEW => different > DIFFERENT_MAX,
            _ => recall < PERCENT || precision < PERCENT,
        };
        if different > 0 {
            println!("  only live: {:#?}", only(&live, &file));
            println!("  only in the file: {:#?}", only(&file, &live));
        }
        if bad {
            wrong.push(format!("{class}: {different} differ"));
        }
    }
    wrong
}

/// Figure of a field of the last line of the log with these words.
fn logged(log: &str, words: &str, field: &str) -> Option<u64> {
    let line = log.lines().rfind(|line| line.contains(words))?;
    let at = line.split(&format!("{field}=")).nth(1)?;
    at.split(' ').next()?.parse().ok()
}

/// Hardware addresses that sent something of IPv4 or ARP, as text.
fn senders(capture: &Path) -> BTreeSet<String> {
    let mut source = Source::open(capture).unwrap();
    let mut senders = BTreeSet::new();
    while let Some(frame) = source.next().unwrap() {
        if matches!(frame.bytes.get(12..14), Some([8, 0 | 6])) {
            let octets: Vec<String> = frame.bytes[6..12]
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect();
            senders.insert(octets.join(":"));
        }
    }
    senders
}

/// Every host that spoke, with address, hardware address and vendor; nobody from outside.
fn inventory(assets: &[Value], truth: &Value, spoke: &BTreeSet<String>) -> usize {
    let hosts = truth["hosts"].as_array().unwrap();
    let inside = hosts.iter().filter(|host| host["zone"] == "hospital");
    let holds = |asset: &Value, ip: &Value| asset["ips"].as_array().unwrap().contains(ip);
    let mut complete = 0;
    for host in inside.filter(|host| spoke.contains(host["mac"].as_str().unwrap())) {
        let name = &host["name"];
        let asset = assets.iter().find(|asset| asset["mac"] == host["mac"]);
        let asset = asset.unwrap_or_else(|| panic!("{name} is not in the inventory"));
        assert!(holds(asset, &host["ip"]), "{name}: {asset}");
        assert!(asset["vendor"].is_string(), "{name} has no vendor: {asset}");
        complete += 1;
    }
    let outside: BTreeSet<String> = hosts
        .iter()
        .filter(|host| host["zone"] == "internet")
        .flat_map(|host| host["ip"].as_array().unwrap().clone())
        .map(|ip| ip.as_str().unwrap().to_owned())
        .collect();
    assert!(!outside.is_empty());
    for asset in assets {
        let ips = asset["ips"].as_array().unwrap();
        let stranger = ips.iter().any(|ip| outside.contains(ip.as_str().unwrap()));
        assert!(!stranger, "an outside address is an asset: {asset}");
    }
    let macs: BTreeSet<&str> = hosts
        .iter()
        .filter_map(|host| host["mac"].as_str())
        .collect();
    let others: Vec<&Value> = assets
        .iter()
        .filter(|asset| !asset["mac"].as_str().is_some_and(|mac| macs.contains(mac)))
        .collect();
    for other in &others {
        println!(
            "lab asset beside the hosts: {} {}",
            other["id"], other["ips"]
        );
        let twice = hosts.iter().any(|host| holds(other, &host["ip"]));
        assert!(!twice, "a host is there twice: {other}");
    }
    println!(
        "lab inventory: {complete} hosts with address, MAC and vendor; {} assets",
        assets.len()
    );
    complete
}

/// True when the store has an exchange of this standard between these two.
fn exchanged(dir: &Path, standard: &str, from: &str, to: &str) -> bool {
    let text = format!(
        "select count(*) as n from medical_exchange_activity where med_standard = '{standard}' \
         and src_ip = '{from}' and dst_ip = '{to}'"
    );
    query(dir, &text)[0]["n"].as_u64() > Some(0)
}

#[test]
fn the_live_sensor_sees_what_the_capture_of_the_lab_holds() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("live");
    let seconds = std::env::var("VIGIE_LAB_SECONDS")
        .ok()
        .and_then(|n| n.parse().ok());
    let out = hospital(folder.path(), &dir, seconds);
    let log = std::fs::read_to_string(dir.with_extension("log")).unwrap();
    let packets = logged(&log, "capture ended", "packets").expect("the sensor ended in order");
    assert_eq!(logged(&log, "capture ended", "dropped"), Some(0), "{log}");
    assert_eq!(logged(&log, "sensor ended", "dropped"), Some(0), "{log}");
    assert_eq!(logged(&log, "sensor ended", "lost"), Some(0), "{log}");

    // The same key, so that tokens can be compared too.
    let file = folder.path().join("file");
    std::fs::create_dir_all(file.join("keys")).unwrap();
    for key in ["site.key", "vault.key"] {
        std::fs::copy(dir.join("keys").join(key), file.join("keys").join(key)).unwrap();
    }
    let mut read = vigie();
    read.args(["--quiet", "--data-dir", file.to_str().unwrap()]);
    stdout(
        read.args(["read", "--into-store"])
            .arg(out.join("hospital.pcap")),
        0,
    );
    let wrong = compare(&dir, &file);
    let truth: Value =
        serde_json::from_slice(&std::fs::read(out.join("hospital.json")).unwrap()).unwrap();
    println!(
        "lab packets: {packets} by the sensor, 0 dropped; {} in the capture (IPv4 and ARP)",
        truth["capture"]["packets"]
    );
    let whole = seconds.is_some();
    for (id, standard, from, to) in [
        ("dcm_store", "dicom", "10.20.20.11", "10.20.10.10"),
        ("hl7_adt", "hl7v2", "10.20.10.21", "10.20.10.20"),
    ] {
        // On a busy machine the few seconds of CI may pass before the first visit is done.
        let done = |event: &Value| event["id"] == id && event["src"] == from && event["rc"] == 0;
        if whole || truth["benign"].as_array().unwrap().iter().any(done) {
            assert!(exchanged(&dir, standard, from, to), "{id}: {from} to {to}");
            println!("lab {id}: {from} to {to} is in the store");
        }
    }
    let spoke = senders(&out.join("hospital.pcap"));
    let running = Running::start(&dir);
    let list = Session::first(&running, folder.path()).read("assets?limit=500");
    let list: Value = serde_json::from_str(&list).unwrap();
    let hosts = inventory(list["assets"].as_array().unwrap(), &truth, &spoke);
    assert!(!whole || hosts == LAN_HOSTS, "{hosts} of {LAN_HOSTS} hosts");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
