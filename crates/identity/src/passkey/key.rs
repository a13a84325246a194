//! Public keys of passkeys.
//!
//! Enters: a COSE key. Leaves: whether a signature verifies. Refuses: other algorithms, points that
//! are not on the curve, weak Ed25519 keys, RSA moduli other than 2048 bits.
//! Source: RFC 9053 sections 2.1, 2.2, 7; RFC 8230; WebAuthn level 3 section 6.5.5.

use ciborium::Value;
use p256::ecdsa::signature::Verifier as _;

use super::rsa::RsaKey;
use crate::error::Refusal;

/// ECDSA on P-256 with SHA-256.
pub(super) const ES256: i64 = -7;
/// EdDSA on Ed25519.
pub(super) const EDDSA: i64 = -8;
/// RSASSA-PKCS1-v1_5 with SHA-256: what many TPMs offer to Windows Hello.
pub(super) const RS256: i64 = -257;

/// A public key that can verify.
pub(super) enum PublicKey {
    Es256(Box<p256::ecdsa::VerifyingKey>),
    EdDsa(Box<ed25519_dalek::VerifyingKey>),
    Rs256(Box<RsaKey>),
}

impl PublicKey {
    /// The key of a COSE map.
    pub(super) fn parse(cose: &[u8]) -> Result<Self, Refusal> {
        let bad = Refusal::BadPasskey("public key is not valid");
        let value: Value = ciborium::from_reader(cose).map_err(|_| bad.clone())?;
        let map = Map(value.into_map().map_err(|_| bad.clone())?);
        match (map.int(KTY), map.int(ALG)) {
            (Some(KTY_EC2), Some(ES256)) if map.int(CRV) == Some(CRV_P256) => {
                let x = map.octets::<32>(X).ok_or(bad.clone())?;
                let y = map.octets::<32>(Y).ok_or(bad.clone())?;
                let point =
                    p256::EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
                let key = p256::ecdsa::VerifyingKey::from_encoded_point(&point);
                Ok(Self::Es256(Box::new(key.map_err(|_| bad)?)))
            }
            (Some(KTY_OKP), Some(EDDSA)) if map.int(CRV) == Some(CRV_ED25519) => {
                let x = map.octets::<32>(X).ok_or(bad.clone())?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(&x).map_err(|_| bad.clone())?;
                if key.is_weak() {
                    return Err(bad);
                }
                Ok(Self::EdDsa(Box::new(key)))
            }
            (Some(KTY_RSA), Some(RS256)) => {
                let n = map
                    .get(RSA_N)
                    .and_then(Value::as_bytes)
                    .ok_or(bad.clone())?;
                let e = map
                    .get(RSA_E)
                    .and_then(Value::as_bytes)
                    .ok_or(bad.clone())?;
                Ok(Self::Rs256(Box::new(RsaKey::new(n, e).ok_or(bad)?)))
            }
            _ => Err(Refusal::BadPasskey("algorithm is not supported")),
        }
    }

    /// True when `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::Rs256(key) => key.verifies(message, signature),
        }
    }
}

struct Map(Vec<(Value, Value)>);

impl Map {
    fn get(&self, label: i64) -> Option<&Value> {
        let label = Value::from(label);
        let found = self.0.iter().find(|(name, _)| *name == label);
        found.map(|(_, value)| value)
    }

    fn int(&self, label: i64) -> Option<i64> {
        let value = self.get(label)?.as_integer()?;
        i64::try_from(i128::from(value)).ok()
    }

    fn octets<const N: usize>(&self, label: i64) -> Option<[u8; N]> {
        self.get(label)?.as_bytes()?.as_slice().try_into().ok()
    }
}

const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const RSA_N: i64 = -1;
const RSA_E: i64 = -2;
const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const KTY_RSA: i64 = 3;
const CRV_P256: i64 = 1;
const CRV_ED25519: i64 = 6;
