use proptest::prelude::*;

use super::*;
use crate::protocol::replay::testing::describe;

/// An element with a short or two-octet length.
pub(crate) fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    let mut out = vec![tag];
    match len {
        [0, low] if low < 0x80 => out.push(low),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend(body);
    out
}

/// An NTLMSSP message: type, named fields at their places, and for type 3 an NTLMv2 response.
pub(crate) fn ntlm(kind: u8, fields: &[(usize, &str)]) -> Vec<u8> {
    let mut out = vec![0; 72];
    out[..8].copy_from_slice(b"NTLMSSP\0");
    out[8] = kind;
    let flags = if kind == 2 { 20 } else { 60 };
    out[flags..flags + 4].copy_from_slice(&0x0200_0001u32.to_le_bytes());
    if kind == 2 {
        out[24..32].copy_from_slice(b"12345678");
        out[48..52].copy_from_slice(&[10, 0, 0x63, 0x45]);
    }
    let mut put = |at: usize, value: &[u8]| {
        let offset = u32::try_from(out.len()).unwrap().to_le_bytes();
        out[at..at + 2].copy_from_slice(&u16::try_from(value.len()).unwrap().to_le_bytes());
        out[at + 4..at + 8].copy_from_slice(&offset);
        out.extend(value);
    };
    for (at, text) in fields {
        put(*at, &wide(text));
    }
    if kind == 3 {
        let mut response = vec![7; 44];
        let target = wide("cifs/files");
        response.extend([9, 0, u8::try_from(target.len()).unwrap(), 0]);
        response.extend(target);
        response.extend([0; 8]);
        put(20, &response);
    }
    out
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// SPNEGO around a token of the client or of the server.
pub(crate) fn spnego(first: bool, state: Option<u8>, token: &[u8]) -> Vec<u8> {
    let inside = tlv(0xa2, &tlv(4, token));
    let ntlmssp = tlv(6, b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a");
    let sequence = if first {
        tlv(0x30, &[tlv(0xa0, &tlv(0x30, &ntlmssp)), inside].concat())
    } else {
        let state = state
            .map(|state| tlv(0xa0, &tlv(0x0a, &[state])))
            .unwrap_or_default();
        tlv(0x30, &[state, inside].concat())
    };
    if first {
        let mechanism = tlv(6, b"\x2b\x06\x01\x05\x05\x02");
        tlv(0x60, &[mechanism, tlv(0xa0, &sequence)].concat())
    } else {
        tlv(0xa1, &sequence)
    }
}

const AT: Nanos = Nanos(5);

#[test]
fn ntlm_in_spnego_tells_who_and_digests_of_what_relays_share() {
    let mut logon = Logon::default();
    logon.token(Side::Client, &spnego(true, None, &ntlm(1, &[])), AT);
    assert!(!logon.is_whole());
    logon.token(
        Side::Server,
        &spnego(false, Some(1), &ntlm(2, &[(12, "CHU")])),
        AT,
    );
    let fields = [(28, "CHU"), (36, "adurand"), (44, "PC-12")];
    logon.token(Side::Client, &spnego(false, None, &ntlm(3, &fields)), AT);
    logon.token(Side::Server, &spnego(false, Some(0), b""), AT);
    let text = describe(&[logon.take(None).unwrap()]);
    assert!(
        text.starts_with("1/1/accept-completed user=<adurand> user_domain=CHU auth_protocol=NTLM"),
        "{text}"
    );
    assert!(
        text.contains("service=cifs/files mechanism=SPNEGO NTLMSSP"),
        "{text}"
    );
    assert!(text.contains("ntlm.workstation=PC-12") && text.contains("ntlm.server_os=10.0.17763"));
    let proof = digest(&[7; 16], 16);
    assert!(text.contains(&format!("ntlm.proof={proof}")), "{text}");
    assert!(!text.contains("07070707") && !text.contains("12345678"));
    assert!(text.contains("spnego.offered=NTLMSSP"), "{text}");
    assert!(logon.take(None).is_none());
}

#[test]
fn what_the_protocol_around_says_is_the_result() {
    let mut logon = Logon::default();
    logon.token(Side::Client, &ntlm(3, &[(36, "u")]), AT);
    let draft = logon.take(Some((2, "49".into()))).unwrap();
    assert!(describe(&[draft]).starts_with("1/2/49 user=<u>"));
}

proptest! {
    #[test]
    fn random_tokens_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at: u8) {
        let mut logon = Logon::default();
        let mut good = spnego(false, Some(0), &ntlm(3, &[(36, "u")]));
        let at = usize::from(at) % good.len();
        good[at] ^= bytes.first().copied().unwrap_or(1);
        for token in [bytes, good] {
            logon.token(Side::Client, &token, AT);
        }
        let _ = logon.take(None);
    }
}
