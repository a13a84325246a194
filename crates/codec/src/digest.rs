//! Digests as fingerprints write them: lower-case hexadecimal.
//!
//! Enters: octets. Leaves: text. Refuses: use as protection: MD5 here only names things.
//! Source: RFC 1321 (MD5), FIPS 180-4 (SHA-256).

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// MD5, as JA3 and HASSH want it.
#[must_use]
pub fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// SHA-256.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Octets as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for octet in bytes {
        out.push(digit(octet >> 4));
        out.push(digit(*octet));
    }
    out
}

/// The lower four bits as a digit.
pub(crate) fn digit(value: u8) -> char {
    let value = value & 15;
    char::from(value + if value < 10 { b'0' } else { b'a' - 10 })
}
