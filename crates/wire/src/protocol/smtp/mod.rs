//! SMTP: mails, log-ins, the switch to TLS.
//!
//! Enters: the stream. Leaves: one Email Activity per mail, one Authentication per log-in, one
//! Network event per session. Refuses: bodies; what follows STARTTLS is recognised anew.
//! Limits: [`session::ASKED_MAX`] commands without answer, [`session::RECIPIENTS_MAX`] recipients,
//! those of `shared::mail`. Source: RFC 5321, RFC 2920, RFC 3030, RFC 3207, RFC 4954, RFC 2033.

mod parser;
mod report;
mod session;

use self::session::SmtpSession;
use super::shared::text::{after, holds, may_become};
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// SMTP and LMTP, on any port.
pub(super) struct Smtp;

/// Ports whose greeting needs no word to be believed.
const PORTS: [u16; 4] = [25, 465, 587, 2525];
/// What a client opens with, or goes on with when its start was not seen.
const OPENINGS: [&[u8]; 5] = [b"EHLO", b"HELO", b"LHLO", b"MAIL FROM:", b"RCPT TO:"];

impl Protocol for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(b"2EeHhLlMmRr")
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        match (first.transport, first.side) {
            (Transport::Udp, _) => Probe::No,
            (Transport::Tcp, Side::Client) => client(first.bytes),
            (Transport::Tcp, Side::Server) => greeting(first),
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(SmtpSession::default())
    }
}

fn client(bytes: &[u8]) -> Probe {
    let opens = |opening: &&[u8]| match after(bytes, opening) {
        Some([b' ' | b'\r' | b'\n', ..]) => true,
        Some([_, ..]) => opening.ends_with(b":"),
        Some([]) | None => false,
    };
    if OPENINGS.iter().any(opens) {
        return Probe::Certain;
    }
    let exact = |opening: &&[u8]| bytes.eq_ignore_ascii_case(opening);
    if OPENINGS.iter().any(|o| may_become(bytes, o) || exact(o)) {
        Probe::NeedMore
    } else {
        Probe::No
    }
}

fn greeting(first: &First<'_>) -> Probe {
    let bytes = first.bytes;
    if may_become(bytes, b"220-") {
        return Probe::NeedMore;
    }
    let Some(text) = after(bytes, b"220 ").or_else(|| after(bytes, b"220-")) else {
        return Probe::No;
    };
    let line = text.split(|&octet| octet == b'\n').next().unwrap_or(text);
    if holds(line, b"SMTP") || holds(line, b"LMTP") {
        Probe::Certain
    } else if line.len() == text.len() {
        Probe::NeedMore
    } else if PORTS.iter().any(|&port| first.has_port(port)) {
        Probe::Maybe
    } else {
        Probe::No
    }
}

#[cfg(test)]
mod tests;
