//! Files carved from shared captures, when these are present, beside those that tshark exports.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "functions of a test, outside of its test functions"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use support::{events_with, shared};
use vigie_wire::WireConfig;
use vigie_wire::file::{FileObserver, FileSink, Meta, Outcome, Policy, State};
use vigie_wire::protocol::Draft;

/// Octets by which DICOM objects are compared: their file meta information is each program's own.
const TAIL_BYTES: usize = 1024;

/// Protocol as tshark calls it, and a hash.
type Key = (&'static str, String);

#[derive(Default)]
struct Collect(Arc<Mutex<BTreeSet<Key>>>);

struct One(&'static str, Vec<u8>, Arc<Mutex<BTreeSet<Key>>>);

impl FileObserver for Collect {
    fn begin(&self, meta: &Meta<'_>) -> Option<Box<dyn FileSink>> {
        let kind = match meta.protocol {
            "smtp" | "imap" | "pop3" | "mllp" => return None,
            other => other,
        };
        Some(Box::new(One(kind, Vec::new(), Arc::clone(&self.0))))
    }
}

impl FileSink for One {
    fn chunk(&mut self, bytes: &[u8]) {
        self.1.extend_from_slice(bytes);
    }

    fn end(self: Box<Self>, outcome: &Outcome<'_>, _: &mut Vec<Draft>) {
        if outcome.state == State::Complete {
            self.2
                .lock()
                .unwrap()
                .insert((self.0, digest(self.0, &self.1)));
        }
    }
}

fn digest(kind: &str, bytes: &[u8]) -> String {
    let from = if kind == "dicom" {
        bytes.len().saturating_sub(TAIL_BYTES)
    } else {
        0
    };
    let hash = Sha256::digest(&bytes[from..]);
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What we carve.
fn carved(path: &Path) -> BTreeSet<Key> {
    let collect = Collect::default();
    let found = Arc::clone(&collect.0);
    let config = WireConfig {
        files: Policy {
            observer: Some(Arc::new(collect)),
            ..Policy::default()
        },
        ..WireConfig::default()
    };
    let _ = events_with(path, config);
    found.lock().unwrap().clone()
}

/// What tshark exports; `None` when there is no tshark.
fn exported(path: &Path) -> Option<BTreeSet<Key>> {
    let base = std::env::temp_dir().join(format!("vigie-export-{}", std::process::id()));
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-q", "-r"]).arg(path);
    for kind in KINDS {
        let to = base.join(kind);
        std::fs::create_dir_all(&to).unwrap();
        tshark.arg("--export-objects");
        tshark.arg(format!("{kind},{}", to.display()));
    }
    tshark.output().ok()?;
    let mut found = BTreeSet::new();
    for kind in KINDS {
        for entry in std::fs::read_dir(base.join(kind)).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            found.insert((kind, digest(kind, &bytes)));
        }
    }
    std::fs::remove_dir_all(&base).unwrap();
    Some(found)
}

const KINDS: [&str; 5] = ["http", "smb", "tftp", "dicom", "ftp-data"];

#[test]
fn carved_files_are_those_of_tshark_needs_shared() {
    let Some(captures) = shared() else {
        return;
    };
    let (mut both, mut ours, mut theirs) = (0, 0, 0);
    for name in CAPTURES {
        let path = captures.join(name);
        let Some(exported) = exported(&path) else {
            println!("no tshark found");
            return;
        };
        let carved = carved(&path);
        let common = carved.intersection(&exported).count();
        println!(
            "{name}: {common} files in common, {} only here, {} only tshark's",
            carved.len() - common,
            exported.len() - common
        );
        for kind in KINDS {
            let of = |set: &BTreeSet<Key>, other: &BTreeSet<Key>| {
                let alone = set
                    .iter()
                    .filter(|key| key.0 == kind && !other.contains(*key));
                alone.count()
            };
            let (here, there) = (of(&carved, &exported), of(&exported, &carved));
            if here + there > 0 {
                println!("  {kind}: {here} only here, {there} only tshark's");
            }
        }
        both += common;
        ours += carved.len() - common;
        theirs += exported.len() - common;
    }
    println!("all: {both} in common, {ours} only here, {theirs} only tshark's");
    assert!(both >= BOTH_MIN, "{both} of at least {BOTH_MIN}");
    assert!(theirs <= THEIRS_MAX, "{theirs} only tshark's");
    assert!(ours <= OURS_MAX, "{ours} only here");
}

/// Of what tshark has alone, 34 are ranges (206), which we do not call files.
/// Files in common, at least, and those that only one of both has, at most.
const BOTH_MIN: usize = 414;
const THEIRS_MAX: usize = 41;
const OURS_MAX: usize = 4;

/// Captures with files of each kind.
const CAPTURES: [&str; 22] = [
    "minihospital.pcap",
    "arkime/arkime_synthetic.pcap",
    "arkime/CVE-2018-6794.pcap",
    "arkime/http-100-continue.pcap",
    "arkime/http-content-gzip.pcap",
    "arkime/http-post-upload.pcap",
    "arkime/http-tcp-seq-issue.pcap",
    "arkime/http2-nghttp2.pcap",
    "arkime/smb-smbclient.pcap",
    "zeek/ftp__bigtransfer.pcap",
    "zeek/ftp__ipv4.pcap",
    "zeek/http__206_example_c.pcap",
    "zeek/http__content-length-in-request-body.pcap",
    "zeek/http__http-body-match.pcap",
    "zeek/http__http-post-large.pcap",
    "zeek/http__http-11-request-then-cruft.pcap",
    "zeek/http__http-non-printable-characters.pcap",
    "zeek/http__multipart.pcap",
    "zeek/krb__smb2_krb.pcap",
    "zeek/smb__smb2_100_small_files.pcap",
    "zeek/smb__smb2readwrite.pcap",
    "zeek/smb__smb_v2_only_non_zero_reserved1.pcap",
];
