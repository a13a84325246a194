use proptest::prelude::*;

use super::*;
use crate::protocol::logon::tests::ntlm;
use crate::protocol::replay::testing::{assert_any_split, client, describe, server, tcp};
use crate::protocol::replay::{self, Piece};

static ONLY: &[&dyn Protocol] = &[&DceRpc];

/// drsuapi and svcctl as they stand in a little-endian fragment.
const DRSUAPI: [u8; 16] = [
    0x35, 0x42, 0x51, 0xe3, 0x06, 0x4b, 0xd1, 0x11, 0xab, 0x04, 0x00, 0xc0, 0x4f, 0xc2, 0xdc, 0xd2,
];
pub(in crate::protocol) const SVCCTL: [u8; 16] = [
    0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0x00, 0x10, 0x03,
];

fn fragment(kind: u8, call: u8, body: &[u8], auth: &[u8]) -> Vec<u8> {
    let mut out = vec![5, 0, kind, 3, 0x10, 0, 0, 0];
    let trailer = if auth.is_empty() { 0 } else { 8 + auth.len() };
    let length = u16::try_from(16 + body.len() + trailer).unwrap();
    out.extend(length.to_le_bytes());
    out.extend(u16::try_from(auth.len()).unwrap().to_le_bytes());
    out.extend([call, 0, 0, 0]);
    out.extend(body);
    if !auth.is_empty() {
        out.extend([10, 6, 0, 0, 0, 0, 0, 0]);
        out.extend(auth);
    }
    out
}

pub(in crate::protocol) fn bind(interfaces: &[[u8; 16]], auth: &[u8]) -> Vec<u8> {
    let mut body = vec![0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0];
    body.extend([u8::try_from(interfaces.len()).unwrap(), 0, 0, 0]);
    for (index, interface) in interfaces.iter().enumerate() {
        body.extend([u8::try_from(index).unwrap(), 0, 1, 0]);
        body.extend(interface);
        body.extend([4, 0, 0, 0]);
        body.extend([0x5d; 20]);
    }
    fragment(11, 1, &body, auth)
}

pub(in crate::protocol) fn bind_ack(results: &[u8], auth: &[u8]) -> Vec<u8> {
    let mut body = vec![0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0, 4, 0];
    body.extend(b"135\0");
    body.extend([0, 0]);
    body.extend([u8::try_from(results.len()).unwrap(), 0, 0, 0]);
    for result in results {
        body.extend([*result, 0, 0, 0]);
        body.extend([0x5d; 20]);
    }
    fragment(12, 1, &body, auth)
}

pub(in crate::protocol) fn call(id: u8, context: u8, operation: u8, stub: usize) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 0, context, 0, operation, 0];
    body.resize(8 + stub, 7);
    fragment(0, id, &body, &[])
}

pub(in crate::protocol) fn answer(id: u8, stub: usize) -> Vec<u8> {
    fragment(2, id, &vec![0; 8 + stub], &[])
}

