//! QUIC: the handshake's first flight, whose keys everybody can derive.
//!
//! Enters: datagrams from the connection's start. Leaves: one event per connection: version, what
//! the client's TLS hello offered (server name, application protocols, JA4), what the server chose,
//! retry and version negotiation. Refuses: what Initial keys do not open. Limits:
//! [`session::CRYPTO_BYTES_MAX`] octets of handshake a side, [`session::DATAGRAMS_MAX`] datagrams,
//! [`session::KEYS_MAX`] derivations, [`parser::PACKETS_MAX`] packets a datagram.
//! Source: RFC 8999, RFC 9000, RFC 9001, RFC 9368, RFC 9369 (version 2), draft-ietf-quic-tls-29.

mod initial;
mod parser;
mod session;

use self::parser::{Kind, Long, Version};
use self::session::QuicSession;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// QUIC, on any port.
pub(super) struct Quic;

/// Octets after the header that a packet has at least: its number and the sample of its mask.
const SAMPLE_BYTES_MIN: usize = 16;

impl Protocol for Quic {
    fn name(&self) -> &'static str {
        "quic"
    }

    fn asked(&self) -> Asked {
        Asked::UDP
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Udp {
            return Probe::No;
        }
        if parser::google(first.bytes).is_some() {
            return Probe::Certain;
        }
        let Some(packet) = Long::parse(first.bytes) else {
            return Probe::No;
        };
        match (packet.kind, packet.version) {
            (Kind::Negotiation, _) if !packet.rest.is_empty() => Probe::Maybe,
            (_, Version(number)) if number & 0x0f0f_0f0f == 0x0a0a_0a0a => Probe::Maybe,
            (_, version) if version.is_known() && packet.rest.len() >= SAMPLE_BYTES_MIN => {
                Probe::Certain
            }
            _ => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(QuicSession::default())
    }
}

#[cfg(test)]
mod tests;
