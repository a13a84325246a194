#![expect(clippy::cast_possible_truncation, reason = "test data are small")]

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};

use super::initial::Keys;
use super::parser::Frames;
use super::session::{CRYPTO_BYTES_MAX, DATAGRAMS_MAX};
use super::*;
use crate::crypto::{Hash, HeaderMask};
use crate::protocol::Side;
use crate::protocol::checks::{client, field, hex, only, play, server, survives_mutation};
use crate::protocol::replay::{Outcome, Piece};

const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const ONE: u32 = 1;
const TWO: u32 = 0x6b33_43cf;
const DRAFT: u32 = 0xff00_001d;

/// Initial packets of one connection, made as a peer makes them.
struct Peer {
    version: u32,
    salt: &'static str,
    id: Vec<u8>,
    label: &'static str,
}

impl Peer {
    fn of(version: u32, side: Side) -> Self {
        Self {
            version,
            salt: match version {
                ONE => "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
                TWO => "0dede3def700a6db819381be6e269dcbf9bd2ed9",
                _ => "afbfec289993d24c9e9786f19c6111e04390a899",
            },
            id: ID.to_vec(),
            label: if side == Side::Client {
                "client in"
            } else {
                "server in"
            },
        }
    }

    fn keys(&self) -> ([u8; 16], [u8; 12], [u8; 16]) {
        let prefix = if self.version == TWO {
            "quicv2 "
        } else {
            "quic "
        };
        let initial = Hash::extract_sha256(&hex(self.salt), &self.id);
        let (mut secret, mut key, mut iv, mut mask) = ([0; 32], [0; 16], [0; 12], [0; 16]);
        let hash = Hash::Sha256;
        hash.expand_label(&initial, self.label, &mut secret)
            .unwrap();
        hash.expand_label(&secret, &format!("{prefix}key"), &mut key)
            .unwrap();
        hash.expand_label(&secret, &format!("{prefix}iv"), &mut iv)
            .unwrap();
        hash.expand_label(&secret, &format!("{prefix}hp"), &mut mask)
            .unwrap();
        (key, iv, mask)
    }

    /// An Initial packet to `to` with these frames, padded.
    fn packet(&self, to: &[u8], number: u8, frames: &[u8]) -> Vec<u8> {
        let (key, mut iv, mask) = self.keys();
        let mut payload = frames.to_vec();
        payload.resize(payload.len().max(60), 0);
        let kind = if self.version == TWO { 0xd0 } else { 0xc0 };
        let mut head = vec![kind];
        head.extend(self.version.to_be_bytes());
        head.push(to.len() as u8);
        head.extend(to);
        head.extend([2, 9, 9, 0]);
        head.extend((0x4000 | (payload.len() + 17) as u16).to_be_bytes());
        head.push(number);
        iv[11] ^= number;
        let cipher = aes_gcm::Aes128Gcm::new_from_slice(&key).unwrap();
        let sealed = Payload {
            msg: &payload,
            aad: &head,
        };
        let sealed = cipher.encrypt(&iv.into(), sealed).unwrap();
        let sample = *sealed[3..].first_chunk::<16>().unwrap();
        let mask = HeaderMask::new(&mask).unwrap().of(sample);
        head[0] ^= mask[0] & 15;
        *head.last_mut().unwrap() ^= mask[1];
        [head, sealed].concat()
    }
}

fn crypto(offset: u16, bytes: &[u8]) -> Vec<u8> {
    let offset = (0x4000 | offset).to_be_bytes();
    let len = (0x4000 | bytes.len() as u16).to_be_bytes();
    [&[6][..], &offset, &len, bytes].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [
        &kind.to_be_bytes()[..],
        &(data.len() as u16).to_be_bytes(),
        data,
    ]
    .concat()
}

/// A client hello for `ward.example.org` and HTTP/3.
fn hello() -> Vec<u8> {
    let name = b"ward.example.org";
    let name = [&[0, 19, 0, 0, 16][..], name].concat();
    let extensions = [
        extension(0, &name),
        extension(16, &[0, 3, 2, b'h', b'3']),
        extension(43, &[2, 3, 4]),
        extension(13, &[0, 2, 4, 3]),
    ]
    .concat();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0, 0, 4, 0x13, 1, 0x13, 2, 1, 0],
        &(extensions.len() as u16).to_be_bytes(),
        &extensions,
    ]
    .concat();
    [&[1, 0, 0, body.len() as u8][..], &body].concat()
}

