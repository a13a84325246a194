use proptest::prelude::*;

use crate::protocol::checks::{
    client, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Outcome, Piece, fuzz};
use crate::protocol::{Side, Transport};

const GET: &[u8] = b"GET /ward/7/beds?name=Durand HTTP/1.1\r\nHost: EHR.Hopital.test:8080\r\n\
    User-Agent: a\r\n b\r\nReferer: http://x/\r\nAuthorization: Basic c2VjcmV0\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: Application/JSON; q=1\r\n\
    Content-Length: 5\r\n\r\nhello";

fn tcp(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 80, pieces)
}

fn columns(out: &Outcome, column: &str) -> Vec<String> {
    out.drafts
        .iter()
        .map(|draft| field(draft, column))
        .collect()
}

#[test]
fn a_request_and_its_answer_are_one_event() {
    let out = tcp(&[client(GET), server(OK)]);
    assert_eq!(out.name, Some("http"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!((draft.activity, draft.status), (3, 1));
    for (column, value) in [
        ("http_method", "GET"),
        ("http_version", "1.1"),
        ("host", "ehr.hopital.test"),
        ("url_port", "8080"),
        ("url_path", "/ward/7/beds"),
        ("url_query", "name=Durand"),
        ("user_agent", "a b"),
        ("referrer", "http://x/"),
        ("http_auth", "basic"),
        ("http_code", "200"),
        ("http_reason", "OK"),
        ("http_server", "nginx"),
        ("content_type", "application/json"),
        ("response_bytes", "5"),
        ("request_bytes", "0"),
        ("http_latency_ms", "1"),
        ("http_transaction", "1"),
    ] {
        assert_eq!(field(draft, column), value, "{column}");
    }
}

#[test]
fn a_credential_without_scheme_is_not_kept() {
    let out = tcp(&[client(b"GET / HTTP/1.0\nAuthorization: c2VjcmV0\n\n")]);
    assert_eq!(columns(&out, "http_auth"), [""]);
    assert_eq!(columns(&out, "http_code"), [""]);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let two =
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: x\r\n\r\n\
        HEAD /b HTTP/1.1\r\n\r\n";
    let answers =
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\
        \r\nA\r\n0123456789\r\n0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 99\r\n\r\n";
    for step in 1..60 {
        split_gives_the_same(only("http"), 80, &[client(two), server(answers)], step);
    }
    let out = tcp(&[client(two), server(answers)]);
    assert_eq!(columns(&out, "http_method"), ["POST", "HEAD"]);
    assert_eq!(columns(&out, "http_code"), ["201", "404"]);
    assert_eq!(columns(&out, "request_bytes"), ["3", "0"]);
    assert_eq!(columns(&out, "response_bytes"), ["10", "0"]);
    assert_eq!(out.drafts[1].status, 2);
}

#[test]
fn bodies_pass_uncopied_and_are_counted() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    let body = vec![b'x'; 100_000];
    let mut pieces = vec![client(GET), server(head)];
    pieces.extend((0..10).map(|_| server(&body)));
    pieces.extend([client(GET), server(OK)]);
    let out = tcp(&pieces);
    assert_eq!(columns(&out, "response_bytes"), ["1000000", "5"]);
    assert!(out.heap_bytes_max < 16_384, "{}", out.heap_bytes_max);
}

#[test]
fn a_body_without_length_ends_with_the_connection() {
    let out = tcp(&[
        client(GET),
        server(b"HTTP/1.0 200\r\n\r\nabc"),
        server(b"de\nf"),
    ]);
    assert_eq!(columns(&out, "response_bytes"), ["7"]);
    let old = tcp(&[client(b"GET /old\r\n"), server(b"<html>")]);
    assert_eq!(columns(&old, "http_version"), ["0.9"]);
    assert_eq!(columns(&old, "response_bytes"), ["6"]);
}

#[test]
fn a_tunnel_starts_another_protocol() {
    let connect = b"CONNECT mail.test:443 HTTP/1.1\r\nHost: mail.test:443\r\n\r\n";
    let pieces = [
        client(connect),
        server(b"HTTP/1.1 200 Established\r\n\r\n"),
        client(GET),
        server(OK),
    ];
    let out = tcp(&pieces);
    assert_eq!(columns(&out, "http_method"), ["CONNECT", "GET"]);
    assert_eq!(columns(&out, "host"), ["mail.test", "ehr.hopital.test"]);
    assert_eq!(out.drafts[0].activity, 1);
}

#[test]
fn an_upgrade_ends_http() {
    let answer = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x05hello";
    let out = tcp(&[client(GET), server(answer), client(b"\x81\x85....")]);
    // The second is what the WebSocket was.
    assert_eq!(columns(&out, "http_code"), ["101", ""]);
    assert_eq!(columns(&out, "about"), ["", "websocket"]);
    assert_eq!(out.anomalies, Vec::<&str>::new());
}

#[test]
fn a_stream_joined_in_the_middle_is_understood() {
    let out = tcp(&[server(OK), client(GET), server(OK)]);
    assert_eq!(columns(&out, "http_method"), ["", "GET"]);
    assert_eq!(columns(&out, "http_code"), ["200", "200"]);
    assert_eq!(out.drafts[0].activity, 0);
}

#[test]
fn after_a_gap_the_next_start_line_is_found() {
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n";
    let pieces = [
        client(GET),
        server(answer),
        Piece::Gap(Side::Server, 400),
        server(b"rest of a body\nmore"),
        client(b"GET /two HTTP/1.1\r\nHost: h\r\n\r\n"),
        server(b"\nof it\r\nHTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n"),
    ];
    let out = tcp(&pieces);
    assert_eq!(columns(&out, "http_code"), ["200", "404"]);
    assert_eq!(columns(&out, "url_path"), ["/ward/7/beds", "/two"]);
    let unanswered = [
        client(GET),
        Piece::Gap(Side::Server, 4000),
        client(b"GET /two HTTP/1.1\r\nHost: h\r\n\r\n"),
        server(b"HTTP/1.1 204 None\r\n\r\n"),
    ];
    let out = tcp(&unanswered);
    assert_eq!(columns(&out, "http_code"), ["", "204"]);
}

#[test]
fn a_hole_inside_a_body_costs_nothing() {
    let pieces = [
        client(GET),
        server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        server(&[b'x'; 10]),
        Piece::Gap(Side::Server, 80),
        server(&[b'x'; 10]),
        client(GET),
        server(OK),
    ];
    let out = tcp(&pieces);
    assert_eq!(columns(&out, "http_code"), ["200", "200"]);
    assert_eq!(out.anomalies, Vec::<&str>::new());
}

#[test]
fn targets_and_hosts_may_disagree() {
    let request = b"GET http://Real.test/x HTTP/1.1\r\nHost: other.test\r\n\r\n";
    let out = tcp(&[client(request)]);
    assert_eq!(columns(&out, "host"), ["real.test"]);
    assert_eq!(columns(&out, "anomalies"), ["http-host-mismatch"]);
    assert_eq!(columns(&out, "url_path"), ["/x"]);
}

#[test]
fn an_endless_head_is_bounded() {
    let mut request = b"GET / HTTP/1.1\r\n".to_vec();
    for _ in 0..2000 {
        request.extend(b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
    }
    request.extend(b"\r\n");
    let out = tcp(&[client(&request), client(GET)]);
    assert_eq!(out.drafts.len(), 2);
    assert!(out.anomalies.contains(&"http-long-head"));
    let line = vec![b'x'; 60_000];
    let out = tcp(&[client(b"GET /"), client(&line)]);
    assert!(out.heap_bytes_max <= 200_000);
}

#[test]
fn other_protocols_are_not_taken() {
    for bytes in [
        &b"OPTIONS sip:a@b SIP/2.0\r\n"[..],
        b"EHLO x\r\n",
        b"\x16\x03\x01",
    ] {
        assert_ne!(tcp(&[client(bytes)]).name, Some("http"));
    }
    assert_eq!(tcp(&[client(super::PREFACE)]).name, Some("http2"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("http"), &bytes);
    }

    #[test]
    fn mutated_exchanges_never_panic(seed in any::<u64>()) {
        survives_mutation("http", Transport::Tcp, &[GET, OK, GET].concat(), seed);
    }

    #[test]
    fn any_split_gives_the_same(step in 1usize..200) {
        split_gives_the_same(only("http"), 80, &[client(GET), server(OK)], step);
    }
}
