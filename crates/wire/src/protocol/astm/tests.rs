use proptest::prelude::*;

use crate::protocol::checks::{client, facts, only, play, server, survives_mutation};
use crate::protocol::replay::testing::assert_any_split;
use crate::protocol::replay::{Outcome, Piece, fuzz};
use crate::protocol::{Side, Transport};

/// A frame with its checksum.
fn frame(number: u8, text: &str, last: bool) -> Vec<u8> {
    let mut body = vec![b'0' + number];
    body.extend(text.as_bytes());
    body.push(if last { 3 } else { 23 });
    let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let mut out = vec![2];
    out.extend(body);
    out.extend(format!("{sum:02X}\r\n").bytes());
    out
}

const HEADER: &str = "H|\\^&|M7|secret|XN-1000^00-12^11093|||||LIS||P|LIS2-A2|20261123\r";

fn tcp(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 4001, pieces)
}

/// An analyser that sends two results, each frame acknowledged.
fn conversation() -> Vec<(Side, Vec<u8>)> {
    let mut out = vec![(Side::Client, vec![5]), (Side::Server, vec![6])];
    let texts = [
        HEADER,
        "P|1|80001^^^||x|Durand^Ana||1980\r",
        "O|1|S77||^^^GLU\r",
        "R|1|^^^GLU|5.4|mmol/L\rR|2|^^^K|4.",
        "1|mmol/L\rL|1|N\r",
    ];
    for (number, text) in (1..).zip(texts) {
        out.push((Side::Client, frame(number, text, number != 4)));
        out.push((Side::Server, vec![6]));
    }
    out.push((Side::Client, vec![4]));
    out
}

fn pieces(conversation: &[(Side, Vec<u8>)]) -> Vec<Piece<'_>> {
    conversation
        .iter()
        .map(|(side, bytes)| Piece::Bytes(*side, bytes))
        .collect()
}

#[test]
fn a_message_is_one_event() {
    let all = conversation();
    let out = tcp(&pieces(&all));
    assert_eq!(out.name, Some("astm"));
    assert_eq!(out.anomalies, Vec::<&str>::new());
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(
        facts(&out.drafts[0]),
        "activity=6 status=1 med_standard=astm med_operation=MESSAGE control_id=M7 ack_code=ACK \
         ack_delay_ms=1 object_count=2 med_bytes=160 sending_app=XN-1000 receiving_app=LIS \
         patient=|80001 med_version=LIS2-A2 processing_id=P patient_name=Durand Ana \
         device_model=XN-1000 resource_type=result device_serial=11093 device_software=00-12 \
         sender=client anomalies=astm-password"
    );
}

#[test]
fn a_frame_that_is_sent_again_counts_once() {
    let mut all = conversation();
    // The result's frame is refused, then sent again.
    all.insert(9, (Side::Server, vec![21]));
    all.insert(10, (all[8].0, all[8].1.clone()));
    let out = tcp(&pieces(&all));
    assert!(facts(&out.drafts[0]).contains("object_count=2"));
    assert_eq!(out.drafts[0].status, 1);
    // The acknowledgement was lost: the same frame comes once more.
    let mut all = conversation();
    all.insert(10, (all[8].0, all[8].1.clone()));
    all.insert(11, (Side::Server, vec![6]));
    let out = tcp(&pieces(&all));
    assert!(facts(&out.drafts[0]).contains("object_count=2"));
}

#[test]
fn the_server_may_send_and_checksums_are_checked() {
    let order = format!("{HEADER}P|1\rO|1|S1||^^^GLU\rO|2|S1||^^^K\rL|1\r");
    let mut bad = frame(1, &order, true);
    let at = bad.len() - 3;
    bad[at] = b'!';
    let out = tcp(&[
        client(&[5]),
        server(&[21]),
        client(&[4]),
        server(&[5]),
        client(&[6]),
        server(&bad),
        client(&[21]),
        server(&[4]),
    ]);
    let said = facts(&out.drafts[0]);
    assert_eq!(out.drafts[0].status, 0, "{said}");
    assert!(said.contains("sender=server"), "{said}");
    assert!(said.contains("resource_type=order"), "{said}");
    assert!(said.contains("object_count=2"), "{said}");
    assert!(!said.contains("device_serial"), "{said}");
    assert_eq!(out.anomalies, ["astm-checksum"]);
}

#[test]
fn bare_records_are_read_too() {
    let all = format!("{HEADER}Q|1|^S1||ALL\rL|1|N\r").replace('\r', "\r\n");
    let out = tcp(&[client(all.as_bytes()), client(all.as_bytes())]);
    assert_eq!(out.name, Some("astm"));
    assert_eq!(out.drafts.len(), 2);
    assert!(facts(&out.drafts[0]).contains("resource_type=query"));
}

#[test]
fn any_split_gives_the_same() {
    let all = conversation();
    for step in 1..30 {
        assert_any_split(only("astm"), 4001, &pieces(&all), &[step]);
    }
}

#[test]
fn others_are_not_taken() {
    for bytes in [
        &b"\x05\x01\x00"[..],
        b"HELO x\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"H\x02abc",
    ] {
        assert_ne!(tcp(&[client(bytes), client(bytes)]).name, Some("astm"));
    }
}

#[test]
fn memory_is_bounded() {
    let mut all = vec![2, b'1'];
    all.extend(HEADER.bytes());
    let filler = vec![b'x'; 200_000];
    let out = tcp(&[client(&all), client(&filler), client(&filler)]);
    assert!(out.heap_bytes_max < 300_000, "{}", out.heap_bytes_max);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("astm"), &bytes);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        let all: Vec<u8> = conversation().into_iter().flat_map(|(_, bytes)| bytes).collect();
        survives_mutation("astm", Transport::Tcp, &all, seed);
    }
}
