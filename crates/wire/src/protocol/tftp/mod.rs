//! TFTP: files asked for and given.
//!
//! Enters: datagrams. Leaves: one FTP Activity per request. Refuses: contents. The transfer usually
//! goes on between other ports, in another flow, whose datagrams name nothing.
//! Limits: [`parser::NAME_BYTES_MAX`]. Source: RFC 1350, RFC 2347, RFC 2349.

mod parser;
mod session;

use self::parser::Message;
use self::session::TftpSession;
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

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
            Some(Message::Data(_) | Message::Ack | Message::Error(_)) | None => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(TftpSession::default())
    }
}

#[cfg(test)]
mod tests;
