use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Piece, fuzz};

fn session() -> Vec<Piece<'static>> {
    vec![
        server(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"),
        client(b"a1 ID (\"name\" \"Mailer\" \"version\" \"2.1\")\r\n"),
        server(b"* ID (\"name\" \"Served\" \"os\" NIL)\r\na1 OK\r\n"),
        client(b"a2 LOGIN {5}\r\nalice \"sec\\\"ret\"\r\n"),
        server(b"a2 OK in\r\n"),
        client(b"a3 SELECT INBOX\r\n"),
        server(b"* 2 EXISTS\r\na3 OK [READ-WRITE] done\r\n"),
        client(b"a4 UID FETCH 1 (BODY[])\r\n"),
        server(b"* 1 FETCH (UID 1 BODY[] {40}\r\nFrom: x@y.example\r\nSubject: hello\r\n\r\nz"),
        server(b"zz)\r\na4 OK done\r\n"),
        client(b"a5 APPEND Sent {7+}\r\na5 x\r\n\r\n\r\na6 LOGOUT\r\n"),
        server(b"a5 OK\r\n* BYE\r\na6 OK\r\n"),
    ]
}

#[test]
fn a_session_tells_log_in_and_mail() {
    let out = play(Transport::Tcp, 1143, &session());
    assert_eq!(out.name, Some("imap"));
    let [logon, mail, told] = out.drafts.as_slice() else {
        panic!("{:?}", out.drafts.iter().map(facts).collect::<Vec<_>>());
    };
    assert_eq!((logon.status, field(logon, "user").as_str()), (1, "alice"));
    assert_eq!(field(mail, "mail_subject"), "hello");
    assert_eq!(field(mail, "mail_bytes"), "40");
    let said = field(told, "facts");
    for fact in [
        "imap.client=Mailer 2.1",
        "imap.server=Served",
        "imap.mailboxes=1",
        "imap.appended=1",
        "imap.commands=6",
        "imap.starttls=offered",
    ] {
        assert!(said.contains(fact), "{said}");
    }
    assert!(!out.drafts.iter().any(|draft| facts(draft).contains("ret")));
}

#[test]
fn sasl_waits_for_the_challenge() {
    let out = play(
        Transport::Tcp,
        143,
        &[
            client(b"1 AUTHENTICATE PLAIN\r\n"),
            server(b"+ \r\n"),
            client(b"AGJvYgBwdw==\r\n"),
            server(b"1 NO denied\r\n"),
        ],
    );
    assert_eq!(out.name, Some("imap"));
    assert_eq!(field(&out.drafts[0], "user"), "bob");
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(out.drafts[0].status_code.as_deref(), Some("NO"));
}

#[test]
fn starttls_restarts() {
    let out = play(
        Transport::Tcp,
        143,
        &[
            server(b"* OK hi\r\n"),
            client(b"1 STARTTLS\r\n"),
            server(b"1 OK go\r\n"),
            client(b"1 LOGIN a b\r\n"),
        ],
    );
    assert!(field(&out.drafts[0], "facts").contains("imap.starttls=accepted"));
}

#[test]
fn any_split_gives_the_same() {
    for step in [1, 2, 3, 7, 20] {
        split_gives_the_same(only("imap"), 143, &session(), step);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("imap"), &bytes);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        let good = b"* OK x\r\n* 1 FETCH (BODY[] {3}\r\nabc)\r\na1 LOGIN {3}\r\nabc \"d\"\r\n\
            a1 OK\r\n";
        survives_mutation("imap", Transport::Tcp, good, seed);
    }
}