fn conversation() -> Vec<Vec<u8>> {
    let who = ntlm(3, &[(28, "CHU"), (36, "adurand")]);
    let mut denied = vec![0; 8];
    denied.extend([5, 0, 0, 0, 0, 0, 0, 0]);
    vec![
        bind(&[DRSUAPI, SVCCTL], &ntlm(1, &[])),
        bind_ack(&[0, 2], &ntlm(2, &[(12, "CHU")])),
        [fragment(16, 1, &[0; 4], &who), call(2, 0, 0, 100)].concat(),
        answer(2, 3000),
        call(3, 0, 3, 2000),
        answer(3, 500),
        call(4, 0, 3, 20),
        answer(4, 20),
        call(5, 0, 5, 20),
        fragment(3, 5, &denied, &[]),
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
fn calls_are_named_and_summed() {
    let messages = conversation();
    let out = tcp(ONLY, 49_664, &in_turns(&messages));
    let told = describe(&out.drafts);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 5, "{told}");
    assert!(
        lines[0].starts_with("1/1 user=<adurand> user_domain=CHU auth_protocol=NTLM"),
        "{told}"
    );
    assert!(lines[0].contains("dcerpc.auth_level=privacy"), "{told}");
    assert_eq!(
        lines[1],
        "6/1 about=dcerpc operation=drsuapi.DRSBind object_count=1 facts=dcerpc.auth=NTLM,\
         dcerpc.auth_level=privacy,dcerpc.interface=drsuapi,\
         dcerpc.interface_uuid=e3514235-4b06-11d1-ab04-00c04fc2dcd2,dcerpc.interface_version=4,\
         dcerpc.opnum=0"
    );
    assert!(
        lines[2].starts_with("6/1 about=dcerpc operation=drsuapi.DRSGetNCChanges object_count=1")
    );
    assert!(
        lines[3].starts_with("6/2/0x00000005 about=dcerpc operation=drsuapi.DRSReplicaAdd"),
        "{told}"
    );
    assert!(
        lines[4].starts_with("6/1 about=dcerpc operation=drsuapi.DRSGetNCChanges object_count=1")
    );
    assert!(out.anomalies.is_empty(), "{:?}", out.anomalies);
}

#[test]
fn a_refused_binding_is_told() {
    let asked = bind(&[SVCCTL], &[]);
    let out = tcp(ONLY, 135, &[client(&asked), server(&bind_ack(&[1], &[]))]);
    let told = describe(&out.drafts);
    assert!(
        told.starts_with("6/2 about=dcerpc operation=bind object_count=1"),
        "{told}"
    );
    assert!(told.contains("dcerpc.interface=svcctl"), "{told}");
}

#[test]
fn the_middle_and_gaps_are_picked_up_and_tables_are_bounded() {
    let (asked, said) = (call(9, 0, 12, 10), answer(9, 10));
    let out = tcp(ONLY, 135, &[client(&asked), server(&said)]);
    assert!(describe(&out.drafts).starts_with("6/1 about=dcerpc operation=12"));
    let messages = conversation();
    let mut pieces = in_turns(&messages[..6]);
    pieces.push(Piece::Gap(crate::protocol::Side::Client, 40));
    pieces.extend(in_turns(&messages[6..]));
    let out = tcp(ONLY, 135, &pieces);
    assert!(describe(&out.drafts).contains("DRSReplicaAdd"));
    let many: Vec<u8> = (0..4000u16)
        .flat_map(|n| {
            let [low, high] = n.to_le_bytes();
            let mut call = call(low, high, low, 4);
            call[13] = high;
            call
        })
        .collect();
    let out = tcp(ONLY, 135, &[client(&bind(&[SVCCTL], &[])), client(&many)]);
    assert!(out.anomalies.contains(&"dcerpc-calls-limit"));
    assert!(out.heap_bytes_max < 200_000, "{}", out.heap_bytes_max);
}

#[test]
fn the_endpoint_mapper_is_asked_for_an_interface() {
    let epmapper = [
        0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0,
        0xfa,
    ];
    let mut asked = vec![0, 0, 0, 0, 0, 0, 3, 0];
    asked.extend([0; 32]);
    asked.extend([75, 0, 0, 0, 75, 0, 0, 0, 5, 0, 19, 0, 13]);
    asked.extend(DRSUAPI);
    asked.extend([4, 0, 2, 0, 0, 0]);
    let asked = fragment(0, 2, &asked, &[]);
    let out = tcp(
        ONLY,
        135,
        &[
            client(&bind(&[epmapper], &[])),
            server(&bind_ack(&[0], &[])),
            client(&asked),
            server(&answer(2, 60)),
        ],
    );
    let told = describe(&out.drafts);
    assert!(told.starts_with("6/1 about=dcerpc operation=epmapper.ept_map object_count=1"));
    assert!(told.contains("dcerpc.mapped=drsuapi"), "{told}");
}

#[test]
fn another_answer_means_another_protocol() {
    let asked = call(9, 0, 12, 10);
    let out = tcp(
        crate::protocol::REGISTRY,
        8080,
        &[
            client(&asked),
            server(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        ],
    );
    assert_eq!(out.name, Some("http"));
}

#[test]
fn names_are_found() {
    for interface in ["svcctl", "drsuapi"] {
        let mut octets = if interface == "svcctl" {
            SVCCTL
        } else {
            DRSUAPI
        };
        octets[..4].reverse();
        octets[4..6].reverse();
        octets[6..8].reverse();
        assert_eq!(names::interface(&octets).unwrap().name, interface);
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1usize..400, 1..20)) {
        let messages = conversation();
        assert_any_split(ONLY, 135, &in_turns(&messages), &cuts);
    }

    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_conversations(
        changes in prop::collection::vec((0usize..10, 0usize..300, any::<u8>()), 1..6),
    ) {
        let mut messages = conversation();
        for (which, at, value) in changes {
            let at = at % messages[which].len();
            messages[which][at] = value;
        }
        let _ = tcp(ONLY, 135, &in_turns(&messages));
    }
}
