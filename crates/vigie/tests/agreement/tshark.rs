//! Facts of tshark, the independent reader.
//!
//! Enters: a capture. Leaves: facts in our words. Refuses: to run without tshark: the test fails.
//! Source: tshark(1), `tshark -G values` for names; [MS-SMB2], RFC 8446, DICOM PS3.7.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::facts::{self, Facts, flow};
use super::medical;

/// Between the values that one frame has for one field.
const UNIT: char = '\u{1f}';

/// Protocols that tshark does not recognise on the ports of the lab.
const DECODE_AS: &[&str] = &[
    "tcp.port==4242,dicom",
    "tcp.port==4243,dicom",
    "tcp.port==11112,dicom",
    "tcp.port==2575,hl7",
];

/// What is asked of frames; the order is that of [`Frame::value`]'s names.
const FIELDS: &[&str] = &[
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "frame.protocols",
    "dns.id",
    "dns.flags.response",
    "dns.qry.name",
    "dns.qry.type",
    "dns.flags.rcode",
    "tls.handshake.type",
    "tls.handshake.extensions_server_name",
    "tls.handshake.version",
    "tls.handshake.extensions.supported_version",
    "tls.handshake.ciphersuite",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.ja3",
    "tls.handshake.ja3s",
    "http.request.method",
    "http.request.uri",
    "http.host",
    "http.response.code",
    "smb2.cmd",
    "smb2.flags.response",
    "smb2.msg_id",
    "smb2.nt_status",
    "smb2.filename",
    "smb2.tree",
    "smb2.class",
    "smb2.file_info.infolevel",
    "smb2.disposition.delete_on_close",
    "smb.nt.create_options.delete_on_close",
];

/// Frames that say something to compare.
const FILTER: &str = "(dns && !icmp && !icmpv6 && !mdns && !llmnr && !nbns) || \
    tls.handshake.type in {1, 2} || (http && !ssdp && !icmp) || smb2.cmd in {3, 5, 6, 17}";

/// The names that tshark gives to numbers.
pub(crate) struct Names(BTreeMap<(String, u64), String>);

impl Names {
    /// Asks tshark once.
    pub(crate) fn load() -> Self {
        let mut names = BTreeMap::new();
        let mut child = Command::new("tshark")
            .args(["-G", "values"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tshark is needed for this test: install it (apt-get install tshark)");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).expect("text") > 0 {
            let wanted = [&b"V\tdns.qry.type\t"[..], b"V\ttls.handshake.ciphersuite\t"];
            if wanted.iter().any(|prefix| line.starts_with(prefix)) {
                let text = String::from_utf8_lossy(&line);
                let cells: Vec<&str> = text.trim_end().split('\t').collect();
                if let [_, field, number, name] = cells[..] {
                    let short = name.split(' ').next().unwrap_or_default();
                    let short = if short == "*" { "ANY" } else { short };
                    names.insert((field.to_owned(), number_of(number)), short.to_owned());
                }
            }
            line.clear();
        }
        child.wait().expect("tshark ends");
        Self(names)
    }

    fn name(&self, field: &str, number: &str) -> Option<&str> {
        let key = (field.to_owned(), number_of(number));
        self.0.get(&key).map(String::as_str)
    }
}

/// A number as tshark writes it, decimal or hexadecimal.
fn number_of(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap_or(u64::MAX),
        None => text.parse().unwrap_or(u64::MAX),
    }
}

/// Runs tshark on a capture and gives its output, line by line.
pub(crate) fn run(capture: &Path, arguments: &[&str], mut each: impl FnMut(&str)) {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(capture).args([
        "-o",
        "tcp.reassemble_out_of_order:TRUE",
        "-o",
        "tls.keylog_file:",
    ]);
    for rule in DECODE_AS {
        command.args(["-d", rule]);
    }
    let mut child = command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("tshark is needed for this test: install it (apt-get install tshark)");
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    for line in out.split(b'\n') {
        each(&String::from_utf8_lossy(&line.expect("output")));
    }
    // It ends with an error on a capture that is cut: what it said before counts.
    child.wait().expect("tshark ends");
}

/// Reads a capture; `medical` asks for DICOM and HL7 as well, which costs a second pass.
pub(crate) fn read(capture: &Path, names: &Names, medical: bool) -> Facts {
    let separator = format!("aggregator={UNIT}");
    let mut arguments = vec!["-Y", FILTER, "-T", "fields", "-E", "separator=/t"];
    arguments.extend(["-E", "occurrence=a", "-E", &separator]);
    for field in FIELDS {
        arguments.extend(["-e", field]);
    }
    let mut reading = Reading::default();
    run(capture, &arguments, |line| {
        let cells = line.split('\t').map(String::from);
        reading.frame(&Frame(cells.collect()), names);
    });
    reading.finish(names);
    if medical {
        reading.facts.extend(medical::read(capture));
    }
    reading.facts
}

