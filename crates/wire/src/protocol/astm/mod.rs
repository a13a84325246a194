//! ASTM E1381/E1394, now CLSI LIS1-A2/LIS2-A2: laboratory analysers and their information system.
//!
//! Enters: bytes of a stream: frames with checksums, or bare records. Leaves: one event per message
//! (from its header record to its end), with who sent it, how many tests it carries and how the
//! other side acknowledged. Refuses: results, and everything of a patient but identifier and name
//! (both sensitive); passwords of headers, which are only noticed.
//! Limits: [`parser::FRAME_BYTES_MAX`] a frame, [`session::RECORD_BYTES_MAX`] a record.
//! Source: CLSI LIS1-A2 (ASTM E1381-02), LIS2-A2 (ASTM E1394-97).

mod parser;
mod session;

use self::parser::{ACK, ENQ, EOT, NAK, STX, is_header};
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// The protocol.
pub(super) struct Astm;

/// Control octets before the first frame that are believed: contention repeats them.
const CONTROLS_MAX: usize = 16;
/// Letters that start records.
const RECORDS: &[u8] = b"HPOCRQMSL";

impl Protocol for Astm {
    fn name(&self) -> &'static str {
        "astm"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(&[ENQ, ACK, NAK, EOT, b'\r', b'\n', STX, parser::VT, b'H'])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Tcp {
            return Probe::No;
        }
        let control = |octet: &&u8| matches!(**octet, ENQ | ACK | NAK | EOT | b'\r' | b'\n');
        let controls = first.bytes.iter().take(CONTROLS_MAX).take_while(control);
        match first.bytes.get(controls.count()..).unwrap_or(&[]) {
            [] => Probe::NeedMore,
            [STX] => Probe::NeedMore,
            [STX, number, rest @ ..] if number.is_ascii_digit() => frame(rest),
            [STX, ..] => Probe::No,
            bare => header(bare.strip_prefix(&[parser::VT]).unwrap_or(bare)),
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::AstmSession::default())
    }
}

/// The text of a frame: a record's letter, then a separator.
fn frame(text: &[u8]) -> Probe {
    match text {
        [] | [_] => Probe::NeedMore,
        [b'H', ..] => header(text),
        [letter, separator, ..] if RECORDS.contains(letter) && *separator == b'|' => Probe::Maybe,
        _ => Probe::No,
    }
}

fn header(text: &[u8]) -> Probe {
    match text.get(..HEADER_BYTES) {
        Some(head) if is_header(head) => Probe::Certain,
        Some(_) => Probe::No,
        None if text.is_empty() || text.starts_with(b"H") => Probe::NeedMore,
        None => Probe::No,
    }
}

/// A header's letter, its four delimiters and the separator that follows them.
const HEADER_BYTES: usize = 6;

#[cfg(test)]
mod tests;
