//! S7comm over ISO on TCP (TPKT, COTP): Siemens controllers.
//!
//! Enters: bytes of a stream. Leaves: an event for the connection's set-up, for every start, stop,
//! download and upload, for what the controller says of itself, and sums of reads and writes by
//! area; S7comm-plus is recognised only. Refuses: values, program code, passwords (setting one is
//! noticed). Limits: [`session::PENDING_MAX`] open jobs, [`session::SZL_BYTES_MAX`] of a system
//! status list, the groups of [`super::tally`].
//! Source: RFC 1006, RFC 905 (COTP), Wireshark's description of S7comm (protocol not published).

mod names;
mod parser;
mod session;
mod szl;

use self::parser::{CONNECT, DATA, Frame};
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// The protocol.
pub(super) struct S7comm;

const PORT: u16 = 102;
/// First octet of a message of S7comm, of S7comm-plus.
const MARKS: [u8; 2] = [parser::S7, parser::S7_PLUS];

impl Protocol for S7comm {
    fn name(&self) -> &'static str {
        "s7comm"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(&[3])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Tcp {
            return Probe::No;
        }
        let bytes = first.bytes;
        if !bytes
            .iter()
            .zip([3, 0])
            .all(|(byte, wanted)| *byte == wanted)
        {
            return Probe::No;
        }
        let Some(kind) = bytes.get(5) else {
            return Probe::NeedMore;
        };
        match *kind & 0xf0 {
            DATA => match (bytes.get(4), bytes.get(7)) {
                (Some(2), Some(mark)) if MARKS.contains(mark) => Probe::Certain,
                (Some(2), None) => Probe::NeedMore,
                _ => Probe::No,
            },
            CONNECT => connect(bytes, first.has_port(PORT)),
            // A confirmation, from a stream whose other side comes later.
            parser::CONFIRM if first.has_port(PORT) => Probe::Maybe,
            _ => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::S7Session::new())
    }
}

/// A connection request: both selectors of two octets are the mark of S7; what RDP sends has none.
fn connect(bytes: &[u8], usual: bool) -> Probe {
    let Some(frame) = Frame::read(bytes) else {
        return if bytes.len() < 64 {
            Probe::NeedMore
        } else {
            Probe::No
        };
    };
    let selectors = frame.selectors();
    match (selectors.source, selectors.destination) {
        (Some(source), Some(destination)) if source.len() == 2 && destination.len() == 2 => {
            Probe::Maybe
        }
        // S7comm-plus names its destination in words.
        (Some(_), Some(_)) if usual => Probe::Maybe,
        _ => Probe::No,
    }
}

#[cfg(test)]
mod tests;
