#![expect(clippy::cast_possible_truncation, reason = "test data are small")]

use super::*;
use crate::protocol::checks::{client, field, hex, only, play, server, split_gives_the_same};
use crate::protocol::replay::{Outcome, Piece, run};
use crate::protocol::{REGISTRY, Transport};

const HEADERS: u8 = 1;
const END: u8 = 5;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, len @ ..] = (payload.len() as u32).to_be_bytes();
    [&len[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            out.push(text.len() as u8);
            out.extend(text.as_bytes());
        }
    }
    out
}

fn request(path: &str) -> Vec<u8> {
    block(&[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "Lab.example.org:8080"),
        (":path", path),
        ("user-agent", "probe/1"),
        ("authorization", "Bearer abc"),
    ])
}

fn answer(status: &str) -> Vec<u8> {
    block(&[
        (":status", status),
        ("content-type", "text/plain; x=y"),
        ("server", "lab"),
    ])
}

fn opening() -> Vec<u8> {
    [PREFACE, &frame(4, 0, 0, &[0, 3, 0, 0, 0, 100])].concat()
}

fn talk(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 8080, pieces)
}

#[test]
fn an_exchange_is_an_event_like_those_of_version_one() {
    let asked = [opening(), frame(HEADERS, END, 1, &request("/a?b=c"))].concat();
    let body = frame(0, 9, 1, &[&[2][..], b"hello", &[0; 2]].concat());
    let answered = [
        frame(4, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, &answer("200")),
        body,
    ];
    let out = talk(&[client(&asked), server(&answered.concat())]);
    assert_eq!((out.name, out.drafts.len()), (Some("http2"), 1));
    let draft = &out.drafts[0];
    assert_eq!((draft.activity, draft.status), (3, 1));
    let expected = [
        ("http_version", "2"),
        ("http_method", "GET"),
        ("host", "lab.example.org"),
        ("url_port", "8080"),
        ("url_path", "/a"),
        ("url_query", "b=c"),
        ("user_agent", "probe/1"),
        ("http_auth", "bearer"),
        ("http_code", "200"),
        ("content_type", "text/plain"),
        ("http_server", "lab"),
        ("response_bytes", "5"),
        ("request_bytes", "0"),
        ("http_transaction", "1"),
    ];
    for (column, value) in expected {
        assert_eq!(field(draft, column), value, "{column}");
    }
    assert!(out.anomalies.is_empty());
}

#[test]
fn streams_interleave_and_trailers_end_them() {
    let asked = [
        opening(),
        frame(HEADERS, END, 1, &request("/1")),
        frame(HEADERS, END_HEADERS, 3, &request("/3")),
        frame(0, 1, 3, b"upload"),
    ];
    let answered = [
        frame(HEADERS, END_HEADERS, 3, &answer("100")),
        frame(HEADERS, END_HEADERS, 1, &answer("404")),
        frame(HEADERS, END_HEADERS, 3, &answer("200")),
        frame(0, 0, 1, b"no"),
        frame(0, 0, 3, b"yes"),
        frame(HEADERS, END, 3, &block(&[("grpc-status", "0")])),
        frame(0, 1, 1, b"!"),
    ];
    let out = talk(&[client(&asked.concat()), server(&answered.concat())]);
    let told: Vec<_> = out
        .drafts
        .iter()
        .map(|d| ["url_path", "http_code", "request_bytes", "response_bytes"].map(|c| field(d, c)))
        .collect();
    assert_eq!(told, [["/3", "200", "6", "3"], ["/1", "404", "0", "3"]]);
}

#[test]
fn the_dynamic_table_is_that_of_the_direction() {
    // The second request is made of indices into what the first one left.
    let head = "828684418cf1e3c2e5f23a6ba0ab90f4ff";
    let first = frame(HEADERS, END, 1, &hex(head));
    let second = frame(HEADERS, END, 3, &hex("828684be"));
    let out = talk(&[client(&[opening(), first, second].concat())]);
    let hosts: Vec<_> = out.drafts.iter().map(|d| field(d, "host")).collect();
    assert_eq!(hosts, ["www.example.com", "www.example.com"]);
}

#[test]
fn continuations_are_put_together_and_limited() {
    let all = request("/long");
    let (head, tail) = all.split_at(20);
    let pieces = [opening(), frame(HEADERS, 1, 1, head), frame(9, 4, 1, tail)].concat();
    let out = talk(&[client(&pieces)]);
    assert_eq!(field(&out.drafts[0], "url_path"), "/long");
    let mut flood = [opening(), frame(HEADERS, 0, 1, head)].concat();
    for _ in 0..=CONTINUATIONS_MAX {
        flood.extend(frame(9, 0, 1, b""));
    }
    flood.extend(frame(HEADERS, END, 3, &request("/after")));
    let out = talk(&[client(&flood)]);
    assert_eq!(out.anomalies, ["http2-continuation-limit"]);
    assert_eq!(field(&out.drafts[0], "url_path"), "/after");
    let broken = [
        opening(),
        frame(HEADERS, 0, 1, head),
        frame(6, 0, 0, &[0; 8]),
    ]
    .concat();
    assert_eq!(talk(&[client(&broken)]).anomalies, ["http2-bad-sequence"]);
}

