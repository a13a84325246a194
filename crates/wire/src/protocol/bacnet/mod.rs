//! BACnet/IP: building automation.
//!
//! Enters: datagrams. Leaves: an event for every device that announces itself and for what devices
//! say of themselves, the first of each service, object type and property at once, then sums once a
//! minute; registrations of foreign devices among them. Refuses: values other than the names and
//! versions of devices; passwords (their presence is noticed).
//! Limits: [`parser::PROPERTIES_MAX`] properties a message, [`session::PENDING_MAX`] open requests,
//! [`session::DEVICES_MAX`] devices a flow, the groups of [`super::tally`]. Of a segmented answer
//! the first segment is read. Source: ANSI/ASHRAE 135-2020, clauses 6, 13 to 17, 20 and annex J.

mod names;
mod parser;
mod session;

use self::parser::Link;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// The protocol.
pub(super) struct Bacnet;

/// Port of BACnet/IP.
const PORT: u16 = 47_808;

impl Protocol for Bacnet {
    fn name(&self) -> &'static str {
        "bacnet"
    }

    fn asked(&self) -> Asked {
        Asked::UDP.starting(&[0x81])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Udp {
            return Probe::No;
        }
        match Link::read(first.bytes) {
            // The length field counts the whole datagram, and there is one version of the network
            // layer.
            Some(link) if link.npdu.is_none_or(|npdu| npdu.first() == Some(&1)) => {
                if link.is_exact {
                    Probe::Certain
                } else if first.has_port(PORT) && link.npdu.is_some_and(|npdu| npdu.len() >= 4) {
                    // Some tools count wrongly, and devices answer them.
                    Probe::Maybe
                } else {
                    Probe::No
                }
            }
            _ => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::BacnetSession::new())
    }
}

#[cfg(test)]
mod tests;