fn server_hello() -> Vec<u8> {
    let body = [
        &[3, 3][..],
        &[8; 32],
        &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4],
    ]
    .concat();
    [&[2, 0, 0, body.len() as u8][..], &body].concat()
}

fn talk(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Udp, 443, pieces)
}

#[test]
fn keys_are_those_of_the_standard() {
    // RFC 9001 appendix A.1.
    let (key, iv, mask) = Peer::of(ONE, Side::Client).keys();
    assert_eq!(key[..], hex("1f369613dd76d5467730efcbe3b1a22d"));
    assert_eq!(iv[..], hex("fa044b2f42a3fd3b46fb255c"));
    assert_eq!(mask[..], hex("9f50449e04a0e810283a1e9933adedd2"));
}

#[test]
fn a_hello_is_read_in_every_version() {
    for (version, name) in [(ONE, "1"), (TWO, "2"), (DRAFT, "draft-29")] {
        let asked = Peer::of(version, Side::Client).packet(&ID, 0, &crypto(0, &hello()));
        let told = Peer::of(version, Side::Server);
        let told = told.packet(&[9, 9], 0, &crypto(0, &server_hello()));
        let out = talk(&[client(&asked), server(&told)]);
        assert_eq!((out.name, out.drafts.len()), (Some("quic"), 1), "{name}");
        let draft = &out.drafts[0];
        let expected = [
            ("about", "quic"),
            ("tls_sni", "ward.example.org"),
            ("tls_alpn_offered", "h3"),
            ("tls_version", "1.3"),
            ("tls_cipher", "TLS_AES_128_GCM_SHA256"),
            ("facts", &format!("quic.version={name}")),
        ];
        for (column, value) in expected {
            assert_eq!(field(draft, column), value, "{name} {column}");
        }
        assert!(field(draft, "tls_ja4").starts_with("q13d0204h3_"));
    }
}

#[test]
fn crypto_frames_come_in_any_order_over_packets() {
    let hello = hello();
    let (a, rest) = hello.split_at(30);
    let (b, c) = rest.split_at(30);
    let peer = Peer::of(ONE, Side::Client);
    let last = peer.packet(&ID, 2, &[crypto(60, c), vec![1]].concat());
    let mixed = peer.packet(
        &ID,
        1,
        &[crypto(20, &hello[20..40]), crypto(30, b)].concat(),
    );
    let first = peer.packet(&ID, 0, &crypto(0, a));
    let out = talk(&[client(&last), client(&mixed), client(&first)]);
    assert_eq!(field(&out.drafts[0], "tls_sni"), "ward.example.org");
    // Two packets in one datagram.
    let both = [
        peer.packet(&ID, 0, &crypto(0, a)),
        peer.packet(&ID, 1, &crypto(30, rest)),
    ];
    let out = talk(&[client(&both.concat())]);
    assert_eq!(field(&out.drafts[0], "tls_sni"), "ward.example.org");
}

#[test]
fn retry_changes_the_keys() {
    let asked = Peer::of(ONE, Side::Client).packet(&ID, 0, &crypto(0, &hello()[..20]));
    let mut retry = vec![0xf0, 0, 0, 0, 1, 2, 9, 9, 4, 5, 5, 5, 5];
    retry.extend([7; 40]);
    let again = Peer {
        id: vec![5; 4],
        ..Peer::of(ONE, Side::Client)
    };
    let again = again.packet(&[5; 4], 1, &crypto(0, &hello()));
    let out = talk(&[client(&asked), server(&retry), client(&again)]);
    assert_eq!(field(&out.drafts[0], "tls_sni"), "ward.example.org");
    assert_eq!(
        field(&out.drafts[0], "facts"),
        "quic.retry=true,quic.version=1"
    );
}

#[test]
fn negotiation_names_the_versions() {
    let asked = Peer::of(DRAFT, Side::Client).packet(&ID, 0, &crypto(0, &hello()));
    let mut offer = vec![0x80, 0, 0, 0, 0, 2, 9, 9, 8];
    offer.extend(ID);
    offer.extend([0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf, 0x1a, 0x2a, 0x3a, 0x4a]);
    let again = Peer::of(ONE, Side::Client).packet(&ID, 1, &crypto(0, &hello()));
    let out = talk(&[client(&asked), server(&offer), client(&again)]);
    let facts = "quic.version=1,quic.version_offered=1,quic.version_offered=2";
    assert_eq!(field(&out.drafts[0], "facts"), facts);
}

