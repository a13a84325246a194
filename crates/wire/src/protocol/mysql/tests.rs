use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Piece, fuzz};

fn packet(sequence: u8, body: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&[a, b, c, sequence], body].concat()
}

fn greeting() -> Vec<u8> {
    let body = [
        b"\x0a8.0.36-debian\0".as_slice(),
        &[1, 0, 0, 0],
        b"saltsalt\0",
        &[0xff, 0xff, 0x21, 2, 0, 0xff, 0xdf, 21],
        &[0; 10],
        b"saltsaltsalt\0",
        b"caching_sha2_password\0",
    ]
    .concat();
    packet(0, &body)
}

fn answer() -> Vec<u8> {
    let capabilities: u32 = 1 << 3 | 1 << 9 | 1 << 15 | 1 << 19;
    let body = [
        capabilities.to_le_bytes().as_slice(),
        &[0, 0, 0, 1, 33],
        &[0; 23],
        b"lims\0",
        b"\x06secretlab\0mysql_native_password\0",
    ]
    .concat();
    packet(1, &body)
}

fn session(parts: &[Vec<u8>; 4]) -> Vec<Piece<'_>> {
    let [hello, answer, ok, rest] = parts;
    vec![server(hello), client(answer), server(ok), client(rest)]
}

fn parts() -> [Vec<u8>; 4] {
    let query = packet(0, b"\x03select * from patient");
    let quit = packet(0, &[1]);
    [
        greeting(),
        answer(),
        packet(2, &[0, 0, 0, 2, 0, 0, 0]),
        [query, quit].concat(),
    ]
}

#[test]
fn a_session_tells_log_in_and_counts() {
    let parts = parts();
    let mut pieces = session(&parts);
    let error = packet(1, b"\xff\x7a\x04#42S02no");
    pieces.push(server(&error));
    let out = play(Transport::Tcp, 13306, &pieces);
    assert_eq!(out.name, Some("mysql"));
    let [logon, told] = out.drafts.as_slice() else {
        panic!("{} drafts", out.drafts.len());
    };
    assert_eq!((logon.status, field(logon, "user").as_str()), (1, "lims"));
    assert_eq!(field(logon, "mechanism"), "mysql_native_password");
    assert_eq!(field(logon, "is_cleartext"), "false");
    assert_eq!(
        field(told, "facts"),
        "mysql.database=lab,mysql.errors=1,mysql.last_error=1146,\
         mysql.server_version=8.0.36-debian,mysql.statements=select:1,mysql.tls=false"
    );
    let all: String = out.drafts.iter().map(facts).collect();
    assert!(!all.contains("secret") && !all.contains("patient"));
}

#[test]
fn a_refused_log_in_is_a_failure() {
    let (hello, said) = (greeting(), answer());
    let refused = packet(2, b"\xff\x15\x04#28000Access denied");
    let pieces = [server(&hello), client(&said), server(&refused)];
    let out = play(Transport::Tcp, 3306, &pieces);
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(out.drafts[0].status_code.as_deref(), Some("1045"));
}

#[test]
fn tls_is_recognised_anew() {
    let capabilities: u32 = 1 << 9 | 1 << 11;
    let ask = [
        capabilities.to_le_bytes().as_slice(),
        &[0, 0, 0, 1, 33],
        &[0; 23],
    ]
    .concat();
    let (hello, ask) = (greeting(), packet(1, &ask));
    let pieces = [
        server(&hello),
        client(&ask),
        client(b"\x01\x00\x00\x02junk"),
    ];
    let out = play(Transport::Tcp, 3306, &pieces);
    assert!(field(&out.drafts[0], "facts").contains("mysql.tls=true"));
    assert_eq!(out.drafts.len(), 1);
}

#[test]
fn any_split_gives_the_same() {
    let parts = parts();
    for step in [1, 2, 3, 7, 50] {
        split_gives_the_same(only("mysql"), 3306, &session(&parts), step);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("mysql"), &bytes);
        let hello = greeting();
        let _ = play(Transport::Tcp, 3306, &[server(&hello), client(&bytes), server(&bytes)]);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        survives_mutation("mysql", Transport::Tcp, &greeting(), seed);
    }
}
