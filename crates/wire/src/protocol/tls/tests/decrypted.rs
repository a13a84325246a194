//! Records sealed as a peer seals them, opened with the secrets of a log.

use std::sync::Arc;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use model::Nanos;

use super::*;
use crate::crypto::Hash;
use crate::protocol::tls::open::FAILURES_MAX;
use crate::protocol::{Context, Draft, Driver, REGISTRY};
use crate::secrets::{KeyLog, Secrets};

const REQUEST: &[u8] = b"GET /secret HTTP/1.1\r\nHost: pacs.lab\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CLIENT_RANDOM: [u8; 32] = [1; 32];
const SERVER_RANDOM: [u8; 32] = [2; 32];

fn log(lines: &[(&str, &[u8])]) -> Arc<dyn Secrets> {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut keys = KeyLog::default();
    for (label, secret) in lines {
        keys.add(format!("{label} {} {}\n", hex(&CLIENT_RANDOM), hex(secret)).as_bytes());
    }
    assert_eq!(keys.len(), lines.len());
    Arc::new(keys)
}

fn with(secrets: &Arc<dyn Secrets>, pieces: &[Piece<'_>]) -> (Vec<Draft>, Vec<&'static str>) {
    let mut driver = Driver::new(REGISTRY).with_secrets(Some(secrets));
    let (mut drafts, mut anomalies) = (Vec::new(), Vec::new());
    let mut cx = Context {
        now: Nanos(1_795_428_000_000_000_000),
        transport: Transport::Tcp,
        client_port: 50_000,
        server_port: 443,
        hosts: crate::protocol::replay::HOSTS,
        files: &mut crate::file::Files::default(),
        drafts: &mut drafts,
        anomalies: &mut anomalies,
    };
    for piece in pieces {
        match piece {
            Piece::Bytes(side, bytes) => driver.bytes(*side, bytes, &mut cx),
            Piece::Gap(side, missing) => driver.gap(*side, *missing, &mut cx),
        }
    }
    driver.end(&mut cx);
    (drafts, anomalies)
}

/// A direction of TLS 1.3.
struct Three {
    hash: Hash,
    secret: Vec<u8>,
    sequence: u8,
}

impl Three {
    fn new(octet: u8) -> Self {
        Self {
            hash: Hash::Sha256,
            secret: vec![octet; 32],
            sequence: 0,
        }
    }

    fn seal(&mut self, content: u8, clear: &[u8]) -> Vec<u8> {
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        self.hash
            .expand_label(&self.secret, "key", &mut key)
            .unwrap();
        self.hash.expand_label(&self.secret, "iv", &mut iv).unwrap();
        iv[11] ^= self.sequence;
        self.sequence += 1;
        let inner = [clear, &[content], &[0; 3]].concat();
        let len = u16::try_from(inner.len() + 16).unwrap().to_be_bytes();
        let head = [&[23, 3, 3][..], &len].concat();
        let payload = Payload {
            msg: &inner,
            aad: &head,
        };
        let cipher = aes_gcm::Aes128Gcm::new_from_slice(&key).unwrap();
        [head.clone(), cipher.encrypt(&iv.into(), payload).unwrap()].concat()
    }

    fn update(&mut self) {
        let mut next = vec![0; 32];
        self.hash
            .expand_label(&self.secret, "traffic upd", &mut next)
            .unwrap();
        (self.secret, self.sequence) = (next, 0);
    }
}

fn three() -> (Vec<u8>, Vec<u8>, [Three; 4]) {
    let version = extension(43, &hex("0304"));
    let hello = server_hello(&[], "1301", &version, &SERVER_RANDOM);
    let halves = [10, 11, 12, 13].map(Three::new);
    (record(22, &client_hello()), record(22, &hello), halves)
}

fn log_13() -> Arc<dyn Secrets> {
    log(&[
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", &[10; 32]),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", &[11; 32]),
        ("CLIENT_TRAFFIC_SECRET_0", &[12; 32]),
        ("SERVER_TRAFFIC_SECRET_0", &[13; 32]),
    ])
}

fn hidden_flight() -> Vec<u8> {
    let alpn = extension(16, &with_len(b"\x08http/1.1"));
    let certificate = handshake(11, &hex("00 000008 000003 300100 0000"));
    [
        handshake(8, &with_len(&alpn)),
        certificate,
        handshake(20, &[7; 32]),
    ]
    .concat()
}

