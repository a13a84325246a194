use proptest::prelude::*;

use super::*;
use crate::protocol::logon::tests::{ntlm, spnego, tlv};
use crate::protocol::replay::testing::{assert_any_split, client, describe, server, tcp};
use crate::protocol::replay::{self, Piece};

static ONLY: &[&dyn Protocol] = &[&Ldap];

fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(2, &[id]), operation.to_vec()].concat())
}

fn octets(text: &str) -> Vec<u8> {
    tlv(4, text.as_bytes())
}

fn bind(id: u8, name: &str, choice: &[u8]) -> Vec<u8> {
    message(
        id,
        &tlv(
            0x60,
            &[tlv(2, &[3]), octets(name), choice.to_vec()].concat(),
        ),
    )
}

fn answer(id: u8, tag: u8, code: u8, message_text: &str, extra: &[u8]) -> Vec<u8> {
    let parts = [
        tlv(0x0a, &[code]),
        octets(""),
        octets(message_text),
        extra.to_vec(),
    ];
    message(id, &tlv(tag, &parts.concat()))
}

fn search(id: u8) -> Vec<u8> {
    let equal = tlv(
        0xa3,
        &[octets("sAMAccountName"), octets("adurand")].concat(),
    );
    let part = tlv(0x30, &tlv(0x80, b"Dur"));
    let like = tlv(0xa4, &[octets("sn"), part].concat());
    let filter = tlv(
        0xa0,
        &[equal, tlv(0xa2, &like), tlv(0x87, b"mail")].concat(),
    );
    let parts = [
        octets("dc=chu,dc=example"),
        tlv(0x0a, &[2]),
        tlv(0x0a, &[0]),
        tlv(2, &[0]),
        tlv(2, &[0]),
        tlv(1, &[0]),
        filter,
        tlv(0x30, &[octets("memberOf"), octets("mail")].concat()),
    ];
    message(id, &tlv(0x63, &parts.concat()))
}

fn entry(id: u8, bytes: usize) -> Vec<u8> {
    message(
        id,
        &tlv(0x64, &[octets("cn=x"), tlv(0x30, &vec![0; bytes])].concat()),
    )
}

fn conversation() -> Vec<Vec<u8>> {
    let change = tlv(
        0x30,
        &[octets("member"), tlv(0x31, &octets("cn=x"))].concat(),
    );
    let changes = tlv(0x30, &tlv(0x30, &[tlv(0x0a, &[0]), change].concat()));
    vec![
        bind(1, "cn=admin,dc=chu", &tlv(0x80, b"hunter2")),
        answer(1, 0x61, 49, "80090308: LdapErr: x, data 52e, v1db1", b""),
        bind(2, "cn=admin,dc=chu", &tlv(0x80, b"hunter3")),
        answer(2, 0x61, 0, "", b""),
        search(3),
        [entry(3, 40), entry(3, 30_000), answer(3, 0x65, 0, "", b"")].concat(),
        message(4, &tlv(0x66, &[octets("cn=g"), changes].concat())),
        answer(4, 0x67, 50, "", b""),
        message(5, &tlv(0x4a, b"cn=gone")),
    ]
}

fn in_turns(messages: &[Vec<u8>]) -> Vec<Piece<'_>> {
    let numbered = messages.iter().enumerate();
    numbered
        .map(|(at, bytes)| {
            if at % 2 == 0 {
                client(bytes)
            } else {
                server(bytes)
            }
        })
        .collect()
}

#[test]
fn a_conversation_in_the_clear() {
    let messages = conversation();
    let out = tcp(ONLY, 389, &in_turns(&messages));
    let told = describe(&out.drafts);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 5, "{told}");
    assert_eq!(
        lines[0],
        "1/2/invalidCredentials user=<cn=admin,dc=chu> auth_protocol=LDAP is_cleartext=true \
         is_remote=true logon_type_id=8 mechanism=simple facts=ldap.ad_code=52e,ldap.version=3"
    );
    assert!(
        lines[1].starts_with("1/1/success user=<cn=admin,dc=chu>"),
        "{told}"
    );
    assert_eq!(
        lines[2],
        "6/1/success about=ldap operation=search \
         object=<dc=chu,dc=example?sub?(&(sAMAccountName=adurand)(!(sn=Dur*))(mail=*))> \
         object_count=2 facts=ldap.attribute=memberOf,ldap.attribute=mail,ldap.attributes=2,\
         ldap.scope=sub"
    );
    assert!(lines[3].starts_with("6/2/insufficientAccessRights about=ldap operation=modify"));
    assert!(lines[3].contains("ldap.attribute=add:member"), "{told}");
    assert_eq!(lines[4], "6/0 about=ldap operation=delete object=<cn=gone>");
    assert!(!told.contains("hunter"), "a password passed");
    assert!(out.anomalies.is_empty(), "{:?}", out.anomalies);
}

