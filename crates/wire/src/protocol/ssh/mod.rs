//! SSH: identification strings and the key exchange offers.
//!
//! Enters: the stream from its start. Leaves: one event with both identifications, HASSH of both
//! sides and whether the connection became encrypted; at the end, what its sizes look like.
//! Refuses: everything after the new keys but its sizes.
//! Limits: [`parser::LINES_MAX`] lines before the identification, [`parser::PACKET_BYTES_MAX`]
//! octets a packet, [`session::PACKETS_MAX`] packets. Source: RFC 4253; HASSH by Salesforce
//! (BSD-3).

mod parser;
mod session;
mod turns;

use self::session::SshSession;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// SSH, on any port.
pub(super) struct Ssh;

const PREFIX: &[u8] = b"SSH-";

impl Protocol for Ssh {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(b"S")
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp {
            Probe::No
        } else if let Some(version) = first.bytes.strip_prefix(PREFIX) {
            match version.first() {
                None => Probe::NeedMore,
                Some(b'1' | b'2') => Probe::Certain,
                Some(_) => Probe::No,
            }
        } else if PREFIX.starts_with(first.bytes) {
            Probe::NeedMore
        } else {
            Probe::No
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(SshSession::new())
    }
}

#[cfg(test)]
mod tests;