#[test]
fn version_13_is_opened_with_its_updates() {
    let (asked, told, [mut ch, mut sh, mut ca, mut sa]) = three();
    let flight = sh.seal(22, &hidden_flight());
    let finished = ch.seal(22, &handshake(20, &[7; 32]));
    let (first, second) = REQUEST.split_at(10);
    let first = ca.seal(23, first);
    let update = ca.seal(22, &handshake(24, &[0]));
    ca.update();
    let second = ca.seal(23, second);
    let answer = sa.seal(23, ANSWER);
    let told = [told, record(20, &[1]), flight].concat();
    let sent = [record(20, &[1]), finished, first, update, second].concat();
    for step in [1, 7, 5000] {
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for (side, bytes) in [
            (Side::Client, &asked),
            (Side::Server, &told),
            (Side::Client, &sent),
            (Side::Server, &answer),
        ] {
            pieces.extend(bytes.chunks(step).map(|bytes| Piece::Bytes(side, bytes)));
        }
        let (drafts, anomalies) = with(&log_13(), &pieces);
        assert_eq!((drafts.len(), anomalies.len()), (2, 0), "{step}");
        assert_eq!(field(&drafts[0], "tls_alpn"), "http/1.1");
        assert!(!field(&drafts[0], "tls_cert_sha256").is_empty());
        assert_eq!((drafts[0].inside, drafts[1].inside), (None, Some("http")));
        assert_eq!(field(&drafts[1], "url_path"), "/secret");
        assert_eq!(field(&drafts[1], "http_code"), "200");
    }
}

#[test]
fn losses_and_missing_secrets_are_survived() {
    let (asked, told, [mut ch, mut sh, mut ca, mut sa]) = three();
    let told = [told, sh.seal(22, &hidden_flight())].concat();
    let finished = ch.seal(22, &handshake(20, &[7; 32]));
    let first = [finished, ca.seal(23, REQUEST)].concat();
    let lost = sa.seal(23, ANSWER);
    let answer = sa.seal(23, ANSWER);
    let pieces = [
        client(&asked),
        server(&told),
        client(&first),
        Piece::Gap(Side::Server, lost.len() as u64),
        server(&answer),
    ];
    let (drafts, _) = with(&log_13(), &pieces);
    let codes: Vec<_> = drafts
        .iter()
        .map(|draft| field(draft, "http_code"))
        .collect();
    assert_eq!(codes, ["", "200"]);
    // Only the secrets of the data.
    let some = log(&[
        ("CLIENT_TRAFFIC_SECRET_0", &[12; 32]),
        ("SERVER_TRAFFIC_SECRET_0", &[13; 32]),
    ]);
    let pieces = [client(&asked), server(&told), client(&first)];
    let (drafts, _) = with(&some, &pieces);
    assert_eq!(field(&drafts[1], "url_path"), "/secret");
    // Wrong ones: counted, then left alone.
    let wrong = log(&[("CLIENT_TRAFFIC_SECRET_0", &[99; 32])]);
    let more = ca.seal(23, b"x").repeat(FAILURES_MAX as usize + 2);
    let (drafts, anomalies) = with(&wrong, &[client(&asked), server(&told), client(&more)]);
    assert_eq!((drafts.len(), anomalies), (1, vec!["tls-decrypt-failed"]));
}

/// Keys of TLS 1.2 from the master secret, as the standard derives them.
fn block(len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    let seed = [SERVER_RANDOM, CLIENT_RANDOM].concat();
    Hash::Sha256
        .prf(&[5; 48], "key expansion", &seed, &mut out)
        .unwrap();
    out
}

/// The pieces of a conversation of TLS 1.2 whose sealed records are given.
fn two(cipher: &str, extensions: &[u8], sealed: [Vec<u8>; 4]) -> Vec<(Side, Vec<u8>)> {
    let hello = server_hello(&[5; 32], cipher, extensions, &SERVER_RANDOM);
    let flight = [hello, handshake(14, b"")].concat();
    let [client_end, server_end, request, answer] = sealed;
    let change = || record(20, &[1]);
    vec![
        (Side::Client, record(22, &client_hello())),
        (Side::Server, record(22, &flight)),
        (
            Side::Client,
            [record(22, &handshake(16, &[8; 66])), change(), client_end].concat(),
        ),
        (Side::Server, [change(), server_end].concat()),
        (Side::Client, request),
        (Side::Server, answer),
    ]
}

fn opened(pieces: &[(Side, Vec<u8>)]) {
    let pieces: Vec<_> = pieces
        .iter()
        .map(|(side, bytes)| Piece::Bytes(*side, bytes))
        .collect();
    let (drafts, anomalies) = with(&log(&[("CLIENT_RANDOM", &[5; 48])]), &pieces);
    assert_eq!((drafts.len(), anomalies.len()), (2, 0));
    assert_eq!(
        (field(&drafts[1], "url_path"), drafts[1].inside),
        ("/secret".into(), Some("http"))
    );
    assert_eq!(field(&drafts[1], "http_code"), "200");
}

