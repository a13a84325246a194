//! TDS (SQL Server, Sybase): log-ins, the server's version, statements counted by kind.
//!
//! Enters: the stream from its start. Leaves: one Authentication per log-in, one Network event per
//! session. Refuses: passwords, texts of statements, rows; what is encrypted.
//! Limits: [`session::MESSAGE_BYTES_MAX`] octets of a message. Source: [MS-TDS].

mod parser;
mod session;

use self::session::TdsSession;
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// TDS 7 and 8 without outer TLS, known by its first packet on any port.
pub(super) struct Tds;

impl Protocol for Tds {
    fn name(&self) -> &'static str {
        "tds"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(&[parser::PRE_LOGIN, parser::LOGIN])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp || first.side == Side::Server {
            return Probe::No;
        }
        parser::probe(first.bytes)
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(TdsSession::default())
    }
}

#[cfg(test)]
mod tests;
