//! TLS over TCP: SSL 2 compatible hello to TLS 1.3.
//!
//! Enters: the stream from its start, from inside, or after STARTTLS. Leaves: one event per
//! handshake: what was offered and chosen, fingerprints, the server's certificate up to TLS 1.2.
//! With secrets from a key log (`open.rs`), also what the protocol inside makes. Refuses: to keep a
//! client's certificate, which may name a person. Limits:
//! [`parser::MESSAGE_BYTES_MAX`] octets a handshake message, [`session::RECORDS_MAX`] records
//! before a handshake must show. After the handshake nothing more is looked at but the sizes of the
//! first records.
//! Source: RFC 5246, RFC 8446, RFC 6101 (SSL 3).

mod facts;
mod half;
mod open;
mod parser;
mod report;
mod session;
mod suite;

use codec::tls::is_client_hello_v2;

pub(super) use self::report::{Hellos, alert_name, describe_hellos};

use self::parser::{Content, RECORD_HEADER_BYTES, RecordHeader};
use self::session::TlsSession;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// TLS, on any port.
pub(super) struct Tls;

/// Ports of services that start with TLS.
const PORTS: [u16; 12] = [
    443, 465, 563, 636, 853, 989, 990, 993, 995, 2762, 5061, 8443,
];
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

impl Protocol for Tls {
    fn name(&self) -> &'static str {
        "tls"
    }

    fn asked(&self) -> Asked {
        Asked::TCP
            .starting_within(20, 24)
            .starting_within(0x80, 0xff)
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp {
            return Probe::No;
        }
        let bytes = first.bytes;
        if bytes.first().is_some_and(|octet| octet & 0x80 != 0) {
            return probe_v2(bytes);
        }
        let Some(header) = RecordHeader::parse(bytes) else {
            return if RecordHeader::may_start(bytes) {
                Probe::NeedMore
            } else {
                Probe::No
            };
        };
        if !header.is_plausible() {
            return Probe::No;
        }
        let body = bytes.get(RECORD_HEADER_BYTES..).unwrap_or(&[]);
        if header.content == Content::Handshake
            && let Some(answer) = probe_hello(header, body)
        {
            return answer;
        }
        let known = PORTS.iter().any(|&port| first.has_port(port));
        probe_midstream(header, body, known)
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(TlsSession::new())
    }
}

fn probe_v2(bytes: &[u8]) -> Probe {
    if bytes.len() < 11 {
        let likely = bytes.get(2).is_none_or(|&kind| kind == 1);
        return if likely { Probe::NeedMore } else { Probe::No };
    }
    if is_client_hello_v2(bytes) {
        Probe::Certain
    } else {
        Probe::No
    }
}

/// A hello is unmistakable: type, sane length, a version inside.
fn probe_hello(header: RecordHeader, body: &[u8]) -> Option<Probe> {
    let Some([kind, len @ .., major, minor]) = body.first_chunk::<6>() else {
        let kind = body.first().copied().unwrap_or(CLIENT_HELLO);
        let likely = matches!(kind, CLIENT_HELLO | SERVER_HELLO);
        return likely.then_some(Probe::NeedMore);
    };
    if !matches!(*kind, CLIENT_HELLO | SERVER_HELLO) || header.len < 6 {
        return None;
    }
    let [high, middle, low] = *len;
    let len = u32::from_be_bytes([0, high, middle, low]);
    let version = matches!((*major, *minor), (3, 0..=4) | (0x7f, _));
    Some(if version && (34..=0x2_0000).contains(&len) {
        Probe::Certain
    } else {
        Probe::No
    })
}

/// Inside a stream: a second record in its place, or a known port.
fn probe_midstream(header: RecordHeader, body: &[u8], known_port: bool) -> Probe {
    let Some(after) = body.get(header.len..).filter(|after| !after.is_empty()) else {
        let usual = header.content == Content::Data && header.version == 0x0303;
        return match (known_port, usual) {
            (true, _) => Probe::Certain,
            (false, true) => Probe::Maybe,
            (false, false) => Probe::No,
        };
    };
    match RecordHeader::parse(after) {
        Some(second) if second.is_plausible() && second.version == header.version => Probe::Certain,
        Some(_) => Probe::No,
        None if RecordHeader::may_start(after) => Probe::Maybe,
        None => Probe::No,
    }
}

#[cfg(test)]
mod tests;
