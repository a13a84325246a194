//! HL7 version 2 over MLLP, or bare.
//!
//! Enters: bytes of a stream. Leaves: one event per message, emitted at its acknowledgement; an
//! acknowledgement without its message is an event too. Refuses: nothing once recognised; only the
//! heads of messages are kept ([`parser::SEGMENT_BYTES_MAX`]), the rest streams over.
//! Source: HL7 v2.5.1 chapter 2; MLLP release 1.

mod parser;
mod session;

use super::{Asked, First, Probe, Protocol, Session, Transport};
use codec::hl7::{CR, FS, LF, Separators, VT, is_header};

/// The protocol.
pub(super) struct Hl7;

impl Protocol for Hl7 {
    fn name(&self) -> &'static str {
        "hl7"
    }

    fn asked(&self) -> Asked {
        Asked::TCP
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Tcp {
            return Probe::No;
        }
        let blank = first.bytes.iter().take(BLANKS_MAX);
        let blank = blank.take_while(|byte| matches!(**byte, CR | LF)).count();
        let bytes = first.bytes.get(blank..).unwrap_or(&[]);
        let bytes = bytes.strip_prefix(&[VT]).unwrap_or(bytes);
        match header(bytes) {
            Probe::No if middle(first) => Probe::Maybe,
            answer @ (Probe::Certain | Probe::Maybe | Probe::NeedMore | Probe::No) => answer,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::Hl7Session::default())
    }
}

/// Whether `bytes` start with a header segment and its separators.
fn header(bytes: &[u8]) -> Probe {
    let name = bytes.get(..3).unwrap_or(bytes);
    let possible = [b"MSH", b"FHS", b"BHS"].iter().any(|h| h.starts_with(name));
    if !possible {
        return Probe::No;
    }
    let Some(declared) = bytes.get(..6) else {
        return Probe::NeedMore;
    };
    let declared = declared.get(4..).unwrap_or(&[]);
    let punctuated = declared.iter().all(u8::is_ascii_punctuation);
    if is_header(name) && punctuated && Separators::of_header(bytes).is_some() {
        Probe::Certain
    } else {
        Probe::No
    }
}

/// Whether these may be the middle of a message, or one in another framing.
fn middle(first: &First<'_>) -> bool {
    let bytes = first.bytes.get(..MIDDLE_BYTES).unwrap_or(first.bytes);
    if bytes.windows(8).any(|window| window == b"MSH|^~\\&") {
        return true;
    }
    let text = |byte: &u8| *byte >= 0x20 || matches!(*byte, CR | LF | FS | VT);
    PORTS.iter().any(|port| first.has_port(*port))
        && bytes.contains(&b'|')
        && bytes.iter().all(text)
}

/// Ports on which the middle of a message is believed: 2575 is registered, 6661 is usual.
const PORTS: [u16; 2] = [2575, 6661];
/// Line ends tolerated before the first message.
const BLANKS_MAX: usize = 4;
/// Bytes looked at for the middle of a message.
const MIDDLE_BYTES: usize = 128;

#[cfg(test)]
mod tests;
