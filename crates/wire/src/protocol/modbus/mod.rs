//! Modbus over TCP.
//!
//! Enters: bytes of a stream. Leaves: one event for the first exchange of each unit and function,
//! then one a minute with the sums; one for every new device identification. Refuses: values of
//! coils and registers. Limits: [`session::PENDING_MAX`] open requests, the groups of
//! [`super::tally`]. Source: MODBUS Application Protocol V1.1b3, MODBUS Messaging on TCP/IP V1.0b.

mod parser;
mod session;

use self::parser::{HEADER_BYTES, Header};
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// The protocol.
pub(super) struct Modbus;

const PORT: u16 = 502;

impl Protocol for Modbus {
    fn name(&self) -> &'static str {
        "modbus"
    }

    fn asked(&self) -> Asked {
        Asked::TCP
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Tcp {
            return Probe::No;
        }
        let bytes = first.bytes;
        // Protocol identifier 0, and a length below 256: the zeros stand at 2, 3 and 4.
        let zeros = bytes.get(2..).unwrap_or(&[]).iter().take(3);
        if !zeros.copied().all(|octet| octet == 0) {
            return Probe::No;
        }
        let Some(header) = Header::read(bytes) else {
            return if bytes.len() < HEADER_BYTES {
                Probe::NeedMore
            } else {
                Probe::No
            };
        };
        let usual = first.has_port(PORT);
        match bytes.get(7) {
            None => Probe::NeedMore,
            Some(function) if !parser::is_public(function & 0x7f) && !usual => Probe::No,
            Some(_) if usual => Probe::Maybe,
            Some(function) => elsewhere(&header, *function, bytes),
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::ModbusSession::new())
    }
}

/// On an unusual port the length must be the one that the function asks for, and the message must
/// stand alone.
fn elsewhere(header: &Header, function: u8, bytes: &[u8]) -> Probe {
    let total = header.total();
    if bytes.len() < total {
        return if header.length <= 6 {
            Probe::NeedMore
        } else {
            Probe::No
        };
    }
    let exact = match function {
        // Address and quantity or value.
        1..=6 => header.length == 6,
        0x81..=0x90 => header.length == 3,
        // Encapsulated interface: device identification.
        0x2b => header.length == 5 && bytes.get(8) == Some(&14),
        _ => false,
    };
    if exact && bytes.len() == total {
        Probe::Maybe
    } else {
        Probe::No
    }
}

#[cfg(test)]
mod tests;
