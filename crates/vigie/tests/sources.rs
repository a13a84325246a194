//! Other sensors as sources: logs read once, logs and exporters followed by a running Vigie.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a failing step is a failing test"
)]

mod support;

use std::fs;
use std::io::Write as _;
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::{Running, fetch, ndjson, run, stdout, vigie, wait};

const LIMIT: Duration = Duration::from_secs(60);

fn sample(name: &str) -> PathBuf {
    support::root()
        .join("crates/wire/src/log/testdata")
        .join(name)
}

#[test]
fn logs_of_other_sensors_are_read_as_captures_are() {
    let (eve, conn) = (sample("eve.json"), sample("conn.tsv"));
    let out = run(vigie()
        .args(["read", "--reproducible"])
        .arg(&eve)
        .arg(&conn));
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert!(
        said.contains("not understood were left out: carrier_pigeon (1)"),
        "{said}"
    );
    assert!(said.contains("passed over: alert (1), stats (1)"), "{said}");
    let events = ndjson(&String::from_utf8(out.stdout).unwrap());
    let of = |product: &str| {
        let from = events
            .iter()
            .filter(|e| e["metadata"]["log_provider"] == product);
        from.count()
    };
    assert!(
        of("suricata") > 15 && of("zeek") == 3,
        "{} events",
        events.len()
    );
    assert!(events.iter().any(|e| e["metadata"]["log_name"] == "conn"));
    let text = serde_json::to_string(&events).unwrap();
    assert!(
        !text.contains("DUPONT") && !text.contains("durand"),
        "names are masked"
    );
}

#[test]
fn a_damaged_log_gives_the_rest_and_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eve.json");
    let good = fs::read_to_string(sample("eve.json")).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    fs::write(&path, format!("{}\n{{\"broken\n{}\n", lines[0], lines[1])).unwrap();
    let out = run(vigie().arg("read").arg(&path));
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(
        said.contains("line 2: JSON that ends too early; it was left out"),
        "{said}"
    );
    assert_eq!(String::from_utf8(out.stdout).unwrap().lines().count(), 2);
    // Compressed, and from standard input, as captures are.
    let packed = folder.path().join("eve.json.gz");
    let bytes = std::process::Command::new("gzip")
        .arg("-c")
        .arg(sample("eve.json"))
        .output();
    fs::write(&packed, bytes.unwrap().stdout).unwrap();
    let plain = stdout(
        vigie()
            .args(["read", "-q", "--reproducible"])
            .arg(sample("eve.json")),
        0,
    );
    assert_eq!(
        stdout(
            vigie().args(["read", "-q", "--reproducible"]).arg(&packed),
            0
        ),
        plain
    );
}

fn eve(n: u32) -> String {
    format!(
        "{{\"timestamp\":\"2026-11-23T10:00:00.000000+0000\",\"event_type\":\"dns\",\
         \"src_ip\":\"10.0.0.1\",\"src_port\":5000,\"dest_ip\":\"10.0.0.2\",\"dest_port\":53,\
         \"proto\":\"UDP\",\"dns\":{{\"type\":\"request\",\"rrname\":\"n{n}.test\"}}}}\n"
    )
}

fn append(path: &Path, numbers: std::ops::Range<u32>) {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    let text: String = numbers.map(eve).collect();
    file.write_all(text.as_bytes()).unwrap();
}

/// Waits until the store has so many names, then checks that each is there once.
fn names(running: &Running, count: usize) {
    let asked = "select query, count(*) as n from dns_activity group by query";
    let rows = wait("the events in the store", LIMIT, || {
        let rows = running.query(asked);
        (rows.len() >= count).then_some(rows)
    });
    assert_eq!(rows.len(), count);
    let doubled = rows.iter().filter(|row| row["n"] != 1).count();
    assert_eq!(doubled, 0, "events that are there twice");
}

/// A datagram of version 5 with one flow.
fn version_5(sequence: u32) -> Vec<u8> {
    let mut out = vec![0, 5, 0, 1];
    out.extend(100_000u32.to_be_bytes());
    out.extend(1_795_428_000u32.to_be_bytes());
    out.extend([0; 4]);
    out.extend(sequence.to_be_bytes());
    out.extend([0; 4]);
    out.extend([10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 2]);
    for number in [7u32, 900, 90_000, 95_000] {
        out.extend(number.to_be_bytes());
    }
    out.extend([0x9c, 0x40, 1, 0xbb, 0, 0x1b, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out
}

#[test]
fn sources_of_a_running_vigie_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (log, socket) = (
        folder.path().join("eve.json"),
        folder.path().join("eve.sock"),
    );
    let port = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let file = folder.path().join("vigie.toml");
    let text = format!(
        "[[source]]\nname = \"file\"\nkind = \"eve\"\npath = \"{}\"\nsilent_after = \"1s\"\n\
         [[source]]\nname = \"sock\"\nkind = \"eve\"\npath = \"{}\"\nsocket = \"stream\"\n\
         [[source]]\nname = \"router\"\nkind = \"netflow\"\nlisten = \"127.0.0.1:{port}\"\n",
        log.display(),
        socket.display()
    );
    fs::write(&file, text).unwrap();
    append(&log, 0..300);
    let state = folder.path().join("state");
    let global = ["--config", file.to_str().unwrap()];
    let running = Running::start_by(vigie(), &state, &global, &["--no-capture"]);
    names(&running, 300);
    // Killed at a moment that nobody planned, with lines under way.
    append(&log, 300..2300);
    running.kill_role("sensor");
    append(&log, 2300..2400);
    names(&running, 2400);
    fs::rename(&log, folder.path().join("eve.json.1")).unwrap();
    append(&log, 2400..2450);
    names(&running, 2450);
    let mut stream = wait("the socket", LIMIT, || UnixStream::connect(&socket).ok());
    let lines: String = (2450..2460).map(eve).collect();
    stream.write_all(lines.as_bytes()).unwrap();
    names(&running, 2460);
    let exporter = UdpSocket::bind("127.0.0.1:0").unwrap();
    exporter.connect(("127.0.0.1", port)).unwrap();
    for sequence in [1, 2, 5] {
        exporter.send(&version_5(sequence)).unwrap();
    }
    let flows = "select bytes from network_activity where about = 'flow'";
    wait("the flows", LIMIT, || {
        (running.query(flows).len() == 3).then_some(())
    });
    // Two flows never came, and the log has been silent for more than its second.
    let metric = |name: &str, value: &str| {
        let page = fetch(&format!("{}metrics", running.console));
        let mut lines = page.lines().filter(|line| line.starts_with(name));
        lines
            .any(|line| line.contains("sensor") && line.ends_with(value))
            .then_some(())
    };
    wait("the loss", LIMIT, || {
        metric("vigie_source_lost_total", " 2")
    });
    wait("the silence", LIMIT, || metric("vigie_source_silent", " 1"));
}
