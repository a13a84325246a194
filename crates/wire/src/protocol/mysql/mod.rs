//! MySQL and MariaDB: log-ins, the server's version, statements counted by kind.
//!
//! Enters: the stream from its start. Leaves: one Authentication per log-in, one Network event per
//! session. Refuses: passwords, texts of statements, rows, which pass uncopied; what follows an
//! SSLRequest is recognised anew. Limits: [`session::PACKET_BYTES_MAX`] octets of a packet.
//! Source: MySQL internals manual, client/server protocol 4.1.

mod parser;
mod session;

use self::session::MysqlSession;
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// MySQL's protocol 10, known by the server's greeting on any port.
pub(super) struct Mysql;

impl Protocol for Mysql {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn asked(&self) -> Asked {
        Asked::TCP
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp || first.side == Side::Client {
            return Probe::No;
        }
        parser::probe(first.bytes)
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(MysqlSession::default())
    }
}

#[cfg(test)]
mod tests;
