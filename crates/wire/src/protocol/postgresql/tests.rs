use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::fuzz;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend((u32::try_from(body.len()).unwrap() + 4).to_be_bytes());
    out.extend(body);
    out
}

fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0ris\0database\0exams\0application_name\0psql\0\0";
    let mut out = (u32::try_from(body.len()).unwrap() + 4)
        .to_be_bytes()
        .to_vec();
    out.extend(body);
    out
}

fn from_client() -> Vec<u8> {
    [
        startup(),
        message(b'p', b"secret\0"),
        message(b'Q', b"/* x */ SELECT name FROM patient\0"),
        message(b'P', b"s1\0insert into a values ($1)\0\0\0"),
        message(b'd', &[b'z'; 5000]),
        message(b'X', b""),
    ]
    .concat()
}

fn from_server() -> Vec<u8> {
    [
        message(b'R', &[0, 0, 0, 3]),
        message(b'R', &[0, 0, 0, 0]),
        message(b'S', b"server_version\x0015.4 (Debian)\0"),
        message(b'Z', b"I"),
        message(b'D', &[b'x'; 3000]),
        message(b'E', b"SERROR\0C42P01\0Mno\0\0"),
    ]
    .concat()
}

#[test]
fn a_session_tells_log_in_and_counts() {
    let (ours, theirs) = (from_client(), from_server());
    let out = play(Transport::Tcp, 15432, &[client(&ours), server(&theirs)]);
    assert_eq!(out.name, Some("postgresql"));
    let [logon, session] = out.drafts.as_slice() else {
        panic!("{} drafts", out.drafts.len());
    };
    assert_eq!((logon.status, field(logon, "user").as_str()), (1, "ris"));
    assert_eq!(field(logon, "is_cleartext"), "true");
    assert_eq!(field(logon, "mechanism"), "password");
    assert_eq!(field(session, "object_count"), "2");
    assert_eq!(
        field(session, "facts"),
        "postgresql.application=psql,postgresql.database=exams,postgresql.errors=1,\
         postgresql.last_error=42P01,postgresql.server_version=15.4 (Debian),\
         postgresql.statements=insert:1,postgresql.statements=select:1"
    );
    let all: String = out.drafts.iter().map(facts).collect();
    assert!(!all.contains("secret") && !all.contains("patient"));
}

#[test]
fn a_refused_log_in_is_a_failure() {
    let refused = [
        message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"),
        message(b'E', b"SFATAL\0C28P01\0Mno\0\0"),
    ]
    .concat();
    let out = play(
        Transport::Tcp,
        5432,
        &[client(&startup()), server(&refused)],
    );
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(out.drafts[0].status_code.as_deref(), Some("28P01"));
    assert_eq!(field(&out.drafts[0], "mechanism"), "SCRAM-SHA-256");
}

#[test]
fn tls_is_recognised_anew_and_its_refusal_told() {
    let ask = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];
    let out = play(
        Transport::Tcp,
        5432,
        &[client(&ask), server(b"S"), client(b"junk")],
    );
    assert!(field(&out.drafts[0], "facts").contains("postgresql.tls=accepted"));
    let start = startup();
    let out = play(
        Transport::Tcp,
        5432,
        &[client(&ask), server(b"N"), client(&start)],
    );
    assert_eq!(field(&out.drafts[0], "user"), "ris");
    assert!(field(&out.drafts[1], "facts").contains("postgresql.tls=refused"));
}

#[test]
fn any_split_gives_the_same() {
    let (ours, theirs) = (from_client(), from_server());
    for step in [1, 2, 3, 7, 64, 1000] {
        split_gives_the_same(
            only("postgresql"),
            5432,
            &[client(&ours), server(&theirs)],
            step,
        );
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("postgresql"), &bytes);
        let all = [startup(), bytes].concat();
        let _ = play(Transport::Tcp, 5432, &[client(&all), server(&all)]);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        survives_mutation("postgresql", Transport::Tcp, &from_client(), seed);
    }
}
