//! MQTT 3.1, 3.1.1 and 5: who connects, what is subscribed to and published.
//!
//! Enters: the stream. Leaves: one Network event per connection, subscription, and topic published
//! to (summed), one Authentication per log-in. Refuses: passwords and payloads, which pass
//! uncopied.
//! Limits: [`session::TOPICS_MAX`] topics a session, [`session::ASKED_MAX`] subscriptions without
//! answer, [`parser::HEAD_BYTES_MAX`] octets before a payload.
//! Source: MQTT 3.1.1 and 5.0 (OASIS), MQTT 3.1.

mod parser;
mod session;

use self::parser::probe;
use self::session::MqttSession;
use super::{Asked, First, Probe, Protocol, Session, Side, Transport};

/// MQTT over TCP, known by its CONNECT on any port.
pub(super) struct Mqtt;

impl Protocol for Mqtt {
    fn name(&self) -> &'static str {
        "mqtt"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(&[0x10])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp || first.side == Side::Server {
            return Probe::No;
        }
        probe(first.bytes)
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(MqttSession::default())
    }
}

#[cfg(test)]
mod tests;
