//! Live capture: messages, and rings over veth pairs in network namespaces that the tests make and
//! remove.
//!
//! They start this program again inside the namespaces: as the sensor, and as the sender. That
//! needs root; without, they say so, and fail only where `VIGIE_TEST_ROOT=1` promises root.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};

use super::*;
use crate::file::Source;
use crate::privilege;

const DATAGRAMS: u64 = 20_000;
const PORT: u16 = 9999;

/// Two namespaces joined by a veth pair `va` - `vb`; removed when dropped.
struct Lab {
    sensor: String,
    sender: String,
}

impl Lab {
    fn new(tag: &str) -> Option<Self> {
        let id = std::process::id();
        let lab = Self {
            sensor: format!("vigie-{id}-{tag}a"),
            sender: format!("vigie-{id}-{tag}b"),
        };
        let (a, b) = (&lab.sensor, &lab.sender);
        let script = [
            format!("netns add {a}"),
            format!("netns add {b}"),
            format!("link add va netns {a} type veth peer name vb netns {b}"),
            format!("-n {a} link set va address 02:00:00:00:00:0a"),
            format!("-n {b} link set vb address 02:00:00:00:00:0b"),
            format!("-n {a} addr add 192.0.2.1/24 dev va"),
            format!("-n {b} addr add 192.0.2.2/24 dev vb"),
            format!("-n {a} link set lo up"),
            format!("-n {a} link set va up"),
            format!("-n {b} link set vb up"),
            // No address resolution: each frame on the wire is one that the test sent.
            format!("-n {b} neigh add 192.0.2.1 lladdr 02:00:00:00:00:0a dev vb"),
        ];
        for line in script {
            let output = Command::new("ip").args(line.split(' ')).output();
            match output {
                Ok(output) if output.status.success() => {}
                other => {
                    assert!(
                        std::env::var_os("VIGIE_TEST_ROOT").is_none(),
                        "ip {line}: {other:?}"
                    );
                    println!("not tested, no namespaces can be made here: ip {line}: {other:?}");
                    return None;
                }
            }
        }
        Some(lab)
    }

    /// This test program as `role` inside a namespace.
    fn role(&self, namespace: &str, role: &str, arguments: &str) -> Child {
        Command::new("ip")
            .args(["netns", "exec", namespace])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "live::tests::role", "--nocapture"])
            .env("VIGIE_LIVE_ROLE", role)
            .env("VIGIE_LIVE_ARGUMENTS", arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn ip(&self, namespace: &str, line: &str) {
        let status = Command::new("ip")
            .args(["-n", namespace])
            .args(line.split(' '))
            .status();
        assert!(status.unwrap().success(), "{line}");
    }

    /// Sends `count` datagrams from each of `ports` ports to the sensor's namespace.
    fn send(&self, namespace: &str, to: &str, count: u64, ports: u64) {
        let arguments = format!("{to} {count} {ports}");
        let child = self.role(namespace, "sender", &arguments);
        assert!(child.wait_with_output().unwrap().status.success());
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for namespace in [&self.sensor, &self.sender] {
            let _ = Command::new("ip")
                .args(["netns", "del", namespace])
                .output();
        }
    }
}

/// A sensor that runs in its namespace, and the lines it says.
struct Sensor {
    child: Child,
    lines: io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Sensor {
    fn start(lab: &Lab, role: &str, arguments: &str) -> Self {
        let mut child = lab.role(&lab.sensor, role, arguments);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut sensor = Self { child, lines };
        sensor.wait_for("ready");
        sensor
    }

    /// The rest of the first line that contains `word`.
    fn wait_for(&mut self, word: &str) -> String {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            if let Some((_, rest)) = line.split_once(word) {
                return rest.trim().to_owned();
            }
        }
        panic!("the sensor ended before it said {word}");
    }

