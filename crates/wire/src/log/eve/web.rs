//! `http`, `tls`, `quic`.
//!
//! Enters: request lines, answers, handshakes. Leaves: HTTP activity, network activity about TLS
//! and QUIC. Refuses: bodies, headers dumped by configuration (cookies and credentials may stand
//! there), certificates and their chains. Source: Suricata user guide, "Event type: HTTP", "TLS".

use model::Text;
use model::class::{Http, Network};
use model::fact::Facts;

use super::super::fields::{Fields, digits, owned};
use super::super::names::{host, http_activity, media, target, tls_version};
use super::super::said::{FAILURE, SUCCESS, Said};

pub(super) fn http(http: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let mut body = Http {
        method: http.word("http_method"),
        version: http
            .text("protocol")
            .or_else(|| http.text("version"))
            .map(version),
        user_agent: http.word("http_user_agent"),
        referrer: http.path("http_refer"),
        code: http.narrow("status"),
        content_type: http.text("http_content_type").map(media),
        response_bytes: http.number("length"),
        server: http.word("server"),
        transaction: record
            .narrow::<u32>("tx_id")
            .map(|number| number.saturating_add(1)),
        ..Http::default()
    };
    if let Some(name) = http.text("hostname") {
        host(name, &mut body);
    }
    body.port = body.port.or_else(|| http.narrow("http_port"));
    if let Some(url) = http.text("url") {
        target(url, &mut body);
    }
    let status = body
        .code
        .map_or(0, |code| if code < 400 { SUCCESS } else { FAILURE });
    let code = body.code.map(|code| Text::Owned(code.to_string()));
    let activity = http_activity(body.method.as_deref());
    out.push(Said::new(activity, body).status(status, code));
}

fn version(text: &str) -> Text {
    owned(text.trim_start_matches("HTTP/"))
}

pub(super) fn tls(tls: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("suricata");
    // Suricata's is SHA-1; the column is for SHA-256.
    facts.maybe("cert_sha1", tls.text("fingerprint").map(digits));
    let client = tls.words("client_alpns");
    let body = Network {
        about: Text::Borrowed("tls"),
        tls_version: tls.text("version").map(tls_version),
        tls_cipher: tls.word("cipher"),
        tls_sni: tls.lower("sni"),
        tls_ja3: tls.inner("ja3").word("hash"),
        tls_ja3s: tls.inner("ja3s").word("hash"),
        tls_ja4: tls.word("ja4"),
        tls_subject: tls.word("subject"),
        tls_issuer: tls.word("issuerdn"),
        tls_serial: tls.text("serial").map(digits),
        tls_not_before: tls.time("notbefore"),
        tls_not_after: tls.time("notafter"),
        tls_san: tls.words("subjectaltname"),
        tls_alpn: tls
            .words("server_alpns")
            .into_iter()
            .next()
            .or_else(|| client.first().cloned()),
        tls_alpn_offered: client,
        tls_resumed: tls.flag("session_resumed"),
        facts: facts.take(),
        ..Network::default()
    };
    out.push(Said::new(OPEN, body));
}

pub(super) fn quic(quic: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("quic");
    facts.maybe("version", quic.word("version"));
    facts.maybe("user_agent", quic.word("ua"));
    let body = Network {
        about: Text::Borrowed("quic"),
        tls_sni: quic.lower("sni"),
        tls_ja3: quic.inner("ja3").word("hash"),
        tls_ja3s: quic.inner("ja3s").word("hash"),
        tls_ja4: quic.word("ja4"),
        facts: facts.take(),
        ..Network::default()
    };
    out.push(Said::new(OPEN, body));
}

/// OCSF network activity: open.
const OPEN: u16 = 1;
