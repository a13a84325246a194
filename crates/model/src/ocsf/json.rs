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
    let bytes = text.as_bytes();
    // One growth at most: the quotes, and the comma that follows.
    out.reserve(bytes.len() + 3);
    out.push(b'"');
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        escaped(out, bytes);
    }
    out.push(b'"');
}

/// Octets of a [`Piece`] that are copied at once.
const PIECE_BYTES: usize = 32;

/// A fragment that is written often: copied as a whole, whatever its length, which takes no call.
pub(super) struct Piece {
    padded: [u8; PIECE_BYTES],
    len: usize,
    /// What does not fit into `padded`.
    rest: Box<[u8]>,
}

impl Piece {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (head, rest) = bytes.split_at_checked(PIECE_BYTES).unwrap_or((bytes, &[]));
        let mut padded = [0; PIECE_BYTES];
        for (to, from) in padded.iter_mut().zip(head) {
            *to = *from;
        }
        Self {
            padded,
            len: head.len(),
            rest: rest.into(),
        }
    }

    /// Appends the fragment.
    #[inline]
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        short(out, &self.padded, self.len);
        if !self.rest.is_empty() {
            out.extend_from_slice(&self.rest);
        }
    }
}

/// Appends the first `len` octets: a copy of fixed size and a cut take no call.
#[inline]
fn short<const N: usize>(out: &mut Vec<u8>, padded: &[u8; N], len: usize) {
    let end = out.len() + len;
    out.extend_from_slice(padded);
    out.truncate(end);
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
    for octet in ip.octets() {
        let (tens, ones) = (octet / 10, octet % 10 + b'0');
        match (octet / 100, tens % 10 + b'0') {
            (0, b'0') => short(out, &[ones, b'.', 0, 0], 2),
            (0, tens) => short(out, &[tens, ones, b'.', 0], 3),
            (hundreds, tens) => out.extend_from_slice(&[hundreds + b'0', tens, ones, b'.']),
        }
    }
    out.pop();
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
