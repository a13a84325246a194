//! The live sensor on a wire of its own, in network namespaces that this test makes: the same
//! events as reading the capture of that run, no drop. Needs root, for the namespaces.

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

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use support::wire::{Wire, figures, inside};
use support::{query, signal, stdout, vigie, wait};

/// What an exchange or a flow of the web server was, and how often.
fn facts(rows: &[Value]) -> BTreeMap<String, u64> {
    let mut facts = BTreeMap::new();
    for row in rows {
        *facts.entry(row.to_string()).or_default() += 1;
    }
    facts
}

const HTTP: &str = "select src_port, dst_port, http_method, http_code, url_path, response_bytes \
                    from http_activity";
const FLOWS: &str = "select src_port, packets_in, packets_out, bytes_in, bytes_out, end_reason \
                     from network_activity where about = 'flow' and dst_port = 8000 \
                     and end_reason = 'closed'";

#[test]
fn live_and_file_give_the_same_events() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), vec![b'x'; 50_000]).unwrap();
    let mut wire = Wire::make("l");
    wire.serve(folder.path());
    let dir = folder.path().join("state");
    let running = wire.watch(&dir, &[]);
    let capture = folder.path().join("run.pcap");
    let mut dump = inside(&wire.near, "tcpdump");
    dump.args([
        "-i",
        "near0",
        "-U",
        "--immediate-mode",
        "-B",
        "32768",
        "-Z",
        "root",
        "-w",
    ])
    .arg(&capture);
    let mut dump = dump
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait(
        "tcpdump to write its header",
        Duration::from_secs(20),
        || {
            std::fs::metadata(&capture)
                .ok()
                .filter(|meta| meta.len() >= 24)
                .map(|_| ())
        },
    );
    for n in 0..30 {
        wire.fetch(if n % 3 == 0 {
            "missing.pdf"
        } else {
            "index.html"
        });
    }
    wait(
        "the exchanges to be in the store",
        Duration::from_secs(30),
        || (running.query(HTTP).len() >= 30).then_some(()),
    );
    signal(dump.id(), "INT");
    dump.wait().unwrap();
    let metrics = wire.metrics(&running);
    drop(running);
    same_as_reading(&capture, &dir, &folder.path().join("file"));
    let dropped = figures(&metrics, &["capture_dropped_packets", "role=\"sensor\""]);
    assert!(!dropped.is_empty(), "{metrics}");
    let dropped = figures(&metrics, &["dropped", "role=\"sensor\""]);
    assert!(dropped.iter().all(|n| *n == 0), "{metrics}");
}

/// The live store and one made of the capture hold the same exchanges and flows.
fn same_as_reading(capture: &Path, live: &Path, file: &Path) {
    let mut read = vigie();
    read.args(["--quiet", "--data-dir", file.to_str().unwrap()]);
    stdout(read.args(["read", "--into-store"]).arg(capture), 0);
    assert_eq!(facts(&query(live, HTTP)).len(), 30);
    // Names in paths are masked alike; their tokens differ by site and are not asked for.
    assert_eq!(facts(&query(live, HTTP)), facts(&query(file, HTTP)));
    assert_eq!(facts(&query(live, FLOWS)), facts(&query(file, FLOWS)));
}
