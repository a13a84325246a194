//! Pieces of JSON, written without allocation.
//!
//! Enters: scalars. Leaves: bytes at the end of a buffer. Refuses: nothing; text is UTF-8 already.
//! Source: RFC 8259. Every member ends in a comma, which [`close`] turns into the closing bracket.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use crate::net::Mac;
use crate::sensitive::Token;
use crate::uid::EventUid;

/// Ends an object or a list that has at least one member: its last comma becomes `bracket`.
pub(super) fn close(out: &mut [u8], bracket: u8) {
    if let Some(last) = out.last_mut() {
        *last = bracket;
    }
}

/// A quoted and escaped text.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        escaped(out, bytes);
    }
    out.push(b'"');
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// True when nothing needs an escape. Whole chunks are folded without branches: that vectorises.
fn is_plain(bytes: &[u8]) -> bool {
    let mut chunks = bytes.chunks_exact(16);
    for chunk in &mut chunks {
        if chunk.iter().fold(false, |bad, &b| bad | needs_escape(b)) {
            return false;
        }
    }
    !chunks.remainder().iter().any(|&b| needs_escape(b))
}

fn escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => {
                out.extend_from_slice(b"\\u00");
                hex_byte(out, byte);
            }
            _ => out.push(byte),
        }
    }
}

/// One hexadecimal digit, without a table or a branch.
const fn nibble(value: u8) -> u8 {
    let digit = value & 15;
    digit + b'0' + (digit / 10) * (b'a' - b'9' - 1)
}

fn hex_byte(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[nibble(byte >> 4), nibble(byte)]);
}

/// The 16 digits of a number.
fn hex(value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(value.to_be_bytes()) {
        pair.copy_from_slice(&[nibble(byte >> 4), nibble(byte)]);
    }
    digits
}

/// An unsigned number.
pub(super) fn unsigned(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// A signed number.
pub(super) fn signed(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// `true` or `false`.
pub(super) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// A quoted IP address.
pub(super) fn ip(out: &mut Vec<u8>, ip: IpAddr) {
    out.push(b'"');
    match ip {
        IpAddr::V4(v4) => dotted(out, v4),
        // Writing to a Vec cannot fail.
        IpAddr::V6(v6) => drop(write!(out, "{v6}")),
    }
    out.push(b'"');
}

fn dotted(out: &mut Vec<u8>, ip: Ipv4Addr) {
    let mut text = [0u8; 16];
    let mut len = 0;
    for (index, octet) in ip.octets().into_iter().enumerate() {
        let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| digit + b'0');
        let skip = usize::from(octet < 100) + usize::from(octet < 10);
        let dot = (index < 3).then_some(b'.');
        for byte in digits.into_iter().skip(skip).chain(dot) {
            if let Some(slot) = text.get_mut(len) {
                *slot = byte;
                len += 1;
            }
        }
    }
    out.extend_from_slice(text.get(..len).unwrap_or(&[]));
}

/// A quoted hardware address.
pub(super) fn mac(out: &mut Vec<u8>, mac: Mac) {
    let mut text = *b"\"00:00:00:00:00:00\"";
    let (_, digits) = text.split_at_mut(1);
    for (pair, octet) in digits.chunks_mut(3).zip(mac.0) {
        if let [high, low, ..] = pair {
            (*high, *low) = (nibble(octet >> 4), nibble(octet));
        }
    }
    out.extend_from_slice(&text);
}

/// A quoted event identity.
pub(super) fn uid(out: &mut Vec<u8>, uid: EventUid) {
    let [_, _, _, _, _, _, _, _, node @ ..] = hex(u64::from(uid.node.0));
    out.push(b'"');
    out.extend_from_slice(&node);
    out.push(b'-');
    out.extend_from_slice(&hex(uid.seq));
    out.push(b'"');
}

/// A quoted token.
pub(super) fn token(out: &mut Vec<u8>, token: Token) {
    out.push(b'"');
    out.extend_from_slice(&hex(token.0));
    out.push(b'"');
}
