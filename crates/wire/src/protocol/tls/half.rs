//! One direction's record protection.
//!
//! Enters: secrets or keys, records in order. Leaves: clear contents. Refuses: records that do not
//! open: after a loss the next [`SEARCH_MAX`] sequence numbers are tried.
//! Source: RFC 8446 section 5, RFC 5246 section 6.2.3, RFC 7905, RFC 7366 (encrypt then MAC).

use zeroize::Zeroizing;

use super::suite::Protection;
use crate::crypto::{Aead, Cbc, Hash, Suite};

/// Sequence numbers that are tried for a record after a loss.
pub(super) const SEARCH_MAX: u64 = 64;

/// Octets of the nonce that a record of TLS 1.2 with GCM carries.
const EXPLICIT_BYTES: usize = 8;

/// The keys of one direction.
pub(super) struct Half {
    cipher: Cipher,
    sequence: u64,
    /// True after a loss: the sequence number is to be found.
    pub(super) lost: bool,
}

enum Cipher {
    /// TLS 1.3, with the secret that the next keys are made of.
    Three {
        aead: Aead,
        iv: [u8; 12],
        protection: Protection,
        secret: Zeroizing<Vec<u8>>,
    },
    /// GCM of TLS 1.2: four octets of the nonce are fixed.
    Explicit { aead: Aead, iv: [u8; 4] },
    /// ChaCha20-Poly1305 of TLS 1.2.
    Implicit { aead: Aead, iv: [u8; 12] },
    /// CBC of TLS 1.2.
    Chained {
        cbc: Cbc,
        mac_len: usize,
        mac_last: bool,
    },
}

/// A record's type, version and sealed body.
#[derive(Clone, Copy)]
pub(super) struct Sealed<'a> {
    pub(super) content: u8,
    pub(super) header: [u8; 5],
    pub(super) body: &'a [u8],
}

impl Half {
    /// With a traffic secret of TLS 1.3.
    pub(super) fn three(protection: Protection, secret: Zeroizing<Vec<u8>>) -> Option<Self> {
        let mut key = Zeroizing::new(vec![0; protection.suite.key_len()]);
        let mut iv = [0; 12];
        protection.hash.expand_label(&secret, "key", &mut key)?;
        protection.hash.expand_label(&secret, "iv", &mut iv)?;
        let aead = Aead::new(protection.suite, &key)?;
        Some(Self::of(Cipher::Three {
            aead,
            iv,
            protection,
            secret,
        }))
    }

    /// With keys of TLS 1.2; `mac_last` when the MAC covers the encrypted octets.
    pub(super) fn two(
        protection: Protection,
        key: &[u8],
        iv: &[u8],
        mac_last: bool,
    ) -> Option<Self> {
        let suite = protection.suite;
        Some(Self::of(match suite {
            Suite::Aes128Gcm | Suite::Aes256Gcm => Cipher::Explicit {
                aead: Aead::new(suite, key)?,
                iv: iv.try_into().ok()?,
            },
            Suite::ChaCha20Poly1305 => Cipher::Implicit {
                aead: Aead::new(suite, key)?,
                iv: iv.try_into().ok()?,
            },
            Suite::Aes128Cbc | Suite::Aes256Cbc => Cipher::Chained {
                cbc: Cbc::new(suite, key)?,
                mac_len: protection.mac_len,
                mac_last,
            },
        }))
    }

    const fn of(cipher: Cipher) -> Self {
        Self {
            cipher,
            sequence: 0,
            lost: false,
        }
    }

    /// Octets of the fixed part of a nonce in the key block of TLS 1.2.
    pub(super) const fn iv_len(suite: Suite) -> usize {
        match suite {
            Suite::Aes128Gcm | Suite::Aes256Gcm => 4,
            Suite::ChaCha20Poly1305 => 12,
            Suite::Aes128Cbc | Suite::Aes256Cbc => 0,
        }
    }

    /// Opens the next record: its content type and its clear octets.
    pub(super) fn open(&mut self, record: Sealed<'_>) -> Option<(u8, Vec<u8>)> {
        let tries = if self.lost { SEARCH_MAX } else { 1 };
        for ahead in 0..tries {
            let sequence = self.sequence.saturating_add(ahead);
            if let Some(clear) = self.cipher.open(sequence, record) {
                self.sequence = sequence.saturating_add(1);
                self.lost = false;
                return Some(clear);
            }
        }
        None
    }