fn aad(sequence: u8, content: u8, len: usize) -> Vec<u8> {
    let len = u16::try_from(len).unwrap().to_be_bytes();
    [&[0, 0, 0, 0, 0, 0, 0, sequence, content, 3, 3][..], &len].concat()
}

#[test]
fn version_12_with_gcm_is_opened() {
    let keys = block(40);
    let seal = |key: &[u8], iv: &[u8], sequence: u8, content: u8, clear: &[u8]| {
        let explicit = [9, 9, 9, 9, 9, 9, 9, sequence];
        let nonce: [u8; 12] = [iv, &explicit].concat().try_into().unwrap();
        let aad = aad(sequence, content, clear.len());
        let cipher = aes_gcm::Aes128Gcm::new_from_slice(key).unwrap();
        let payload = Payload {
            msg: clear,
            aad: &aad,
        };
        let sealed = cipher.encrypt(&nonce.into(), payload).unwrap();
        record(content, &[&explicit[..], &sealed].concat())
    };
    let (c, s) = ((&keys[..16], &keys[32..36]), (&keys[16..32], &keys[36..]));
    opened(&two(
        "c02f",
        &[],
        [
            seal(c.0, c.1, 0, 22, &[7; 16]),
            seal(s.0, s.1, 0, 22, &[7; 16]),
            seal(c.0, c.1, 1, 23, REQUEST),
            seal(s.0, s.1, 1, 23, ANSWER),
        ],
    ));
}

#[test]
fn version_12_with_chacha_is_opened() {
    let keys = block(88);
    let seal = |key: &[u8], iv: &[u8], sequence: u8, content: u8, clear: &[u8]| {
        let mut nonce: [u8; 12] = iv.try_into().unwrap();
        nonce[11] ^= sequence;
        let aad = aad(sequence, content, clear.len());
        let cipher = chacha20poly1305::ChaCha20Poly1305::new_from_slice(key).unwrap();
        let payload = Payload {
            msg: clear,
            aad: &aad,
        };
        record(content, &cipher.encrypt(&nonce.into(), payload).unwrap())
    };
    let (c, s) = ((&keys[..32], &keys[64..76]), (&keys[32..64], &keys[76..]));
    opened(&two(
        "cca8",
        &[],
        [
            seal(c.0, c.1, 0, 22, &[7; 16]),
            seal(s.0, s.1, 0, 22, &[7; 16]),
            seal(c.0, c.1, 1, 23, REQUEST),
            seal(s.0, s.1, 1, 23, ANSWER),
        ],
    ));
}

#[test]
fn version_12_with_cbc_is_opened_in_both_orders_of_the_mac() {
    use aes::cipher::BlockEncrypt as _;
    // c013: two MAC keys of 20 octets, then two keys of 16.
    let keys = block(72);
    for mac_last in [false, true] {
        let seal = |key: &[u8], content: u8, clear: &[u8]| {
            let mut text = clear.to_vec();
            if !mac_last {
                text.extend([0xaa; 20]);
            }
            let padding = 15 - text.len() % 16;
            text.resize(text.len() + padding + 1, u8::try_from(padding).unwrap());
            let cipher = <aes::Aes128 as aes::cipher::KeyInit>::new_from_slice(key).unwrap();
            let mut last = [6_u8; 16];
            let mut out = last.to_vec();
            for piece in text.chunks(16) {
                let mut block = [0; 16];
                for (at, place) in block.iter_mut().enumerate() {
                    *place = piece[at] ^ last[at];
                }
                let mut block = block.into();
                cipher.encrypt_block(&mut block);
                last = block.into();
                out.extend(last);
            }
            if mac_last {
                out.extend([0xaa; 20]);
            }
            record(content, &out)
        };
        let (c, s) = (&keys[40..56], &keys[56..]);
        let extensions = if mac_last {
            extension(22, b"")
        } else {
            Vec::new()
        };
        opened(&two(
            "c013",
            &extensions,
            [
                seal(c, 22, &[7; 16]),
                seal(s, 22, &[7; 16]),
                seal(c, 23, REQUEST),
                seal(s, 23, ANSWER),
            ],
        ));
    }
}

proptest! {
    #[test]
    fn damaged_records_never_panic(at in any::<usize>(), octet in any::<u8>(), gap in 0_u64..3) {
        let (asked, told, [mut ch, mut sh, mut ca, _]) = three();
        let told = [told, sh.seal(22, &hidden_flight())].concat();
        let mut sent = [ch.seal(22, &handshake(20, &[7; 32])), ca.seal(23, REQUEST)].concat();
        let at = at % sent.len();
        sent[at] ^= octet;
        let (head, tail) = sent.split_at(at);
        let lost = Piece::Gap(Side::Client, gap);
        let pieces = [client(&asked), server(&told), client(head), lost, client(tail)];
        let _ = with(&log_13(), &pieces);
    }
}
