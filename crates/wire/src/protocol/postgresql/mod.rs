//! PostgreSQL: log-ins, the server's version, statements counted by kind.
//!
//! Enters: the stream. Leaves: one Authentication per log-in, one Network event per session.
//! Refuses: passwords, texts of statements, rows, which pass uncopied; what follows an agreed
//! SSLRequest is recognised anew. Limits: [`session::MESSAGE_BYTES_MAX`] octets of a message.
//! Source: PostgreSQL 17 documentation, chapter 53.

mod session;

use codec::bytes::Reader;

use self::session::PostgresqlSession;
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// PostgreSQL, known by its first message on any port.
pub(super) struct Postgresql;

/// Longest first message; servers refuse longer ones.
const STARTUP_BYTES_MAX: u32 = 10_000;

impl Protocol for Postgresql {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(&[0])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp || first.side == Side::Server {
            return Probe::No;
        }
        let mut r = Reader::new(first.bytes);
        match (first.bytes, r.u32_be(), r.u32_be()) {
            ([0] | [0, 0] | [0, 0, _] | [0, 0, _, _], ..) => Probe::NeedMore,
            (_, Some(8), Some(0x04d2_162f | 0x04d2_1630)) => Probe::Certain,
            (_, Some(16), Some(0x04d2_162e)) => Probe::Certain,
            (_, Some(9..=STARTUP_BYTES_MAX), Some(0x0003_0000..=0x0003_000f)) => Probe::Certain,
            (_, Some(8..=STARTUP_BYTES_MAX), None) => Probe::NeedMore,
            _ => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(PostgresqlSession::default())
    }
}

#[cfg(test)]
mod tests;
