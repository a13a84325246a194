//! Fingerprints of TLS stacks: JA3, JA3S and JA4.
//!
//! Enters: hellos. Leaves: the usual texts. Refuses: nothing.
//! Source: JA3 and JA3S by Salesforce (BSD-3); JA4 TLS client by FoxIO (BSD-3), technical details
//! of the published specification; the other members of JA4+ have another licence and are absent.

use std::fmt::Write as _;

use super::hello::{ClientHello, ServerHello};
use super::is_grease;
use crate::digest::{digit, md5_hex, sha256_hex};

const EXT_SERVER_NAME: u16 = 0;
const EXT_ALPN: u16 = 16;

/// JA3 of a client: MD5 in hexadecimal.
#[must_use]
pub fn ja3(hello: &ClientHello) -> String {
    let formats = hello.point_formats.iter().map(|&format| u16::from(format));
    let mut text = String::with_capacity(TEXT_BYTES);
    push_number(&mut text, hello.version);
    push_dashed(&mut text, hello.ciphers.iter().copied());
    push_dashed(&mut text, hello.extensions.iter().copied());
    push_dashed(&mut text, hello.groups.iter().copied());
    push_dashed(&mut text, formats);
    md5_hex(text.as_bytes())
}

/// JA3S of a server: MD5 in hexadecimal.
#[must_use]
pub fn ja3s(hello: &ServerHello) -> String {
    let extensions = hello.extensions.iter().map(u16::to_string);
    let text = format!(
        "{},{},{}",
        hello.legacy_version,
        hello.cipher,
        extensions.collect::<Vec<_>>().join("-")
    );
    md5_hex(text.as_bytes())
}

/// JA4 of a client; `transport` is `t` for TCP, `q` for QUIC, `d` for DTLS.
#[must_use]
pub fn ja4(hello: &ClientHello, transport: char) -> String {
    let real = |values: &[u16]| -> Vec<u16> {
        let kept = values.iter().copied().filter(|&value| !is_grease(value));
        kept.collect()
    };
    let mut ciphers = real(&hello.ciphers);
    let mut extensions = real(&hello.extensions);
    let mut out = String::from(transport);
    out.push_str(ja4_version(hello.highest_version()));
    let named = extensions.contains(&EXT_SERVER_NAME);
    out.push(if named { 'd' } else { 'i' });
    let (some, more) = (ciphers.len().min(99), extensions.len().min(99));
    // Writing to a String cannot fail.
    let _ = write!(out, "{some:02}{more:02}");
    let (first, last) = ja4_alpn(hello.alpn.first().map_or(&[], Vec::as_slice));
    out.push(first);
    out.push(last);
    ciphers.sort_unstable();
    extensions.retain(|kind| !matches!(*kind, EXT_SERVER_NAME | EXT_ALPN));
    extensions.sort_unstable();
    out.push('_');
    out.push_str(&short_hash(&quads(&ciphers)));
    out.push('_');
    let algorithms = real(&hello.signature_algorithms);
    let mut tail = quads(&extensions);
    if !tail.is_empty() && !algorithms.is_empty() {
        tail.push('_');
        tail.push_str(&quads(&algorithms));
    }
    out.push_str(&short_hash(&tail));
    out
}

const fn ja4_version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last character of the first protocol, of its hexadecimal form when one of them is no
/// letter or digit, "00" without ALPN.
fn ja4_alpn(name: &[u8]) -> (char, char) {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return ('0', '0');
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return (char::from(first), char::from(last));
    }
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    (digit(first >> 4), digit(last & 0x0f))
}

/// Twelve digits of SHA-256, zeros for nothing.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    let mut out = sha256_hex(text.as_bytes());
    out.truncate(12);
    out
}

fn quads(values: &[u16]) -> String {
    let mut out = String::with_capacity(values.len() * 5 + TEXT_BYTES);
    for value in values {
        if !out.is_empty() {
            out.push(',');
        }
        for octet in value.to_be_bytes() {
            out.push(digit(octet >> 4));
            out.push(digit(octet));
        }
    }
    out
}

/// Appends a comma, then the values but GREASE, with dashes between them.
fn push_dashed(out: &mut String, values: impl Iterator<Item = u16>) {
    out.push(',');
    let mut first = true;
    for value in values.filter(|&value| !is_grease(value)) {
        if !first {
            out.push('-');
        }
        first = false;
        push_number(out, value);
    }
}

/// Appends a number in decimal digits: hellos have dozens of them.
fn push_number(out: &mut String, value: u16) {
    let mut unit = 10_000;
    while unit > 1 && value < unit {
        unit /= 10;
    }
    while unit > 0 {
        let [_, low] = (value / unit % 10).to_be_bytes();
        out.push(digit(low));
        unit /= 10;
    }
}

/// Octets of most texts before they are hashed.
const TEXT_BYTES: usize = 256;
