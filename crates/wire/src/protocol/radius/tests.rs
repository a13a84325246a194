use proptest::prelude::*;

use super::*;
use crate::protocol::Transport;
use crate::protocol::replay::testing::{client, describe, server};
use crate::protocol::replay::{self, Outcome, Piece};

static ONLY: &[&dyn Protocol] = &[&Radius];

fn packet(code: u8, id: u8, attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![code, id, 0, 0];
    out.extend([9; 16]);
    for (kind, value) in attributes {
        out.extend([*kind, u8::try_from(value.len() + 2).unwrap()]);
        out.extend(*value);
    }
    let length = u16::try_from(out.len()).unwrap().to_be_bytes();
    out[2..4].copy_from_slice(&length);
    out
}

fn play(pieces: &[Piece<'_>]) -> Outcome {
    replay::run(ONLY, Transport::Udp, (40_000, 1812), 0, pieces)
}

#[test]
fn access_is_asked_refused_and_granted() {
    let who = (1, &b"adurand"[..]);
    let first = packet(
        1,
        1,
        &[who, (2, &[7; 16]), (4, &[192, 0, 2, 9]), (32, b"ap-3")],
    );
    let eap = packet(1, 2, &[who, (79, &[2, 1, 0, 6, 25, 0])]);
    let chap = packet(1, 3, &[who, (3, &[1; 17])]);
    let out = play(&[
        client(&first),
        client(&first),
        server(&packet(3, 1, &[])),
        client(&eap),
        server(&packet(11, 2, &[])),
        client(&chap),
        server(&packet(2, 3, &[(8, &[10, 1, 2, 3])])),
    ]);
    let told = describe(&out.drafts);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(
        lines[0],
        "1/2/Access-Reject user=<adurand> auth_protocol=PAP is_cleartext=false is_remote=true \
         mechanism=Access-Request facts=radius.nas_id=ap-3,radius.nas_ip=192.0.2.9"
    );
    assert!(lines[1].starts_with("1/0/Access-Challenge") && lines[1].contains("radius.eap=PEAP"));
    assert!(
        lines[2].starts_with("1/1/Access-Accept") && lines[2].contains("radius.framed_ip=10.1.2.3")
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn accounting_and_silence() {
    let start = packet(4, 9, &[(1, b"u"), (40, &[0, 0, 0, 1]), (44, b"s1")]);
    let out = play(&[client(&start)]);
    assert_eq!(
        describe(&out.drafts),
        "6/0 about=radius operation=Accounting-Request object=<u> \
         facts=radius.session_id=7331,radius.status_type=start\n"
    );
}

proptest! {
    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_packets(at in 0usize..60, value: u8, len in 0usize..80) {
        let mut bytes = packet(1, 1, &[(1, b"u"), (79, &[2, 1, 0, 6, 25, 0]), (26, &[0; 9])]);
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = play(&[client(bytes.get(..len).unwrap_or(&bytes))]);
    }
}
