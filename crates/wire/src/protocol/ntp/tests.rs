use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{client, field, hex, only, play, server, survives_mutation};
use crate::protocol::replay::fuzz;

/// 2026-11-23 10:00 in seconds since 1900, as [`crate::protocol::replay`] starts.
const NOW: u32 = 4_004_416_800;

fn packet(first: u8, stratum: u8, reference: [u8; 4], transmit: u32) -> Vec<u8> {
    let mut out = vec![first, stratum, 6, 0xec];
    out.extend(hex("00004000 00008000"));
    out.extend(reference);
    out.extend([0; 24]);
    out.extend(transmit.to_be_bytes());
    out.extend([0; 4]);
    out
}

#[test]
fn the_first_answer_is_told_and_the_rest_counted() {
    let ask = packet(0x23, 0, [0; 4], NOW);
    let answer = packet(0x24, 3, [10, 0, 0, 1], NOW + 2);
    let pieces = [client(&ask), server(&answer), client(&ask), server(&answer)];
    let out = play(Transport::Udp, 123, &pieces);
    assert_eq!(out.name, Some("ntp"));
    assert_eq!(out.drafts.len(), 2);
    let draft = &out.drafts[0];
    assert_eq!((draft.activity, draft.status), (3, 1));
    let wanted = [
        ("ntp_version", "4"),
        ("ntp_stratum_id", "2"),
        ("ntp_stratum", "3"),
        ("ntp_precision", "-20"),
        ("ntp_delay", "250"),
        ("ntp_dispersion", "500"),
        ("ntp_reference", "10.0.0.1"),
        ("ntp_offset_ms", "2000"),
        ("ntp_requests", "1"),
    ];
    for (column, value) in wanted {
        assert_eq!(field(draft, column), value, "{column}");
    }
    assert_eq!(field(&out.drafts[1], "ntp_responses"), "1");
    assert_eq!(field(&out.drafts[1], "ntp_stratum"), "");
}

#[test]
fn a_control_answer_tells_the_system() {
    let ask = hex("16020001 00000000 00000000");
    let mut answer = hex("16820001 00000000 0000");
    let text = b"version=\"ntpd 4.2.8p15\", processor=\"x86_64\",\r\nsystem=\"Linux/5\", leap=0";
    answer.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    answer.extend(text);
    let out = play(Transport::Udp, 123, &[client(&ask), server(&answer)]);
    let draft = &out.drafts[0];
    assert_eq!((draft.activity, draft.status), (6, 1));
    assert_eq!(field(draft, "ntp_operation"), "readvar");
    let system = "version=ntpd 4.2.8p15, processor=x86_64, system=Linux/5";
    assert_eq!(field(draft, "ntp_system"), system);
}

#[test]
fn monlist_is_an_anomaly() {
    let out = play(Transport::Udp, 123, &[client(&hex("1700032a 00000000"))]);
    assert_eq!(out.anomalies, ["ntp-monlist"]);
    assert_eq!((out.drafts[0].activity, out.drafts[0].status), (7, 0));
}

#[test]
fn noise_on_another_port_is_not_ntp() {
    assert_eq!(
        play(Transport::Udp, 9000, &[client(&[0x23; 48])]).name,
        None
    );
    let ask = packet(0x23, 0, [0; 4], NOW);
    assert_eq!(
        play(Transport::Udp, 9000, &[client(&ask)]).name,
        Some("ntp")
    );
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("ntp"), &bytes);
        let _ = play(Transport::Udp, 123, &[client(&bytes), server(&bytes)]);
    }

    #[test]
    fn mutated_packets_never_panic(seed in any::<u64>()) {
        survives_mutation("ntp", Transport::Udp, &packet(0x24, 3, [1; 4], NOW), seed);
    }
}