#[test]
fn the_end_of_a_handshake_is_seen() {
    let asked = Peer::of(ONE, Side::Client).packet(&ID, 0, &crypto(0, &hello()));
    let told = Peer::of(ONE, Side::Server).packet(&[9, 9], 0, &crypto(0, &server_hello()));
    let handshake = [&[0xe0, 0, 0, 0, 1, 2, 9, 9, 0, 0x20][..], &[3; 32]].concat();
    let told = [told, handshake].concat();
    let out = talk(&[
        client(&asked),
        server(&told),
        client(&[0x40; 40]),
        client(&asked),
    ]);
    assert_eq!((out.drafts.len(), out.drafts[0].status), (1, 1));
    assert_eq!(field(&out.drafts[0], "tls_established"), "true");
    let refusal = Peer::of(ONE, Side::Server).packet(&[9, 9], 0, &[0x1c, 0x41, 0x78, 0, 0]);
    let out = talk(&[client(&asked), server(&refusal)]);
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(
        out.drafts[0].status_code.as_deref(),
        Some("no_application_protocol")
    );
}

#[test]
fn googles_hello_is_read() {
    let value = b"old.example.org";
    let mut message = b"CHLO".to_vec();
    message.extend([2, 0, 0, 0]);
    message.extend(b"PAD\0\x04\0\0\0SNI\0\x13\0\0\0----");
    message.extend(value);
    let mut datagram = vec![0x09, 1, 2, 3, 4, 5, 6, 7, 8];
    datagram.extend(b"Q043\x01");
    datagram.extend([0; 12]);
    datagram.extend(message);
    let out = talk(&[client(&datagram)]);
    assert_eq!(field(&out.drafts[0], "tls_sni"), "old.example.org");
    assert_eq!(field(&out.drafts[0], "facts"), "quic.version=Q043");
}

#[test]
fn limits_hold_and_are_counted() {
    let peer = Peer::of(ONE, Side::Client);
    let far = [
        &[6, 0x80][..],
        &CRYPTO_BYTES_MAX.to_be_bytes()[1..],
        &[1, 7],
    ]
    .concat();
    let out = talk(&[client(&peer.packet(&ID, 0, &far))]);
    assert_eq!(out.anomalies, ["quic-crypto-limit"]);
    let bad = peer.packet(&ID, 0, &[0x21, 0, 0]);
    assert_eq!(talk(&[client(&bad)]).anomalies, ["quic-bad-frame"]);
    let pings: Vec<_> = (0..200).map(|n| peer.packet(&ID, n, &[1])).collect();
    let pieces: Vec<_> = pings.iter().map(|ping| client(ping)).collect();
    assert_eq!(talk(&pieces).drafts.len(), 1);
    assert!(pieces.len() > DATAGRAMS_MAX as usize);
    assert!(Frames::parse(&[1; 300]).broken);
}

#[test]
fn wrong_keys_open_nothing() {
    let packet = Peer::of(ONE, Side::Server).packet(&ID, 0, &crypto(0, &hello()));
    let long = Long::parse(&packet).unwrap();
    let keys = Keys::derive(Version(ONE), &ID).unwrap();
    assert!(keys.open(Side::Client, &long).is_none());
    assert!(keys.open(Side::Server, &long).is_some());
    let out = talk(&[client(&packet)]);
    assert_eq!(field(&out.drafts[0], "facts"), "quic.unopened_packets=1");
}

proptest::proptest! {
    #[test]
    fn mutated_packets_never_panic(seed in proptest::prelude::any::<u64>()) {
        let packet = Peer::of(ONE, Side::Client).packet(&ID, 0, &crypto(0, &hello()));
        survives_mutation("quic", Transport::Udp, &packet, seed);
    }

    #[test]
    fn random_payloads_never_panic(
        payload in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120),
    ) {
        let peer = Peer::of(ONE, Side::Client);
        let packet = peer.packet(&ID, 0, &payload);
        let out = crate::protocol::replay::run(
            only("quic"), Transport::Udp, (50_000, 443), 1, &[client(&packet), client(&payload)]);
        proptest::prop_assert!(out.heap_bytes_max < 1 << 20);
    }
}
