use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Piece, fuzz};

fn packet(kind: u8, last: bool, body: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(body.len() + 8).unwrap().to_be_bytes();
    [&[kind, u8::from(last), high, low, 0, 0, 1, 0], body].concat()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn options(encryption: u8) -> Vec<u8> {
    let head = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff];
    [head.as_slice(), &[15, 0, 0x07, 0xd0, 0, 0], &[encryption]].concat()
}

fn login() -> Vec<u8> {
    let mut body = vec![0; 94];
    body[7] = 0x74;
    let mut put = |place: usize, text: &str| {
        let at = u16::try_from(body.len()).unwrap().to_le_bytes();
        let count = u16::try_from(text.len()).unwrap().to_le_bytes();
        body[place..place + 4].copy_from_slice(&[at[0], at[1], count[0], count[1]]);
        body.extend(wide(text));
    };
    put(36, "PC7");
    put(40, "sa");
    put(44, "secret");
    put(48, "ris-client");
    put(68, "exams");
    body
}

fn accepted() -> Vec<u8> {
    let program = wide("Microsoft SQL Server");
    let value = [
        &[1, 0x74, 0, 0, 4, 20],
        program.as_slice(),
        &[15, 0, 0x07, 0xd0],
    ]
    .concat();
    let [low, high] = u16::try_from(value.len()).unwrap().to_le_bytes();
    [&[0xad, low, high], value.as_slice(), &[0xfd; 13]].concat()
}

fn parts() -> [Vec<u8>; 6] {
    let login = login();
    let (first, second) = login.split_at(60);
    [
        packet(0x12, true, &options(2)),
        packet(4, true, &options(2)),
        [packet(0x10, false, first), packet(0x10, true, second)].concat(),
        packet(4, true, &accepted()),
        [
            packet(1, true, &wide("SELECT * FROM patient")),
            packet(3, true, &[0; 40]),
        ]
        .concat(),
        packet(4, true, &[0xaa, 6, 0, 0x0d, 2, 0, 0, 1, 16]),
    ]
}

fn session(parts: &[Vec<u8>; 6]) -> Vec<Piece<'_>> {
    let sides = [client, server, client, server, client, server];
    parts
        .iter()
        .zip(sides)
        .map(|(bytes, side)| side(bytes))
        .collect()
}

#[test]
fn a_session_tells_log_in_and_counts() {
    let parts = parts();
    let out = play(Transport::Tcp, 11433, &session(&parts));
    assert_eq!(out.name, Some("tds"));
    let [logon, told] = out.drafts.as_slice() else {
        panic!("{:?}", out.drafts.iter().map(facts).collect::<Vec<_>>());
    };
    assert_eq!((logon.status, field(logon, "user").as_str()), (1, "sa"));
    assert_eq!(field(logon, "is_cleartext"), "true");
    assert_eq!(
        field(told, "facts"),
        "tds.application=ris-client,tds.database=exams,\
         tds.encryption=not_supported,tds.errors=1,tds.last_error=525,\
         tds.server_version=Microsoft SQL Server 15.0.2000,tds.statements=rpc:1,\
         tds.statements=select:1"
    );
    assert_eq!(field(told, "client_name"), "PC7");
    let all: String = out.drafts.iter().map(facts).collect();
    assert!(!all.contains("secret") && !all.contains("patient"));
}

#[test]
fn an_encrypted_session_is_told_as_such() {
    let hello = packet(0x12, true, &options(1));
    let answer = packet(4, true, &options(3));
    let tls = packet(0x12, true, &[0x16, 3, 1, 0, 1, 0]);
    let record = [0x17, 3, 3, 0, 4, 9, 9, 9, 9];
    let out = play(
        Transport::Tcp,
        1433,
        &[
            client(&hello),
            server(&answer),
            client(&tls),
            client(&record),
            server(&record),
        ],
    );
    assert_eq!(out.drafts.len(), 1);
    let said = field(&out.drafts[0], "facts");
    assert!(said.contains("tds.encryption=required"), "{said}");
    assert!(said.contains("tds.server_version=15.0.2000"), "{said}");
}

#[test]
fn any_split_gives_the_same() {
    let parts = parts();
    for step in [1, 2, 3, 7, 50] {
        split_gives_the_same(only("tds"), 1433, &session(&parts), step);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("tds"), &bytes);
        let ours = packet(0x10, true, &[login(), bytes.clone()].concat());
        let theirs = packet(4, true, &bytes);
        let _ = play(Transport::Tcp, 1433, &[client(&ours), server(&theirs)]);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        survives_mutation("tds", Transport::Tcp, &parts().concat(), seed);
    }
}
