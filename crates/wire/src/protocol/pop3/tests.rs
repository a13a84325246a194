use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Piece, fuzz};

fn session() -> Vec<Piece<'static>> {
    vec![
        server(b"+OK POP3 server ready <1.2@mx.example>\r\n"),
        client(b"CAPA\r\n"),
        server(b"+OK\r\nSTLS\r\nIMPLEMENTATION Test-1\r\n.\r\n"),
        client(b"USER alice\r\n"),
        server(b"+OK\r\n"),
        client(b"PASS secret\r\n"),
        server(b"+OK 1 messages\r\n"),
        client(b"STAT\r\n"),
        server(b"+OK 1 320\r\n"),
        client(b"RETR 1\r\nDELE 1\r\n"),
        server(b"+OK 320\r\nFrom: a@b.example\r\nSubject: hi\r\n\r\nbody\r\n..x\r\n.\r\n+OK\r\n"),
        client(b"QUIT\r\n"),
        server(b"+OK bye\r\n"),
    ]
}

#[test]
fn a_session_tells_log_in_and_mail() {
    let out = play(Transport::Tcp, 1110, &session());
    assert_eq!(out.name, Some("pop3"));
    let [logon, mail, told] = out.drafts.as_slice() else {
        panic!("{} drafts", out.drafts.len());
    };
    assert_eq!((logon.status, field(logon, "user").as_str()), (1, "alice"));
    assert_eq!(field(logon, "is_cleartext"), "true");
    assert_eq!((mail.activity, mail.status), (2, 1));
    assert_eq!(field(mail, "mail_subject"), "hi");
    let said = field(told, "facts");
    for fact in [
        "pop3.fetched=1",
        "pop3.deleted=1",
        "pop3.stored=1",
        "pop3.software=Test-1",
    ] {
        assert!(said.contains(fact), "{said}");
    }
    assert!(
        !out.drafts
            .iter()
            .any(|draft| facts(draft).contains("secret"))
    );
}

#[test]
fn sasl_and_apop_name_the_user() {
    let out = play(
        Transport::Tcp,
        110,
        &[
            server(b"+OK\r\n"),
            client(b"AUTH CRAM-MD5\r\n"),
            server(b"+ PDE4OTY+\r\n"),
            client(b"dGltIGI5MTNh\r\n"),
            server(b"-ERR no\r\n"),
            client(b"APOP bob c4c9334bac560ecc979e58001b3e22fb\r\n"),
            server(b"+OK\r\n"),
        ],
    );
    assert_eq!(field(&out.drafts[0], "user"), "tim");
    assert_eq!(field(&out.drafts[0], "is_cleartext"), "false");
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(field(&out.drafts[1], "user"), "bob");
    assert_eq!(field(&out.drafts[1], "mechanism"), "APOP");
}

#[test]
fn a_redis_server_is_no_mail_server() {
    let pieces = [client(b"*1\r\n$4\r\nPING\r\n"), server(b"+OK\r\n")];
    assert_eq!(play(Transport::Tcp, 6379, &pieces).name, None);
}

#[test]
fn any_split_gives_the_same() {
    for step in [1, 2, 3, 7, 20] {
        split_gives_the_same(only("pop3"), 110, &session(), step);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("pop3"), &bytes);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        let good = b"+OK POP3\r\n+OK\r\nFrom: a\r\n\r\n.\r\nUSER a\r\nPASS b\r\nRETR 1\r\n";
        survives_mutation("pop3", Transport::Tcp, good, seed);
    }
}
