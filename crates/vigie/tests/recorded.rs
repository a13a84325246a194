//! The recorded day and its ground truth belong together, and stay small.
//! Source: `lab/record.sh`, `lab/stretch.py`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    reason = "a failing step is a failing test"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on says where")]

#[path = "support/day.rs"]
mod day;

use std::net::Ipv4Addr;

use serde_json::Value;

/// The recording may have at most this size in the tree, and unpacked.
const PACKED_BYTES_MAX: u64 = 8 * 1024 * 1024;
const RAW_BYTES_MAX: u64 = 60_000_000;
/// Attacks of the lab.
const ATTACKS: usize = 19;

/// What the recording holds: frames of IPv4 and ARP, octets, times and IPv4 sources.
struct Held {
    packets: u64,
    octets: u64,
    frames: Vec<(i64, Option<Ipv4Addr>)>,
}

fn held() -> Held {
    let mut source = day::open().expect("the recording");
    let mut held = Held {
        packets: 0,
        octets: 0,
        frames: Vec::new(),
    };
    while let Some(frame) = source.next().expect("a whole recording") {
        let kind = frame.bytes.get(12..14);
        let counted = matches!(kind, Some([8, 0 | 6]));
        held.packets += u64::from(counted);
        held.octets += u64::from(frame.wire_len);
        let address = match (kind, frame.bytes.get(26..30)) {
            (Some([8, 0]), Some(&[a, b, c, d])) => Some(Ipv4Addr::new(a, b, c, d)),
            _ => None,
        };
        held.frames.push((frame.time.0, address));
    }
    held
}

fn truth() -> Value {
    let path = day::recording().with_file_name("day.truth.json");
    let text = std::fs::read_to_string(path).expect("the ground truth");
    serde_json::from_str(&text).expect("JSON")
}

fn nanos(event: &Value, key: &str) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
    let nanos = (event[key].as_f64().expect("seconds") * 1e9) as i64;
    nanos
}

#[test]
fn the_recording_is_small_sorted_and_what_its_truth_says() {
    let packed = std::fs::metadata(day::recording())
        .expect("the recording")
        .len();
    assert!(packed <= PACKED_BYTES_MAX, "{packed} octets packed");
    let held = held();
    assert!(
        held.octets < RAW_BYTES_MAX,
        "{} octets unpacked",
        held.octets
    );
    assert!(
        held.frames.is_sorted_by_key(|(time, _)| *time),
        "not sorted by time"
    );
    let truth = truth();
    assert_eq!(truth["format"], 1);
    assert_eq!(truth["capture"]["packets"].as_u64(), Some(held.packets));
    assert_eq!(truth["capture"]["bytes"].as_u64(), Some(held.octets));
}

#[test]
fn each_attack_left_packets_of_its_source_at_its_time() {
    let held = held();
    let truth = truth();
    let attacks = truth["attacks"].as_array().expect("attacks");
    assert_eq!(attacks.len(), ATTACKS);
    for attack in attacks {
        // ARP has no IPv4 source.
        if attack["id"] == "arp_spoof" {
            continue;
        }
        let source: Ipv4Addr = attack["src"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("an address");
        let (start, end) = (nanos(attack, "start"), nanos(attack, "end"));
        let of_it = |(time, address): &&(i64, Option<Ipv4Addr>)| {
            (start..=end).contains(time) && *address == Some(source)
        };
        let packets = held.frames.iter().filter(of_it).count();
        assert!(packets > 0, "{}: no packet of {source}", attack["id"]);
    }
}
