//! Kerberos: tickets asked for, granted and refused, over UDP and TCP.
//!
//! Enters: datagrams, or a stream of messages with their length. Leaves: one Authentication event
//! per exchange: who, in which realm, for which service, with which encryption types, pre-
//! authentication and options, and the error by name. A ticket that is shown to a service without a
//! KDC is a log-in. Refuses: what is encrypted; principals are `Sensitive`, services are not unless
//! they are accounts. Limits: [`session::PENDING_MAX`], [`parser::MESSAGE_BYTES_MAX`]. Source:
//! RFC 4120 sections 5 and 7.2; Kerberos inside SPNEGO is read by `logon`.

mod parser;
mod session;

use super::{Asked, First, Probe, Protocol, Session, Transport};
pub(super) use session::shown;

/// Kerberos, on any port.
pub(super) struct Kerberos;

impl Protocol for Kerberos {
    fn name(&self) -> &'static str {
        "kerberos"
    }

    fn asked(&self) -> Asked {
        Asked::ALWAYS.starting(&[0]).starting_within(0x60, 0x7f)
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        match first.transport {
            Transport::Tcp => parser::probe_stream(first.bytes),
            Transport::Udp => parser::probe_datagram(first.bytes),
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::KerberosSession::default())
    }
}

#[cfg(test)]
mod tests;
