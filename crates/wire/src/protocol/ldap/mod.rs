//! LDAP over TCP and CLDAP over UDP.
//!
//! Enters: messages of both sides, also those inside SASL wrapping that is not encrypted. Leaves:
//! one Authentication event per bind; one Network event (`about: ldap`) per search, change,
//! comparison and extended operation, with its result; STARTTLS hands the flow on. Refuses:
//! passwords and values; entries, which are counted and pass uncopied; distinguished names and
//! filters are `Sensitive`, names of attributes are not. Limits: [`parser::MESSAGE_BYTES_MAX`],
//! [`filter::DEPTH_MAX`], [`session::PENDING_MAX`].
//! Source: RFC 4511, RFC 4515, RFC 4513, RFC 1798 (CLDAP), [MS-ADTS] section 5.1.1.

mod filter;
mod parser;
mod session;
mod tell;

use super::{Asked, First, Probe, Protocol, Session, Transport};

/// LDAP, on any port.
pub(super) struct Ldap;

impl Protocol for Ldap {
    fn name(&self) -> &'static str {
        "ldap"
    }

    fn asked(&self) -> Asked {
        Asked::ALWAYS.starting(&[0x30])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        match parser::probe(first.bytes) {
            Probe::NeedMore if first.transport == Transport::Udp => Probe::No,
            answer @ (Probe::Certain | Probe::Maybe | Probe::NeedMore | Probe::No) => answer,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::LdapSession::default())
    }
}

#[cfg(test)]
mod tests;
