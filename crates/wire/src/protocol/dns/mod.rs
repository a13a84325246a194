//! DNS over UDP and TCP, multicast DNS, LLMNR and the NetBIOS name service.
//!
//! Enters: datagrams, or the two-octet framed stream of TCP. Leaves: one event per transaction,
//! with its answer when it was seen. Refuses: names that loop, messages of more than
//! [`parser::RECORDS_MAX`] records (the rest is counted as omitted), and more than
//! [`session::PENDING_MAX`] open queries of a flow (the oldest leaves unanswered).
//! Source: RFC 1035, RFC 6762 (mDNS), RFC 4795 (LLMNR), RFC 1002 (NetBIOS),
//! RFC 6891 (EDNS), RFC 7766 (TCP).

mod names;
mod netbios;
mod parser;
mod rdata;
mod session;

use self::parser::{HEADER_BYTES, Header, Message};
use self::session::{DnsSession, Flavour};
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// DNS, on any port.
pub(super) struct Dns;
/// Multicast DNS: port 5353.
pub(super) struct Mdns;
/// Link-local multicast name resolution: port 5355.
pub(super) struct Llmnr;

/// NetBIOS name service: port 137.
pub(super) struct Nbns;

const DNS_PORT: u16 = 53;
const NBNS_PORT: u16 = 137;
const MDNS_PORT: u16 = 5353;
const LLMNR_PORT: u16 = 5355;

impl Protocol for Dns {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        let others = [NBNS_PORT, MDNS_PORT, LLMNR_PORT];
        if others.iter().any(|&port| first.has_port(port)) {
            return Probe::No;
        }
        probe(first, first.has_port(DNS_PORT))
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(DnsSession::new(Flavour::Dns))
    }
}

impl Protocol for Mdns {
    fn name(&self) -> &'static str {
        "mdns"
    }

    fn asked(&self) -> Asked {
        Asked::UDP.on_ports(&[MDNS_PORT])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp && first.has_port(MDNS_PORT) {
            return probe(first, true);
        }
        Probe::No
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(DnsSession::new(Flavour::Multicast))
    }
}

impl Protocol for Llmnr {
    fn name(&self) -> &'static str {
        "llmnr"
    }

    fn asked(&self) -> Asked {
        Asked::ALWAYS.on_ports(&[LLMNR_PORT])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.has_port(LLMNR_PORT) {
            return probe(first, true);
        }
        Probe::No
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(DnsSession::new(Flavour::Multicast))
    }
}

impl Protocol for Nbns {
    fn name(&self) -> &'static str {
        "nbns"
    }

    fn asked(&self) -> Asked {
        Asked::UDP.on_ports(&[NBNS_PORT])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp && first.has_port(NBNS_PORT) {
            return probe(first, true);
        }
        Probe::No
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(DnsSession::new(Flavour::Netbios))
    }
}

/// On a known port a plausible header is enough; elsewhere the whole message must be right.
fn probe(first: &First<'_>, known_port: bool) -> Probe {
    let message = match first.transport {
        Transport::Udp => first.bytes,
        Transport::Tcp => match framed(first.bytes) {
            Ok(message) => message,
            Err(answer) => return answer,
        },
    };
    let Some(header) = Header::parse(message) else {
        return if first.transport == Transport::Tcp && known_port {
            Probe::NeedMore
        } else {
            Probe::No
        };
    };
    if !header.is_plausible() {
        return Probe::No;
    }
    if known_port {
        return if Message::parse(message).is_some_and(|m| m.is_clean()) {
            Probe::Certain
        } else {
            Probe::Maybe
        };
    }
    if header.is_ordinary() && Message::parse(message).is_some_and(|m| m.is_exact()) {
        Probe::Certain
    } else {
        Probe::No
    }
}

/// The first message of a stream, as far as it is there.
fn framed(bytes: &[u8]) -> Result<&[u8], Probe> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<2>() else {
        return Err(Probe::NeedMore);
    };
    let len = usize::from(u16::from_be_bytes(*prefix));
    if len < HEADER_BYTES {
        return Err(Probe::No);
    }
    Ok(rest.get(..len).unwrap_or(rest))
}

#[cfg(test)]
mod tests;
