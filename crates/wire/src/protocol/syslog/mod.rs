//! Syslog: who logs to whom, summed; no message is kept.
//!
//! Enters: datagrams, or the stream with either framing. Leaves: one Network event per flow and
//! [`session::SUMMARY_NS`], with counts by severity, host and program names. Refuses: the texts.
//! Limits: [`session::NAMES_MAX`] names a flow. Source: RFC 3164, RFC 5424, RFC 5426, RFC 6587.

mod parser;
mod session;

use self::session::SyslogSession;
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// Syslog, on any port.
pub(super) struct Syslog;

/// Ports that syslog usually uses.
const PORTS: [u16; 4] = [514, 601, 1514, 5140];

impl Protocol for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn asked(&self) -> Asked {
        Asked::ALWAYS.starting(b"<0123456789")
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.side == Side::Server {
            return Probe::No;
        }
        let message = match first.transport {
            Transport::Udp => first.bytes,
            Transport::Tcp => parser::unframed(first.bytes),
        };
        match parser::starts(message) {
            None if first.transport == Transport::Tcp => Probe::NeedMore,
            Some(true) if PORTS.iter().any(|&port| first.has_port(port)) => Probe::Certain,
            Some(true) => Probe::Maybe,
            Some(false) | None => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(SyslogSession::default())
    }
}

#[cfg(test)]
mod tests;
