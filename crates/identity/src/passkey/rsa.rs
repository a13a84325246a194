//! RSA signatures of TPMs: verification only, with public values only.
//!
//! Enters: modulus, exponent, message, signature. Leaves: yes or no, by comparing the whole encoded
//! message (nothing of it is parsed). Refuses: moduli other than 2048 bits, exponents other than
//! 65537. Source: RFC 8017 sections 8.2.2 and 9.2.

use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{Encoding as _, U2048};
use sha2::{Digest as _, Sha256};

/// A 2048-bit public key with the exponent 65537.
pub(super) struct RsaKey {
    modulus: U2048,
    params: DynResidueParams<{ U2048::LIMBS }>,
}

impl RsaKey {
    pub(super) fn new(n: &[u8], e: &[u8]) -> Option<Self> {
        let n: [u8; BYTES] = n.try_into().ok()?;
        if n.first()? & 0x80 == 0 || e != EXPONENT {
            return None;
        }
        let modulus = U2048::from_be_bytes(n);
        #[expect(
            deprecated,
            reason = "the other constructor does not report an even modulus"
        )]
        let params = Option::from(DynResidueParams::new_checked(&modulus))?;
        Some(Self { modulus, params })
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = <[u8; BYTES]>::try_from(signature) else {
            return false;
        };
        let signature = U2048::from_be_bytes(signature);
        if signature >= self.modulus {
            return false;
        }
        let residue = DynResidue::new(&signature, self.params);
        let opened = residue
            .pow_bounded_exp(&U2048::from_u32(65_537), 17)
            .retrieve();
        opened.to_be_bytes() == encoded(message)
    }
}

/// EMSA-PKCS1-v1_5 of SHA-256: `00 01 ff... 00 DigestInfo digest`.
fn encoded(message: &[u8]) -> [u8; BYTES] {
    let digest = Sha256::digest(message);
    let tail = [0].into_iter().chain(DIGEST_INFO).chain(digest);
    let mut out = [0xff_u8; BYTES];
    let start = BYTES - 1 - DIGEST_INFO.len() - 32;
    for (slot, octet) in out.iter_mut().skip(start).zip(tail) {
        *slot = octet;
    }
    for (slot, octet) in out.iter_mut().zip([0, 1]) {
        *slot = octet;
    }
    out
}

const BYTES: usize = 256;
const EXPONENT: [u8; 3] = [1, 0, 1];
/// DER of DigestInfo for SHA-256, RFC 8017 section 9.2 note 1.
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