#[test]
fn rapid_resets_are_counted() {
    let mut asked = opening();
    for stream in (0..=RESETS_MAX).map(|n| n * 2 + 1) {
        asked.extend(frame(HEADERS, END, stream, &request("/")));
        asked.extend(frame(3, 0, stream, &[0, 0, 0, 8]));
    }
    let out = talk(&[client(&asked)]);
    assert_eq!(out.anomalies, ["http2-rapid-reset"]);
    assert_eq!(out.drafts.len(), RESETS_MAX as usize + 1);
    assert_eq!(field(&out.drafts[0], "anomalies"), "http2-stream-reset");
    assert!(field(out.drafts.last().unwrap(), "anomalies").contains("http2-rapid-reset"));
}

#[test]
fn open_streams_and_frames_are_limited() {
    let mut asked = opening();
    for stream in (0..=STREAMS_MAX as u32).map(|n| n * 2 + 1) {
        asked.extend(frame(HEADERS, END, stream, &request("/")));
    }
    let out = talk(&[client(&asked)]);
    assert_eq!(out.anomalies, ["http2-streams-limit"]);
    assert_eq!(out.drafts.len(), STREAMS_MAX + 1);
    let long = frame(HEADERS, END, 1, &vec![0; BLOCK_BYTES_MAX + 1]);
    let settings = frame(4, 0, 0, &vec![0; SETTINGS_BYTES_MAX + 6]);
    let out = talk(&[client(&[opening(), long, settings].concat())]);
    assert_eq!(
        out.anomalies,
        ["http2-headers-limit", "http2-settings-limit"]
    );
}

#[test]
fn an_upgrade_answers_the_request_of_version_one() {
    let asked = b"GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let answered = [
        &switch[..],
        &frame(4, 0, 0, &[]),
        &frame(HEADERS, END_HEADERS, 1, &answer("200")),
        &frame(0, 1, 1, b"body"),
    ]
    .concat();
    let more = [opening(), frame(HEADERS, END, 3, &request("/more"))].concat();
    let out = talk(&[client(asked), server(&answered), client(&more)]);
    assert_eq!((out.name, out.drafts.len()), (Some("http2"), 2));
    let told =
        |at: usize| ["url_path", "http_code", "http_version"].map(|c| field(&out.drafts[at], c));
    assert_eq!(told(0), ["/up", "200", "1.1"]);
    assert_eq!(told(1), ["/more", "", "2"]);
}

#[test]
fn a_gap_in_a_body_costs_nothing_but_its_octets() {
    let asked = [opening(), frame(HEADERS, END, 1, &request("/"))].concat();
    let head = [
        frame(HEADERS, END_HEADERS, 1, &answer("200")),
        vec![0, 0, 100, 0, 1, 0, 0, 0, 1],
    ];
    let head = head.concat();
    let pieces = [
        client(&asked),
        server(&head),
        Piece::Gap(Side::Server, 40),
        server(&[7; 60]),
    ];
    let out = talk(&pieces);
    assert_eq!(field(&out.drafts[0], "response_bytes"), "100");
    let out = talk(&[
        client(&asked),
        Piece::Gap(Side::Client, 4),
        client(b"anything"),
    ]);
    assert_eq!((out.drafts.len(), out.anomalies), (1, vec!["http2-gap"]));
}

#[test]
fn any_split_gives_the_same() {
    let asked = [opening(), frame(HEADERS, END, 1, &request("/a"))].concat();
    let answered = [
        frame(HEADERS, 0, 1, &answer("200")[..9]),
        frame(9, 4, 1, &answer("200")[9..]),
        frame(0, 9, 1, &[&[2][..], b"hello", &[0; 2]].concat()),
    ];
    let answered = answered.concat();
    let pieces = [client(&asked), server(&answered)];
    for step in [1, 2, 3, 7, 9, 10, 24, 100] {
        split_gives_the_same(REGISTRY, 8080, &pieces, step);
    }
}

proptest::proptest! {
    #[test]
    fn random_frames_never_panic(
        frames in proptest::collection::vec((0_u8..10, proptest::prelude::any::<u8>(), 0_u32..6,
            proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40)), 0..30),
    ) {
        let mut sides = [opening(), Vec::new()];
        for (kind, flags, stream, payload) in &frames {
            sides[usize::from(flags & 2 != 0)].extend(frame(*kind, *flags, *stream, payload));
        }
        let pieces = [client(&sides[0]), server(&sides[1])];
        let out = run(only("http2"), Transport::Tcp, (50_000, 80), 1, &pieces);
        proptest::prop_assert!(out.heap_bytes_max < 4 << 20);
    }
}
