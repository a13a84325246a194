//! Passkeys: WebAuthn registration and sign-in, verified here.
//!
//! Enters: what `navigator.credentials` gives as JSON. Leaves: a public key to keep, or the
//! credential that signed. Refuses: other origins, other relying parties, missing user
//! verification, replayed challenges, counters that go back, algorithms other than ES256, EdDSA and
//! RS256 (2048). Attestation is asked as `none` and no statement is trusted. Limits: see `limit`.
//! Source: W3C Web Authentication level 3, sections 7.1 and 7.2; RFC 9052, RFC 9053, RFC 8230.

mod authenticator;
mod ceremony;
mod key;
mod rsa;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::Refusal;
use crate::limit::{CREDENTIAL_ID_BYTES_MAX, PASSKEY_FIELD_BYTES_MAX};
use authenticator::AuthenticatorData;
pub(crate) use ceremony::{Ceremonies, Purpose};
use key::PublicKey;

/// Who asks for the passkey: from the request's checked host and scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// Domain, as `rp.id`.
    pub id: String,
    /// Scheme, host and port, as browsers write an origin.
    pub origin: String,
}

/// One registered passkey of the state file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passkey {
    /// Credential identifier, base64url.
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) rp_id: String,
    /// COSE key, base64url.
    pub(crate) key: String,
    pub(crate) count: u32,
    pub(crate) created: i64,
    pub(crate) last_used: Option<i64>,
}

/// A passkey as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyView {
    /// Credential identifier, base64url.
    pub id: String,
    /// Label given by its owner.
    pub label: String,
    /// When it was registered, milliseconds.
    pub created: i64,
    /// Last sign-in with it, milliseconds; `None` before the first.
    pub last_used: Option<i64>,
}

/// What `PublicKeyCredential.toJSON()` gives after a registration; other members are ignored.
#[derive(Deserialize)]
pub struct Registration {
    /// Credential identifier, base64url.
    pub id: String,
    /// The authenticator's answer.
    pub response: RegistrationResponse,
}

/// `AuthenticatorAttestationResponseJSON`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    /// Client data, base64url.
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    /// Attestation object, base64url.
    pub attestation_object: String,
}

/// What `PublicKeyCredential.toJSON()` gives after a sign-in; other members are ignored.
#[derive(Deserialize)]
pub struct Assertion {
    /// Credential identifier, base64url.
    pub id: String,
    /// The authenticator's answer.
    pub response: AssertionResponse,
}

/// `AuthenticatorAssertionResponseJSON`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssertionResponse {
    /// Client data, base64url.
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    /// Authenticator data, base64url.
    pub authenticator_data: String,
    /// Signature, base64url.
    pub signature: String,
    /// User handle, base64url.
    pub user_handle: Option<String>,
}

/// Algorithms asked for, in order of preference (COSE).
pub(crate) const ALGORITHMS: [i64; 3] = [key::ES256, key::EDDSA, key::RS256];

/// Verifies a registration; `Ok` is the passkey to keep.
pub(crate) fn register(
    answer: &Registration,
    challenge: &[u8],
    party: &RelyingParty,
    label: String,
    now: i64,
) -> Result<Passkey, Refusal> {
    let client = decode(&answer.response.client_data)?;
    check_client(&client, "webauthn.create", challenge, party)?;
    let object = decode(&answer.response.attestation_object)?;
    let octets = authenticator::of_attestation_object(&object)?;
    let data = AuthenticatorData::parse(&octets)?;
    check_authenticator(&data, party)?;
    let attested = data
        .attested
        .ok_or(Refusal::BadPasskey("no credential in the answer"))?;
    if attested.id.is_empty() || attested.id.len() > CREDENTIAL_ID_BYTES_MAX {
        return Err(Refusal::BadPasskey("credential identifier too long"));
    }
    if decode(&answer.id)? != attested.id {
        return Err(Refusal::BadPasskey("two different credential identifiers"));
    }
    PublicKey::parse(&attested.key)?;
    Ok(Passkey {
        id: encode(&attested.id),
        label,
        rp_id: party.id.clone(),
        key: encode(&attested.key),
        count: data.count,
        created: now,
        last_used: None,
    })
}

/// Verifies a sign-in with `passkey`; `Ok` is the new counter.
pub(crate) fn authenticate(
    answer: &Assertion,
    passkey: &Passkey,
    handle: &str,
    challenge: &[u8],
    party: &RelyingParty,
) -> Result<u32, Refusal> {
    let client = decode(&answer.response.client_data)?;
    check_client(&client, "webauthn.get", challenge, party)?;
    if passkey.rp_id != party.id {
        return Err(Refusal::BadPasskey("registered for another address"));
    }
    let given = answer.response.user_handle.as_deref().unwrap_or("");
    if !given.is_empty() && given.trim_end_matches('=') != handle {
        return Err(Refusal::BadPasskey("belongs to another account"));
    }
    let octets = decode(&answer.response.authenticator_data)?;
    let data = AuthenticatorData::parse(&octets)?;
    check_authenticator(&data, party)?;
    let key = PublicKey::parse(&decode(&passkey.key)?)?;
    let mut signed = octets;
    signed.extend_from_slice(&Sha256::digest(&client));
    if !key.verifies(&signed, &decode(&answer.response.signature)?) {
        return Err(Refusal::BadPasskey("signature does not verify"));
    }
    let counts = data.count != 0 || passkey.count != 0;
    if counts && data.count <= passkey.count {
        return Err(Refusal::BadPasskey("counter went back: it may be a copy"));
    }
    Ok(data.count)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// The challenge inside client data, to find its ceremony; nothing is verified yet.
pub(crate) fn challenge_of(client_data: &str) -> Result<Vec<u8>, Refusal> {
    let octets = decode(client_data)?;
    let client: ClientData = serde_json::from_slice(&octets)
        .map_err(|_| Refusal::BadPasskey("client data is not valid"))?;
    decode(&client.challenge)
}

fn check_client(
    octets: &[u8],
    kind: &str,
    challenge: &[u8],
    party: &RelyingParty,
) -> Result<(), Refusal> {
    let client: ClientData = serde_json::from_slice(octets)
        .map_err(|_| Refusal::BadPasskey("client data is not valid"))?;
    if client.kind != kind {
        return Err(Refusal::BadPasskey("answer to another question"));
    }
    if decode(&client.challenge)? != challenge {
        return Err(Refusal::BadPasskey("another challenge"));
    }
    if client.origin != party.origin || client.cross_origin {
        return Err(Refusal::BadPasskey("made for another address"));
    }
    Ok(())
}

fn check_authenticator(data: &AuthenticatorData, party: &RelyingParty) -> Result<(), Refusal> {
    if data.rp_id_hash != <[u8; 32]>::from(Sha256::digest(party.id.as_bytes())) {
        return Err(Refusal::BadPasskey("made for another address"));
    }
    if !data.user_present || !data.user_verified {
        return Err(Refusal::BadPasskey("the user was not verified"));
    }
    if data.backed_up && !data.backup_eligible {
        return Err(Refusal::BadPasskey("contradictory backup flags"));
    }
    Ok(())
}

/// Base64url without padding.
pub(crate) fn encode(octets: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(octets)
}

/// The octets of base64url; padding is tolerated.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    if text.len() > PASSKEY_FIELD_BYTES_MAX {
        return Err(Refusal::BadPasskey("a field is too long"));
    }
    Base64UrlUnpadded::decode_vec(text.trim_end_matches('='))
        .map_err(|_| Refusal::BadPasskey("a field is not base64url"))
}

#[cfg(test)]
pub(crate) mod tests;
