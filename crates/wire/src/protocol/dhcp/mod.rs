//! DHCPv4.
//!
//! Enters: datagrams. Leaves: one event per message. Refuses: DHCPv6, BOOTP without the magic
//! cookie.
//! Limits: [`parser::OPTIONS_MAX`] options a message. Source: RFC 2131, RFC 2132, RFC 3046, RFC
//! 4702.

mod parser;
mod session;

use self::parser::Message;
use self::session::DhcpSession;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// DHCPv4, known by its magic cookie on any port.
pub(super) struct Dhcp;

impl Protocol for Dhcp {
    fn name(&self) -> &'static str {
        "dhcp"
    }

    fn asked(&self) -> Asked {
        Asked::UDP.starting(&[1, 2])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp && Message::is_one(first.bytes) {
            Probe::Certain
        } else {
            Probe::No
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(DhcpSession)
    }
}

#[cfg(test)]
mod tests;
