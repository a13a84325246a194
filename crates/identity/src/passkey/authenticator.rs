//! Authenticator data: the octets that an authenticator signs.
//!
//! Enters: octets or an attestation object. Leaves: flags, counter, and at registration the
//! credential with its COSE key. Refuses: short data, nesting beyond ciborium's limit.
//! Source: W3C Web Authentication level 3, sections 6.1 and 6.5.

use ciborium::Value;

use crate::error::Refusal;

/// Authenticator data, parsed.
pub(super) struct AuthenticatorData {
    pub(super) rp_id_hash: [u8; 32],
    pub(super) user_present: bool,
    pub(super) user_verified: bool,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
    pub(super) count: u32,
    pub(super) attested: Option<Attested>,
}

/// The credential made at registration.
pub(super) struct Attested {
    pub(super) id: Vec<u8>,
    /// COSE key, as received.
    pub(super) key: Vec<u8>,
}

impl AuthenticatorData {
    /// Parses authenticator data.
    pub(super) fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let short = Refusal::BadPasskey("authenticator data is too short");
        let (rp_id_hash, rest) = octets.split_first_chunk::<32>().ok_or(short.clone())?;
        let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or(short.clone())?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(short.clone())?;
        let attested = if flags & FLAG_ATTESTED == 0 {
            None
        } else {
            let (_aaguid, rest) = rest.split_first_chunk::<16>().ok_or(short.clone())?;
            let (length, rest) = rest.split_first_chunk::<2>().ok_or(short.clone())?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (id, rest) = rest.split_at_checked(length).ok_or(short)?;
            Some(Attested {
                id: id.to_vec(),
                key: first_item(rest)?.to_vec(),
            })
        };
        Ok(Self {
            rp_id_hash: *rp_id_hash,
            user_present: flags & FLAG_USER_PRESENT != 0,
            user_verified: flags & FLAG_USER_VERIFIED != 0,
            backup_eligible: flags & FLAG_BACKUP_ELIGIBLE != 0,
            backed_up: flags & FLAG_BACKED_UP != 0,
            count: u32::from_be_bytes(*count),
            attested,
        })
    }
}

/// The authenticator data inside an attestation object; its statement is not read: none is trusted.
pub(super) fn of_attestation_object(octets: &[u8]) -> Result<Vec<u8>, Refusal> {
    let bad = Refusal::BadPasskey("attestation object is not valid");
    let value: Value = ciborium::from_reader(octets).map_err(|_| bad.clone())?;
    let Value::Map(entries) = value else {
        return Err(bad);
    };
    let data = entries.into_iter().find_map(|(name, value)| {
        let wanted = name.as_text() == Some("authData");
        if wanted {
            value.into_bytes().ok()
        } else {
            None
        }
    });
    data.ok_or(bad)
}

/// The octets of the first CBOR item: extensions may follow it.
fn first_item(octets: &[u8]) -> Result<&[u8], Refusal> {
    let bad = Refusal::BadPasskey("public key is not valid");
    let mut rest = octets;
    let _: Value = ciborium::from_reader(&mut rest).map_err(|_| bad.clone())?;
    octets.get(..octets.len() - rest.len()).ok_or(bad)
}

const FLAG_USER_PRESENT: u8 = 1;
const FLAG_USER_VERIFIED: u8 = 1 << 2;
const FLAG_BACKUP_ELIGIBLE: u8 = 1 << 3;
const FLAG_BACKED_UP: u8 = 1 << 4;
const FLAG_ATTESTED: u8 = 1 << 6;
