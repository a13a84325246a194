//! Ciphers that open: AES-GCM, ChaCha20-Poly1305, AES-CBC, and the header masks of QUIC.
//!
//! Enters: keys, nonces, sealed bytes. Leaves: clear bytes. Refuses: keys and blocks of a wrong
//! length, tags that do not match. Source: RFC 5116, RFC 8439, RFC 5246 section 6.2.3.2, RFC 9001
//! section 5.4.3.

use aes::cipher::{BlockDecrypt as _, BlockEncrypt as _, KeyInit as _};
use aes::{Aes128, Aes256};
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use chacha20poly1305::ChaCha20Poly1305;

/// What protects a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Cbc,
    Aes256Cbc,
}

impl Suite {
    /// Octets of a key.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Cbc => 16,
            Self::Aes256Gcm | Self::Aes256Cbc | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// True for the cipher-block chaining of TLS 1.2.
    pub(crate) const fn is_cbc(self) -> bool {
        matches!(self, Self::Aes128Cbc | Self::Aes256Cbc)
    }
}

/// Octets of the tag of every AEAD here.
pub(crate) const TAG_BYTES: usize = 16;

/// An authenticated cipher with its key.
pub(crate) enum Aead {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
    ChaCha20(Box<ChaCha20Poly1305>),
}

impl Aead {
    /// With this key; `None` when its length is wrong or the suite is no AEAD.
    pub(crate) fn new(suite: Suite, key: &[u8]) -> Option<Self> {
        Some(match suite {
            Suite::Aes128Gcm => Self::Aes128(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            Suite::Aes256Gcm => Self::Aes256(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            Suite::ChaCha20Poly1305 => {
                Self::ChaCha20(Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?))
            }
            Suite::Aes128Cbc | Suite::Aes256Cbc => return None,
        })
    }

    /// Opens sealed bytes, tag at their end.
    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() < TAG_BYTES {
            return None;
        }
        let payload = Payload { msg: sealed, aad };
        let nonce = &nonce.into();
        match self {
            Self::Aes128(cipher) => cipher.decrypt(nonce, payload),
            Self::Aes256(cipher) => cipher.decrypt(nonce, payload),
            Self::ChaCha20(cipher) => cipher.decrypt(nonce, payload),
        }
        .ok()
    }
}

/// AES in cipher-block chaining.
pub(crate) enum Cbc {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

impl Cbc {
    /// With this key.
    pub(crate) fn new(suite: Suite, key: &[u8]) -> Option<Self> {
        Some(match suite {
            Suite::Aes128Cbc => Self::Aes128(Box::new(Aes128::new_from_slice(key).ok()?)),
            Suite::Aes256Cbc => Self::Aes256(Box::new(Aes256::new_from_slice(key).ok()?)),
            Suite::Aes128Gcm | Suite::Aes256Gcm | Suite::ChaCha20Poly1305 => return None,
        })
    }

    /// Opens whole blocks, the first of which is the initialisation vector.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (blocks, rest) = sealed.as_chunks::<16>();
        let (mut last, blocks) = match blocks {
            [first, more @ ..] if rest.is_empty() && !more.is_empty() => (*first, more),
            _ => return None,
        };
        let mut out = Vec::with_capacity(blocks.len() * 16);
        for block in blocks {
            let mut clear = (*block).into();
            match self {
                Self::Aes128(cipher) => cipher.decrypt_block(&mut clear),
                Self::Aes256(cipher) => cipher.decrypt_block(&mut clear),
            }
            out.extend(
                clear
                    .iter()
                    .zip(last)
                    .map(|(octet, chained)| octet ^ chained),
            );
            last = *block;
        }
        Some(out)
    }
}

/// The mask that hides parts of QUIC headers, by AES-128.
pub(crate) struct HeaderMask(Box<Aes128>);

impl HeaderMask {
    /// With this key.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        Some(Self(Box::new(Aes128::new_from_slice(key).ok()?)))
    }

    /// The mask of a sample.
    pub(crate) fn of(&self, sample: [u8; 16]) -> [u8; 16] {
        let mut block = sample.into();
        self.0.encrypt_block(&mut block);
        block.into()
    }
}
