#![expect(clippy::cast_possible_truncation, reason = "test data are small")]

use super::fragment::{Fragments, Origin, Whole};
use super::*;
use crate::testing;
use model::{Mac, Nanos};
use proptest::prelude::*;

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

#[test]
fn padding_is_cut_and_missing_octets_are_known() {
    let mut bytes = testing::ip4(A, B, 17, 0, b"12345");
    bytes.extend([0; 20]);
    let packet = decode_v4(&bytes).unwrap();
    assert_eq!(packet.payload, b"12345");
    assert_eq!((packet.payload_len, packet.ip_len), (5, 25));
    let packet = decode_v4(&bytes[..22]).unwrap();
    assert_eq!(packet.payload, b"12");
    assert_eq!(packet.payload_len, 5);
}

#[test]
fn options_and_offload_lengths_are_followed() {
    let mut bytes = testing::ip4(A, B, 17, 0, b"oooo12345");
    bytes[0] = 0x46;
    assert_eq!(decode_v4(&bytes).unwrap().payload, b"12345");
    bytes[2] = 0;
    bytes[3] = 0;
    assert_eq!(decode_v4(&bytes).unwrap().payload, b"12345");
    bytes[3] = 23;
    assert_eq!(decode_v4(&bytes).unwrap_err(), "ip4-length-malformed");
    bytes[0] = 0x44;
    assert_eq!(decode_v4(&bytes).unwrap_err(), "ip4-header-malformed");
}

#[test]
fn extension_headers_are_followed_to_their_limit() {
    let (a, b) = (
        "2001:db8::1".parse().unwrap(),
        "2001:db8::2".parse().unwrap(),
    );
    let hop = [17u8, 0, 0, 0, 0, 0, 0, 0];
    let packet = testing::ip(a, b, 0, &[&hop[..], b"udp"].concat());
    let decoded = decode_v6(&packet).unwrap();
    assert_eq!((decoded.protocol, decoded.payload), (17, &b"udp"[..]));
    assert_eq!((decoded.payload_len, decoded.ip_len), (3, 51));
    let authentication = [&[17u8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], b"udp"].concat();
    let packet = testing::ip(a, b, 51, &authentication);
    assert_eq!(decode_v6(&packet).unwrap().payload, b"udp");
    let flood = [60u8, 0, 0, 0, 0, 0, 0, 0].repeat(100);
    let packet = testing::ip(a, b, 60, &flood);
    let decoded = decode_v6(&packet).unwrap();
    assert_eq!(decoded.anomaly, Some("ip6-extension-limit"));
    assert_eq!(decoded.protocol, 60);
    let packet = testing::ip(a, b, 0, &[17, 9, 0, 0, 0, 0, 0, 0]);
    assert_eq!(decode_v6(&packet).unwrap_err(), "ip6-extension-short");
}

#[test]
fn an_atomic_fragment_is_whole() {
    let (a, b) = (
        "2001:db8::1".parse().unwrap(),
        "2001:db8::2".parse().unwrap(),
    );
    let packet = testing::ip(a, b, 44, &testing::fragment6(17, 0, false, 9, b"udp"));
    let decoded = decode_v6(&packet).unwrap();
    assert_eq!((decoded.part, decoded.payload), (None, &b"udp"[..]));
}

fn origin(ms: i64) -> Origin {
    Origin {
        time: Nanos(0).plus_ms(ms),
        src: Mac([1; 6]),
        dst: Mac([2; 6]),
        vlan: 0,
        tunnels: Default::default(),
    }
}

fn add(
    table: &mut Fragments,
    bytes: &[u8],
    ms: i64,
    codes: &mut Vec<&'static str>,
) -> Option<Box<Whole>> {
    let packet = if bytes[0] >> 4 == 4 {
        decode_v4(bytes)
    } else {
        decode_v6(bytes)
    }
    .ok()?;
    table.add(&packet, packet.part?, origin(ms), &mut |code| {
        codes.push(code)
    })
}

