use proptest::prelude::*;

use crate::protocol::checks::{
    client, field, hex, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Outcome, Piece, fuzz};
use crate::protocol::{Side, Transport};

mod decrypted;

fn record(content: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[content, 3, 3], &len[..], body].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, len @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &len[..], body].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&kind.to_be_bytes(), &len[..], data].concat()
}

fn with_len(data: &[u8]) -> Vec<u8> {
    [&u16::try_from(data.len()).unwrap().to_be_bytes(), data].concat()
}

fn client_hello() -> Vec<u8> {
    let mut body = hex("0303");
    body.extend([1; 32]);
    body.extend([4, 9, 9, 9, 9]);
    body.extend(with_len(&hex("0a0a 1301 c02f")));
    body.extend([1, 0]);
    let name = b"PACS.hopital.test";
    let server_name = with_len(&[&[0][..], &with_len(name)].concat());
    let extensions = [
        extension(0x1a1a, b""),
        extension(0, &server_name),
        extension(16, &with_len(b"\x02h2\x08http/1.1")),
        extension(10, &with_len(&hex("001d"))),
        extension(13, &with_len(&hex("0403"))),
        extension(43, &hex("04 0304 0303")),
    ];
    body.extend(with_len(&extensions.concat()));
    handshake(1, &body)
}

fn server_hello(session: &[u8], cipher: &str, extensions: &[u8], random: &[u8; 32]) -> Vec<u8> {
    let mut body = hex("0303");
    body.extend(random);
    body.push(u8::try_from(session.len()).unwrap());
    body.extend(session);
    body.extend(hex(cipher));
    body.push(0);
    body.extend(with_len(extensions));
    handshake(2, &body)
}

fn certificate() -> Vec<u8> {
    handshake(11, &hex("000006 000003 300100"))
}

fn tcp(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 4433, pieces)
}

/// The client's and the server's bytes of a handshake of TLS 1.2.
fn version_12() -> (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>) {
    let alpn = extension(16, &with_len(b"\x08http/1.1"));
    let hello = server_hello(&[5; 32], "c02f", &alpn, &[2; 32]);
    let flight = [
        hello,
        certificate(),
        handshake(12, &[7; 90]),
        handshake(14, b""),
    ]
    .concat();
    let keys = handshake(16, &[8; 66]);
    let secret = [record(22, &keys), record(20, &[1]), record(22, &[0xee; 40])].concat();
    let end = [record(20, &[1]), record(22, &[0xdd; 40])].concat();
    (
        record(22, &client_hello()),
        record(22, &flight),
        secret,
        end,
    )
}

