use super::*;

#[test]
fn reads_addresses_as_the_system_writes_them() {
    assert_eq!(
        mac_of("02:00:5e:10:00:01"),
        Some(Mac([2, 0, 0x5e, 0x10, 0, 1]))
    );
    for bad in [
        "00:00:00:00:00:00",
        "",
        "02:00",
        "02:00:5e:10:00:01:02",
        "g",
    ] {
        assert_eq!(mac_of(bad), None, "{bad}");
    }
    let line = "fe80000000000000021122fffe334455 02 40 20 80     eth0";
    let expected = (
        "eth0".to_owned(),
        "fe80::211:22ff:fe33:4455".parse().unwrap(),
    );
    assert_eq!(inet6(line), Some(expected));
    assert_eq!(inet6("fe80 02"), None);
}

#[test]
fn lists_the_loopback_interface() {
    let list = interfaces().unwrap();
    let lo = list.iter().find(|one| one.name == "lo").unwrap();
    assert!(lo.loopback && lo.mac.is_none() && lo.index > 0 && lo.mtu > 0);
    assert!(!lo.up || lo.addresses.contains(&"127.0.0.1".parse().unwrap()));
}
