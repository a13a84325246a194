use proptest::prelude::*;

use super::*;
use crate::protocol::logon::tests::tlv;
use crate::protocol::replay::testing::{assert_any_split, client, describe, server, tcp};
use crate::protocol::replay::{self, Piece};
use crate::protocol::{Side, Transport};

static ONLY: &[&dyn Protocol] = &[&Kerberos];

fn int(value: u8) -> Vec<u8> {
    tlv(2, &[value])
}

fn explicit(number: u8, body: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, body)
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn text(text: &str) -> Vec<u8> {
    tlv(0x1b, text.as_bytes())
}

fn principal(kind: u8, parts: &[&str]) -> Vec<u8> {
    let parts: Vec<_> = parts.iter().map(|part| text(part)).collect();
    sequence(&[explicit(0, &int(kind)), explicit(1, &sequence(&parts))])
}

fn sealed(etype: u8) -> Vec<u8> {
    sequence(&[explicit(0, &int(etype)), explicit(2, &tlv(4, b"secret"))])
}

fn ticket(service: &[&str], etype: u8) -> Vec<u8> {
    let inner = sequence(&[
        explicit(0, &int(5)),
        explicit(1, &text("CHU.EXAMPLE")),
        explicit(2, &principal(2, service)),
        explicit(3, &sealed(etype)),
    ]);
    tlv(0x61, &inner)
}

fn request(kind: u8, user: Option<&str>, service: &[&str], padata: &[u8], nonce: u8) -> Vec<u8> {
    let user = user
        .map(|user| explicit(1, &principal(1, &[user])))
        .unwrap_or_default();
    let body = sequence(&[
        explicit(0, &tlv(3, &[0, 0x40, 0x80, 0, 0])),
        user,
        explicit(2, &text("CHU.EXAMPLE")),
        explicit(3, &principal(2, service)),
        explicit(7, &int(nonce)),
        explicit(8, &sequence(&[int(18), int(23)])),
    ]);
    let padata = if padata.is_empty() {
        Vec::new()
    } else {
        explicit(3, &tlv(0x30, padata))
    };
    let inner = [
        explicit(1, &int(5)),
        explicit(2, &int(kind)),
        padata,
        explicit(4, &body),
    ];
    tlv(0x60 | kind, &sequence(&inner))
}

fn reply(kind: u8, user: &str, service: &[&str]) -> Vec<u8> {
    let inner = [
        explicit(0, &int(5)),
        explicit(1, &int(kind)),
        explicit(3, &text("CHU.EXAMPLE")),
        explicit(4, &principal(1, &[user])),
        explicit(5, &ticket(service, 23)),
        explicit(6, &sealed(18)),
    ];
    tlv(0x60 | kind, &sequence(&inner))
}

fn error(code: u8) -> Vec<u8> {
    let inner = [
        explicit(0, &int(5)),
        explicit(1, &int(30)),
        explicit(6, &int(code)),
        explicit(9, &text("CHU.EXAMPLE")),
        explicit(10, &principal(2, &["krbtgt", "CHU.EXAMPLE"])),
    ];
    tlv(0x7e, &sequence(&inner))
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&length, message].concat()
}

const TGT: [&str; 2] = ["krbtgt", "CHU.EXAMPLE"];

fn conversation() -> Vec<Vec<u8>> {
    let timestamp = sequence(&[explicit(1, &int(2)), explicit(2, &tlv(4, b"x"))]);
    vec![
        framed(&request(10, Some("adurand"), &TGT, &[], 1)),
        framed(&error(25)),
        framed(&request(10, Some("adurand"), &TGT, &timestamp, 2)),
        framed(&reply(11, "adurand", &TGT)),
        framed(&request(12, None, &["cifs", "files.chu.example"], &[], 3)),
        framed(&reply(13, "adurand", &["cifs", "files.chu.example"])),
    ]
}

