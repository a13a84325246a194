//! SSDP (UPnP discovery): what devices announce, and what is searched for.
//!
//! Enters: datagrams. Leaves: one Network event per flow and [`session::SUMMARY_NS`], with the
//! server, the place of its description and its types. Refuses: bodies.
//! Limits: [`session::TYPES_MAX`] types a flow, [`session::FIELDS_MAX`] fields a message.
//! Source: UPnP Device Architecture 2.0, chapter 1.

mod session;

use self::session::{Kind, SsdpSession};
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// SSDP, known by its start lines on any port.
pub(super) struct Ssdp;

impl Protocol for Ssdp {
    fn name(&self) -> &'static str {
        "ssdp"
    }

    fn asked(&self) -> Asked {
        Asked::UDP.starting(b"NnMmHh")
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Tcp {
            return Probe::No;
        }
        match Kind::of(first.bytes) {
            Some(Kind::Notify | Kind::Search) => Probe::Certain,
            Some(Kind::Response) => Probe::Maybe,
            None => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(SsdpSession::default())
    }
}

#[cfg(test)]
mod tests;
