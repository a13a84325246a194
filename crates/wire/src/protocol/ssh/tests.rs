use proptest::prelude::*;

use crate::protocol::checks::{
    client, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Piece, fuzz};
use crate::protocol::{Side, Transport};

/// A packet with this payload, padded as RFC 4253 asks.
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 16 - (payload.len() + 5) % 8;
    let length = u32::try_from(payload.len() + padding + 1).unwrap();
    let mut out = length.to_be_bytes().to_vec();
    out.push(u8::try_from(padding).unwrap());
    out.extend(payload);
    out.resize(out.len() + padding, 0);
    out
}

fn kexinit(lists: [&str; 10]) -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend([7; 16]);
    for list in lists {
        payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
        payload.extend(list.as_bytes());
    }
    payload.extend([0; 5]);
    packet(&payload)
}

const LISTS: [&str; 10] = [
    "curve25519-sha256",
    "ssh-ed25519",
    "aes128-ctr",
    "aes256-ctr",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "none",
    "zlib",
    "",
    "",
];

fn from_client() -> Vec<u8> {
    let keys = packet(&[21]);
    [
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec(),
        kexinit(LISTS),
        keys,
        vec![9; 64],
    ]
    .concat()
}

fn from_server() -> Vec<u8> {
    let banner = b"welcome\r\nSSH-1.99-dropbear_2022.83\n".to_vec();
    [banner, kexinit(LISTS), packet(&[21]), vec![8; 64]].concat()
}

#[test]
fn a_connection_is_one_event() {
    let out = play(
        Transport::Tcp,
        22,
        &[client(&from_client()), server(&from_server())],
    );
    assert_eq!(out.name, Some("ssh"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!(field(draft, "ssh_version"), "2.0");
    assert_eq!(field(draft, "ssh_client"), "OpenSSH_9.2p1 Debian-2");
    assert_eq!(field(draft, "ssh_server"), "dropbear_2022.83");
    let algorithms = "curve25519-sha256;aes128-ctr;hmac-sha2-256;none";
    assert_eq!(field(draft, "ssh_algorithms"), algorithms);
    assert_eq!(
        field(draft, "hassh"),
        codec::digest::md5_hex(algorithms.as_bytes())
    );
    let back = "curve25519-sha256;aes256-ctr;hmac-sha2-512;zlib";
    assert_eq!(
        field(draft, "hassh_server"),
        codec::digest::md5_hex(back.as_bytes())
    );
    assert_eq!(field(draft, "ssh_encrypted"), "true");
}

#[test]
fn any_split_gives_the_same_event() {
    let (ours, theirs) = (from_client(), from_server());
    for step in 1..80 {
        split_gives_the_same(only("ssh"), 22, &[client(&ours), server(&theirs)], step);
    }
}

#[test]
fn a_gap_or_an_early_end_keeps_what_was_seen() {
    let ours = from_client();
    let pieces = [
        client(&ours[..60]),
        Piece::Gap(Side::Client, 100),
        client(&ours),
    ];
    let out = play(Transport::Tcp, 22, &pieces);
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(
        field(&out.drafts[0], "ssh_client"),
        "OpenSSH_9.2p1 Debian-2"
    );
    assert_eq!(field(&out.drafts[0], "ssh_encrypted"), "false");
    assert_eq!(field(&out.drafts[0], "anomalies"), "ssh-gap");
}

#[test]
fn the_old_version_ends_with_its_identification() {
    let out = play(
        Transport::Tcp,
        22,
        &[server(b"SSH-1.5-1.2.27\n"), client(b"SSH-1.5-x\n")],
    );
    assert_eq!(field(&out.drafts[0], "ssh_version"), "1.5");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("ssh"), &bytes);
    }

    #[test]
    fn mutated_connections_never_panic(seed in any::<u64>()) {
        survives_mutation("ssh", Transport::Tcp, &from_client(), seed);
    }
}
