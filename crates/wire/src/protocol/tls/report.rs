//! The event of a handshake.
//!
//! Enters: hellos, the server's certificate, how it ended. Leaves: OCSF Network Activity, about
//! `tls`.
//! Refuses: nothing. Source: OCSF 1.8.0 `tls`; RFC 8446 section 6 (alerts).

use codec::tls::{
    ClientHello, ServerHello, cipher_name, is_grease, is_tls13, ja3, ja3s, ja4, version_name,
};
use codec::x509::{Certificate, sha256};
use model::Text;
use model::class::Network;
use model::limit::{LIST_ITEMS_MAX, cut};

/// The server's certificate: its fingerprint always, the rest when it could be read.
pub(super) struct Leaf {
    sha256: String,
    certificate: Option<Certificate>,
}

impl Leaf {
    pub(super) fn read(der: &[u8]) -> Self {
        Self {
            sha256: sha256(der),
            certificate: Certificate::parse(der),
        }
    }
}

/// What is known of a handshake when it is over.
pub(super) struct Outcome<'a> {
    pub(super) hello: Option<&'a ClientHello>,
    pub(super) hello_is_v2: bool,
    pub(super) server: Option<&'a ServerHello>,
    pub(super) leaf: Option<Leaf>,
    pub(super) alert: Option<u8>,
    pub(super) established: bool,
    pub(super) resumed: Option<bool>,
}

/// The body of the event, its status, and the status in TLS's own words.
pub(super) fn describe(outcome: Outcome<'_>) -> (Network, u16, Option<Text>) {
    let mut body = Network {
        about: "tls".into(),
        tls_version: Some("unknown".into()),
        tls_alert: outcome.alert.map(u16::from),
        tls_established: Some(outcome.established),
        tls_resumed: outcome.resumed,
        ..Network::default()
    };
    if let Some(hello) = outcome.hello {
        offered(&mut body, hello, outcome.hello_is_v2, 't');
    }
    if let Some(hello) = outcome.server {
        chosen(&mut body, hello, outcome.hello);
    }
    if let Some(leaf) = outcome.leaf {
        certified(&mut body, leaf);
    }
    match outcome.alert {
        _ if outcome.established => (body, 1, None),
        Some(alert) => (body, 2, Some(alert_name(alert))),
        None => (body, 0, None),
    }
}

/// The hellos of a handshake over another transport than TCP.
pub(in crate::protocol) struct Hellos<'a> {
    pub(in crate::protocol) client: Option<&'a ClientHello>,
    pub(in crate::protocol) server: Option<&'a ServerHello>,
    /// The transport's letter in JA4.
    pub(in crate::protocol) transport: char,
}

/// Writes what hellos say into an event about another protocol than TLS.
pub(in crate::protocol) fn describe_hellos(body: &mut Network, hellos: &Hellos<'_>) {
    if let Some(hello) = hellos.client {
        offered(body, hello, false, hellos.transport);
    }
    if let Some(hello) = hellos.server {
        chosen(body, hello, hellos.client);
    }
}

fn offered(body: &mut Network, hello: &ClientHello, is_v2: bool, transport: char) {
    let name = hello.server_name.as_deref();
    body.tls_sni = name.map(|name| cut(name).to_owned().into());
    let real = hello.alpn.iter().filter(|name| !is_grease_name(name));
    body.tls_alpn_offered = real
        .take(LIST_ITEMS_MAX)
        .map(|name| printable(name))
        .collect();
    let mut anomalies = Vec::new();
    if hello.broken {
        anomalies.push(Text::from("tls-hello-broken"));
    }
    if !hello.broken && !is_v2 {
        body.tls_ja3 = Some(ja3(hello).into());
        body.tls_ja4 = Some(ja4(hello, transport).into());
    }
    body.anomalies = anomalies;
}

fn chosen(body: &mut Network, hello: &ServerHello, client: Option<&ClientHello>) {
    let version = hello.version();
    let name = version_name(version);
    body.tls_version = Some(name.unwrap_or_else(|| format!("0x{version:04x}").into()));
    if version == 2 {
        return;
    }
    body.tls_cipher = Some(match cipher_name(hello.cipher) {
        Some(name) => name.into(),
        None => format!("0x{:04x}", hello.cipher).into(),
    });
    body.tls_alpn = hello.alpn.as_deref().map(printable);
    if body.tls_alpn.is_none() && is_tls13(version) && client.is_some() {
        body.tls_alpn = body.tls_alpn_offered.first().cloned();
    }
    if !hello.broken && !hello.is_retry {
        body.tls_ja3s = Some(ja3s(hello).into());
    }
}

fn certified(body: &mut Network, leaf: Leaf) {
    body.tls_cert_sha256 = Some(leaf.sha256.into());
    let Some(certificate) = leaf.certificate else {
        return body.anomalies.push("tls-certificate-malformed".into());
    };
    body.tls_subject = Some(cut(&certificate.subject).to_owned().into());
    body.tls_issuer = Some(cut(&certificate.issuer).to_owned().into());
    body.tls_serial = Some(cut(&certificate.serial).to_owned().into());
    body.tls_not_before = Some(certificate.not_before);
    body.tls_not_after = Some(certificate.not_after);
    body.tls_san = certificate.names.into_iter().map(Text::from).collect();
}

fn printable(name: &[u8]) -> Text {
    name.escape_ascii().to_string().into()
}

fn is_grease_name(name: &[u8]) -> bool {
    <[u8; 2]>::try_from(name).is_ok_and(|pair| is_grease(u16::from_be_bytes(pair)))
}

/// The name of an alert.
pub(in crate::protocol) fn alert_name(number: u8) -> Text {
    let name = match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        other => return format!("alert_{other}").into(),
    };
    name.into()
}