proptest! {
    #[test]
    fn fragments_in_any_order_make_the_datagram(
        blocks in 2usize..40,
        order in prop::collection::vec(any::<u32>(), 40),
        v6 in any::<bool>(),
    ) {
        let payload: Vec<u8> = (0..blocks * 8 - 3).map(|i| (i % 251) as u8).collect();
        let mut parts: Vec<(u32, Vec<u8>)> = Vec::new();
        for (i, chunk) in payload.chunks(8).enumerate() {
            let more = i + 1 < blocks;
            let offset = u16::try_from(i).unwrap();
            let bytes = if v6 {
                let (a, b) = ("::1".parse().unwrap(), "::2".parse().unwrap());
                testing::ip(a, b, 44, &testing::fragment6(17, offset * 8, more, 5, chunk))
            } else {
                testing::ip4(A, B, 17, offset | (u16::from(more) << 13), chunk)
            };
            parts.push((order[i], bytes));
        }
        parts.sort();
        let mut table = Fragments::new(1 << 20);
        let mut codes = Vec::new();
        let mut whole = None;
        for (_, bytes) in &parts {
            prop_assert!(whole.is_none());
            whole = add(&mut table, bytes, 0, &mut codes);
        }
        let whole = whole.unwrap();
        let packet = whole.packet().unwrap();
        prop_assert_eq!(packet.payload, &payload[..]);
        prop_assert_eq!(packet.payload_len as usize, payload.len());
        prop_assert_eq!(packet.frames as usize, blocks);
        prop_assert_eq!(table.bytes(), 0);
        prop_assert!(codes.is_empty());
    }
}

#[test]
fn the_first_copy_wins_for_ipv4_and_overlap_discards_for_ipv6() {
    let mut table = Fragments::new(1 << 20);
    let mut codes = Vec::new();
    assert!(
        add(
            &mut table,
            &testing::ip4(A, B, 17, 0x2000, b"aaaaaaaaaaaaaaaa"),
            0,
            &mut codes
        )
        .is_none()
    );
    let whole = add(
        &mut table,
        &testing::ip4(A, B, 17, 1, b"bbbbbbbbbbbb"),
        0,
        &mut codes,
    )
    .unwrap();
    assert_eq!(whole.packet().unwrap().payload, b"aaaaaaaaaaaaaaaabbbb");
    assert_eq!(codes, ["ip-fragment-overlap-differs"]);
    let (a, b) = ("::1".parse().unwrap(), "::2".parse().unwrap());
    let six = |offset, more, bytes: &[u8]| {
        testing::ip(a, b, 44, &testing::fragment6(17, offset, more, 1, bytes))
    };
    assert!(
        add(
            &mut table,
            &six(0, true, b"aaaaaaaaaaaaaaaa"),
            0,
            &mut codes
        )
        .is_none()
    );
    assert!(add(&mut table, &six(8, false, b"bbbbbbbbbbbb"), 0, &mut codes).is_none());
    assert!(table.is_empty());
}

#[test]
fn what_stands_before_the_hole_comes_out_at_the_timeout() {
    let mut table = Fragments::new(1 << 20);
    let mut codes = Vec::new();
    assert!(
        add(
            &mut table,
            &testing::ip4(A, B, 17, 0x2000, b"aaaaaaaa"),
            0,
            &mut codes
        )
        .is_none()
    );
    assert!(add(&mut table, &testing::ip4(A, B, 17, 9, b"zz"), 0, &mut codes).is_none());
    assert!(
        table
            .expire(Nanos(0).plus_ms(29_000), false, &mut |_| {})
            .is_none()
    );
    let whole = table
        .expire(Nanos(0).plus_ms(31_000), false, &mut |_| {})
        .unwrap()
        .unwrap();
    let packet = whole.packet().unwrap();
    assert_eq!((packet.payload, packet.payload_len), (&b"aaaaaaaa"[..], 74));
    assert!(table.is_empty());
    assert_eq!(table.bytes(), 0);
}

#[test]
fn the_fragment_table_is_bounded() {
    let mut table = Fragments::new(100_000);
    let mut codes = Vec::new();
    for i in 0..20_000u32 {
        let [a, b, c, d] = i.to_be_bytes();
        let bytes = testing::ip4([a, b, c, d], B, 17, 0x2001, b"aaaaaaaa");
        assert!(add(&mut table, &bytes, 0, &mut codes).is_none());
        while table
            .expire(Nanos(0), false, &mut |code| codes.push(code))
            .is_some()
        {}
        assert!(table.bytes() <= 100_000);
    }
    assert!(codes.contains(&"ip-fragment-table-limit"));
}
