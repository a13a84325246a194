//! Key derivation: HKDF with labels of TLS 1.3, the PRF of TLS 1.2.
//!
//! Enters: secrets, labels. Leaves: key material. Refuses: more octets than the construction can
//! give (`None`). Source: RFC 8446 section 7.1, RFC 5246 section 5.

use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Sha256, Sha384};

/// Longest label with its context.
const INFO_BYTES_MAX: usize = 255;

/// The hash of a cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    /// Octets of its digests.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// HKDF-Expand-Label with an empty context.
    pub(crate) fn expand_label(self, secret: &[u8], label: &str, out: &mut [u8]) -> Option<()> {
        let len = u16::try_from(out.len()).ok()?.to_be_bytes();
        let label_len = u8::try_from(label.len() + 6).ok()?;
        let info = [&len[..], &[label_len], b"tls13 ", label.as_bytes(), &[0]].concat();
        if info.len() > INFO_BYTES_MAX {
            return None;
        }
        match self {
            Self::Sha256 => {
                let hkdf = Hkdf::<Sha256>::from_prk(secret).ok()?;
                hkdf.expand(&info, out).ok()
            }
            Self::Sha384 => {
                let hkdf = Hkdf::<Sha384>::from_prk(secret).ok()?;
                hkdf.expand(&info, out).ok()
            }
        }
    }

    /// HKDF-Extract with SHA-256.
    pub(crate) fn extract_sha256(salt: &[u8], input: &[u8]) -> [u8; 32] {
        Hkdf::<Sha256>::extract(Some(salt), input).0.into()
    }

    /// The PRF of TLS 1.2.
    pub(crate) fn prf(self, secret: &[u8], label: &str, seed: &[u8], out: &mut [u8]) -> Option<()> {
        let seed = [label.as_bytes(), seed].concat();
        let mut a = self.hmac(secret, &[&seed])?;
        for piece in out.chunks_mut(self.len()) {
            let block = self.hmac(secret, &[&a, &seed])?;
            piece.copy_from_slice(block.get(..piece.len())?);
            a = self.hmac(secret, &[&a])?;
        }
        Some(())
    }

    fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        match self {
            Self::Sha256 => {
                let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).ok()?;
                parts.iter().for_each(|part| mac.update(part));
                Some(mac.finalize().into_bytes().to_vec())
            }
            Self::Sha384 => {
                let mut mac = <Hmac<Sha384> as hmac::Mac>::new_from_slice(key).ok()?;
                parts.iter().for_each(|part| mac.update(part));
                Some(mac.finalize().into_bytes().to_vec())
            }
        }
    }
}
