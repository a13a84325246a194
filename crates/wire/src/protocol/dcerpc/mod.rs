//! DCE/RPC, connection-oriented: which interface is called, which operation, by whom.
//!
//! Enters: the stream of a TCP connection, on any port. Leaves: one Network event (`about: dcerpc`)
//! per interface and operation as soon as it is answered, one more with the rest of its calls at
//! the end; one Authentication event per log-in; refused bindings. Refuses: arguments, which pass
//! uncopied. Limits: [`association::CONTEXTS_MAX`], [`association::GROUPS_MAX`],
//! [`association::CALLS_MAX`]. Source: C706 chapter 12, [MS-RPCE] section 2.2.2.

mod association;
mod names;
mod parser;
pub(super) mod pipe;
mod session;

use super::{First, Probe, Protocol, Session, Transport};

/// DCE/RPC, on any port.
pub(super) struct DceRpc;

impl Protocol for DceRpc {
    fn name(&self) -> &'static str {
        "dcerpc"
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp {
            return Probe::No;
        }
        parser::probe(first.bytes)
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::DceRpcSession::default())
    }
}

#[cfg(test)]
pub(in crate::protocol) mod tests;