fn in_turns(messages: &[Vec<u8>]) -> Vec<Piece<'_>> {
    let turn = |(at, bytes): (usize, &'_ Vec<u8>)| at % 2 == 0 && !bytes.is_empty();
    let numbered = messages.iter().enumerate();
    numbered
        .map(|(at, bytes)| {
            if turn((at, bytes)) {
                client(bytes)
            } else {
                server(bytes)
            }
        })
        .collect()
}

#[test]
fn exchanges_become_events() {
    let messages = conversation();
    let out = tcp(ONLY, 88, &in_turns(&messages));
    let told = describe(&out.drafts);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines[0].starts_with(
            "6/0/KDC_ERR_PREAUTH_REQUIRED user=<adurand> user_domain=CHU.EXAMPLE \
             auth_protocol=Kerberos is_remote=true service=krbtgt/CHU.EXAMPLE mechanism=AS-REQ"
        ),
        "{told}"
    );
    assert!(lines[1].starts_with("3/1 user=<adurand>"), "{told}");
    assert!(lines[1].contains("kerberos.padata=enc-timestamp"), "{told}");
    assert!(
        lines[2].starts_with("4/1 user=<adurand>")
            && lines[2].contains("service=cifs/files.chu.example")
            && lines[2].contains("kerberos.etype_ticket=rc4-hmac")
            && lines[2].contains("kerberos.etype_reply=aes256-cts-hmac-sha1-96"),
        "{told}"
    );
    assert!(!told.contains("secret"));
}

#[test]
fn datagrams_repetitions_and_silence() {
    let asked = request(10, Some("adurand"), &TGT, &[], 1);
    let refused = error(6);
    let other = request(10, Some("blefort"), &TGT, &[], 2);
    let pieces = [
        client(&asked),
        client(&asked),
        server(&refused),
        client(&other),
    ];
    let out = replay::run(ONLY, Transport::Udp, (40_000, 88), 0, &pieces);
    let told = describe(&out.drafts);
    assert_eq!(out.drafts.len(), 2, "{told}");
    assert!(
        told.starts_with("3/2/KDC_ERR_C_PRINCIPAL_UNKNOWN user=<adurand>"),
        "{told}"
    );
    assert!(told.contains("\n3/0 user=<blefort>"), "{told}");
}

#[test]
fn an_account_as_service_is_sensitive() {
    let asked = framed(&request(12, None, &["svc-backup"], &[], 1));
    let out = tcp(ONLY, 88, &[client(&asked)]);
    let told = describe(&out.drafts);
    assert!(
        told.contains("auth_target=<svc-backup>") && !told.contains(" service="),
        "{told}"
    );
}

#[test]
fn a_gap_keeps_what_was_read_and_the_limit_holds() {
    let messages = conversation();
    let mut pieces = in_turns(&messages[..3]);
    pieces.push(Piece::Gap(Side::Client, 9));
    pieces.extend(in_turns(&messages[2..4]));
    let out = tcp(ONLY, 88, &pieces);
    assert_eq!(out.drafts.len(), 2, "{}", describe(&out.drafts));
    let many: Vec<u8> = (0..200)
        .flat_map(|n| framed(&request(10, Some("u"), &TGT, &[], n % 120)))
        .collect();
    let out = tcp(ONLY, 88, &[client(&many)]);
    assert!(out.anomalies.contains(&"kerberos-pending-limit"));
    assert!(out.heap_bytes_max < 200_000, "{}", out.heap_bytes_max);
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1usize..200, 1..20)) {
        let messages = conversation();
        assert_any_split(ONLY, 88, &in_turns(&messages), &cuts);
    }

    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_conversations(
        changes in prop::collection::vec((0usize..6, 0usize..300, any::<u8>()), 1..6),
    ) {
        let mut messages = conversation();
        for (which, at, value) in changes {
            let at = at % messages[which].len();
            messages[which][at] = value;
        }
        let _ = tcp(ONLY, 88, &in_turns(&messages));
    }
}
