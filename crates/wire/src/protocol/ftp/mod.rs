//! FTP: commands on files and directories, log-ins, data connections, the switch to TLS.
//!
//! Enters: the stream of the control connection. Leaves: one FTP Activity per command on a file or
//! a directory, one Authentication per log-in. Refuses: passwords; what follows AUTH TLS is
//! recognised anew. Limits: [`session::ASKED_MAX`] commands without answer,
//! [`session::EXCHANGES_MAX`] events of one session.
//! Source: RFC 959, RFC 2228, RFC 2428, RFC 3659, RFC 4217.

mod data;
mod parser;
mod session;

pub(super) use self::data::{DataSession, NAME as DATA};
use self::session::FtpSession;
use super::shared::text::{after, holds, may_become, word};
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// FTP's control connection, on any port.
pub(super) struct Ftp;

/// The port whose greeting needs no word to be believed.
const PORT: u16 = 21;

impl Protocol for Ftp {
    fn name(&self) -> &'static str {
        "ftp"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(b"2UuAaFfSs")
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        match (first.transport, first.side) {
            (Transport::Udp, _) => Probe::No,
            (Transport::Tcp, Side::Client) => client(first),
            (Transport::Tcp, Side::Server) => greeting(first),
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(FtpSession::default())
    }
}

/// A client waits for the greeting; `USER` with one word is not IRC's.
fn client(first: &First<'_>) -> Probe {
    let bytes = first.bytes;
    let line = bytes.split(|&octet| octet == b'\n').next().unwrap_or(bytes);
    let whole = line.len() < bytes.len();
    if let Some(name) = after(line, b"USER ") {
        let alone = word(name.trim_ascii_end()).1.is_empty();
        return match (whole, alone) {
            (true, true) => Probe::Maybe,
            (true, false) => Probe::No,
            (false, _) => Probe::NeedMore,
        };
    }
    let own = [
        &b"AUTH TLS\r\n"[..],
        b"AUTH SSL\r\n",
        b"FEAT\r\n",
        b"SYST\r\n",
    ];
    if own.iter().any(|word| after(bytes, word).is_some()) {
        Probe::Maybe
    } else if may_become(bytes, b"USER ") || own.iter().any(|word| may_become(bytes, word)) {
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
    if holds(line, b"SMTP") {
        Probe::No
    } else if holds(line, b"FTP") {
        Probe::Certain
    } else if line.len() == text.len() {
        Probe::NeedMore
    } else if first.has_port(PORT) {
        Probe::Maybe
    } else {
        Probe::No
    }
}

#[cfg(test)]
mod tests;
