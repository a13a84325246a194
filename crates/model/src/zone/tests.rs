use proptest::prelude::*;

use super::*;

fn zones(config: &[(&str, &[&str])]) -> Result<Zones, ZoneError> {
    let owned: Vec<(String, Vec<String>)> = config
        .iter()
        .map(|(name, cidrs)| {
            let cidrs = cidrs.iter().map(|cidr| (*cidr).to_owned()).collect();
            ((*name).to_owned(), cidrs)
        })
        .collect();
    Zones::new(&owned)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn the_longest_prefix_wins() {
    let zones = zones(&[
        ("site", &["10.0.0.0/8", "2001:db8::/32"]),
        ("imaging", &["10.1.0.0/16", "2001:db8:1::/48"]),
        ("ct", &["10.1.2.3"]),
    ])
    .expect("zones");
    for (address, zone) in [
        ("10.9.9.9", Some("site")),
        ("10.1.9.9", Some("imaging")),
        ("10.1.2.3", Some("ct")),
        ("11.0.0.1", None),
        ("2001:db8:2::1", Some("site")),
        ("2001:db8:1::1", Some("imaging")),
        ("2001:db9::1", None),
    ] {
        assert_eq!(zones.name_of(ip(address)), zone, "{address}");
    }
    let names: Vec<_> = zones
        .iter()
        .map(|(name, cidrs)| (name, cidrs.len()))
        .collect();
    assert_eq!(names, [("site", 2), ("imaging", 2), ("ct", 1)]);
}

#[test]
fn an_ipv6_default_route_holds_no_ipv4() {
    let zones = zones(&[("six", &["::/0"])]).expect("zones");
    assert_eq!(zones.name_of(ip("10.0.0.1")), None);
    assert_eq!(zones.name_of(ip("2001:db8::1")), Some("six"));
}

#[test]
fn without_zones_private_addresses_are_inside() {
    let zones = Zones::default();
    for (src, dst, direction) in [
        ("10.0.0.1", "172.16.3.4", LATERAL),
        ("10.0.0.1", "192.0.2.1", OUTBOUND),
        ("192.0.2.1", "192.168.1.1", INBOUND),
        ("192.0.2.1", "198.51.100.1", UNKNOWN),
        ("fd00::1", "fe80::1", LATERAL),
        ("fd00::1", "2001:db8::1", OUTBOUND),
        ("0.0.0.0", "255.255.255.255", LATERAL),
        ("10.0.0.1", "224.0.0.251", LATERAL),
    ] {
        assert_eq!(zones.direction(ip(src), ip(dst)), direction, "{src} {dst}");
    }
}

#[test]
fn with_zones_only_they_are_inside() {
    let zones = zones(&[("site", &["10.0.0.0/8", "198.51.100.0/24"])]).expect("zones");
    assert!(zones.is_inside(ip("198.51.100.7")));
    assert!(!zones.is_inside(ip("192.168.1.1")));
    assert!(zones.is_inside(ip("169.254.1.1")));
    assert_eq!(zones.direction(ip("10.0.0.1"), ip("192.168.1.1")), OUTBOUND);
    let mut connection = Connection {
        src_ip: Some(ip("10.0.0.1")),
        dst_ip: Some(ip("192.168.1.1")),
        ..Connection::default()
    };
    zones.apply(&mut connection);
    assert_eq!(connection.src_zone.as_deref(), Some("site"));
    assert_eq!(
        (connection.dst_zone, connection.direction),
        (None, OUTBOUND)
    );
}

#[test]
fn refusals_tell_the_operator_what_to_change() {
    let text = |config: &[(&str, &[&str])]| zones(config).map_err(|e| e.to_string()).err();
    assert_eq!(
        text(&[("a", &["10.0.0.0/33"])]).as_deref(),
        Some("zone a: 10.0.0.0/33 is not a prefix such as 10.1.0.0/16")
    );
    assert_eq!(
        text(&[("a", &["10.0.0.0/8"]), ("b", &["10.1.0.0/8"])]).as_deref(),
        Some("prefix 10.0.0.0/8 is in zone a and in zone b; keep it in one")
    );
    assert!(text(&[("a", &[]), ("a", &[])]).is_some());
    assert!(text(&[(" ", &[])]).is_some());
    let many = vec![("z".to_owned(), vec!["10.0.0.0/8".to_owned(); CIDRS_MAX + 1])];
    assert_eq!(Zones::new(&many), Err(ZoneError::TooMany));
}

#[test]
fn prefixes_are_read_and_written() {
    for (text, shown) in [
        ("10.1.2.3/16", "10.1.0.0/16"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::/0", "::/0"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::1", "::1/128"),
    ] {
        assert_eq!(
            text.parse::<Cidr>().map(|c| c.to_string()),
            Ok(shown.to_owned())
        );
    }
    for wrong in [
        "",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0/8",
        "::/129",
        "a/8",
        "1.2.3.4/8/8",
    ] {
        assert_eq!(wrong.parse::<Cidr>(), Err(NotCidr), "{wrong}");
    }
}

proptest! {
    #[test]
    fn zone_lookup_agrees_with_trying_every_prefix(
        prefixes in prop::collection::btree_set((any::<u32>(), 0u8..=32), 1..20),
        address in any::<u32>(),
    ) {
        let cidrs: std::collections::BTreeSet<Cidr> = prefixes
            .into_iter()
            .filter_map(|(ip, len)| Cidr::new(IpAddr::V4(ip.into()), len))
            .collect();
        let config: Vec<(String, Vec<String>)> = cidrs
            .iter()
            .map(|cidr| (cidr.to_string(), vec![cidr.to_string()]))
            .collect();
        let zones = Zones::new(&config).expect("distinct prefixes");
        let address = IpAddr::V4(address.into());
        let expected = cidrs.iter().filter(|c| c.contains(address)).max_by_key(|c| c.len());
        prop_assert_eq!(
            zones.name_of(address).map(str::to_owned),
            expected.map(ToString::to_string)
        );
    }
}
