//! The live sensor on a wire of its own, in network namespaces that this test makes: the same
//! events as reading the capture of that run, no drop; a killed sensor comes back and doubles
//! nothing. Needs root, for the namespaces.

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
use support::{Running, query, run, signal, stdout, vigie, wait};

/// Two namespaces joined by a veth pair; removed when dropped.
struct Wire {
    near: String,
    far: String,
    children: Vec<Child>,
}

impl Wire {
    fn make(tag: &str) -> Self {
        let id = std::process::id();
        let wire = Self {
            near: format!("vg{tag}a{id}"),
            far: format!("vg{tag}b{id}"),
            children: Vec::new(),
        };
        for space in [&wire.near, &wire.far] {
            ip(&["netns", "add", space]);
            ip(&["-n", space, "link", "set", "lo", "up"]);
        }
        let pair = ["link", "add", "near0", "netns", &wire.near, "type", "veth"];
        ip(&[&pair[..], &["peer", "name", "far0", "netns", &wire.far][..]].concat());
        for (space, device, address) in [
            (&wire.near, "near0", "10.77.0.1/24"),
            (&wire.far, "far0", "10.77.0.2/24"),
        ] {
            ip(&["-n", space, "addr", "add", address, "dev", device]);
            ip(&["-n", space, "link", "set", device, "up"]);
        }
        for (space, device) in [(&wire.near, "near0"), (&wire.far, "far0")] {
            let off = [
                "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off",
            ];
            let mut command = inside(space, "ethtool");
            run(command.args(["-K", device]).args(off));
        }
        wire
    }

    /// A web server of Python's in the far namespace.
    fn serve(&mut self, folder: &Path) {
        let mut command = inside(&self.far, "python3");
        command
            .args(["-m", "http.server", "8000", "--bind", "10.77.0.2"])
            .current_dir(folder);
        self.children.push(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let near = self.near.clone();
        wait("the web server", Duration::from_secs(20), || {
            let mut probe = inside(&near, "bash");
            let open = probe.args(["-c", "exec 3<>/dev/tcp/10.77.0.2/8000"]);
            run(open).status.success().then_some(())
        });
    }

    fn fetch(&self, path: &str) {
        let mut command = inside(&self.near, "curl");
        let url = format!("http://10.77.0.2:8000/{path}");
        stdout(
            command.args(["-sS", "--max-time", "10", "-o", "/dev/null", &url]),
            0,
        );
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for space in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", space]).status();
        }
    }
}

fn ip(arguments: &[&str]) {
    let out = run(Command::new("ip").args(arguments));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success(),
        "ip {arguments:?} (needs root): {said}"
    );
}

/// A command inside a namespace.
fn inside(space: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", space, program]);
    command
}

/// `vigie up` inside the namespace, capturing `near0`, once it really captures.
fn watch(wire: &Wire, dir: &Path) -> Running {
    let log = std::fs::File::create(dir.with_extension("log")).unwrap();
    let child = inside(&wire.near, env!("CARGO_BIN_EXE_vigie"))
        .args([
            "--data-dir",
            dir.to_str().unwrap(),
            "up",
            "--interface",
            "near0",
        ])
        .args(["--console", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut running = Running {
        child,
        dir: dir.to_owned(),
        console: String::new(),
    };
    running.until_ready();
    capturing(&running, 1);
    running
}

/// Waits until the log says `times` times that the interface is being captured.
fn capturing(running: &Running, times: usize) {
    wait("the sensor to capture", Duration::from_secs(30), || {
        let log = std::fs::read_to_string(running.dir.with_extension("log")).ok()?;
        (log.matches("capturing").count() >= times).then_some(())
    });
}

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
    let running = watch(&wire, &dir);
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
    let metrics = {
        let mut curl = inside(&wire.near, "curl");
        stdout(
            curl.args(["-sS", &format!("{}metrics", console(&running))]),
            0,
        )
    };
    drop(running);
    same_as_reading(&capture, &dir, &folder.path().join("file"));
    let dropped = metrics
        .lines()
        .find(|line| line.contains("capture_dropped_packets"));
    assert!(metrics.contains("role=\"sensor\""), "{metrics}");
    assert!(dropped.is_some(), "{metrics}");
    let lost = metrics
        .lines()
        .filter(|line| line.contains("role=\"sensor\"") && line.contains("dropped"))
        .all(|line| line.ends_with(" 0"));
    assert!(lost, "{metrics}");
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

fn console(running: &Running) -> String {
    let run: Value =
        serde_json::from_slice(&std::fs::read(running.dir.join("run.json")).unwrap()).unwrap();
    run["console_url"].as_str().unwrap().to_owned()
}

#[test]
fn a_killed_sensor_comes_back_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), b"x").unwrap();
    let mut wire = Wire::make("k");
    wire.serve(folder.path());
    let dir = folder.path().join("state");
    let running = watch(&wire, &dir);
    let exchanges = || running.query("select uid from http_activity").len();
    let mut expected = 0;
    for round in 0..3 {
        for _ in 0..5 {
            wire.fetch("index.html");
        }
        expected += 5;
        wait(
            "the exchanges to be stored",
            Duration::from_secs(30),
            || (exchanges() >= expected).then_some(()),
        );
        let sensor = running.role("sensor").expect("the sensor runs");
        signal(sensor, "KILL");
        wait(
            "the sensor to be started again",
            Duration::from_secs(30),
            || running.role("sensor").filter(|pid| *pid != sensor),
        );
        capturing(&running, round + 2);
    }
    let rows =
        running.query("select uid, count(*) as n from events group by uid having count(*) > 1");
    assert!(rows.is_empty(), "events twice: {rows:?}");
    assert_eq!(exchanges(), expected);
    let log = std::fs::read_to_string(running.dir.with_extension("log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
