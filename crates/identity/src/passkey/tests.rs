//! Answers of an authenticator made here, with real keys.

use ciborium::Value;
use ed25519_dalek::Signer as _;

use super::*;

/// An authenticator in software.
pub(crate) enum Key {
    Es256(p256::ecdsa::SigningKey),
    EdDsa(ed25519_dalek::SigningKey),
}

impl Key {
    pub(crate) fn es256() -> Self {
        Self::Es256(p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap())
    }

    fn eddsa() -> Self {
        Self::EdDsa(ed25519_dalek::SigningKey::from_bytes(&[9; 32]))
    }

    fn cose(&self) -> Vec<u8> {
        let int = |n: i64| Value::from(n);
        let map = match self {
            Self::Es256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                vec![
                    (int(1), int(2)),
                    (int(3), int(-7)),
                    (int(-1), int(1)),
                    (int(-2), Value::from(point.x().unwrap().to_vec())),
                    (int(-3), Value::from(point.y().unwrap().to_vec())),
                ]
            }
            Self::EdDsa(key) => vec![
                (int(1), int(1)),
                (int(3), int(-8)),
                (int(-1), int(6)),
                (
                    int(-2),
                    Value::from(key.verifying_key().to_bytes().to_vec()),
                ),
            ],
        };
        let mut out = Vec::new();
        ciborium::into_writer(&Value::Map(map), &mut out).unwrap();
        out
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Self::EdDsa(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

pub(crate) const UP_UV: u8 = 0b101;

pub(crate) fn party() -> RelyingParty {
    RelyingParty {
        id: "vigie.example".to_owned(),
        origin: "https://vigie.example".to_owned(),
    }
}

fn client(kind: &str, challenge: &[u8], origin: &str) -> Vec<u8> {
    let text = serde_json::json!({
        "type": kind, "challenge": encode(challenge), "origin": origin, "crossOrigin": false,
    });
    text.to_string().into_bytes()
}

fn data(party: &RelyingParty, flags: u8, count: u32, attested: Option<(&[u8], &[u8])>) -> Vec<u8> {
    let mut out = Sha256::digest(party.id.as_bytes()).to_vec();
    out.push(flags | if attested.is_some() { 1 << 6 } else { 0 });
    out.extend(count.to_be_bytes());
    if let Some((id, key)) = attested {
        out.extend([0; 16]);
        out.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        out.extend(id);
        out.extend(key);
    }
    out
}

pub(crate) fn registration(
    key: &Key,
    id: &[u8],
    challenge: &[u8],
    party: &RelyingParty,
    flags: u8,
) -> Registration {
    let auth = data(party, flags, 0, Some((id, &key.cose())));
    let object = Value::Map(vec![
        (Value::from("fmt"), Value::from("none")),
        (Value::from("attStmt"), Value::Map(Vec::new())),
        (Value::from("authData"), Value::from(auth)),
    ]);
    let mut octets = Vec::new();
    ciborium::into_writer(&object, &mut octets).unwrap();
    Registration {
        id: encode(id),
        response: RegistrationResponse {
            client_data: encode(&client("webauthn.create", challenge, &party.origin)),
            attestation_object: encode(&octets),
        },
    }
}

pub(crate) fn assertion(
    key: &Key,
    id: &[u8],
    challenge: &[u8],
    party: &RelyingParty,
    count: u32,
) -> Assertion {
    let client = client("webauthn.get", challenge, &party.origin);
    let auth = data(party, UP_UV, count, None);
    let mut signed = auth.clone();
    signed.extend(Sha256::digest(&client));
    Assertion {
        id: encode(id),
        response: AssertionResponse {
            client_data: encode(&client),
            authenticator_data: encode(&auth),
            signature: encode(&key.sign(&signed)),
            user_handle: Some(encode(b"handle")),
        },
    }
}

const CHALLENGE: [u8; 32] = [3; 32];

fn registered(key: &Key) -> Passkey {
    let answer = registration(key, b"cred", &CHALLENGE, &party(), UP_UV);
    register(&answer, &CHALLENGE, &party(), "key".to_owned(), 5).unwrap()
}

fn verify(answer: &Assertion, passkey: &Passkey) -> Result<u32, Refusal> {
    authenticate(answer, passkey, &encode(b"handle"), &CHALLENGE, &party())
}

#[test]
fn both_elliptic_algorithms_register_and_sign_in() {
    for key in [Key::es256(), Key::eddsa()] {
        let passkey = registered(&key);
        let answer = assertion(&key, b"cred", &CHALLENGE, &party(), 1);
        assert_eq!(verify(&answer, &passkey), Ok(1));
    }
}

#[test]
fn a_changed_octet_anywhere_does_not_verify() {
    let key = Key::es256();
    let passkey = registered(&key);
    let flip = |text: &str, at: usize| {
        let mut octets = decode(text).unwrap();
        let length = octets.len();
        octets[at % length] ^= 1;
        encode(&octets)
    };
    for at in 0..90 {
        let fresh = || assertion(&key, b"cred", &CHALLENGE, &party(), 1);
        let mut answer = fresh();
        answer.response.authenticator_data = flip(&answer.response.authenticator_data, at);
        assert!(verify(&answer, &passkey).is_err(), "data {at}");
        let mut answer = fresh();
        answer.response.signature = flip(&answer.response.signature, at);
        assert!(verify(&answer, &passkey).is_err(), "signature {at}");
        let mut answer = fresh();
        answer.response.client_data = flip(&answer.response.client_data, at);
        assert!(verify(&answer, &passkey).is_err(), "client {at}");
    }
}

#[test]
fn another_key_origin_challenge_user_or_party_is_refused() {
    let key = Key::es256();
    let passkey = registered(&key);
    let refused = |answer: &Assertion| assert!(verify(answer, &passkey).is_err());
    refused(&assertion(&Key::eddsa(), b"cred", &CHALLENGE, &party(), 1));
    refused(&assertion(&key, b"cred", &[4; 32], &party(), 1));
    let evil = RelyingParty {
        origin: "https://evil.example".to_owned(),
        ..party()
    };
    refused(&assertion(&key, b"cred", &CHALLENGE, &evil, 1));
    let other = RelyingParty {
        id: "evil.example".to_owned(),
        ..party()
    };
    refused(&assertion(&key, b"cred", &CHALLENGE, &other, 1));
    let mut answer = assertion(&key, b"cred", &CHALLENGE, &party(), 1);
    answer.response.user_handle = Some(encode(b"somebody else"));
    refused(&answer);
}

#[test]
fn a_counter_that_goes_back_is_refused_and_zero_counters_are_allowed() {
    let key = Key::es256();
    let mut passkey = registered(&key);
    let at = |count| assertion(&key, b"cred", &CHALLENGE, &party(), count);
    assert_eq!(verify(&at(0), &passkey), Ok(0));
    passkey.count = 5;
    assert_eq!(verify(&at(6), &passkey), Ok(6));
    assert!(verify(&at(5), &passkey).is_err());
    assert!(verify(&at(0), &passkey).is_err());
}

#[test]
fn the_user_must_be_present_and_verified() {
    for flags in [0, 1, 0b100, UP_UV | 1 << 4] {
        let answer = registration(&Key::es256(), b"cred", &CHALLENGE, &party(), flags);
        assert!(
            register(&answer, &CHALLENGE, &party(), String::new(), 5).is_err(),
            "{flags}"
        );
    }
}

#[test]
fn damaged_registrations_are_refused_without_panic() {
    let good = registration(&Key::es256(), b"cred", &CHALLENGE, &party(), UP_UV);
    let object = decode(&good.response.attestation_object).unwrap();
    for length in 0..object.len() {
        let mut answer = registration(&Key::es256(), b"cred", &CHALLENGE, &party(), UP_UV);
        answer.response.attestation_object = encode(&object[..length]);
        assert!(register(&answer, &CHALLENGE, &party(), String::new(), 5).is_err());
    }
    let mut nested = vec![0x81; 10_000];
    nested.push(0);
    let mut answer = good;
    answer.response.attestation_object = encode(&nested);
    assert!(register(&answer, &CHALLENGE, &party(), String::new(), 5).is_err());
}

#[test]
fn rsa_signatures_of_2048_bits_verify() {
    let text = include_str!("../../testdata/rsa-2048.hex");
    let (n, signature) = text.split_once("\n\n").unwrap();
    let octets = |hex: &str| -> Vec<u8> {
        let digits: String = hex.split_whitespace().collect();
        let pairs = digits.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    let (n, mut signature) = (octets(n), octets(signature));
    let int = |n: i64| Value::from(n);
    let cose = |e: &[u8]| {
        let map = vec![
            (int(1), int(3)),
            (int(3), int(-257)),
            (int(-1), Value::from(n.clone())),
            (int(-2), Value::from(e.to_vec())),
        ];
        let mut out = Vec::new();
        ciborium::into_writer(&Value::Map(map), &mut out).unwrap();
        out
    };
    let key = PublicKey::parse(&cose(&[1, 0, 1])).unwrap();
    let message = b"signed by a test key";
    assert!(key.verifies(message, &signature));
    assert!(!key.verifies(b"signed by another key", &signature));
    assert!(!key.verifies(message, &signature[1..]));
    signature[255] ^= 1;
    assert!(!key.verifies(message, &signature));
    assert!(!key.verifies(message, &[0xff; 256]));
    assert!(PublicKey::parse(&cose(&[3])).is_err());
}

#[test]
fn json_of_browsers_is_read() {
    let text = r#"{"id":"AQ","rawId":"AQ","type":"public-key","clientExtensionResults":{},
        "authenticatorAttachment":"platform","response":{"clientDataJSON":"e30",
        "authenticatorData":"AA","signature":"AA","userHandle":null}}"#;
    let answer: Assertion = serde_json::from_str(text).unwrap();
    assert_eq!(answer.id, "AQ");
    assert!(challenge_of(&answer.response.client_data).is_err());
}