#[test]
fn a_handshake_of_version_12_is_one_event() {
    let (hello, flight, keys, end) = version_12();
    let data = record(23, &[1; 100]);
    let pieces = [
        client(&hello),
        server(&flight),
        client(&keys),
        server(&end),
        client(&data),
    ];
    let out = tcp(&pieces);
    assert_eq!(out.name, Some("tls"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!((draft.activity, draft.status), (1, 1));
    for (column, value) in [
        ("about", "tls"),
        ("tls_version", "1.2"),
        ("tls_cipher", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("tls_sni", "pacs.hopital.test"),
        ("tls_alpn", "http/1.1"),
        ("tls_alpn_offered", "h2,http/1.1"),
        ("tls_resumed", "false"),
        ("tls_established", "true"),
        ("anomalies", "tls-certificate-malformed"),
    ] {
        assert_eq!(field(draft, column), value, "{column}");
    }
    assert_eq!(field(draft, "tls_ja3").len(), 32);
    assert!(field(draft, "tls_ja4").starts_with("t13d0205h2_"));
    assert_eq!(field(draft, "tls_cert_sha256").len(), 64);
    for step in 1..70 {
        split_gives_the_same(only("tls"), 443, &pieces, step);
    }
}

#[test]
fn handshake_messages_cross_records() {
    let (_, flight, _, _) = version_12();
    let hello = client_hello();
    let (a, b) = hello.split_at(50);
    let ours = [record(22, a), record(22, b)].concat();
    let theirs: Vec<u8> = flight[5..]
        .chunks(33)
        .flat_map(|part| record(22, part))
        .collect();
    let out = tcp(&[client(&ours), server(&theirs)]);
    assert_eq!(field(&out.drafts[0], "tls_sni"), "pacs.hopital.test");
    assert_eq!(field(&out.drafts[0], "tls_established"), "false");
    assert_eq!(field(&out.drafts[0], "tls_cert_sha256").len(), 64);
}

#[test]
fn a_handshake_of_version_13_with_a_retry() {
    let version = extension(43, &hex("0304"));
    let retry: [u8; 32] = hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
        .try_into()
        .unwrap();
    let ask = server_hello(&[9; 4], "1302", &version, &retry);
    let key = [version, extension(41, &hex("0000"))].concat();
    let hello = server_hello(&[9; 4], "1301", &key, &[2; 32]);
    let first = record(22, &client_hello());
    let asked = [record(22, &ask), record(20, &[1])].concat();
    let again = [record(20, &[1]), record(22, &client_hello())].concat();
    let flight = [record(22, &hello), record(23, &[1; 900])].concat();
    let finished = record(23, &[1; 53]);
    let pieces = [
        client(&first),
        server(&asked),
        client(&again),
        server(&flight),
        client(&finished),
    ];
    let out = tcp(&pieces);
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!(field(draft, "tls_version"), "1.3");
    assert_eq!(field(draft, "tls_cipher"), "TLS_AES_128_GCM_SHA256");
    assert_eq!(field(draft, "tls_alpn"), "h2", "the answer is hidden");
    assert_eq!(field(draft, "tls_resumed"), "true");
    assert_eq!(field(draft, "tls_established"), "true");
    for step in 1..70 {
        split_gives_the_same(only("tls"), 443, &pieces, step);
    }
}

#[test]
fn a_fatal_alert_ends_the_handshake() {
    let hello = record(22, &client_hello());
    let out = tcp(&[client(&hello), server(&record(21, &[2, 40]))]);
    let draft = &out.drafts[0];
    assert_eq!(draft.status, 2);
    assert_eq!(draft.status_code.as_deref(), Some("handshake_failure"));
    assert_eq!(field(draft, "tls_alert"), "40");
    assert_eq!(field(draft, "tls_version"), "unknown");
}

#[test]
fn a_resumed_session_has_no_certificate() {
    let hello = server_hello(&[9; 4], "c02f", b"", &[2; 32]);
    let theirs = [record(22, &hello), record(20, &[1]), record(22, &[9; 40])].concat();
    let ours = [record(20, &[1]), record(22, &[9; 40])].concat();
    let out = tcp(&[
        client(&record(22, &client_hello())),
        server(&theirs),
        client(&ours),
    ]);
    assert_eq!(field(&out.drafts[0], "tls_resumed"), "true");
    assert_eq!(field(&out.drafts[0], "tls_established"), "true");
}

#[test]
fn a_client_certificate_is_never_kept() {
    let (hello, flight, _, _) = version_12();
    let bare = server_hello(&[5; 32], "c02f", b"", &[2; 32]);
    let ours = record(22, &certificate());
    let out = tcp(&[client(&hello), server(&record(22, &bare)), client(&ours)]);
    assert_eq!(field(&out.drafts[0], "tls_cert_sha256"), "");
    // Joined after the hellos, nobody knows whose certificate it is.
    let out = play(Transport::Tcp, 443, &[client(&ours), server(&flight)]);
    assert!(
        out.drafts
            .iter()
            .all(|draft| field(draft, "tls_subject").is_empty())
    );
}

#[test]
fn a_stream_joined_in_the_middle_is_named_only() {
    let two = [record(23, &[1; 50]), record(23, &[2; 60])].concat();
    let out = tcp(&[server(&two)]);
    assert_eq!(out.name, Some("tls"));
    assert!(out.drafts.is_empty());
    assert_eq!(tcp(&[server(b"\x17\x03\x09\x00\x10")]).name, None);
}

#[test]
fn a_gap_in_the_certificate_keeps_the_hellos() {
    let (hello, flight, keys, end) = version_12();
    let data = record(23, &[1; 30]);
    let pieces = [
        client(&hello),
        server(&flight[..100]),
        Piece::Gap(Side::Server, 30),
        server(&flight[130..]),
        client(&keys),
        server(&end),
        server(&data),
    ];
    let out = tcp(&pieces);
    assert_eq!(field(&out.drafts[0], "tls_version"), "1.2");
    assert_eq!(field(&out.drafts[0], "tls_established"), "true");
    assert_eq!(field(&out.drafts[0], "tls_resumed"), "");
}

#[test]
fn a_hello_of_ssl_2_is_read() {
    let mut ours = hex("801f 01 0301 0006 0000 0010 00002f 010080");
    ours.extend([3; 16]);
    let theirs = record(22, &server_hello(&[5; 32], "002f", b"", &[2; 32]));
    let out = tcp(&[client(&ours), server(&theirs)]);
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(
        field(&out.drafts[0], "tls_cipher"),
        "TLS_RSA_WITH_AES_128_CBC_SHA"
    );
    assert_eq!(field(&out.drafts[0], "tls_ja3"), "");
}

#[test]
fn bulk_data_cost_nothing_after_the_handshake() {
    let (hello, flight, keys, end) = version_12();
    let data = record(23, &vec![1; 16_000]);
    let mut pieces = vec![client(&hello), server(&flight), client(&keys), server(&end)];
    pieces.extend((0..50).map(|_| server(&data)));
    let out = tcp(&pieces);
    assert_eq!(out.drafts.len(), 1);
    let sizes = |fact: &&model::Text| fact.starts_with("encrypted.sizes=-16000 -16000 ");
    assert_eq!(out.told.iter().filter(sizes).count(), 1, "{:?}", out.told);
    assert!(out.heap_bytes_max < 32 * 1024, "{}", out.heap_bytes_max);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("tls"), &bytes);
    }

    #[test]
    fn mutated_handshakes_never_panic(seed in any::<u64>()) {
        let (hello, flight, keys, end) = version_12();
        survives_mutation("tls", Transport::Tcp, &[hello, flight, keys, end].concat(), seed);
    }
}