    /// The keys after a KeyUpdate.
    pub(super) fn updated(&self) -> Option<Self> {
        let Cipher::Three {
            protection, secret, ..
        } = &self.cipher
        else {
            return None;
        };
        let mut next = Zeroizing::new(vec![0; protection.hash.len()]);
        protection
            .hash
            .expand_label(secret, "traffic upd", &mut next)?;
        Self::three(*protection, next)
    }
}

impl Cipher {
    fn open(&self, sequence: u64, record: Sealed<'_>) -> Option<(u8, Vec<u8>)> {
        match self {
            Self::Three { aead, iv, .. } => {
                let clear = aead.open(mixed(*iv, sequence), &record.header, record.body)?;
                // The type is the last octet that is not padding.
                let end = clear.iter().rposition(|&octet| octet != 0)?;
                let content = clear.get(end).copied()?;
                Some((content, clear.get(..end)?.to_vec()))
            }
            Self::Explicit { aead, iv } => {
                let (explicit, sealed) = record.body.split_first_chunk::<EXPLICIT_BYTES>()?;
                let mut nonce = [0; 12];
                for (place, octet) in nonce.iter_mut().zip(iv.iter().chain(explicit)) {
                    *place = *octet;
                }
                let aad = additional(sequence, record, sealed.len().checked_sub(16)?)?;
                let clear = aead.open(nonce, &aad, sealed)?;
                Some((record.content, clear))
            }
            Self::Implicit { aead, iv } => {
                let aad = additional(sequence, record, record.body.len().checked_sub(16)?)?;
                let clear = aead.open(mixed(*iv, sequence), &aad, record.body)?;
                Some((record.content, clear))
            }
            Self::Chained {
                cbc,
                mac_len,
                mac_last,
            } => {
                let mac_after = if *mac_last { *mac_len } else { 0 };
                let sealed = record
                    .body
                    .get(..record.body.len().checked_sub(mac_after)?)?;
                let clear = cbc.open(sealed)?;
                let padding = usize::from(*clear.last()?);
                let end = clear.len().checked_sub(padding + 1)?;
                let tail = clear.get(end..)?;
                if tail.iter().any(|&octet| usize::from(octet) != padding) {
                    return None;
                }
                let end = end.checked_sub(*mac_len - mac_after)?;
                Some((record.content, clear.get(..end)?.to_vec()))
            }
        }
    }
}

/// A nonce with the sequence number mixed into its end.
fn mixed(mut iv: [u8; 12], sequence: u64) -> [u8; 12] {
    for (place, octet) in iv.iter_mut().rev().zip(sequence.to_be_bytes().iter().rev()) {
        *place ^= octet;
    }
    iv
}

/// What is authenticated besides the sealed octets, in TLS 1.2.
fn additional(sequence: u64, record: Sealed<'_>, len: usize) -> Option<[u8; 13]> {
    let [_, major, minor, _, _] = record.header;
    let [hi, lo] = u16::try_from(len).ok()?.to_be_bytes();
    let [a, b, c, d, e, f, g, h] = sequence.to_be_bytes();
    Some([a, b, c, d, e, f, g, h, record.content, major, minor, hi, lo])
}

/// The key block of TLS 1.2: client's and server's keys and nonces.
pub(super) fn key_block(
    protection: Protection,
    master: &[u8],
    randoms: (&[u8; 32], &[u8; 32]),
    mac_last: bool,
) -> Option<[Half; 2]> {
    let (client_random, server_random) = randoms;
    let key_len = protection.suite.key_len();
    let iv_len = Half::iv_len(protection.suite);
    let all = 2 * (protection.mac_len + key_len + iv_len);
    let mut block = Zeroizing::new(vec![0; all]);
    let seed = [&server_random[..], client_random].concat();
    let hash: Hash = protection.hash;
    hash.prf(master, "key expansion", &seed, &mut block)?;
    let keys = block.get(2 * protection.mac_len..)?;
    let (client_key, keys) = keys.split_at_checked(key_len)?;
    let (server_key, ivs) = keys.split_at_checked(key_len)?;
    let (client_iv, server_iv) = ivs.split_at_checked(iv_len)?;
    Some([
        Half::two(protection, client_key, client_iv, mac_last)?,
        Half::two(protection, server_key, server_iv, mac_last)?,
    ])
}
