use super::*;

const NOW: i64 = 1_700_000_000_000;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_name_waits_twice_as_long_after_each_failure_up_to_a_minute() {
    let mut throttle = Throttle::new();
    let mut now = NOW;
    let mut waits = Vec::new();
    for n in 0..12_u8 {
        // Another address each time: only the name counts.
        let from = IpAddr::from([10, 0, 0, n]);
        if let Err(wait) = throttle.begin(Some("a"), from, now) {
            waits.push(wait);
            now += i64::try_from(wait).unwrap();
            throttle.begin(Some("a"), from, now).unwrap();
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60].map(|s| s * 1_000));
}

#[test]
fn success_forgets_the_name_and_takes_back_one_of_the_address() {
    let mut throttle = Throttle::new();
    let from = ip("10.0.0.1");
    for _ in 0..40 {
        throttle.begin(Some("a"), from, NOW).unwrap();
        throttle.succeed(Some("a"), from);
    }
    for n in 0..10 {
        throttle.begin(Some(&format!("n{n}")), from, NOW).unwrap();
    }
    assert!(throttle.begin(Some("other"), from, NOW).is_err());
    assert!(throttle.begin(Some("other"), ip("10.0.0.2"), NOW).is_ok());
}

#[test]
fn ipv6_hosts_count_by_their_network() {
    let mut throttle = Throttle::new();
    for n in 0..10_u16 {
        let from = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, n));
        throttle.begin(None, from, NOW).unwrap();
    }
    assert!(
        throttle
            .begin(None, ip("2001:db8:0:1:ffff::9"), NOW)
            .is_err()
    );
    assert!(throttle.begin(None, ip("2001:db8:0:2::1"), NOW).is_ok());
}

#[test]
fn failures_are_forgotten_after_an_hour_and_a_clock_set_back_locks_nobody_out() {
    let mut throttle = Throttle::new();
    for n in 0..5_u8 {
        let _ = throttle.begin(
            Some("a"),
            IpAddr::from([10, 0, 0, n]),
            NOW + i64::from(n) * 90_000,
        );
    }
    assert!(
        throttle
            .begin(Some("a"), ip("10.9.9.9"), NOW + FORGET_MS * 2)
            .is_ok()
    );
    for n in 0..3_u8 {
        throttle
            .begin(Some("b"), IpAddr::from([10, 1, 0, n]), NOW)
            .unwrap();
    }
    let wait = throttle.begin(Some("b"), ip("10.9.9.9"), NOW - 86_400_000);
    assert_eq!(wait, Err(1_000));
}

#[test]
fn memory_is_bounded() {
    let mut throttle = Throttle::new();
    for n in 0..THROTTLE_KEYS_MAX + 10 {
        let from = IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        throttle.begin(Some(&n.to_string()), from, NOW).unwrap();
    }
    assert_eq!(throttle.names.entries.len(), THROTTLE_KEYS_MAX);
    assert_eq!(throttle.addresses.entries.len(), THROTTLE_KEYS_MAX);
}