/// One line of `-T fields`.
struct Frame(Vec<String>);

impl Frame {
    fn value(&self, field: &str) -> &str {
        let at = FIELDS.iter().position(|known| *known == field);
        at.and_then(|at| self.0.get(at)).map_or("", String::as_str)
    }

    fn values(&self, field: &str) -> Vec<&str> {
        let value = self.value(field);
        if value.is_empty() {
            return Vec::new();
        }
        value.split(UNIT).collect()
    }

    /// The innermost value: tunnels carry packets in packets.
    fn last(&self, field: &str) -> &str {
        self.value(field).rsplit(UNIT).next().unwrap_or("")
    }

    fn flow(&self) -> String {
        let pick = |a: &str, b: &str| {
            let first = self.last(a);
            if first.is_empty() {
                self.last(b).to_owned()
            } else {
                first.to_owned()
            }
        };
        let (src, dst) = (pick("ip.src", "ipv6.src"), pick("ip.dst", "ipv6.dst"));
        let tcp = !self.value("tcp.srcport").is_empty();
        let transport = if tcp { "tcp" } else { "udp" };
        let port = |end: &str| self.last(&format!("{transport}.{end}")).to_owned();
        flow(
            transport,
            (&src, &port("srcport")),
            (&dst, &port("dstport")),
        )
    }
}

/// A TLS handshake as far as it was seen.
#[derive(Default)]
struct Handshake {
    sni: String,
    ja3: String,
    offered: String,
    version: String,
    cipher: String,
    chosen: String,
    ja3s: String,
}

#[derive(Default)]
struct Reading {
    facts: Facts,
    handshakes: BTreeMap<String, Handshake>,
    /// Requests of SMB by flow and message, waiting for the status.
    asked: BTreeMap<(String, String), (&'static str, String)>,
    /// Those among them that delete.
    doomed: BTreeSet<(String, String)>,
}

/// The status of an operation that was done.
const SUCCESS: &str = "0x00000000";

impl Reading {
    fn frame(&mut self, frame: &Frame, names: &Names) {
        let flow = frame.flow();
        self.dns(frame, &flow, names);
        self.tls(frame, &flow);
        self.http(frame, &flow);
        self.smb(frame, &flow);
    }

    fn dns(&mut self, frame: &Frame, flow: &str, names: &Names) {
        let ids = frame.values("dns.id");
        let answers = frame.values("dns.flags.response");
        let questions = frame.values("dns.qry.name");
        let kinds = frame.values("dns.qry.type");
        let rcodes = frame.values("dns.flags.rcode");
        if ids.len() != questions.len() || ids.len() != kinds.len() {
            return;
        }
        let mut rcodes = rcodes.iter();
        for (at, id) in ids.iter().enumerate() {
            let name = match questions[at] {
                "<Root>" => String::new(),
                name => facts::shown(&name.to_ascii_lowercase()),
            };
            let kind = names
                .name("dns.qry.type", kinds[at])
                .map_or_else(|| format!("TYPE{}", kinds[at]), str::to_owned);
            let question = format!("{} {name} {kind}", number_of(id));
            if answers.get(at) == Some(&"1") {
                let rcode = rcodes.next().copied().unwrap_or_default();
                self.facts
                    .say_once("dns", "answer", flow, format!("{question} {rcode}"));
            } else {
                self.facts.say_once("dns", "query", flow, question);
            }
        }
    }

    fn tls(&mut self, frame: &Frame, flow: &str) {
        let kinds = frame.values("tls.handshake.type");
        let first = |field: &str| {
            frame
                .values(field)
                .first()
                .copied()
                .unwrap_or("")
                .to_owned()
        };
        let seen = |wanted: &str| kinds.contains(&wanted);
        if !(seen("1") || seen("2")) {
            return;
        }
        let known = self.handshakes.entry(flow.to_owned()).or_default();
        if seen("1") && known.ja3.is_empty() {
            known.sni = first("tls.handshake.extensions_server_name").to_ascii_lowercase();
            known.offered = first("tls.handshake.extensions_alpn_str");
            known.ja3 = first("tls.handshake.ja3");
        }
        if seen("2") && !seen("1") {
            let agreed = first("tls.handshake.extensions.supported_version");
            let old = first("tls.handshake.version");
            known.version = if agreed.is_empty() { old } else { agreed };
            known.cipher = first("tls.handshake.ciphersuite");
            known.chosen = first("tls.handshake.extensions_alpn_str");
            known.ja3s = first("tls.handshake.ja3s");
        }
    }

