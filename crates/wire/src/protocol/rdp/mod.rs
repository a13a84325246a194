//! Remote Desktop: how a connection is opened, and what the client says of itself.
//!
//! Enters: the stream from its start, or what decrypted TLS carries. Leaves: one RDP Activity event
//! per opening; a server that chooses TLS hands the flow to TLS. Refuses: everything after the
//! opening. Whether a log-in by CredSSP succeeded is told as `unknown`: it happens inside TLS, and
//! sizes that tell success from failure differ by server, by mechanism and by length of names.
//! Limits: [`session::FRAME_BYTES_MAX`], [`parser::CHANNELS_MAX`].
//! Source: [MS-RDPBCGR] sections 2.2.1.1 to 2.2.1.4, RFC 1006, T.124, T.125.

mod parser;
mod session;

use super::{First, Probe, Protocol, Session, Side, Transport};

/// Remote Desktop, on any port.
pub(super) struct Rdp;

const PORT: u16 = 3389;

impl Protocol for Rdp {
    fn name(&self) -> &'static str {
        "rdp"
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp {
            return Probe::No;
        }
        let head = first.bytes.get(..2).unwrap_or(first.bytes);
        if !b"\x03\x00".starts_with(head) {
            return Probe::No;
        }
        let Some(length) = parser::frame_bytes(first.bytes) else {
            return if first.bytes.len() < parser::TPKT_BYTES {
                Probe::NeedMore
            } else {
                Probe::No
            };
        };
        // What tells stands in the first octets, but for a cookie.
        let enough = length.min(parser::TELLING_BYTES);
        let Some(frame) = first.bytes.get(..enough) else {
            return Probe::NeedMore;
        };
        match parser::mark(frame) {
            Some(true) => Probe::Certain,
            Some(false) if first.has_port(PORT) && first.side == Side::Client => Probe::Maybe,
            Some(false) | None => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::RdpSession::default())
    }
}

#[cfg(test)]
mod tests;
