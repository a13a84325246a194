//! POP3: log-ins, mails fetched, the switch to TLS.
//!
//! Enters: the stream. Leaves: one Authentication per log-in, one Email Activity per mail fetched,
//! one Network event per session. Refuses: bodies; what follows STLS is recognised anew.
//! Limits: [`session::ASKED_MAX`] commands without answer, those of `shared::mail`.
//! Source: RFC 1939, RFC 2449, RFC 2595, RFC 5034.

mod parser;
mod session;

use self::session::Pop3Session;
use super::shared::text::{after, holds, may_become};
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// POP3, on any port.
pub(super) struct Pop3;

/// Ports whose greeting needs no word to be believed.
const PORTS: [u16; 2] = [110, 995];

impl Protocol for Pop3 {
    fn name(&self) -> &'static str {
        "pop3"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(b"+AaSsUuCc")
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        match (first.transport, first.side) {
            (Transport::Udp, _) => Probe::No,
            (Transport::Tcp, Side::Client) => client(first),
            (Transport::Tcp, Side::Server) => greeting(first),
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(Pop3Session::default())
    }
}

fn is_port(first: &First<'_>) -> bool {
    PORTS.iter().any(|&port| first.has_port(port))
}

/// A client waits for the greeting; its own words are common to other protocols.
fn client(first: &First<'_>) -> Probe {
    let own = [&b"APOP "[..], b"STLS\r\n", b"UIDL\r\n", b"CAPA\r\n"];
    if own.iter().any(|word| after(first.bytes, word).is_some()) {
        return Probe::Certain;
    }
    if own.iter().any(|word| may_become(first.bytes, word)) {
        return Probe::NeedMore;
    }
    let shared = [&b"USER "[..], b"AUTH "];
    if is_port(first) && shared.iter().any(|word| after(first.bytes, word).is_some()) {
        Probe::Maybe
    } else {
        Probe::No
    }
}

fn greeting(first: &First<'_>) -> Probe {
    let bytes = first.bytes;
    if may_become(bytes, b"+OK") {
        return Probe::NeedMore;
    }
    let Some(text) = after(bytes, b"+OK") else {
        return Probe::No;
    };
    let line = text.split(|&octet| octet == b'\n').next().unwrap_or(text);
    let named = holds(line, b"POP") || holds(line, b"@") && holds(line, b"<");
    if named || is_port(first) && line.len() < text.len() {
        Probe::Certain
    } else if line.len() == text.len() {
        Probe::NeedMore
    } else {
        Probe::No
    }
}

#[cfg(test)]
mod tests;
