//! What `vigie read` says of a capture is what tshark says, fact by fact.
//!
//! Protocols compared: DNS, TLS, HTTP/1, SMB 2 and 3, DICOM, HL7 v2. A fact is a flow, a key and a
//! value; both engines' output is reduced to facts in the same words, then counted.

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
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says where"
)]

#[path = "support/day.rs"]
mod day;
#[path = "agreement/facts.rs"]
mod facts;
#[path = "agreement/medical.rs"]
mod medical;
#[path = "agreement/ours.rs"]
mod ours;
#[path = "agreement/tshark.rs"]
mod tshark;

use std::path::{Path, PathBuf};

use facts::Comparison;
use tshark::Names;

const PROTOCOLS: &[&str] = &["dns", "tls", "http", "smb", "dicom", "hl7"];
/// Wanted on the recorded day, in percent.
const DAY_PERCENT: f64 = 99.5;
/// Wanted on captures made to be odd, in percent.
const CORPORA_PERCENT: f64 = 98.0;

/// Captures on which the two readers mean different things, by part of the name and protocol.
const NOT_COMPARABLE: &[(&str, &str, &str)] = &[
    (
        "smb2_krb",
        "smb",
        "chained requests: tshark's fields do not say which file is whose",
    ),
    ("smb2-multiple-pdus", "smb", "chained requests: the same"),
    (
        "http-uri-spaces",
        "http",
        "a space in the target: tshark cuts there",
    ),
    (
        "ldap-starttls",
        "tls",
        "TLS that begins inside LDAP, which is not followed yet",
    ),
    (
        "http-single-conn-22",
        "http",
        "HTTP on the port of SSH: tshark goes by port, we by content",
    ),
    (
        "http-on-port-5432",
        "http",
        "HTTP on the port of PostgreSQL: the same",
    ),
    (
        "http-tcp-seq-issue",
        "http",
        "cut after the head of the answer: tshark waits for the body",
    ),
    ("socks", "http", "inside SOCKS, which is not followed"),
    ("socks", "tls", "inside SOCKS, which is not followed"),
    ("ssl-v2", "tls", "SSL 2.0 has other field names"),
    (
        "no-version",
        "http",
        "HTTP/0.9, which tshark does not take for HTTP",
    ),
    ("gre-ppp", "dns", "PPP inside GRE, which is not followed"),
];

#[test]
fn the_recorded_day_reads_as_tshark_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let capture = folder.path().join("day.pcap");
    day::unpack(&capture).expect("the recording");
    let mut comparison = Comparison::default();
    let theirs = tshark::read(&capture, &Names::load(), true);
    comparison.compare("day", &theirs, &ours::read(&capture));
    println!("{}", comparison.table());
    let wrong = comparison.below(PROTOCOLS, DAY_PERCENT);
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", comparison.table());
}

#[test]
fn public_captures_read_as_tshark_reads_them_needs_shared() {
    let root = std::env::var_os("VIGIE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let root = root.join("corpora/pcap");
    let files = sample(&root);
    if files.is_empty() {
        println!("no captures under {}: nothing was compared", root.display());
        return;
    }
    let names = Names::load();
    let mut comparison = Comparison::default();
    for (file, medical) in &files {
        let name = file
            .strip_prefix(&root)
            .unwrap_or(file)
            .display()
            .to_string();
        let mut theirs = tshark::read(file, &names, *medical);
        let mut ours = ours::read(file);
        for (_, protocol, _) in NOT_COMPARABLE
            .iter()
            .filter(|(part, ..)| name.contains(part))
        {
            theirs.forget(protocol);
            ours.forget(protocol);
        }
        comparison.compare(&name, &theirs, &ours);
    }
    println!("{} captures\n{}", files.len(), comparison.table());
    let wrong = comparison.below(PROTOCOLS, CORPORA_PERCENT);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The hospital's minute, and from each set some captures whose name says one of our protocols.
fn sample(root: &Path) -> Vec<(PathBuf, bool)> {
    let mut files = Vec::new();
    for (set, count) in [("zeek", 30), ("arkime", 12), ("suricata-verify", 12)] {
        let mut named = Vec::new();
        collect(&root.join(set), &mut named);
        named.retain(|path| is_of_interest(path.strip_prefix(root).unwrap_or(path)));
        named.sort();
        // Evenly over the sorted names, so that one protocol does not fill the sample.
        let step = (named.len() / count).max(1);
        files.extend(named.into_iter().step_by(step).map(|path| (path, false)));
    }
    let minute = root.join("minihospital.pcap");
    if minute.is_file() {
        files.push((minute, true));
    }
    files
}

/// Every file below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// True for a capture whose path names one of our protocols, and none of its relatives.
fn is_of_interest(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    let ours = ["dns", "tls", "ssl", "http", "smb"];
    let not = ["http2", "http3", "dtls", "quic", "mdns", "websocket", "doh"];
    name.contains(".pcap")
        && ours.iter().any(|part| name.contains(part))
        && !not.iter().any(|part| name.contains(part))
}
