use proptest::prelude::*;

use super::*;
use model::Nanos;

fn unit(kind: u16, value: &[u8]) -> Vec<u8> {
    let head = kind << 9 | u16::try_from(value.len()).unwrap();
    [head.to_be_bytes().as_slice(), value].concat()
}

fn lldp() -> Vec<u8> {
    [
        unit(1, &[4, 0, 0x1b, 0x54, 1, 2, 3]),
        unit(2, b"\x05Gi1/0/7"),
        unit(3, &[0, 120]),
        unit(5, b"sw-icu-2"),
        unit(6, b"Switch OS\r\n version 5"),
        unit(7, &[0, 0x14, 0, 0x14]),
        unit(8, &[5, 1, 10, 0, 0, 2, 2, 0, 0, 0, 1, 0]),
        unit(127, b"\x00\x12\xbb\x08SN123\0"),
        unit(127, b"\x00\x12\xbb\x0aModel 9"),
        unit(127, &[0, 0x80, 0xc2, 1, 0, 30]),
        unit(0, &[]),
    ]
    .concat()
}

fn cdp() -> Vec<u8> {
    let unit = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len() + 4).unwrap();
        [&kind.to_be_bytes(), length.to_be_bytes().as_slice(), value].concat()
    };
    let addresses = [0, 0, 0, 1, 1, 1, 0xcc, 0, 4, 10, 0, 0, 9];
    [
        vec![2, 180, 0, 0],
        unit(1, b"router-1"),
        unit(2, &addresses),
        unit(3, b"Fa0/1"),
        unit(4, &[0, 0, 0, 9]),
        unit(5, b"IOS 15.2"),
        unit(6, b"cisco 2960"),
    ]
    .concat()
}

#[test]
fn lldp_describes_a_device() {
    let found = of_lldp(&lldp()).unwrap();
    assert_eq!(found.chassis, Some(Mac([0, 0x1b, 0x54, 1, 2, 3])));
    assert_eq!(found.addresses, [IpAddr::from([10, 0, 0, 2])]);
    let told: Vec<_> = found
        .attributes
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let wanted = [
        "port=Gi1/0/7",
        "hostname=sw-icu-2",
        "description=Switch OS version 5",
        "capabilities=bridge router",
        "serial=SN123",
        "model=Model 9",
        "port_vlan=30",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn cdp_describes_a_device() {
    let found = of_cdp(&cdp()).unwrap();
    assert_eq!(found.addresses, [IpAddr::from([10, 0, 0, 9])]);
    let told: Vec<_> = found
        .attributes
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let wanted = [
        "hostname=router-1",
        "port=Fa0/1",
        "capabilities=router switch",
        "software=IOS 15.2",
        "model=cisco 2960",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn a_cut_message_keeps_its_head() {
    let bytes = lldp();
    let found = of_lldp(&bytes[..30]).unwrap();
    assert_eq!(found.attributes.len(), 1);
    assert_eq!(of_lldp(&unit(2, b"\x05x")), None);
    assert_eq!(of_cdp(&[9, 0, 0, 0]), None);
}

#[test]
fn news_are_told_once() {
    let sender = Mac([2; 6]);
    let mut told = Neighbours::default();
    let mut found = of_lldp(&lldp()).unwrap();
    let first = told.note(sender, &found, Nanos(0)).unwrap();
    assert_eq!(first.asset, "00:1b:54:01:02:03");
    assert_eq!(first.hostname.as_deref(), Some("sw-icu-2"));
    assert_eq!(first.model.as_deref(), Some("Model 9"));
    assert_eq!(first.provenance_source.len(), 7);
    assert!(told.note(sender, &found, Nanos(30_000_000_000)).is_none());
    found.attributes.pop();
    assert!(told.note(sender, &found, Nanos(60_000_000_000)).is_some());
    assert!(
        told.note(sender, &found, Nanos(4_000_000_000_000))
            .is_some()
    );
    for number in 0..5000u32 {
        let [a, b, c, d] = number.to_be_bytes();
        told.note(Mac([2, 0, a, b, c, d]), &found, Nanos(0));
    }
    assert!(told.bytes() <= told::NEIGHBOURS_MAX * 96);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = of_lldp(&bytes);
        let _ = of_cdp(&bytes);
        let _ = of_lldp(&[unit(1, b"\x07x"), bytes.clone()].concat());
        let _ = of_cdp(&[vec![2, 0, 0, 0], bytes].concat());
    }
}
