//! SOCKS 4, 4a and 5: what a client asks a proxy for; the tunnel is recognised anew.
//!
//! Enters: the stream from its start. Leaves: one Network event per request, one Authentication per
//! log-in. Refuses: passwords; SOCKS messages inside GSS-API. Limits: none beyond the formats':
//! every message is at most 513 octets. Source: RFC 1928, RFC 1929, the SOCKS 4 and 4a memos.

mod parser;
mod session;

use self::session::SocksSession;
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// SOCKS, on any port.
pub(super) struct Socks;

/// Ports where few octets are believed.
const PORTS: [u16; 3] = [1080, 9050, 9150];

impl Protocol for Socks {
    fn name(&self) -> &'static str {
        "socks"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(&[4, 5])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp || first.side == Side::Server {
            return Probe::No;
        }
        let found = match first.bytes {
            [4, ..] => parser::probe_4(first.bytes),
            [5, ..] => parser::probe_5(first.bytes),
            _ => Probe::No,
        };
        let known = PORTS.iter().any(|&port| first.has_port(port));
        match (found, known) {
            (Probe::Maybe, true) => Probe::Certain,
            (found, _) => found,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(SocksSession::default())
    }
}

#[cfg(test)]
mod tests;
