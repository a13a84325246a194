//! Facts about names, TLS, QUIC, HTTP.
//!
//! Enters: packets of tshark, events of ours. Leaves: facts. Refuses: nothing; the first client
//! hello of a flow counts. Source: `docs/reference/fields.md`, Wireshark's field reference.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::{Facts, shown};
use super::ours::text;
use super::pdml::{Packet, Proto, all, first, messages};

/// A TLS handshake as far as tshark told it.
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

/// What tshark told of handshakes, by flow.
#[derive(Default)]
pub(super) struct Handshakes(BTreeMap<(&'static str, String), Handshake>);

/// A DNS message of tshark.
pub(super) fn dns(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let Some(kind) = proto
        .fields
        .iter()
        .find(|field| field.name == "dns.qry.type")
    else {
        return;
    };
    let name = match proto.first("dns.qry.name") {
        "<Root>" => String::new(),
        name => shown(&name.to_ascii_lowercase()),
    };
    let kind = match kind.title.split(' ').nth(1) {
        Some("*") => "ANY".to_owned(),
        Some("Unknown") | None => format!("TYPE{}", kind.show),
        Some(word) => word.to_owned(),
    };
    let question = format!("{} {name} {kind}", number(proto.first("dns.id")));
    if truth(proto.first("dns.flags.response")) {
        let rcode = proto.first("dns.flags.rcode");
        facts.say_once(
            "dns",
            "answer",
            &packet.flow(),
            format!("{question} {rcode}"),
        );
    } else {
        facts.say_once("dns", "query", &packet.flow(), question);
    }
}

/// A DNS event of ours.
pub(super) fn our_dns(event: &Value, flow: &str, facts: &mut Facts) {
    let question = format!(
        "{} {} {}",
        text(event, "/query/packet_uid"),
        shown(&unescaped(
            text(event, "/query/hostname").trim_start_matches('.')
        )),
        text(event, "/query/type")
    );
    if event.get("query_time").is_some() {
        facts.say_once("dns", "query", flow, question.clone());
    }
    if let Some(rcode) = event["rcode_id"].as_u64() {
        // Ours holds the upper bits of EDNS (RFC 6891), the reference the four of the header.
        facts.say_once("dns", "answer", flow, format!("{question} {}", rcode & 15));
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
                let digits = [a, b, c].into_iter();
                let value = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
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

impl Handshakes {
    /// TLS of tshark, inside TCP or QUIC.
    pub(super) fn tls(&mut self, proto: &Proto, packet: &Packet) {
        let protocol = if proto.inside.as_deref() == Some("quic") {
            "quic"
        } else {
            "tls"
        };
        for message in messages(&proto.fields, "tls.handshake.type") {
            let kind = first(message, "tls.handshake.type");
            if !matches!(kind, "1" | "2") {
                continue;
            }
            let known = self.0.entry((protocol, packet.flow())).or_default();
            let field = |name: &str| first(message, name).to_owned();
            let alpn = field("tls.handshake.extensions_alpn_str");
            if kind == "1" && known.ja3.is_empty() {
                known.sni = field("tls.handshake.extensions_server_name").to_ascii_lowercase();
                known.offered = alpn;
                known.ja3 = field("tls.handshake.ja3");
            } else if kind == "2" {
                let agreed = field("tls.handshake.extensions.supported_version");
                let old = field("tls.handshake.version");
                known.version = if agreed.is_empty() { old } else { agreed };
                let cipher = message
                    .iter()
                    .find(|f| f.name == "tls.handshake.ciphersuite");
                known.cipher = cipher.map_or(String::new(), |field| {
                    field.title.split(' ').nth(2).unwrap_or_default().to_owned()
                });
                known.chosen = alpn;
                known.ja3s = field("tls.handshake.ja3s");
            }
        }
    }

    /// Facts about all of them.
    pub(super) fn finish(self, facts: &mut Facts) {
        for ((protocol, flow), known) in self.0 {
            if protocol == "quic" {
                for (key, value) in [("sni", known.sni), ("alpn", known.offered)] {
                    if !value.is_empty() {
                        facts.say_once("quic", key, &flow, value);
                    }
                }
                continue;
            }
            let version = version(&known.version);
            // TLS 1.3 hides what the server chose: the first offer stands for it, on both sides.
            let hidden = known.chosen.is_empty() && version.starts_with("1.3");
            let alpn = if hidden { known.offered } else { known.chosen };
            let values = [
                ("sni", known.sni),
                ("version", version),
                ("cipher", known.cipher),
                ("alpn", alpn),
                ("ja3", known.ja3),
                ("ja3s", known.ja3s),
            ];
            for (key, value) in values {
                if !value.is_empty() {
                    // Ports are used again, and captures hold connections twice.
                    facts.say_once("tls", key, &flow, value);
                }
            }
        }
    }
}

/// A TLS event of ours.
pub(super) fn our_tls(event: &Value, flow: &str, facts: &mut Facts) {
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
            facts.say_once("tls", key, flow, value);
        }
    }
}

/// A QUIC event of ours.
pub(super) fn our_quic(event: &Value, flow: &str, facts: &mut Facts) {
    let offered = text(event, "/unmapped/tls/alpn_offered/0");
    for (key, value) in [("sni", text(event, "/tls/sni")), ("alpn", offered)] {
        if !value.is_empty() {
            facts.say_once("quic", key, flow, value);
        }
    }
}

/// HTTP/1 of tshark.
pub(super) fn http(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let flow = packet.flow();
    for message in messages(&proto.fields, "http.request.method") {
        let field = |name: &str| first(message, name);
        let said = request(
            field("http.request.method"),
            field("http.request.uri"),
            field("http.host"),
        );
        facts.say("http", "request", &flow, said);
    }
    for code in all(&proto.fields, "http.response.code") {
        // An interim answer is followed by the one that counts.
        if !code.starts_with('1') || code == "101" {
            facts.say("http", "status", &flow, code);
        }
    }
}

/// HTTP/2 of tshark.
pub(super) fn http2(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let flow = packet.flow();
    for message in messages(&proto.fields, "http2.streamid") {
        let field = |name: &str| first(message, &format!("http2.headers.{name}")).to_owned();
        let (method, code) = (field("method"), field("status"));
        if !method.is_empty() {
            let said = request(&method, &field("path"), &field("authority"));
            facts.say("http2", "request", &flow, said);
        }
        if !code.is_empty() && (!code.starts_with('1') || code == "101") {
            facts.say("http2", "status", &flow, code);
        }
    }
}

/// An HTTP event of ours.
pub(super) fn our_http(event: &Value, flow: &str, facts: &mut Facts) {
    let version = text(event, "/http_request/version");
    let protocol = if version.starts_with('2') {
        "http2"
    } else {
        "http"
    };
    let method = text(event, "/http_request/http_method");
    if !method.is_empty() {
        let query = text(event, "/http_request/url/query_string");
        let mark = if query.is_empty() { "" } else { "?" };
        let host = text(event, "/http_request/url/hostname");
        let path = text(event, "/http_request/url/path");
        facts.say(
            protocol,
            "request",
            flow,
            format!("{method} {host} {path}{mark}{query}"),
        );
    }
    let code = text(event, "/http_response/code");
    // OCSF wants a code in each answer; that of HTTP/0.9, which has none, is 0.
    if !code.is_empty() && code != "0" {
        facts.say(protocol, "status", flow, code);
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

/// The short name of a TLS version.
fn version(number: &str) -> String {
    match self::number(number) {
        0x0300 => "SSLv3".to_owned(),
        0x0301 => "1.0".to_owned(),
        0x0302 => "1.1".to_owned(),
        0x0303 => "1.2".to_owned(),
        0x0304 => "1.3".to_owned(),
        draft @ 0x7f00..=0x7fff => format!("1.3-draft{}", draft & 0xff),
        _ => number.to_owned(),
    }
}

/// A number as tshark writes it, decimal or hexadecimal.
pub(super) fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap_or(u64::MAX),
        None => text.parse().unwrap_or(u64::MAX),
    }
}

/// A flag as tshark writes it.
pub(super) fn truth(text: &str) -> bool {
    matches!(text, "1" | "True" | "true")
}
