//! SNMP v1, v2c and v3: what is asked of devices, and what they say they are.
//!
//! Enters: datagrams. Leaves: one Network event per flow and [`session::SUMMARY_NS`]: counts by
//! operation, groups of objects, the system group's identity when it was answered. Refuses: the
//! community: only whether it is one of the factory's; values of other objects; encrypted parts.
//! Limits: [`session::GROUPS_MAX`] groups, [`parser::BINDINGS_MAX`] bindings a message.
//! Source: RFC 1157, RFC 1905, RFC 3412, RFC 3414, RFC 3418.

mod ber;
mod parser;
mod session;

use self::parser::Message;
use self::session::SnmpSession;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// SNMP over UDP, known by its structure on any port.
pub(super) struct Snmp;

impl Protocol for Snmp {
    fn name(&self) -> &'static str {
        "snmp"
    }

    fn asked(&self) -> Asked {
        Asked::UDP.starting(&[0x30])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp && Message::parse(first.bytes).is_some() {
            Probe::Certain
        } else {
            Probe::No
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(SnmpSession::default())
    }
}

#[cfg(test)]
mod tests;
