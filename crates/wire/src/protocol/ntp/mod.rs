//! NTP: who takes its time from whom.
//!
//! Enters: datagrams. Leaves: one NTP Activity at the first answer of a flow, another when the
//! clock's stratum or source changes, a last one with the counts. Refuses: extension fields and
//! authenticators. Limits: [`session::TOLD_MAX`] events a flow.
//! Source: RFC 5905, RFC 9327 (control messages), RFC 4330.

mod parser;
mod session;

use self::parser::Packet;
use self::session::NtpSession;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// NTP, on its port; elsewhere when all fields make sense.
pub(super) struct Ntp;

const PORT: u16 = 123;

impl Protocol for Ntp {
    fn name(&self) -> &'static str {
        "ntp"
    }

    fn asked(&self) -> Asked {
        Asked::UDP
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Tcp {
            return Probe::No;
        }
        let Some(packet) = Packet::parse(first.bytes) else {
            return Probe::No;
        };
        match (first.has_port(PORT), packet.is_plausible()) {
            (true, _) => Probe::Certain,
            (false, true) => Probe::Maybe,
            (false, false) => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(NtpSession::default())
    }
}

#[cfg(test)]
mod tests;
