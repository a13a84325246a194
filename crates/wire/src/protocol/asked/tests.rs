use std::sync::OnceLock;

use super::super::{Probe, REGISTRY, Side};
use super::*;

const PORTS: [u16; 26] = [
    0, 21, 25, 53, 69, 80, 104, 110, 123, 137, 139, 143, 161, 389, 443, 445, 502, 514, 853, 1080,
    2575, 4242, 5353, 5355, 11_112, 47_808,
];

/// Every protocol that is not asked would have said no.
fn is_held(bytes: &[u8], seed: u64) {
    static INDEX: OnceLock<Index> = OnceLock::new();
    let index = INDEX.get_or_init(|| Index::new(REGISTRY));
    let port = PORTS[usize::try_from(seed % 26).unwrap()];
    for transport in [Transport::Tcp, Transport::Udp] {
        for side in [Side::Client, Side::Server] {
            for (client_port, server_port) in [(50_000, port), (port, 50_000)] {
                let first = First {
                    transport,
                    side,
                    client_port,
                    server_port,
                    bytes,
                };
                let set = index.of(&first);
                for (at, protocol) in REGISTRY.iter().enumerate() {
                    let asked = set & bit(at) != 0;
                    assert_eq!(asked, protocol.asked().lets(&first), "{}", protocol.name());
                    if !asked {
                        let name = protocol.name();
                        assert_eq!(protocol.probe(&first), Probe::No, "{name}: {bytes:?}");
                    }
                }
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn who_is_not_asked_would_say_no(
        bytes in proptest::collection::vec(0u8.., 1..64),
        seed in 0u64..,
    ) {
        is_held(&bytes, seed);
    }
}

#[test]
fn short_first_bytes_are_let_through_where_probes_wait() {
    for octet in 0..=u8::MAX {
        let seed = u64::from(octet);
        is_held(&[octet], seed);
        is_held(&[octet, 0, 0], seed + 1);
        is_held(&[octet, octet, 0, 1, 0], seed + 2);
    }
    let openings = [
        "EHLO a\r\n",
        "helo a\r\n",
        "user x\r\n",
        "Auth TLS\r\n",
        "capa\r\n",
        "a login x y\r\n",
        "* OK hello\r\n",
        "220 x FTP\r\n",
        "+ok POP\r\n",
        "notify * http/1.1\r\n",
        "SSH-2.0-x\r\n",
        "GET / HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "MSH|^~\\&|a|b",
        "\x0bMSH|^~\\&|",
        "<34>Oct 11 22:14:15 a b: c",
        "20 <34>1 a",
        "H|\\^&|||x",
        "\x05\x06\x02",
    ];
    for opening in openings {
        for cut in 1..=opening.len() {
            is_held(&opening.as_bytes()[..cut], cut as u64);
        }
    }
}

#[test]
fn every_protocol_has_a_bit_of_its_own() {
    assert!(REGISTRY.len() <= 128);
}

#[test]
fn a_protocol_that_declares_nothing_is_always_asked() {
    let nothing = Asked::ALWAYS;
    let mails = Asked::TCP.starting(b"2").on_ports(&[25]);
    let names = Asked::UDP.on_ports(&[137]);
    let lets = |asked: Asked, transport, port, bytes: &'static [u8]| {
        asked.lets(&First {
            transport,
            side: Side::Client,
            client_port: 50_000,
            server_port: port,
            bytes,
        })
    };
    assert!(lets(nothing, Transport::Udp, 9, b"\xff"));
    assert!(lets(mails, Transport::Tcp, 9, b"220"));
    assert!(lets(mails, Transport::Tcp, 25, b"x"));
    assert!(!lets(mails, Transport::Tcp, 9, b"x"));
    assert!(!lets(mails, Transport::Udp, 25, b"2"));
    assert!(lets(names, Transport::Udp, 137, b"x"));
    assert!(!lets(names, Transport::Udp, 9, b"x"));
    assert!(Asked::TCP.starting_within(250, 255).octets.has(255));
}
