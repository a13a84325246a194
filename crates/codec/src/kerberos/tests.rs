use proptest::prelude::*;

use super::*;

/// An element with a short or two-octet length.
fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    let mut out = vec![tag];
    match len {
        [0, low] if low < 0x80 => out.push(low),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend(body);
    out
}

fn int(value: u8) -> Vec<u8> {
    tlv(2, &[value])
}

fn explicit(number: u8, body: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, body)
}

fn principal_of(kind: u8, parts: &[&str]) -> Vec<u8> {
    let parts: Vec<u8> = parts
        .iter()
        .flat_map(|part| tlv(0x1b, part.as_bytes()))
        .collect();
    tlv(
        0x30,
        &[explicit(0, &int(kind)), explicit(1, &tlv(0x30, &parts))].concat(),
    )
}

fn as_req() -> Vec<u8> {
    let padata = tlv(
        0x30,
        &[explicit(1, &int(2)), explicit(2, &tlv(4, b"sealed"))].concat(),
    );
    let body = tlv(
        0x30,
        &[
            explicit(0, &tlv(3, &[0, 0x40, 0x81, 0, 0x10])),
            explicit(1, &principal_of(1, &["adurand"])),
            explicit(2, &tlv(0x1b, b"CHU.EXAMPLE")),
            explicit(3, &principal_of(2, &["krbtgt", "CHU.EXAMPLE"])),
            explicit(7, &int(77)),
            explicit(8, &tlv(0x30, &[int(18), int(23)].concat())),
        ]
        .concat(),
    );
    let inner = [
        explicit(1, &int(5)),
        explicit(2, &int(10)),
        explicit(3, &tlv(0x30, &padata)),
        explicit(4, &body),
    ];
    tlv(0x6a, &tlv(0x30, &inner.concat()))
}

#[test]
fn a_request_names_everything_outside_of_encrypted_parts() {
    let read = Message::read(&as_req()).unwrap();
    assert_eq!(read.kind, Kind::AsReq);
    assert_eq!(read.client.unwrap().name, "adurand");
    assert_eq!(read.service.unwrap().name, "krbtgt/CHU.EXAMPLE");
    assert_eq!(read.realm.as_deref(), Some("CHU.EXAMPLE"));
    assert_eq!((read.etypes, read.padata), (vec![18, 23], vec![2]));
    assert_eq!(read.nonce, Some(77));
    let options: Vec<_> = option_names(read.options).collect();
    assert_eq!(
        options,
        ["forwardable", "renewable", "canonicalize", "renewable-ok"]
    );
}

#[test]
fn names_of_numbers() {
    assert_eq!(error_name(25), "KDC_ERR_PREAUTH_REQUIRED");
    assert_eq!(error_name(24), "KDC_ERR_PREAUTH_FAILED");
    assert_eq!(error_name(37), "KRB_AP_ERR_SKEW");
    assert_eq!(error_name(52), "KRB_ERR_RESPONSE_TOO_BIG");
    assert_eq!(error_name(60), "KRB_ERR_GENERIC");
    assert_eq!(error_name(68), "KDC_ERR_WRONG_REALM");
    assert_eq!(error_name(93), "KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS");
    assert_eq!(error_name(30), "30");
    assert_eq!(error_name(-1), "-1");
    assert_eq!(etype_name(23), "rc4-hmac");
    assert_eq!(padata_name(999), "999");
}

#[test]
fn what_is_no_message_is_refused_and_a_cut_one_gives_its_head() {
    let good = as_req();
    let mut other = good.clone();
    other[0] = 0x6b;
    assert_eq!(Message::read(&other), None);
    let cut = Message::read(&good[..good.len() - 20]).unwrap();
    assert_eq!(cut.client.unwrap().name, "adurand");
}

proptest! {
    #[test]
    fn mutated_messages_never_panic(at in 0usize..160, value in any::<u8>(), len in 0usize..200) {
        let mut bytes = as_req();
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = Message::read(bytes.get(..len).unwrap_or(&bytes));
    }
}
