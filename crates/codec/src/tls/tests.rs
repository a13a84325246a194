use proptest::prelude::*;

use super::ciphers::CIPHERS;
use super::*;

/// The example of the JA4 specification.
fn browser() -> ClientHello {
    let quads = |text: &str| -> Vec<u16> {
        let numbers = text.split(',').map(|n| u16::from_str_radix(n, 16).unwrap());
        numbers.collect()
    };
    ClientHello {
        version: 0x0303,
        ciphers: quads(
            "dada,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035",
        ),
        extensions: quads(
            "3a3a,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015",
        ),
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        versions: vec![0x7a7a, 0x0304, 0x0303],
        signature_algorithms: quads("0403,0804,0401,0503,0805,0501,0806,0601"),
        ..ClientHello::default()
    }
}

#[test]
fn ja4_agrees_with_the_specification() {
    assert_eq!(ja4(&browser(), 't'), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

#[test]
fn ja4_of_odd_hellos() {
    let with_alpn = |alpn: &[u8]| {
        let hello = ClientHello {
            version: 0x0301,
            alpn: vec![alpn.to_vec()],
            ..ClientHello::default()
        };
        ja4(&hello, 't')
    };
    assert_eq!(with_alpn(b""), "t10i000000_000000000000_000000000000");
    assert_eq!(with_alpn(b"x"), "t10i0000xx_000000000000_000000000000");
    assert_eq!(with_alpn(&[0xab]), "t10i0000ab_000000000000_000000000000");
    assert_eq!(
        with_alpn(&[0x30, 0xab]),
        "t10i00003b_000000000000_000000000000"
    );
}

#[test]
fn ja3_is_the_hash_of_the_numbers() {
    let hello = ClientHello {
        version: 769,
        ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
        extensions: vec![0, 10, 11],
        groups: vec![23, 24, 25],
        point_formats: vec![0],
        ..ClientHello::default()
    };
    assert_eq!(ja3(&hello), "ada70206e40642a3e4461f35503241d5");
    let bare = ClientHello {
        version: 769,
        ciphers: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99],
        ..ClientHello::default()
    };
    assert_eq!(ja3(&bare), "de350869b8c85de67a350c8d186f11e6");
}

#[test]
fn cipher_names_are_found_and_sorted() {
    assert!(CIPHERS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(cipher_name(0x1301), Some("TLS_AES_128_GCM_SHA256"));
    assert_eq!(
        cipher_name(0xc02f),
        Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    );
    assert_eq!(cipher_name(0x0a0a), None);
}

#[test]
fn a_cut_hello_keeps_its_head() {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 4, 0x13, 0x01, 0x0a, 0x0a, 1, 0, 0, 14]);
    body.extend([0, 0, 0, 10, 0, 8, 0, 0, 5]);
    body.extend(b"A.fr");
    let cut = ClientHello::parse(&body).unwrap();
    assert!(cut.broken);
    assert_eq!(cut.ciphers, [0x1301, 0x0a0a]);
    body.push(b'X');
    let whole = ClientHello::parse(&body).unwrap();
    assert!(!whole.broken);
    assert_eq!(whole.server_name.as_deref(), Some("a.frx"));
}

#[test]
fn a_hello_of_ssl_2_is_recognised() {
    let mut message = vec![0x80, 0x1f, 1, 3, 1, 0, 6, 0, 0, 0, 16];
    message.extend([0, 0, 4, 1, 0, 0x80]);
    message.extend([7; 16]);
    assert!(is_client_hello_v2(&message));
    let hello = ClientHello::parse_v2(&message[2..]).unwrap();
    assert_eq!((hello.version, hello.ciphers), (0x0301, vec![4]));
    assert!(!is_client_hello_v2(b"GET / HTTP/1.1\r\n"));
}

proptest! {
    #[test]
    fn random_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Some(hello) = ClientHello::parse(&body) {
            let _ = ja3(&hello);
            let _ = ja4(&hello, 't');
        }
        if let Some(hello) = ServerHello::parse(&body) {
            let _ = ja3s(&hello);
        }
        let _ = is_client_hello_v2(&body);
        let _ = ClientHello::parse_v2(&body);
    }
}
