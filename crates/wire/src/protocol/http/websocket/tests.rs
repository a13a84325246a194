#![expect(clippy::cast_possible_truncation, reason = "test data are small")]

use crate::protocol::checks::{client, field, play, server, split_gives_the_same};
use crate::protocol::replay::{Outcome, Piece};
use crate::protocol::{REGISTRY, Side, Transport};

const ASK: &[u8] = b"GET /chat?room=3 HTTP/1.1\r\nHost: ws.example.org\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: v1.lab\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut out = vec![first];
    match payload.len() {
        len @ 0..126 => out.push(mask | len as u8),
        len => {
            out.push(mask | 126);
            out.extend((len as u16).to_be_bytes());
        }
    }
    let key = if masked { [1, 2, 3, 4] } else { [0; 4] };
    if masked {
        out.extend(key);
    }
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b));
    out
}

fn talk(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 80, pieces)
}

#[test]
fn frames_are_counted_by_kind_and_direction() {
    let up = [
        frame(0xc1, true, b"squeezed"),
        frame(0x02, true, &[7; 300]),
        frame(0x80, true, &[7; 10]),
        frame(0x89, true, b""),
        frame(0x88, true, &[3, 0xe8]),
    ]
    .concat();
    let down = [frame(0x81, false, b"hello"), frame(0x8a, false, b"")].concat();
    let down = [SWITCH, &down].concat();
    let pieces = [client(ASK), server(&down), client(&up)];
    let out = talk(&pieces);
    assert_eq!((out.name, out.drafts.len()), (Some("websocket"), 2));
    assert_eq!(field(&out.drafts[0], "http_code"), "101");
    let event = &out.drafts[1];
    assert_eq!(field(event, "about"), "websocket");
    assert_eq!(field(event, "object"), "/chat");
    let facts = field(event, "facts");
    let facts: Vec<&str> = facts
        .split(',')
        .map(|f| f.trim_start_matches("websocket."))
        .collect();
    let expected = [
        "binary_out=1",
        "bytes_in=5",
        "bytes_out=320",
        "close_code_out=1000",
        "close_out=1",
        "compressed_out=1",
        "continuation_out=1",
        "deflate=true",
        "host=ws.example.org",
        "messages_in=1",
        "messages_out=2",
        "ping_out=1",
        "pong_in=1",
        "subprotocol=v1.lab",
        "text_in=1",
        "text_out=1",
    ];
    assert_eq!(facts, expected);
    assert!(out.anomalies.is_empty());
    for step in [1, 2, 5, 64] {
        split_gives_the_same(REGISTRY, 80, &pieces, step);
    }
}

#[test]
fn what_the_standard_forbids_is_noted() {
    let up = [
        frame(0x81, false, b"bare"),
        frame(0x8b, true, b""),
        frame(0x09, true, b""),
    ];
    let down = frame(0x81, true, b"masked");
    let out = talk(&[
        client(ASK),
        server(SWITCH),
        client(&up.concat()),
        server(&down),
    ]);
    let expected = [
        "websocket-unmasked-client",
        "websocket-reserved-opcode",
        "websocket-bad-control",
        "websocket-masked-server",
    ];
    assert_eq!(out.anomalies, expected);
}

#[test]
fn a_gap_inside_a_payload_is_passed_over() {
    let frame = frame(0x82, false, &[7; 200]);
    let (head, tail) = frame.split_at(20);
    let head = [SWITCH, head].concat();
    let pieces = [
        client(ASK),
        server(&head),
        Piece::Gap(Side::Server, 50),
        server(&tail[50..]),
        server(&[0x81, 1, 7]),
    ];
    let out = talk(&pieces);
    assert!(field(&out.drafts[1], "facts").contains("websocket.messages_in=2"));
    let out = talk(&[
        client(ASK),
        server(SWITCH),
        Piece::Gap(Side::Server, 5),
        server(b"??"),
    ]);
    assert_eq!(out.anomalies, ["websocket-gap"]);
}

proptest::proptest! {
    #[test]
    fn random_octets_never_panic(
        up in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        down in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let _ = talk(&[client(ASK), server(SWITCH), client(&up), server(&down)]);
    }
}
