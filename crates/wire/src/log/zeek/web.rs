//! `http`, `ssl`, `x509`.
//!
//! Enters: exchanges, handshakes, certificates. Leaves: HTTP activity, network activity about TLS.
//! Refuses: the password of HTTP log-ins.
//! Source: Zeek documentation, "http.log", "ssl.log", "x509.log".

use model::class::{Authentication, Http, Network};
use model::fact::Facts;
use model::{Sensitive, Text};

use super::super::fields::{Fields, digits};
use super::super::names::{host, http_activity, media, target, tls_version};
use super::super::said::{FAILURE, SUCCESS, Said, TRAFFIC};
use super::text;

pub(super) fn http(http: Fields<'_>, out: &mut Vec<Said>) {
    let mut body = Http {
        method: http.word("method"),
        version: http.word("version"),
        user_agent: http.word("user_agent"),
        referrer: http.path("referrer"),
        request_bytes: http.number("request_body_len"),
        code: http.narrow("status_code"),
        reason: http.word("status_msg"),
        content_type: first(http, "resp_mime_types"),
        request_type: first(http, "orig_mime_types"),
        response_bytes: http.number("response_body_len"),
        transaction: http.narrow("trans_depth"),
        ..Http::default()
    };
    if let Some(name) = http.text("host") {
        host(name, &mut body);
    }
    if let Some(uri) = http.text("uri") {
        target(uri, &mut body);
    }
    let good = body.code.map(|code| code < 400);
    let status = body.code.map(|code| Text::Owned(code.to_string()));
    let activity = http_activity(body.method.as_deref());
    if let Some(user) = http.text("username") {
        body.auth_scheme = Some(Text::Borrowed("basic"));
        let login = Authentication {
            user: Some(Sensitive::text(user)),
            auth_protocol: Some(Text::Borrowed("Basic Authentication")),
            is_cleartext: Some(true),
            is_remote: Some(true),
            logon_type: Some(NETWORK_CLEAR),
            service: Some(Text::Borrowed("http")),
            ..Authentication::default()
        };
        let refused = body.code.map(|code| !matches!(code, 401 | 403 | 407));
        out.push(Said::new(LOGON, login).outcome(refused, status.clone()));
    }
    out.push(Said::new(activity, body).outcome(good, status));
}

fn first(record: Fields<'_>, key: &str) -> Option<Text> {
    record.words(key).first().map(|kind| media(kind))
}

pub(super) fn ssl(ssl: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("zeek");
    facts.maybe("ssl_history", ssl.word("ssl_history"));
    facts.maybe("validation", ssl.word("validation_status"));
    let chain = ssl.words("cert_chain_fps");
    let established = ssl.flag("established");
    let body = Network {
        about: Text::Borrowed("tls"),
        tls_version: ssl.text("version").map(tls_version),
        tls_cipher: ssl.word("cipher"),
        tls_sni: ssl.lower("server_name"),
        tls_ja3: ssl.word("ja3"),
        tls_ja3s: ssl.word("ja3s"),
        tls_ja4: ssl.word("ja4"),
        tls_subject: ssl.word("subject"),
        tls_issuer: ssl.word("issuer"),
        // A SHA-256; older versions write SHA-1, which the column is not for.
        tls_cert_sha256: chain.into_iter().next().filter(|print| print.len() == 64),
        tls_alpn: ssl.word("next_protocol"),
        tls_resumed: ssl.flag("resumed"),
        tls_established: established,
        facts: facts.take(),
        ..Network::default()
    };
    let status = match established {
        Some(true) => SUCCESS,
        Some(false) => FAILURE,
        None => 0,
    };
    out.push(Said::new(OPEN, body).status(status, ssl.word("last_alert")));
}

pub(super) fn x509(x509: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("certificate");
    facts.maybe("version", x509.word("certificate.version"));
    facts.maybe("key_algorithm", x509.word("certificate.key_alg"));
    facts.maybe("key_bits", x509.number("certificate.key_length"));
    facts.maybe("signature_algorithm", x509.word("certificate.sig_alg"));
    facts.maybe("ca", x509.flag("basic_constraints.ca"));
    facts.maybe("host_cert", x509.flag("host_cert"));
    let print = x509.word("fingerprint").filter(|print| print.len() == 64);
    let mut names = x509.words("san.dns");
    names.extend(x509.words("san.ip"));
    names.truncate(model::limit::LIST_ITEMS_MAX);
    let body = Network {
        about: Text::Borrowed("certificate"),
        tls_subject: x509.word("certificate.subject"),
        tls_issuer: x509.word("certificate.issuer"),
        tls_serial: x509.text("certificate.serial").map(digits),
        tls_not_before: x509.time("certificate.not_valid_before"),
        tls_not_after: x509.time("certificate.not_valid_after"),
        tls_san: names,
        tls_cert_sha256: print.map(|print| text(&print)),
        facts: facts.take(),
        ..Network::default()
    };
    out.push(Said::new(TRAFFIC, body));
}

/// OCSF activities and kinds of log-in.
const OPEN: u16 = 1;
const LOGON: u16 = 1;
const NETWORK_CLEAR: u16 = 8;
