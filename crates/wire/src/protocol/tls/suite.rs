//! Cipher suites that can be opened.
//!
//! Enters: the number of a suite. Leaves: cipher, hash of the key schedule, octets of the MAC key.
//! Refuses: all others: RC4, 3DES, Camellia, CCM, GOST. Source: the IANA registry of TLS
//! parameters.

use crate::crypto::{Hash, Suite};

/// How a suite protects records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Protection {
    pub(super) suite: Suite,
    pub(super) hash: Hash,
    /// Octets of a MAC key, for suites with a MAC of their own.
    pub(super) mac_len: usize,
}

/// The protection of a suite of TLS 1.3.
pub(super) const fn of_13(cipher: u16) -> Option<Protection> {
    let (suite, hash) = match cipher {
        0x1301 => (Suite::Aes128Gcm, Hash::Sha256),
        0x1302 => (Suite::Aes256Gcm, Hash::Sha384),
        0x1303 => (Suite::ChaCha20Poly1305, Hash::Sha256),
        _ => return None,
    };
    Some(Protection {
        suite,
        hash,
        mac_len: 0,
    })
}

/// The protection of a suite of TLS 1.2.
pub(super) const fn of_12(cipher: u16) -> Option<Protection> {
    let (suite, hash, mac_len) = match cipher {
        0x009c | 0x009e | 0x00a0 | 0x00a2 | 0x00a4 | 0x00a8 | 0x00aa | 0x00ac | 0xc02b | 0xc02d
        | 0xc02f | 0xc031 => (Suite::Aes128Gcm, Hash::Sha256, 0),
        0x009d | 0x009f | 0x00a1 | 0x00a3 | 0x00a5 | 0x00a9 | 0x00ab | 0x00ad | 0xc02c | 0xc02e
        | 0xc030 | 0xc032 => (Suite::Aes256Gcm, Hash::Sha384, 0),
        0xcca8..=0xccae => (Suite::ChaCha20Poly1305, Hash::Sha256, 0),
        0x002f..=0x0033 | 0xc004 | 0xc009 | 0xc00e | 0xc013 => (Suite::Aes128Cbc, Hash::Sha256, 20),
        0x0035..=0x0039 | 0xc005 | 0xc00a | 0xc00f | 0xc014 => (Suite::Aes256Cbc, Hash::Sha256, 20),
        0x003c | 0x003e..=0x0040 | 0x0067 | 0xc023 | 0xc025 | 0xc027 | 0xc029 => {
            (Suite::Aes128Cbc, Hash::Sha256, 32)
        }
        0x003d | 0x0068..=0x006b => (Suite::Aes256Cbc, Hash::Sha256, 32),
        0xc024 | 0xc026 | 0xc028 | 0xc02a => (Suite::Aes256Cbc, Hash::Sha384, 48),
        _ => return None,
    };
    Some(Protection {
        suite,
        hash,
        mac_len,
    })
}
