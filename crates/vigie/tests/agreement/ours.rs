//! Facts of `vigie read --clear --format ndjson`.
//!
//! Enters: a capture. Leaves: facts. Refuses: output that is not one JSON object a line.
//! Source: `docs/reference/fields.md`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::facts::{self, Facts, flow};

/// Reads a capture with the binary under test.
pub(crate) fn read(capture: &Path) -> Facts {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["read", "--clear", "--quiet", "--format", "ndjson"])
        .arg(capture)
        .stdout(Stdio::piped())
        .spawn()
        .expect("vigie runs");
    let mut facts = Facts::default();
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    for line in out.lines() {
        let line = line.expect("text");
        let event: Value = serde_json::from_str(&line).expect("one JSON object a line");
        event_facts(&event, &mut facts);
    }
    let status = child.wait().expect("vigie ends");
    let name = capture.display();
    assert!(
        matches!(status.code(), Some(0 | 3)),
        "{name}: vigie ended with {status}"
    );
    facts
}

fn event_facts(event: &Value, facts: &mut Facts) {
    let transport = text(event, "/connection_info/protocol_name");
    let end = |name: &str| {
        (
            text(event, &format!("/{name}/ip")),
            text(event, &format!("/{name}/port")),
        )
    };
    let (src, dst) = (end("src_endpoint"), end("dst_endpoint"));
    let flow = flow(&transport, (&src.0, &src.1), (&dst.0, &dst.1));
    match (
        event["class_uid"].as_u64(),
        event["app_protocol_name"].as_str(),
    ) {
        (Some(4003), Some("dns")) => dns(event, &flow, facts),
        (Some(4001), _) if event["unmapped"]["about"] == "tls" => tls(event, &flow, facts),
        (Some(4002), _) => http(event, &flow, facts),
        (Some(4006), _) => smb(event, &flow, facts),
        (Some(99_904_001), Some("dicom")) => dicom(event, &flow, facts),
        (Some(99_904_001), Some("hl7")) => hl7(event, &flow, facts),
        _ => {}
    }
}

/// A value as text, empty when absent.
fn text(event: &Value, pointer: &str) -> String {
    match event.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn dns(event: &Value, flow: &str, facts: &mut Facts) {
    let question = format!(
        "{} {} {}",
        text(event, "/query/packet_uid"),
        facts::shown(&unescaped(&text(event, "/query/hostname"))),
        text(event, "/query/type")
    );
    if event.get("query_time").is_some() {
        facts.say_once("dns", "query", flow, question.clone());
    }
    if event.get("rcode_id").is_some() {
        // Ours holds the upper bits of EDNS (RFC 6891), the reference the four of the header.
        let rcode = event["rcode_id"].as_u64().unwrap_or_default() & 15;
        let answer = format!("{question} {rcode}");
        facts.say_once("dns", "answer", flow, answer);
    }
}

/// The octets behind the escapes of RFC 4343, read as UTF-8 like tshark does.
fn unescaped(name: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [a, b, c, tail @ ..]) if [a, b, c].iter().all(|d| d.is_ascii_digit()) => {
                let value = [a, b, c]
                    .iter()
                    .fold(0, |sum, d| sum * 10 + u16::from(**d - b'0'));
                octets.push(u8::try_from(value).unwrap_or(b'?'));
                rest = tail;
            }
            (b'\\', [escaped, tail @ ..]) => {
                octets.push(*escaped);
                rest = tail;
            }
            (plain, _) => octets.push(*plain),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

fn tls(event: &Value, flow: &str, facts: &mut Facts) {
    let known = [
        ("sni", "/tls/sni"),
        ("version", "/tls/version"),
        ("cipher", "/tls/cipher"),
        ("alpn", "/unmapped/tls/alpn"),
        ("ja3", "/tls/ja3_hash/value"),
        ("ja3s", "/tls/ja3s_hash/value"),
    ];
    for (key, pointer) in known {
        let value = text(event, pointer);
        if !value.is_empty() && value != "unknown" {
            facts.say("tls", key, flow, value);
        }
    }
}

fn http(event: &Value, flow: &str, facts: &mut Facts) {
    let method = text(event, "/http_request/http_method");
    if !method.is_empty() {
        let query = text(event, "/http_request/url/query_string");
        let mark = if query.is_empty() { "" } else { "?" };
        let host = text(event, "/http_request/url/hostname");
        let path = text(event, "/http_request/url/path");
        facts.say(
            "http",
            "request",
            flow,
            format!("{method} {host} {path}{mark}{query}"),
        );
    }
    let code = text(event, "/http_response/code");
    // OCSF wants a code in each answer; that of HTTP/0.9, which has none, is 0.
    if !code.is_empty() && code != "0" {
        facts.say("http", "status", flow, code);
    }
}

fn smb(event: &Value, flow: &str, facts: &mut Facts) {
    let status = text(event, "/status_code");
    let (key, value) = match event["command"].as_str() {
        Some("TREE_CONNECT") => ("tree", text(event, "/share")),
        Some("CREATE") => ("create", text(event, "/file/path")),
        Some("RENAME") => ("rename", text(event, "/unmapped/smb/renamed_to")),
        Some("DELETE") => ("delete", String::new()),
        Some("CLOSE") if !status.is_empty() => ("close", String::new()),
        _ => return,
    };
    facts.say("smb", key, flow, format!("{value} {status}"));
}

fn dicom(event: &Value, flow: &str, facts: &mut Facts) {
    let operation = text(event, "/medical/operation");
    let status = text(event, "/medical/status");
    if operation == "ASSOCIATE" {
        let ends = format!(
            "{} > {}",
            text(event, "/medical/calling_ae"),
            text(event, "/medical/called_ae")
        );
        facts.say("dicom", "associate", flow, ends);
        return;
    }
    let class = text(event, "/medical/sop_class_uid");
    if operation == "C-STORE" {
        // One event may stand for the many images of a series.
        let count = event["medical"]["object_count"].as_u64().unwrap_or(1);
        for _ in 0..count.max(1) {
            facts.say("dicom", "operation", flow, format!("{operation} {class}"));
            facts.say("dicom", "status", flow, format!("{operation} {status}"));
        }
        return;
    }
    facts.say("dicom", "operation", flow, format!("{operation} {class}"));
    if !status.is_empty() {
        facts.say("dicom", "status", flow, format!("{operation} {status}"));
    }
}

fn hl7(event: &Value, flow: &str, facts: &mut Facts) {
    let field = |name: &str| text(event, &format!("/medical/{name}"));
    let control = field("control_id");
    let message = format!(
        "{}|{}|{}|{} {}^{} {control}",
        field("sending_app"),
        field("sending_facility"),
        field("receiving_app"),
        field("receiving_facility"),
        field("message_type"),
        field("trigger"),
    );
    facts.say("hl7", "message", flow, message);
    let ack = field("ack_code");
    if !ack.is_empty() {
        facts.say("hl7", "ack", flow, format!("{control} {ack}"));
    }
}
