//! TLS handshakes: hellos, cipher suite names, fingerprints.
//!
//! Enters: handshake messages, whole or cut. Leaves: hellos with what could be read, JA3, JA3S,
//! JA4.
//! Refuses: cryptography. Limits: [`LIST_ITEMS_MAX`] elements a list.
//! Source: RFC 5246, RFC 8446, RFC 8701 (GREASE); JA3 (Salesforce, BSD-3), JA4 (FoxIO, BSD-3).

mod ciphers;
mod fingerprint;
mod hello;

pub use ciphers::cipher_name;
pub use fingerprint::{ja3, ja3s, ja4};
pub use hello::{ClientHello, ServerHello, is_client_hello_v2};

/// Most elements kept of one list of a hello.
pub const LIST_ITEMS_MAX: usize = 1024;

/// True for the values that RFC 8701 reserves to keep peers tolerant.
#[must_use]
pub const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// The usual short name of a protocol version: "1.2", "SSLv3", "DTLS 1.2"; `None` for other
/// numbers.
#[must_use]
pub fn version_name(version: u16) -> Option<std::borrow::Cow<'static, str>> {
    Some(match version {
        0x0002 => "SSLv2".into(),
        0x0300 => "SSLv3".into(),
        0x0301 => "1.0".into(),
        0x0302 => "1.1".into(),
        0x0303 => "1.2".into(),
        0x0304 => "1.3".into(),
        0x7f00..=0x7fff => format!("1.3-draft{}", version & 0xff).into(),
        0xfb00..=0xfbff => format!("1.3-fb{}", version & 0xff).into(),
        0xfeff => "DTLS 1.0".into(),
        0xfefd => "DTLS 1.2".into(),
        0xfefc => "DTLS 1.3".into(),
        _ => return None,
    })
}

/// True for any version that encrypts what follows the server's hello.
#[must_use]
pub const fn is_tls13(version: u16) -> bool {
    matches!(version, 0x0304 | 0x7f00..=0x7fff | 0xfb00..=0xfbff | 0xfefc)
}

#[cfg(test)]
mod tests;
