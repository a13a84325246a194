//! TFTP: files asked for and given.
//!
//! Enters: datagrams. Leaves: one FTP Activity per request, and one per transfer, which goes on
//! between other ports, in a flow that the request announces. Refuses: to keep contents.
//! Limits: [`parser::NAME_BYTES_MAX`]. Source: RFC 1350, RFC 2347, RFC 2349.

mod parser;
mod session;

use self::parser::Message;
use self::session::TftpSession;
use super::{Asked, Context, First, Probe, Protocol, Session, Side, Transport};
use crate::file::expect::Transfer;

/// TFTP, known by its requests on any port.
pub(super) struct Tftp;

impl Protocol for Tftp {
    fn name(&self) -> &'static str {
        "tftp"
    }

    fn asked(&self) -> Asked {
        Asked::UDP.starting(&[0])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Tcp || first.side == Side::Server {
            return Probe::No;
        }
        match Message::parse(first.bytes) {
            Some(Message::Request { .. }) => Probe::Certain,
            Some(Message::Data(..) | Message::Ack | Message::Options(_) | Message::Error(_))
            | None => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(TftpSession::default())
    }
}

/// The session of a transfer that was asked for in another flow.
pub(super) fn data(transfer: Transfer, cx: &Context<'_>) -> Box<dyn Session> {
    Box::new(TftpSession::of(transfer, cx.now))
}

#[cfg(test)]
mod tests;
