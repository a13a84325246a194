use proptest::prelude::*;

use super::*;

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A message of `fixed` bytes whose fields at `at` point to payloads.
fn message(kind: u8, fixed: usize, flags_at: usize, fields: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0; fixed];
    out[..8].copy_from_slice(SIGNATURE);
    out[8] = kind;
    out[flags_at..flags_at + 4].copy_from_slice(&(UNICODE | VERSION).to_le_bytes());
    for (at, payload) in fields {
        let length = u16::try_from(payload.len()).unwrap().to_le_bytes();
        let offset = u32::try_from(out.len()).unwrap().to_le_bytes();
        out[*at..*at + 2].copy_from_slice(&length);
        out[*at + 4..*at + 8].copy_from_slice(&offset);
        out.extend(payload);
    }
    out
}

#[test]
fn a_challenge_names_the_server() {
    let mut pairs = Vec::new();
    for (id, value) in [(2, "CHU"), (1, "FILES"), (3, "files.chu.example"), (0, "")] {
        pairs.extend(u16::to_le_bytes(id));
        pairs.extend(u16::try_from(wide(value).len()).unwrap().to_le_bytes());
        pairs.extend(wide(value));
    }
    let mut bytes = message(2, 56, 20, &[(12, wide("CHU")), (40, pairs)]);
    bytes[48..52].copy_from_slice(&[10, 0, 0x63, 0x45]);
    let token = [b"\x60\x10spnego".as_slice(), &bytes].concat();
    let Some(Message::Challenge(challenge)) = find(&token).and_then(Message::read) else {
        panic!("no challenge");
    };
    assert_eq!(challenge.target, "CHU");
    assert_eq!(challenge.netbios_computer, "FILES");
    assert_eq!(challenge.dns_computer, "files.chu.example");
    assert_eq!(challenge.version.unwrap().to_string(), "10.0.17763");
}

#[test]
fn an_authentication_names_the_user() {
    let fields = [
        (20, vec![7; 40]),
        (28, wide("CHU")),
        (36, wide("adurand")),
        (44, wide("PC-12")),
    ];
    let bytes = message(3, 72, 60, &fields);
    let Some(Message::Authenticate(auth)) = Message::read(&bytes) else {
        panic!("no authentication");
    };
    assert_eq!((&*auth.domain, &*auth.user), ("CHU", "adurand"));
    assert_eq!(auth.workstation, "PC-12");
    assert_eq!(auth.proof, Some([7; 16]));
    assert_eq!(auth.version, None);
}

#[test]
fn fields_that_point_outside_are_empty() {
    let mut bytes = message(3, 72, 60, &[(36, wide("x"))]);
    bytes[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    let Some(Message::Authenticate(auth)) = Message::read(&bytes) else {
        panic!("no authentication");
    };
    assert_eq!(auth.user, "");
    assert_eq!(Message::read(b"NTLMSSP\0\x03"), None);
    assert_eq!(find(b"nothing"), None);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, kind in 0u8..5) {
        let mut message = SIGNATURE.to_vec();
        message.push(kind);
        message.extend([0; 3]);
        message.extend(&bytes);
        let _ = Message::read(&message);
        let _ = find(&bytes).and_then(Message::read);
    }
}