    fn http(&mut self, frame: &Frame, flow: &str) {
        let methods = frame.values("http.request.method");
        let targets = frame.values("http.request.uri");
        let hosts = frame.values("http.host");
        for (at, (method, target)) in methods.iter().zip(&targets).enumerate() {
            let named = if hosts.len() == methods.len() {
                hosts[at]
            } else {
                ""
            };
            self.facts
                .say("http", "request", flow, request(method, target, named));
        }
        for code in frame.values("http.response.code") {
            // An interim answer is followed by the one that counts.
            if !code.starts_with('1') || code == "101" {
                self.facts.say("http", "status", flow, code.to_owned());
            }
        }
    }

    fn smb(&mut self, frame: &Frame, flow: &str) {
        let commands = frame.values("smb2.cmd");
        // Chained requests share their frame, and its fields cannot be told apart.
        let [command] = commands[..] else { return };
        let key = (flow.to_owned(), frame.value("smb2.msg_id").to_owned());
        if frame.value("smb2.flags.response") == "1" {
            let status = frame.value("smb2.nt_status");
            if status != "0x00000103"
                && let Some((kind, value)) = self.asked.remove(&key)
            {
                let status = format!("0x{:08x}", number_of(status));
                if kind == "create" && status == SUCCESS && self.doomed.remove(&key) {
                    self.facts.say("smb", "delete", flow, format!(" {status}"));
                }
                self.facts
                    .say("smb", kind, flow, format!("{value} {status}"));
            }
            return;
        }
        let file = frame.value("smb2.filename").to_owned();
        let level = (
            number_of(frame.value("smb2.class")),
            number_of(frame.value("smb2.file_info.infolevel")),
        );
        let request = match (command, level) {
            ("3", _) => ("tree", frame.value("smb2.tree").to_owned()),
            ("5", _) => ("create", file),
            ("6", _) => ("close", String::new()),
            ("17", (1, 10)) => ("rename", file),
            ("17", (1, 13)) if frame.value("smb2.disposition.delete_on_close") == "1" => {
                ("delete", String::new())
            }
            _ => return,
        };
        // A file opened to be deleted when it is closed, without a word more.
        if frame.value("smb.nt.create_options.delete_on_close") == "1" {
            self.doomed.insert(key.clone());
        }
        self.asked.insert(key, request);
    }

    fn finish(&mut self, names: &Names) {
        for (flow, known) in &self.handshakes {
            let version = version(&known.version);
            let cipher = names
                .name("tls.handshake.ciphersuite", &known.cipher)
                .unwrap_or(&known.cipher);
            // TLS 1.3 hides what the server chose: the first offer stands for it, on both sides.
            let hidden = known.chosen.is_empty() && version.starts_with("1.3");
            let alpn = if hidden {
                &known.offered
            } else {
                &known.chosen
            };
            let values = [
                ("sni", known.sni.as_str()),
                ("version", &version),
                ("cipher", cipher),
                ("alpn", alpn),
                ("ja3", &known.ja3),
                ("ja3s", &known.ja3s),
            ];
            for (key, value) in values {
                if !value.is_empty() {
                    self.facts.say("tls", key, flow, value.to_owned());
                }
            }
        }
        for ((flow, _), (kind, value)) in std::mem::take(&mut self.asked) {
            if kind != "close" {
                self.facts.say("smb", kind, &flow, format!("{value} "));
            }
        }
    }
}

/// The short name of a TLS version.
fn version(number: &str) -> String {
    match number_of(number) {
        0x0300 => "SSLv3".to_owned(),
        0x0301 => "1.0".to_owned(),
        0x0302 => "1.1".to_owned(),
        0x0303 => "1.2".to_owned(),
        0x0304 => "1.3".to_owned(),
        draft @ 0x7f00..=0x7fff => format!("1.3-draft{}", draft & 0xff),
        _ => number.to_owned(),
    }
}

/// A request in the words of our events: host without port, target without origin.
fn request(method: &str, target: &str, host: &str) -> String {
    let absolute = target
        .split_once("://")
        .filter(|_| !target.starts_with('/'));
    let (host, target) = match absolute {
        Some((_, rest)) => match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        },
        None if method == "CONNECT" => (target, ""),
        None => (host, target),
    };
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let target = target.split('#').next().unwrap_or_default();
    format!("{method} {} {target}", host.to_ascii_lowercase())
}
