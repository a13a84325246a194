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
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::wire::{Wire, figures, inside};
use support::{query, run, signal, stdout, vigie, wait};

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
const CONNECTIONS: &str = "select src_port, flow, community_id from network_activity \
                           where about = 'flow' and dst_port = 8000 and end_reason = 'closed' \
                           order by start_time limit 1";
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
    let config = folder.path().join("vigie.toml");
    std::fs::write(&config, "[ring]\nsize = \"64MiB\"\nfree_min = \"0B\"\n").unwrap();
    let running = wire.watch(&dir, &["--config", config.to_str().unwrap()]);
    let capture = folder.path().join("run.pcap");
    let mut dump = dumping(&wire, &capture);
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
    let row = wait("a flow to be reported", Duration::from_secs(60), || {
        running.query(CONNECTIONS).pop()
    });
    let packets = packets_of(&capture, &row);
    let uid = ["--uid", row["flow"].as_str().unwrap()];
    assert_eq!(extracted(&dir, &uid, "running.pcap"), packets);
    drop(running);
    // The same without a running Vigie, by the flow's name.
    let name = ["--flow", row["community_id"].as_str().unwrap()];
    assert_eq!(extracted(&dir, &name, "stopped.pcap"), packets);
    let trail = std::fs::read_to_string(dir.join("audit/trail.jsonl")).unwrap();
    assert_eq!(trail.matches("packets_extracted").count(), 2);
    let mut silent = vigie();
    silent.args([
        "--data-dir",
        dir.to_str().unwrap(),
        "packets",
        "--output",
        "no.pcap",
    ]);
    assert_eq!(run(silent.args(name)).status.code(), Some(2));
    same_as_reading(&capture, &dir, &folder.path().join("file"));
    let dropped = figures(&metrics, &["capture_dropped_packets", "role=\"sensor\""]);
    assert!(!dropped.is_empty(), "{metrics}");
    let dropped = figures(&metrics, &["dropped", "role=\"sensor\""]);
    assert!(dropped.iter().all(|n| *n == 0), "{metrics}");
}

/// A tcpdump of the near end, once its file has a header.
fn dumping(wire: &Wire, capture: &Path) -> Child {
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
    .arg(capture);
    let child = dump
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait(
        "tcpdump to write its header",
        Duration::from_secs(20),
        || {
            std::fs::metadata(capture)
                .ok()
                .filter(|meta| meta.len() >= 24)
                .map(|_| ())
        },
    );
    child
}

/// Packets of a connection in the capture, by tshark.
fn packets_of(capture: &Path, row: &Value) -> usize {
    counted(capture, &format!("tcp.port=={}", row["src_port"]))
}

/// Packets of a file that a filter finds; capinfos agrees when the filter finds all.
fn counted(file: &Path, filter: &str) -> usize {
    let mut tshark = Command::new("tshark");
    let found = stdout(tshark.arg("-nr").arg(file).args(["-Y", filter]), 0);
    found.lines().count()
}

/// Packets of one flow that the packet ring gives.
fn extracted(dir: &Path, flow: &[&str], name: &str) -> usize {
    let file = dir.with_file_name(name);
    let mut packets = vigie();
    packets.args(["--quiet", "--data-dir", dir.to_str().unwrap(), "packets"]);
    packets.args(flow).args(["--reason", "a test", "--output"]);
    stdout(packets.arg(&file), 0);
    let mut capinfos = Command::new("capinfos");
    let told = stdout(capinfos.args(["-TrcM"]).arg(&file), 0);
    let count = counted(&file, "tcp.port==8000");
    assert_eq!(told.split_whitespace().last().unwrap(), count.to_string());
    count
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
