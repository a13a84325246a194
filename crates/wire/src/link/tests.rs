use super::*;
use crate::testing;
use model::Nanos;

fn of(link: LinkType, bytes: &[u8]) -> Result<Layer3<'_>, Refusal> {
    decode(&Frame {
        link,
        ..testing::frame(Nanos(0), 1, bytes)
    })
}

#[test]
fn tags_are_taken_off_and_the_outer_one_is_kept() {
    let mut bytes = testing::ethernet([1; 6], [2; 6], 0x88a8, &[]);
    bytes.extend([0x20, 100, 0x81, 0, 0, 7, 8, 0, 0x45]);
    let layer = of(LinkType::ETHERNET, &bytes).unwrap();
    assert_eq!((layer.ethertype, layer.vlan), (ETHERTYPE_IP4, 100));
    assert_eq!(layer.bytes, [0x45]);
    assert_eq!((layer.src, layer.dst), (Mac([1; 6]), Mac([2; 6])));
}

#[test]
fn the_kernels_tag_is_the_outer_one() {
    let bytes = testing::ethernet([1; 6], [2; 6], 0x8100, &[0, 7, 8, 0, 0x45]);
    let frame = Frame {
        vlan: Some(42),
        ..testing::frame(Nanos(0), 1, &bytes)
    };
    assert_eq!(decode(&frame).unwrap().vlan, 42);
}

#[test]
fn endless_tags_are_refused() {
    let mut bytes = testing::ethernet([1; 6], [2; 6], 0x8100, &[]);
    bytes.extend([0, 1, 0x81, 0].repeat(9));
    let refusal = Refusal::Code("link-vlan-tags-limit");
    assert_eq!(of(LinkType::ETHERNET, &bytes).unwrap_err(), refusal);
}

#[test]
fn every_link_type_finds_its_packet() {
    let ip4 = [0x45, 0, 0, 1];
    let cases: &[(LinkType, &[u8])] = &[
        (LinkType::RAW, &[]),
        (LinkType::IPV4, &[]),
        (LinkType::NULL, &[2, 0, 0, 0]),
        (LinkType::NULL, &[0, 0, 0, 2]),
        (LinkType::LOOP, &[0, 0, 0, 2]),
        (LinkType::PPP, &[0xff, 3, 0, 0x21]),
        (LinkType::PPP, &[0x21]),
        (LinkType::C_HDLC, &[0x0f, 0, 8, 0]),
        (
            LinkType::LINUX_SLL,
            &[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0],
        ),
        (
            LinkType::LINUX_SLL2,
            &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0],
        ),
        (
            LinkType::ETHERNET,
            &[
                1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 12, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0,
            ],
        ),
        (
            LinkType::ETHERNET,
            &[
                1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0, 0x21,
            ],
        ),
    ];
    for (link, head) in cases {
        let bytes = [head, &ip4[..]].concat();
        let layer = of(*link, &bytes).unwrap();
        assert_eq!(layer.ethertype, ETHERTYPE_IP4, "{link:?}");
        assert_eq!(layer.bytes, ip4, "{link:?}");
    }
}

#[test]
fn what_is_not_known_is_refused() {
    assert_eq!(of(LinkType(105), &[0; 64]).unwrap_err(), Refusal::Link);
    let eapol = testing::ethernet([1; 6], [2; 6], 0x888e, &[0; 40]);
    let other = Refusal::Code("link-other");
    assert_eq!(of(LinkType::ETHERNET, &eapol).unwrap_err(), other);
    let short = Refusal::Code("link-short");
    assert_eq!(of(LinkType::ETHERNET, &[0; 9]).unwrap_err(), short);
}

#[test]
fn bindings_are_told_once_on_change_and_every_hour() {
    let mut table = binding::Bindings::default();
    let said = |mac: u8, op: u16, ip: [u8; 4]| {
        arp::of_arp(&testing::arp(op, [2, 0, 0, 0, 0, mac], ip, [10, 0, 0, 9]))
    };
    let one = said(1, 2, [10, 0, 0, 1]).unwrap();
    assert!(table.note(&one, Nanos(0)).is_some());
    assert!(table.note(&one, Nanos(1_000_000_000)).is_none());
    assert!(table.note(&one, Nanos(3_600_000_000_000)).is_some());
    let two = said(2, 1, [10, 0, 0, 1]).unwrap();
    let news = table.note(&two, Nanos(3_600_000_000_001)).unwrap();
    assert_eq!(news.provenance_source, ["ARP"]);
    assert_eq!(news.provenance_value, ["02:00:00:00:00:02"]);
    assert!(said(1, 1, [0; 4]).is_none(), "a probe");
    assert!(said(1, 1, [224, 0, 0, 1]).is_none(), "a group");
    let group = testing::arp(2, [3, 0, 0, 0, 0, 1], [10, 0, 0, 1], [10, 0, 0, 2]);
    assert!(arp::of_arp(&group).is_none());
}

#[test]
fn bindings_are_bounded() {
    let mut table = binding::Bindings::default();
    for i in 0..40_000u32 {
        let [a, b, c, d] = (0x0a00_0001 + i).to_be_bytes();
        let said = testing::arp(1, [2, 0, 0, 0, 0, 1], [a, b, c, d], [10, 0, 0, 9]);
        assert!(table.note(&arp::of_arp(&said).unwrap(), Nanos(0)).is_some());
    }
    assert!(table.bytes() <= 16_384 * 128);
}

#[test]
fn neighbours_are_bound_by_their_options() {
    let src = "fe80::1".parse().unwrap();
    let mut advertisement = vec![136, 0, 0, 0, 0x60, 0, 0, 0];
    advertisement.extend("fe80::2".parse::<std::net::Ipv6Addr>().unwrap().octets());
    advertisement.extend([1, 1, 9, 9, 9, 9, 9, 9, 2, 1, 2, 0, 0, 0, 0, 5]);
    let bound = arp::of_nd(src, 255, &advertisement).unwrap();
    assert_eq!(bound.ip.to_string(), "fe80::2");
    assert_eq!(bound.mac, Mac([2, 0, 0, 0, 0, 5]));
    assert_eq!(bound.source, "ND");
    assert!(arp::of_nd(src, 64, &advertisement).is_none(), "routed");
    let solicitation = [&[133, 0, 0, 0, 0, 0, 0, 0, 1, 1][..], &[2, 0, 0, 0, 0, 7]].concat();
    let bound = arp::of_nd(src, 255, &solicitation).unwrap();
    assert_eq!(bound.ip.to_string(), "fe80::1");
    let probe = "::".parse().unwrap();
    assert!(arp::of_nd(probe, 255, &solicitation).is_none());
    let endless = [&[133, 0, 0, 0, 0, 0, 0, 0][..], &[14, 0].repeat(40)].concat();
    assert!(arp::of_nd(src, 255, &endless).is_none());
}
