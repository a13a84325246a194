//! IMAP: log-ins, mailboxes counted, mails fetched, the switch to TLS.
//!
//! Enters: the stream. Leaves: one Authentication per log-in, one Email Activity per mail fetched
//! whole, one Network event per session. Refuses: bodies and names of mailboxes; what follows
//! STARTTLS is recognised anew. Limits: [`session::ASKED_MAX`] commands without answer,
//! [`session::COMMAND_BYTES_MAX`] octets of one, those of `shared::mail`.
//! Source: RFC 9051, RFC 3501, RFC 2971 (ID), RFC 7888 (literals).

mod parser;
mod session;

use self::session::ImapSession;
use super::shared::text::{after, may_become};
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// IMAP, on any port.
pub(super) struct Imap;

impl Protocol for Imap {
    fn name(&self) -> &'static str {
        "imap"
    }

    fn asked(&self) -> Asked {
        Asked::TCP
            .starting(b"*.")
            .starting_within(b'0', b'9')
            .starting_within(b'A', b'Z')
            .starting_within(b'a', b'z')
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        match (first.transport, first.side) {
            (Transport::Udp, _) => Probe::No,
            (Transport::Tcp, Side::Client) => client(first),
            (Transport::Tcp, Side::Server) => greeting(first.bytes),
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(ImapSession::default())
    }
}

fn greeting(bytes: &[u8]) -> Probe {
    let greetings = [&b"* OK "[..], b"* PREAUTH ", b"* BYE "];
    if greetings.iter().any(|word| after(bytes, word).is_some()) {
        Probe::Certain
    } else if greetings.iter().any(|word| may_become(bytes, word)) {
        Probe::NeedMore
    } else {
        Probe::No
    }
}

/// A tag, a blank, a command that no other protocol has.
fn client(first: &First<'_>) -> Probe {
    let bytes = first.bytes;
    let word = |octet: &&u8| octet.is_ascii_alphanumeric() || **octet == b'.';
    let tag = bytes.iter().take(17).take_while(word).count();
    let Some((_, rest)) = bytes
        .split_at_checked(tag)
        .filter(|_| (1..=16).contains(&tag))
    else {
        return Probe::No;
    };
    let Some(rest) = rest.strip_prefix(b" ") else {
        return if rest.is_empty() && first.has_port(143) {
            Probe::NeedMore
        } else {
            Probe::No
        };
    };
    let own = [
        &b"CAPABILITY"[..],
        b"LOGIN ",
        b"AUTHENTICATE ",
        b"STARTTLS",
        b"SELECT ",
        b"ID (",
    ];
    if own.iter().any(|word| after(rest, word).is_some()) {
        Probe::Certain
    } else if first.has_port(143) && own.iter().any(|word| may_become(rest, word)) {
        Probe::NeedMore
    } else {
        Probe::No
    }
}

#[cfg(test)]
mod tests;
