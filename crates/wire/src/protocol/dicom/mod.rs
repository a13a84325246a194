//! DICOM upper layer and DIMSE.
//!
//! Enters: bytes of a stream. Leaves: one `ASSOCIATE` event per association and one event per DIMSE
//! operation, with what the heads of data sets say. Refuses: to look at pixel data, which passes
//! uncopied; bounded tables ([`operation::OPERATIONS_MAX`], [`association::CONTEXTS_MAX`]).
//! Source: DICOM PS3.5, PS3.7, PS3.8.

mod association;
mod object;
mod operation;
mod parser;
mod session;

use codec::dicom::pdu::{self, Plausible};

pub(super) use operation::{Head, WANTED};

use super::{Asked, First, Probe, Protocol, Session, Transport};

/// The protocol.
pub(super) struct Dicom;

impl Protocol for Dicom {
    fn name(&self) -> &'static str {
        "dicom"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting_within(1, 7)
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Tcp {
            return Probe::No;
        }
        let usual = PORTS.iter().any(|port| first.has_port(*port));
        match first.bytes.first() {
            Some(&(pdu::ASSOCIATE_RQ | pdu::ASSOCIATE_AC)) => associate(first.bytes),
            Some(&pdu::DATA) => match pdu::plausible_data(first.bytes) {
                Plausible::No => Probe::No,
                Plausible::Unknown => Probe::NeedMore,
                Plausible::Command => Probe::Certain,
                Plausible::Yes if usual => Probe::Maybe,
                Plausible::Yes => Probe::No,
            },
            Some(&(pdu::ASSOCIATE_RJ | pdu::RELEASE_RQ | pdu::RELEASE_RP | pdu::ABORT)) => {
                short(first.bytes, usual)
            }
            _ => Probe::No,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::DicomSession::default())
    }
}

/// An association request or acceptance: lengths, version bit, titles in the default repertoire.
fn associate(bytes: &[u8]) -> Probe {
    let zero = |at: usize| bytes.get(at).is_none_or(|byte| *byte == 0);
    // Associations are far shorter than 16 MiB, and protocol version 1 is the only one.
    if !zero(1) || !zero(2) || !zero(6) || bytes.get(7).is_some_and(|byte| byte & 1 == 0) {
        return Probe::No;
    }
    let titles = bytes.get(10..42);
    let present = bytes.get(10..).unwrap_or(&[]).iter().take(32);
    let printable = |byte: &u8| (0x20..0x7f).contains(byte) || *byte == 0 || *byte >= 0xa0;
    if !present.copied().all(|byte| printable(&byte)) {
        return Probe::No;
    }
    let Some(titles) = titles else {
        return Probe::NeedMore;
    };
    let long = pdu::Header::read(bytes).is_some_and(|header| header.length >= 68);
    if long && titles.iter().any(u8::is_ascii_alphanumeric) {
        Probe::Certain
    } else {
        Probe::No
    }
}

/// A ten-octet PDU: believed on usual ports only.
fn short(bytes: &[u8], usual: bool) -> Probe {
    let head = bytes
        .get(1..6)
        .unwrap_or_else(|| bytes.get(1..).unwrap_or(&[]));
    match ([0, 0, 0, 0, 4].starts_with(head), head.len(), usual) {
        (true, 5, true) => Probe::Maybe,
        (true, 0..=4, true) => Probe::NeedMore,
        _ => Probe::No,
    }
}

/// Ports on which the middle of an association is believed: registered ones and usual ones.
const PORTS: [u16; 6] = [104, 2761, 2762, 4242, 11_112, 11_113];

#[cfg(test)]
mod tests;
