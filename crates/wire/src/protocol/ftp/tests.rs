use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Piece, fuzz};

fn session() -> Vec<Piece<'static>> {
    vec![
        server(b"220-Welcome to\r\n FTP\r\n220 ProFTPD Server ready\r\n"),
        client(b"USER alice\r\n"),
        server(b"331 password\r\n"),
        client(b"PASS secret\r\n"),
        server(b"230 in\r\n"),
        client(b"SYST\r\n"),
        server(b"215 UNIX Type: L8\r\n"),
        client(b"PASV\r\n"),
        server(b"227 Entering Passive Mode (10,0,0,5,200,10).\r\n"),
        client(b"RETR results/a.pdf\r\n"),
        server(b"150 Opening BINARY mode data connection for a.pdf (1234 bytes)\r\n226 done\r\n"),
        client(b"EPSV\r\n"),
        server(b"229 Entering (|||5001|)\r\n"),
        client(b"LIST\r\n"),
        server(b"150 here\r\n226 done\r\n"),
        client(b"RNFR a\r\n"),
        server(b"350 ok\r\n"),
        client(b"RNTO b\r\n"),
        server(b"250 ok\r\n"),
        client(b"PORT 10,0,0,9,4,1\r\n"),
        server(b"200 ok\r\n"),
        client(b"STOR c\r\n"),
        server(b"553 no\r\n"),
        client(b"DELE d\r\nQUIT\r\n"),
        server(b"550 no\r\n221 bye\r\n"),
    ]
}

#[test]
fn every_exchange_on_a_path_is_told() {
    let out = play(Transport::Tcp, 21, &session());
    assert_eq!(out.name, Some("ftp"));
    let told: Vec<_> = out
        .drafts
        .iter()
        .skip(1)
        .map(|draft| {
            let field = |column| field(draft, column);
            format!(
                "{} {} {} {} {} {}",
                draft.activity,
                draft.status,
                field("ftp_command"),
                field("ftp_path"),
                field("ftp_codes"),
                field("ftp_data_port"),
            )
        })
        .collect();
    let wanted = [
        "2 1 RETR results/a.pdf 150,226 51210",
        "6 1 LIST  150,226 5001",
        "5 1 RNTO a 250 ",
        "1 2 STOR c 553 1025",
        "4 2 DELE d 550 ",
    ];
    assert_eq!(told, wanted);
    let get = &out.drafts[1];
    assert_eq!(field(get, "ftp_mode"), "passive");
    assert_eq!(field(get, "ftp_bytes"), "1234");
    assert_eq!(field(get, "ftp_user"), "alice");
    assert_eq!(field(get, "ftp_system"), "UNIX Type: L8");
    assert_eq!(field(get, "ftp_banner"), "Welcome to");
    assert_eq!(field(&out.drafts[3], "renamed_to"), "b");
}

#[test]
fn a_log_in_is_told_without_its_secret() {
    let out = play(Transport::Tcp, 21, &session());
    let logon = &out.drafts[0];
    assert_eq!((logon.status, field(logon, "user").as_str()), (1, "alice"));
    assert_eq!(field(logon, "is_cleartext"), "true");
    assert!(
        !out.drafts
            .iter()
            .any(|draft| facts(draft).contains("secret"))
    );
}

#[test]
fn auth_tls_restarts() {
    let out = play(
        Transport::Tcp,
        21,
        &[
            server(b"220 FTP\r\n"),
            client(b"AUTH TLS\r\n"),
            server(b"234 go\r\n"),
            client(b"GARBAGE\r\n"),
        ],
    );
    assert_eq!(field(&out.drafts[0], "ftp_banner"), "FTP");
}

#[test]
fn chat_is_not_ftp() {
    let out = play(Transport::Tcp, 6667, &[client(b"USER a b c :d\r\n")]);
    assert_eq!(out.name, None);
}

#[test]
fn any_split_gives_the_same() {
    for step in [1, 2, 3, 7, 20] {
        split_gives_the_same(only("ftp"), 21, &session(), step);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("ftp"), &bytes);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        let good = b"220 FTP\r\nUSER a\r\n331 x\r\nPASS b\r\n230 ok\r\nPORT 1,2,3,4,5,6\r\n\
            RETR x\r\n";
        survives_mutation("ftp", Transport::Tcp, good, seed);
    }
}