    fn numbers(&mut self, word: &str) -> Vec<u64> {
        let line = self.wait_for(word);
        line.split(' ')
            .map(|number| number.parse().unwrap())
            .collect()
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn messages_say_what_to_do() {
    let error = LiveError::Permission {
        interface: "eth1".to_owned(),
        binary: "/opt/vigie".to_owned(),
    };
    assert!(
        error
            .to_string()
            .contains("`sudo setcap cap_net_raw+ep /opt/vigie`")
    );
    assert!(!error.may_retry());
    let error = LiveError::NoInterface {
        interface: "no such".to_owned(),
    };
    assert!(
        error
            .to_string()
            .starts_with("capture no such: no such interface; there are ")
    );
    assert!(error.may_retry());
}

#[test]
fn counts_every_datagram_as_tcpdump_does() {
    let Some(lab) = Lab::new("count") else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut tcpdump = Command::new("ip")
        .args([
            "netns",
            "exec",
            &lab.sensor,
            "tcpdump",
            "-i",
            "va",
            "-B",
            "65536",
            "-Z",
            "root",
        ])
        .arg("-w")
        .arg(file.path())
        .args(["-c", &DATAGRAMS.to_string(), "udp", "port", "9999"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(tcpdump.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("listening on va"), "{line}");

    let mut sensor = Sensor::start(&lab, "sensor", "va 1 20000");
    lab.send(&lab.sender, "192.0.2.1", DATAGRAMS, 1);
    let ring = sensor.numbers("ring");
    // It ends by itself at the last packet; the last block of its own ring takes up to a second.
    let deadline = Instant::now() + Duration::from_secs(20);
    while tcpdump.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = tcpdump.kill();
    tcpdump.wait().unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    println!("tcpdump: {}", rest.replace('\n', "; "));

    let mut source = Source::open(file.path()).unwrap();
    while source.next().unwrap().is_some() {}
    println!("ring {ring:?}; file of tcpdump {}", source.counts().frames);
    assert_eq!(
        ring[..4],
        [DATAGRAMS, 1, 0, 0],
        "frames, flows, tagged, dropped"
    );
    assert_eq!(source.counts().frames, DATAGRAMS);
}

#[test]
fn fanout_splits_by_flow_and_loses_nothing() {
    let Some(lab) = Lab::new("fanout") else {
        return;
    };
    let mut sensor = Sensor::start(&lab, "sensor", "va 2 6400");
    lab.send(&lab.sender, "192.0.2.1", 100, 64);
    let (one, two) = (sensor.numbers("ring"), sensor.numbers("ring"));
    println!("rings {one:?} {two:?}");
    assert_eq!(one[0] + two[0], 6400);
    assert_eq!(one[1] + two[1], 64, "a flow is in one ring only");
    assert!(one[1] > 0 && two[1] > 0);
    assert_eq!(one[3] + two[3], 0);
}

#[test]
fn a_loopback_packet_is_seen_once() {
    let Some(lab) = Lab::new("lo") else { return };
    let mut sensor = Sensor::start(&lab, "sensor", "lo 1 500");
    lab.send(&lab.sensor, "127.0.0.1", 500, 1);
    assert_eq!(sensor.numbers("ring")[..4], [500, 1, 0, 0]);
}

#[test]
fn a_stripped_vlan_tag_is_told() {
    let Some(lab) = Lab::new("vlan") else { return };
    let mut sensor = Sensor::start(&lab, "sensor", "va 1 300");
    let tagger = lab.role(&lab.sender, "tagger", "vb 300");
    assert!(tagger.wait_with_output().unwrap().status.success());
    assert_eq!(sensor.numbers("ring")[..4], [300, 1, 300, 0]);
}

#[test]
fn an_interface_that_goes_is_told_and_opened_again() {
    let Some(lab) = Lab::new("down") else { return };
    let mut sensor = Sensor::start(&lab, "watcher", "va");
    lab.ip(&lab.sensor, "link set va down");
    sensor.wait_for("live_down");
    lab.ip(&lab.sensor, "link set va up");
    sensor.wait_for("open again");
    lab.ip(&lab.sensor, "link del va");
    sensor.wait_for("live_down");
    sensor.wait_for("live_no_interface");
}

#[test]
fn without_permission_the_command_is_told() {
    let check = || {
        privilege::keep_nothing().unwrap();
        match Ring::open(&LiveConfig::of("lo")).err() {
            Some(error @ LiveError::Permission { .. }) => {
                assert!(
                    error.to_string().contains("sudo setcap cap_net_raw+ep /"),
                    "{error}"
                );
            }
            other => panic!("{other:?}"),
        }
    };
    std::thread::spawn(check).join().unwrap();
}

/// What this program does when it was started inside a namespace; no test of its own.
#[test]
fn role() {
    let Ok(role) = std::env::var("VIGIE_LIVE_ROLE") else {
        return;
    };
    let arguments = std::env::var("VIGIE_LIVE_ARGUMENTS").unwrap();
    let words: Vec<&str> = arguments.split(' ').collect();
    match role.as_str() {
        "sensor" => sensor(
            words[0],
            words[1].parse().unwrap(),
            words[2].parse().unwrap(),
        ),
        "sender" => sender(
            words[0],
            words[1].parse().unwrap(),
            words[2].parse().unwrap(),
        ),
        "tagger" => tagger(words[0], words[1].parse().unwrap()),
        "watcher" => watcher(words[0]),
        other => panic!("{other}"),
    }
}

/// Opens rings, says `ready`, and counts until `expected` datagrams and half a second of silence.
fn sensor(interface: &str, rings: u16, expected: u64) {
    privilege::keep_only_net_raw().unwrap();
    let config = LiveConfig {
        fanout_group: (rings > 1).then_some(7),
        ..LiveConfig::of(interface)
    };
    let mut rings: Vec<Ring> = (0..rings).map(|_| Ring::open(&config).unwrap()).collect();
    privilege::keep_nothing().unwrap();
    println!("ready");
    let mut seen = vec![(0u64, BTreeSet::new(), 0u64); rings.len()];
    let (start, mut last) = (Instant::now(), Instant::now());
    while start.elapsed() < Duration::from_secs(60) {
        for (ring, (frames, flows, tagged)) in rings.iter_mut().zip(&mut seen) {
            let mut each = |frame: wire::Frame<'_>| {
                // Ethernet, IPv4 without options, UDP to our port.
                let bytes = frame.bytes;
                let ours = bytes.len() >= 42 && bytes[12..14] == [8, 0] && bytes[23] == 17;
                if ours && bytes[36..38] == PORT.to_be_bytes() {
                    *frames += 1;
                    flows.insert([bytes[34], bytes[35]]);
                    *tagged += u64::from(frame.vlan == Some(7));
                    assert_eq!(frame.wire_len as usize, bytes.len());
                    assert!(frame.time.0 > 1_700_000_000_000_000_000);
                }
            };
            if ring.poll(20, &mut each).unwrap() > 0 {
                last = Instant::now();
            }
        }
        let total: u64 = seen.iter().map(|(frames, ..)| frames).sum();
        if total >= expected && last.elapsed() > Duration::from_millis(500) {
            break;
        }
    }
    for (ring, (frames, flows, tagged)) in rings.iter_mut().zip(&seen) {
        let stats = ring.stats().unwrap();
        println!(
            "ring {frames} {} {tagged} {} {} {} {}",
            flows.len(),
            stats.dropped,
            stats.freezes,
            stats.packets,
            stats.duplicates + stats.malformed,
        );
    }
}

/// Sends slowly enough for the backlog of a small machine.
fn sender(to: &str, count: u64, ports: u64) {
    let sockets: Vec<UdpSocket> = (0..ports)
        .map(|_| UdpSocket::bind("0.0.0.0:0").unwrap())
        .collect();
    for i in 0..count {
        for socket in &sockets {
            // On loopback the port is closed, which the next call is told: not our matter.
            let _ = socket.send_to(&[7; 200], (to, PORT)).unwrap();
        }
        if i.is_multiple_of(32.max(count / 1000)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Sends frames tagged with VLAN 7, priority 5; needs no VLAN device.
fn tagger(interface: &str, count: u64) {
    let (family, flags) = (AddressFamily::PACKET, SocketFlags::CLOEXEC);
    let fd = rustix::net::socket_with(family, SocketType::RAW, flags, None).unwrap();
    let index = rustix::net::netdevice::name_to_index(&fd, interface).unwrap();
    sys::bind(fd.as_fd(), index).unwrap();
    let mut frame = vec![
        2, 0, 0, 0, 0, 0x0a, 2, 0, 0, 0, 0, 0x0b, 0x81, 0, 0xa0, 7, 8, 0,
    ];
    frame.extend([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend([192, 0, 2, 2, 192, 0, 2, 1, 0x30, 0x39]);
    frame.extend(PORT.to_be_bytes());
    frame.extend([0, 20, 0, 0]);
    frame.extend([9; 12]);
    for _ in 0..count {
        rustix::net::send(&fd, &frame, SendFlags::empty()).unwrap();
    }
}

/// Tells the errors of one interface, and opens it again whenever that is possible.
fn watcher(interface: &str) {
    let config = LiveConfig::of(interface);
    let mut ring = Some(Ring::open(&config).unwrap());
    println!("ready");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        let outcome = match &mut ring {
            Some(ring) => ring.poll(50, &mut |_| {}).map(|_| ()),
            None => Ring::open(&config).map(|new| {
                ring = Some(new);
                println!("open again");
            }),
        };
        if let Err(error) = outcome {
            println!("{}", error.code());
            assert!(error.may_retry());
            ring = None;
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
