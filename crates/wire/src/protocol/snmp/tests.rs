use proptest::prelude::*;

use super::ber::{arcs, dotted, integer};
use crate::protocol::Transport;
use crate::protocol::checks::{client, facts, field, only, play, server, survives_mutation};
use crate::protocol::replay::fuzz;

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(body.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            out.push(0x82);
            out.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        }
    }
    out.extend(body);
    out
}

fn pdu(kind: u8, error: u8, bindings: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = bindings
        .iter()
        .map(|(name, tag, value)| tlv(0x30, &[&tlv(6, &[name]), &tlv(*tag, &[value])]))
        .collect();
    let list: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    tlv(
        kind,
        &[
            &tlv(2, &[&[1, 2]]),
            &tlv(2, &[&[error]]),
            &tlv(2, &[&[0]]),
            &tlv(0x30, &list),
        ],
    )
}

fn message(version: u8, community: &[u8], pdu: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(2, &[&[version]]), &tlv(4, &[community]), pdu])
}

const DESCR: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 1, 0];
const OBJECT_ID: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 2, 0];
const NAME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 5, 0];

#[test]
fn a_device_says_what_it_is() {
    let ask = message(
        1,
        b"public",
        &pdu(0xa0, 0, &[(DESCR, 5, b""), (NAME, 5, b"")]),
    );
    let values: &[(&[u8], u8, &[u8])] = &[
        (DESCR, 4, b"Printer 9000 fw 1.2"),
        (OBJECT_ID, 6, &[0x2b, 6, 1, 4, 1, 0x8f, 0x65]),
        (NAME, 4, b"prn-07"),
    ];
    let answer = message(1, b"public", &pdu(0xa2, 0, values));
    let out = play(Transport::Udp, 161, &[client(&ask), server(&answer)]);
    assert_eq!(out.name, Some("snmp"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!(
        (draft.status, field(draft, "operation").as_str()),
        (1, "query")
    );
    assert_eq!(
        field(draft, "facts"),
        "snmp.community=default,snmp.group=1.3.6.1.2.1.1,snmp.pdu=get:1,snmp.pdu=response:1,\
         snmp.sys_descr=Printer 9000 fw 1.2,snmp.sys_name=prn-07,\
         snmp.sys_object_id=1.3.6.1.4.1.2021,snmp.version=2c"
    );
}

#[test]
fn a_community_is_never_told() {
    let set = message(0, b"s3cret", &pdu(0xa3, 0, &[(NAME, 4, b"x")]));
    let refused = message(0, b"s3cret", &pdu(0xa2, 2, &[(NAME, 4, b"x")]));
    let out = play(Transport::Udp, 161, &[client(&set), server(&refused)]);
    let draft = &out.drafts[0];
    assert_eq!(
        (draft.status, field(draft, "operation").as_str()),
        (2, "set")
    );
    assert_eq!(draft.status_code.as_deref(), Some("no_such_name"));
    let all = facts(draft);
    assert!(
        all.contains("snmp.community=custom") && !all.contains("s3cret"),
        "{all}"
    );
}

#[test]
fn a_trap_of_version_one_names_its_enterprise() {
    let trap = tlv(
        0xa4,
        &[
            &tlv(6, &[&[0x2b, 6, 1, 4, 1, 9]]),
            &tlv(0x40, &[&[10, 0, 0, 1]]),
            &tlv(2, &[&[6]]),
            &tlv(2, &[&[1]]),
            &tlv(0x43, &[&[1]]),
            &tlv(0x30, &[]),
        ],
    );
    let out = play(
        Transport::Udp,
        162,
        &[client(&message(0, b"public", &trap))],
    );
    let draft = &out.drafts[0];
    assert_eq!(field(draft, "operation"), "notify");
    assert!(field(draft, "facts").contains("snmp.enterprise=1.3.6.1.4.1.9"));
}

#[test]
fn version_three_names_its_user() {
    let engine = [0x80, 0, 0x1f, 0x88, 4];
    let security = tlv(
        0x30,
        &[
            &tlv(4, &[&engine]),
            &tlv(2, &[&[1]]),
            &tlv(2, &[&[1]]),
            &tlv(4, &[b"operator"]),
            &tlv(4, &[&[0; 12]]),
            &tlv(4, &[&[0; 8]]),
        ],
    );
    let global = tlv(
        0x30,
        &[
            &tlv(2, &[&[9]]),
            &tlv(2, &[&[5, 0]]),
            &tlv(4, &[&[3]]),
            &tlv(2, &[&[3]]),
        ],
    );
    let bytes = tlv(
        0x30,
        &[
            &tlv(2, &[&[3]]),
            &global,
            &tlv(4, &[&security]),
            &tlv(4, &[&[0xaa; 40]]),
        ],
    );
    let out = play(Transport::Udp, 161, &[client(&bytes)]);
    let draft = &out.drafts[0];
    assert_eq!(field(draft, "object"), "operator");
    assert_eq!(
        field(draft, "facts"),
        "snmp.engine=80001f8804,snmp.pdu=encrypted:1,snmp.security=encrypted,snmp.version=3"
    );
}

#[test]
fn numbers_and_names_of_ber() {
    assert_eq!(integer(&[0xff]), Some(-1));
    assert_eq!(integer(&[1, 0]), Some(256));
    assert_eq!(integer(&[0; 9]), None);
    assert_eq!(dotted(&arcs(&[0x2b, 6, 0x81, 0x01])), "1.3.6.129");
    assert_eq!(dotted(&arcs(&[0x88, 0x37])), "2.999");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("snmp"), &bytes);
        let inner = message(1, b"x", &tlv(0xa2, &[&bytes]));
        let _ = play(Transport::Udp, 161, &[client(&inner)]);
        let _ = arcs(&bytes);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        let good = message(1, b"public", &pdu(0xa2, 0, &[(DESCR, 4, b"x")]));
        survives_mutation("snmp", Transport::Udp, &good, seed);
    }
}
