use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Piece, fuzz};

fn five() -> Vec<Piece<'static>> {
    vec![
        client(b"\x05\x02\x00\x02"),
        server(b"\x05\x02"),
        client(b"\x01\x05alice\x06secret"),
        server(b"\x01\x00"),
        client(b"\x05\x01\x00\x03\x0bpacs.intern\x00\x50"),
        server(b"\x05\x00\x00\x01\x0a\x00\x00\x01\x04\x38"),
    ]
}

#[test]
fn the_tunnel_is_recognised_anew() {
    let mut pieces = five();
    pieces.push(client(b"GET / HTTP/1.1\r\nHost: pacs.intern\r\n\r\n"));
    pieces.push(server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let out = play(Transport::Tcp, 8888, &pieces);
    assert_eq!(out.name, Some("http"));
    assert_eq!(field(&out.drafts[0], "user"), "alice");
    assert_eq!(out.drafts[0].status, 1);
    let request = &out.drafts[1];
    assert_eq!(
        (request.status, field(request, "operation").as_str()),
        (1, "connect")
    );
    assert_eq!(
        field(request, "facts"),
        "socks.method=2,socks.target=pacs.intern,socks.target_port=80,socks.version=5"
    );
    assert_eq!(out.drafts.len(), 3);
    assert!(
        !out.drafts
            .iter()
            .any(|draft| facts(draft).contains("secret"))
    );
}

#[test]
fn version_four_names_its_user() {
    let pieces = [
        client(b"\x04\x01\x00\x50\x00\x00\x00\x01bob\0www.example\0"),
        server(b"\x00\x5b\0\0\0\0\0\0"),
    ];
    let out = play(Transport::Tcp, 1080, &pieces);
    assert_eq!(out.name, Some("socks"));
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(out.drafts[0].status_code.as_deref(), Some("91"));
    assert_eq!(field(&out.drafts[0], "object"), "bob");
    assert!(field(&out.drafts[0], "facts").contains("socks.target=www.example"));
}

#[test]
fn another_answer_is_not_socks() {
    let pieces = [client(b"\x05\x01\x00"), server(b"\x15\x03")];
    assert_eq!(play(Transport::Tcp, 999, &pieces).drafts.len(), 0);
}

#[test]
fn any_split_gives_the_same() {
    for step in 1..9 {
        split_gives_the_same(only("socks"), 1080, &five(), step);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("socks"), &bytes);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        let good = b"\x05\x02\x00\x02\x01\x05alice\x06secret";
        survives_mutation("socks", Transport::Tcp, good, seed);
    }
}