#[test]
fn a_sasl_bind_names_its_user_and_wrapping_is_counted() {
    let sasl = |token: &[u8]| tlv(0xa3, &[octets("GSS-SPNEGO"), tlv(4, token)].concat());
    let challenge = spnego(false, Some(1), &ntlm(2, &[(12, "CHU")]));
    let who = spnego(false, None, &ntlm(3, &[(28, "CHU"), (36, "adurand")]));
    let mut wrapped = vec![0, 0, 0, 0, 1, 0, 0, 0];
    wrapped.resize(20, 7);
    wrapped.extend(search(3));
    wrapped[3] = u8::try_from(wrapped.len() - 4).unwrap();
    let messages = vec![
        bind(1, "", &sasl(&spnego(true, None, &ntlm(1, &[])))),
        answer(1, 0x61, 14, "", &tlv(0x87, &challenge)),
        bind(2, "", &sasl(&who)),
        answer(2, 0x61, 0, "", b""),
        wrapped,
    ];
    let out = tcp(ONLY, 389, &in_turns(&messages));
    let told = describe(&out.drafts);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines[0].starts_with("1/1/success user=<adurand> user_domain=CHU auth_protocol=NTLM"),
        "{told}"
    );
    assert!(
        lines[0].contains("mechanism=GSS-SPNEGO SPNEGO NTLMSSP"),
        "{told}"
    );
    assert!(
        lines[1].starts_with("6/0 about=ldap operation=search"),
        "{told}"
    );
    assert!(
        lines[2].contains("sasl_wrapped object_count=1 facts=ldap.readable=1"),
        "{told}"
    );
}

#[test]
fn starttls_hands_the_flow_on() {
    let asked = message(1, &tlv(0x77, &tlv(0x80, b"1.3.6.1.4.1.1466.20037")));
    let said = answer(1, 0x78, 0, "", b"");
    let out = tcp(
        crate::protocol::REGISTRY,
        389,
        &[client(&asked), server(&said), client(b"SSH-2.0-x\r\n")],
    );
    let told = describe(&out.drafts);
    assert!(
        told.starts_with("6/1/success about=ldap operation=extended facts=ldap.extension=StartTLS"),
        "{told}"
    );
    assert_eq!(out.name, Some("ssh"));
}

#[test]
fn deep_filters_and_many_requests_stay_bounded() {
    let mut filter = tlv(0x87, b"a");
    for _ in 0..40 {
        filter = tlv(0xa2, &filter);
    }
    let text = filter::text(&codec::ber::Element::first(&filter).unwrap());
    assert!(text.contains("...") && text.len() < 200, "{text}");
    let many: Vec<u8> = (0..2000u16)
        .flat_map(|id| {
            let id = [1 + (id >> 8).to_le_bytes()[0], id.to_le_bytes()[0]];
            tlv(0x30, &[tlv(2, &id), tlv(0x4a, b"cn=x")].concat())
        })
        .collect();
    let out = tcp(ONLY, 389, &[client(&many)]);
    assert_eq!(out.drafts.len(), 2000);
    assert!(out.anomalies.contains(&"ldap-pending-limit"));
    assert!(out.heap_bytes_max < 300_000, "{}", out.heap_bytes_max);
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1usize..400, 1..20)) {
        let messages = conversation();
        assert_any_split(ONLY, 389, &in_turns(&messages), &cuts);
    }

    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_conversations(
        changes in prop::collection::vec((0usize..9, 0usize..200, any::<u8>()), 1..6),
        cuts in prop::collection::vec(1usize..400, 1..10),
    ) {
        let mut messages = conversation();
        for (which, at, value) in changes {
            let at = at % messages[which].len();
            messages[which][at] = value;
        }
        let pieces = in_turns(&messages);
        let _ = tcp(ONLY, 389, &replay::testing::recut(&pieces, &cuts));
    }
}
