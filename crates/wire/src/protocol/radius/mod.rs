//! RADIUS: who asks a network access server to be let in, and accounting of what follows.
//!
//! Enters: datagrams. Leaves: one Authentication event per access request with its answer; one
//! Network event (`about: radius`) per accounting request. Refuses: passwords, keys, EAP contents.
//! Limits: [`parser::ATTRIBUTES_MAX`], [`session::PENDING_MAX`].
//! Source: RFC 2865, RFC 2866, RFC 3579, RFC 5176.

mod parser;
mod session;

use super::{First, Probe, Protocol, Session, Transport};

/// RADIUS, on any port.
pub(super) struct Radius;

/// Ports of RADIUS: authentication, accounting, both old ones, dynamic authorisation.
const PORTS: [u16; 5] = [1812, 1813, 1645, 1646, 3799];

impl Protocol for Radius {
    fn name(&self) -> &'static str {
        "radius"
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Tcp {
            return Probe::No;
        }
        match parser::read(first.bytes) {
            None => Probe::No,
            Some(_) if PORTS.iter().any(|port| first.has_port(*port)) => Probe::Certain,
            // Elsewhere a packet without attributes could be anything.
            Some(packet) if packet.attributes.is_empty() => Probe::No,
            Some(_) => Probe::Maybe,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::RadiusSession::default())
    }
}

#[cfg(test)]
mod tests;
