//! The inventory of the recorded day beside what the lab really had; the list of a hospital beside
//! the inventory. Source: `lab/recorded/day.truth.json`.

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
use std::path::Path;

use serde_json::Value;
use support::{ndjson, recorded_day, run, stdout, vigie};

/// Vendor and role that the wire shows of each host of the lab.
const HOSTS: [(&str, &str, &str); 20] = [
    ("fw", "Stormshield", "router"),
    ("dns", "VMware", "dns_server"),
    ("pacs", "VMware", "pacs"),
    ("ris", "VMware", "hl7_engine"),
    ("gap", "VMware", "patient_administration"),
    // An electronic record over HTTPS only: what is inside is not on the wire.
    ("dpi", "VMware", "web_server"),
    ("files", "Synology", "file_server"),
    ("ldap", "VMware", "directory_server"),
    ("mail", "VMware", "mail_server"),
    ("mqtt", "VMware", "message_broker"),
    ("ct", "GE HealthCare", "imaging_modality"),
    ("us", "Philips Healthcare", "imaging_modality"),
    ("lab", "Siemens Healthineers", "lab_analyser"),
    ("mon1", "Mindray", "patient_monitor"),
    ("ws1", "", "workstation"),
    ("ws2", "", "workstation"),
    ("ws3", "", "workstation"),
    ("adm", "", "workstation"),
    ("prn", "Lexmark", "printer"),
    ("plc", "Schneider Electric", "building_controller"),
];

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Hosts of the lab by name.
fn truth() -> BTreeMap<String, Value> {
    let path = support::root().join("lab/recorded/day.truth.json");
    let truth: Value = serde_json::from_slice(&support::bytes(&path)).unwrap();
    let hosts = truth["hosts"].as_array().unwrap().iter();
    let inside = hosts.filter(|host| text(host, "/ip").starts_with("10."));
    inside
        .map(|host| (text(host, "/name").to_owned(), host.clone()))
        .collect()
}

fn inventory(capture: &Path, options: &[&str]) -> String {
    stdout(vigie().arg("inventory").arg(capture).args(options), 0)
}

/// Evidence of the asset's role, as the exported event states it.
fn evidence(asset: &Value, role: &str) -> Vec<String> {
    let rows = asset["unmapped"]["provenance"].as_array().unwrap().iter();
    let of_role =
        rows.filter(|row| text(row, "/attribute") == "role" && text(row, "/value") == role);
    of_role.map(|row| text(row, "/source").to_owned()).collect()
}

#[test]
fn the_recorded_day_gives_every_host_its_vendor_and_role() {
    let folder = tempfile::tempdir().unwrap();
    let capture = recorded_day(folder.path());
    let assets = ndjson(&inventory(&capture, &["--format", "ndjson"]));
    let hosts = truth();
    assert_eq!(hosts.len(), HOSTS.len());
    let mut wrong = Vec::new();
    for (name, vendor, role) in HOSTS {
        let mac = text(&hosts[name], "/mac");
        let found = assets
            .iter()
            .find(|asset| text(asset, "/device/mac") == mac);
        let Some(asset) = found else {
            wrong.push(format!("{name}: no asset has {mac}"));
            continue;
        };
        let told = (
            text(asset, "/device/vendor_name"),
            text(asset, "/unmapped/device/role"),
        );
        let evidence = evidence(asset, role);
        println!("{name}: {} | {} | {}", told.0, told.1, evidence.join("; "));
        let right = told.1 == role && (vendor.is_empty() || told.0 == vendor);
        let ips = asset["unmapped"]["device"]["ips"].as_array().unwrap();
        if !right || evidence.is_empty() || !ips.contains(&hosts[name]["ip"]) {
            wrong.push(format!("{name}: {told:?}, not {vendor} {role}: {asset}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // No host is invented, and what is outside is a destination.
    let macs: BTreeSet<&str> = hosts.values().map(|host| text(host, "/mac")).collect();
    let others: Vec<&Value> = assets
        .iter()
        .filter(|asset| !macs.contains(text(asset, "/device/mac")))
        .collect();
    assert!(others.is_empty(), "{others:?}");

    // The workstation that took the scanner's title is shown, and so is the scanner.
    let table = inventory(&capture, &["--format", "csv"]);
    for (name, other) in [("ws3", "ct"), ("ct", "ws3")] {
        let mac = text(&hosts[name], "/mac");
        let line = table.lines().find(|line| line.starts_with(mac)).unwrap();
        let expected = format!("ae_title_shared CT1 {}", text(&hosts[other], "/mac"));
        assert!(line.contains(&expected), "{line}");
    }

    // So are both ends of the forged ARP answers that gave the firewall's address to it.
    for (name, other) in [("ws3", "fw"), ("fw", "ws3")] {
        let mac = text(&hosts[name], "/mac");
        let line = table.lines().find(|line| line.starts_with(mac)).unwrap();
        let other = text(&hosts[other], "/mac");
        let expected = format!("duplicate_address 10.20.0.1 {other}");
        assert!(line.contains(&expected), "{line}");
    }

    list(folder.path(), &capture, &hosts);
}

/// The hospital's own list: whole, then with mistakes.
fn list(folder: &Path, capture: &Path, hosts: &BTreeMap<String, Value>) {
    let rows = |leave: &str| {
        let mut rows = "Nom de l'équipement;Adresse IP;Adresse MAC;Constructeur\n".to_owned();
        for (name, host) in hosts.iter().filter(|(name, _)| *name != leave) {
            let (ip, mac) = (text(host, "/ip"), text(host, "/mac"));
            rows.push_str(&format!("{name};{ip};{mac};\n"));
        }
        rows
    };
    let path = folder.join("cmdb.csv");
    let compare = |list: &str| {
        std::fs::write(&path, list).unwrap();
        let mut command = vigie();
        command
            .arg("inventory")
            .arg(capture)
            .arg("--compare")
            .arg(&path);
        command.args(["--format", "ndjson", "--fail-on-difference"]);
        run(&mut command)
    };
    let whole = compare(&rows(""));
    assert_eq!(whole.status.code(), Some(0), "{whole:?}");
    assert!(whole.stdout.is_empty());
    let wrong = rows("prn").replace("10.20.10.40;", "10.20.10.44;") + "gone;10.20.99.9;;\n";
    let wrong = compare(&wrong);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let found = ndjson(&String::from_utf8(wrong.stdout).unwrap());
    let mut found: Vec<(&str, &str)> = found
        .iter()
        .map(|one| (text(one, "/difference"), text(one, "/device")))
        .collect();
    found.sort_unstable();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0], ("missing_on_network", "gone"));
    assert_eq!(found[1], ("other_address", "files"));
    assert_eq!(found[2].0, "unknown_to_list");
    let useless = compare("colour;price\nred;3\n");
    assert_eq!(useless.status.code(), Some(2));
}
