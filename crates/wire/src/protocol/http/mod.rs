//! HTTP/1 over TCP, HTTP/2 in the clear or decrypted, WebSocket.
//!
//! Enters: the stream from its start, from inside, or after CONNECT. Leaves: one event per
//! exchange, with its answer when it was seen, one more for FHIR and DICOMweb, and one for a log-in
//! (`logon.rs`). Refuses: bodies (they pass uncopied, save those of [`medical`] up to a bound and
//! what [`file`] wants to see), passwords, tokens, cookies.
//! Limits: [`parser::LINE_BYTES_MAX`] a line, [`parser::HEAD_BYTES_MAX`] and [`parser::FIELDS_MAX`]
//! a head, [`session::EXCHANGES_MAX`] open exchanges; `h2.rs` and `websocket.rs` state theirs.
//! Source: RFC 9110, RFC 9112, RFC 9113, RFC 6455.

mod exchange;
mod file;
mod h2;
mod logon;
pub(super) mod medical;
mod parser;
mod session;
mod state;
mod websocket;

use codec::http::{StartLine, is_method, split_line};

use self::h2::{H2Session, PREFACE};
use self::session::HttpSession;
use super::{Asked, First, Probe, Protocol, Session, Transport};

/// HTTP/1, on any port.
pub(super) struct Http;
/// HTTP/2, on any port.
pub(super) struct Http2;

/// Bytes of a line without an end that are enough to believe in it.
const LONG_LINE_BYTES: usize = 512;

impl Protocol for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn asked(&self) -> Asked {
        Asked::TCP
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp {
            return Probe::No;
        }
        // The preface of HTTP/2 looks like a request line until it is whole.
        if first.bytes.starts_with(PREFACE) {
            return Probe::No;
        }
        if PREFACE.starts_with(first.bytes) {
            return Probe::NeedMore;
        }
        let blank = first
            .bytes
            .iter()
            .take_while(|octet| b"\r\n".contains(octet));
        let bytes = first.bytes.get(blank.count().min(4)..).unwrap_or(&[]);
        if starts_like(bytes, b"HTTP/") {
            return probe_status(bytes);
        }
        if let Some((line, _)) = split_line(bytes) {
            return match StartLine::parse(line) {
                Some(StartLine::Request { version, .. }) if version == b"0.9" => {
                    if first.has_port(80) {
                        Probe::Maybe
                    } else {
                        Probe::No
                    }
                }
                Some(_) => Probe::Certain,
                None => Probe::No,
            };
        }
        probe_request_start(bytes)
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(HttpSession::new())
    }
}

impl Protocol for Http2 {
    fn name(&self) -> &'static str {
        "http2"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(b"P")
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport == Transport::Udp {
            Probe::No
        } else if first.bytes.starts_with(PREFACE) {
            Probe::Certain
        } else if PREFACE.starts_with(first.bytes) {
            Probe::NeedMore
        } else {
            Probe::No
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(H2Session::default())
    }
}

/// True when `bytes` start with `text`, or are too short to tell but agree with it so far.
fn starts_like(bytes: &[u8], text: &[u8]) -> bool {
    let len = bytes.len().min(text.len());
    let (head, text) = (bytes.get(..len), text.get(..len));
    matches!((head, text), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

fn probe_status(bytes: &[u8]) -> Probe {
    match bytes.get(5..) {
        None | Some([]) => Probe::NeedMore,
        Some([digit, ..]) if digit.is_ascii_digit() => Probe::Certain,
        Some(_) => Probe::No,
    }
}

/// The request line is not whole yet.
fn probe_request_start(bytes: &[u8]) -> Probe {
    let end = bytes.iter().position(|&octet| octet == b' ');
    let Some(end) = end else {
        let letters = bytes
            .iter()
            .all(|o| o.is_ascii_uppercase() || b"-_".contains(o));
        return if letters && bytes.len() <= codec::http::METHOD_BYTES_MAX {
            Probe::NeedMore
        } else {
            Probe::No
        };
    };
    let (method, target) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let target = target.trim_ascii_start();
    let sure = target.starts_with(b"/") || target.starts_with(b"http");
    if is_method(method) && sure && bytes.len() >= LONG_LINE_BYTES {
        Probe::Certain
    } else if bytes.len() < codec::http::METHOD_BYTES_MAX || is_method(method) {
        Probe::NeedMore
    } else {
        Probe::No
    }
}

#[cfg(test)]
mod tests;
