use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(octet).collect()
}

fn fields(decoder: &mut Decoder, block: &str) -> (String, Result<(), Error>) {
    let mut out = Vec::new();
    let end = decoder.decode(&hex(block), &mut |name, value| {
        out.push(format!("{} {}", name.escape_ascii(), value.escape_ascii()));
    });
    (out.join("; "), end)
}

#[test]
fn requests_of_the_standard() {
    // RFC 7541 appendix C.3 (plain) and C.4 (Huffman).
    let plain = [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
    ];
    let coded = [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
    ];
    for blocks in [plain, coded] {
        let mut decoder = Decoder::default();
        let head = ":method GET; :scheme http; :path /; :authority www.example.com";
        assert_eq!(fields(&mut decoder, blocks[0]), (head.to_owned(), Ok(())));
        let second = format!("{head}; cache-control no-cache");
        assert_eq!(fields(&mut decoder, blocks[1]), (second, Ok(())));
        assert_eq!(decoder.bytes, 110);
    }
}

#[test]
fn responses_of_the_standard_evict() {
    // RFC 7541 appendix C.6, with a table of 256 octets.
    let mut decoder = Decoder::default();
    decoder.allow(256);
    let first = "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff\
        6e919d29ad171863c78f0b97c8e9ae82ae43d3";
    let told = ":status 302; cache-control private; date Mon, 21 Oct 2013 20:13:21 GMT; \
        location https://www.example.com";
    assert_eq!(fields(&mut decoder, first).0, told);
    assert_eq!(decoder.bytes, 222);
    let told = told.replace("302", "307");
    assert_eq!(fields(&mut decoder, "4883640effc1c0bf").0, told);
    let third = "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821d\
        d7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007";
    let told = ":status 200; cache-control private; date Mon, 21 Oct 2013 20:13:22 GMT; \
        location https://www.example.com; content-encoding gzip; \
        set-cookie foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    assert_eq!(fields(&mut decoder, third), (told.to_owned(), Ok(())));
    assert_eq!(decoder.bytes, 215);
}

#[test]
fn a_lost_table_knows_what_came_since() {
    let mut decoder = Decoder::default();
    decoder.lose();
    let (told, end) = fields(&mut decoder, "82be400161016200");
    assert_eq!((told.as_str(), end), (":method GET; a b", Err(Error::Cut)));
    assert_eq!(fields(&mut decoder, "bebf").0, "a b");
    assert_eq!(decoder.unknown(), 2);
}

#[test]
fn bad_blocks_end_where_they_are_bad() {
    let mut decoder = Decoder::default();
    let cases = [
        ("82be", Error::Index),
        ("8240", Error::Cut),
        ("827fffffffffff", Error::Long),
    ];
    for (block, error) in cases {
        let told = (":method GET".to_owned(), Err(error));
        assert_eq!(fields(&mut decoder, block), told, "{block}");
    }
    assert_eq!(fields(&mut decoder, "80").1, Err(Error::Index));
    assert_eq!(fields(&mut decoder, "00017f ffffff7f").1, Err(Error::Long));
}

#[test]
fn the_table_never_exceeds_its_limit() {
    let mut decoder = Decoder::default();
    decoder.allow(usize::MAX);
    assert_eq!(decoder.bytes_max, TABLE_BYTES_MAX);
    for round in 0..5000_u16 {
        let mut block = vec![0x40, 2];
        block.extend(round.to_be_bytes());
        block.extend([100].iter().chain([b'v'; 100].iter()));
        decoder.decode(&block, &mut |_, _| {}).unwrap();
        assert!(decoder.bytes <= TABLE_BYTES_MAX);
    }
    assert_eq!(fields(&mut decoder, "20").1, Ok(()));
    assert_eq!((decoder.bytes, decoder.entries.len()), (0, 0));
}

#[test]
fn an_incomplete_code_keeps_its_head() {
    let mut out = Vec::new();
    assert!(huffman::decode(&hex("f1e3c2e5f23a6ba0ab90f4ff"), &mut out));
    assert_eq!(out, b"www.example.com");
    for (coded, head) in [
        ("f1e3c2e5f23a6ba0ab90f400", "www.example.co"),
        ("ffffffff", ""),
    ] {
        out.clear();
        assert!(!huffman::decode(&hex(coded), &mut out));
        assert!(out.starts_with(head.as_bytes()), "{coded}");
    }
}

proptest::proptest! {
    #[test]
    fn random_blocks_never_panic(
        blocks in proptest::collection::vec(
            proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), 0..8),
    ) {
        let mut decoder = Decoder::default();
        for block in blocks {
            let _ = decoder.decode(&block, &mut |_, _| {});
        }
    }
}
