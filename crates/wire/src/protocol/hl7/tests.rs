use proptest::prelude::*;

use super::*;
use crate::protocol::Side;
use crate::protocol::replay::testing::{assert_any_split, client, describe, server, tcp};
use crate::protocol::replay::{self, Piece};

static ONLY: &[&dyn Protocol] = &[&Hl7];
const PORT: u16 = 2575;

fn block(segments: &[&str]) -> Vec<u8> {
    let mut out = vec![VT];
    for segment in segments {
        out.extend_from_slice(segment.as_bytes());
        out.push(CR);
    }
    out.extend_from_slice(&[FS, CR]);
    out
}

const MSH: &str = "MSH|^~\\&|GAP|CHU^1.2.3^ISO|^1.9^ISO|CHU|2026||ADT^A01^ADT_A01|M1|P|2.5^FRA\
                   |||||FRA|8859/1";
const PID: &str = "PID|1|OLD|80001^^^CHU&1.2&ISO^AN~90002^^^ASIP&1.3&ISO^PI||DUR\\S\\ND&X^Ana^B|";

fn adt() -> Vec<u8> {
    block(&[
        MSH,
        "EVN|A01|2026",
        PID,
        "PV1|1|I|WARD^12",
        "OBX|1|TX|a|long text",
    ])
}

fn ack(code: &str, id: &str) -> Vec<u8> {
    let msa = format!("MSA|{code}|{id}");
    block(&["MSH|^~\\&|EAI|CHU|GAP|CHU|2026||ACK^A01|9|P|2.5", &msa])
}

#[test]
fn message_and_its_acknowledgement_are_one_event() {
    let (adt, ack) = (adt(), ack("AA", "M1"));
    let pieces = [client(&adt), server(&ack)];
    let out = replay::run(ONLY, Transport::Tcp, (40_000, PORT), 3_000_000, &pieces);
    assert_eq!(
        describe(&out.drafts),
        "6/1/AA med_standard=hl7v2 med_operation=MESSAGE message_type=ADT trigger=A01 \
         control_id=M1 ack_code=AA ack_delay_ms=3 med_bytes=216 sending_app=GAP \
         sending_facility=CHU receiving_app=1.9 receiving_facility=CHU patient=<ASIP|90002> \
         med_version=2.5 processing_id=P patient_name=<DUR^ND Ana B> patient_class=I \
         point_of_care=WARD sender=client file_bytes=216 file_type=hl7\n"
    );
    assert_eq!(adt.len() - 3, 216, "all but VT, FS and CR");
    assert!(out.anomalies.is_empty());
}

#[test]
fn answers_are_paired_by_control_id_in_any_order() {
    let one = adt();
    let two = String::from_utf8(adt()).unwrap().replace("|M1|", "|M2|");
    let answers = [ack("AE", "M2"), ack("AA", "M1"), ack("AR", "NONE")].concat();
    let both = [one, two.into_bytes()].concat();
    let out = tcp(ONLY, PORT, &[client(&both), server(&answers)]);
    let codes: Vec<_> = out
        .drafts
        .iter()
        .map(|d| (d.status, d.status_code.clone()))
        .collect();
    let code = |code: &'static str| Some(code.into());
    assert_eq!(codes, [(2, code("AE")), (1, code("AA")), (2, code("AR"))]);
    assert_eq!(out.anomalies, ["hl7-answer-without-message"]);
}

#[test]
fn commit_then_application_answer_gives_the_second() {
    let msh = "MSH|^~\\&|A|B|C|D|2026||ORU^R01|M1|P|2.5|||AL|AL";
    let oru = block(&[msh]);
    let answers = [ack("CA", "M1"), ack("AE", "M1")].concat();
    let out = tcp(ONLY, PORT, &[client(&oru), server(&answers)]);
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(out.drafts[0].status_code.as_deref(), Some("AE"));
}

#[test]
fn unanswered_and_bare_messages_are_emitted_at_the_end() {
    let bare = b"MSH|^~\\&|A|B|C|D|1||ADT^A08|1|P|2.3\rPID|||7^^^X\n\
                 MSH|^~\\&|A|B|C|D|1||ADT^A08|2|P|2.3\n";
    let out = tcp(ONLY, 7777, &[client(bare)]);
    assert_eq!(out.name, Some("hl7"));
    assert_eq!(out.drafts.len(), 2);
    assert!(describe(&out.drafts).contains("patient=<X|7>"));
    assert_eq!(out.drafts[0].status, 0);
}

#[test]
fn an_answer_reaches_a_message_without_its_end() {
    let mut adt = adt();
    adt.truncate(adt.len() - 2);
    let ack = ack("AA", "M1");
    let out = tcp(
        ONLY,
        PORT,
        &[client(&adt), server(&ack), client(&adt), server(&ack)],
    );
    assert_eq!(out.drafts.len(), 2);
    assert!(out.drafts.iter().all(|draft| draft.status == 1));
}

#[test]
fn responses_with_content_answer_and_are_events_themselves() {
    let query = block(&["MSH|^~\\&|A|B|C|D|1||QBP^Q22|Q1|P|2.5"]);
    let response = block(&["MSH|^~\\&|C|D|A|B|1||RSP^K22|R1|P|2.5", "MSA|AA|Q1"]);
    let out = tcp(ONLY, PORT, &[client(&query), server(&response)]);
    let text = describe(&out.drafts);
    assert!(text.contains("message_type=QBP trigger=Q22 control_id=Q1 ack_code=AA"));
    assert!(text.contains("message_type=RSP trigger=K22"));
}

#[test]
fn huge_segments_stream_over_and_batches_are_tolerated() {
    let obx = format!("OBX|1|ED|x||{}", "QUJD".repeat(500_000));
    let oru = block(&[
        "FHS|^~\\&|A",
        "BHS|^~\\&|A",
        MSH,
        &obx,
        PID,
        "BTS|1",
        "FTS|1",
    ]);
    let ack = ack("AA", "M1");
    let out = tcp(ONLY, PORT, &[client(&oru), server(&ack)]);
    assert_eq!(out.drafts.len(), 1);
    assert!(describe(&out.drafts).contains("patient=<ASIP|90002>"));
    assert!(out.heap_bytes_max < 20_000, "{}", out.heap_bytes_max);
}

#[test]
fn a_gap_keeps_the_head_and_the_next_message() {
    let (adt, ack) = (adt(), ack("AA", "M1"));
    let (head, tail) = adt.split_at(110);
    let pieces = [
        client(head),
        Piece::Gap(Side::Client, 10),
        client(&tail[10..]),
        server(&ack),
        client(&adt),
    ];
    let out = tcp(ONLY, PORT, &pieces);
    assert_eq!(out.drafts.len(), 2);
    assert_eq!(out.drafts[0].status, 1);
    assert!(describe(&out.drafts[1..]).contains("patient="));
}

#[test]
fn what_is_not_hl7_is_refused() {
    let first = |bytes| First {
        transport: Transport::Tcp,
        side: Side::Client,
        client_port: 40_000,
        server_port: 80,
        bytes,
    };
    assert_eq!(Hl7.probe(&first(b"GET / HTTP/1.1")), Probe::No);
    assert_eq!(Hl7.probe(&first(b"MSHELL is not")), Probe::No);
    assert_eq!(Hl7.probe(&first(b"\x0bMS")), Probe::NeedMore);
    assert_eq!(Hl7.probe(&first(b"MSH|^~\\&|")), Probe::Certain);
    assert_eq!(Hl7.probe(&first(b"12 MSH|^~\\&|")), Probe::Maybe);
}

#[test]
fn pending_messages_are_bounded() {
    let mut stream = Vec::new();
    for n in 0..200 {
        let msh = format!("MSH|^~\\&|A|B|C|D|1||ADT^A08|{n}|P|2.3");
        stream.extend_from_slice(&block(&[&msh]));
    }
    let out = tcp(ONLY, PORT, &[client(&stream)]);
    assert_eq!(out.drafts.len(), 200);
    assert!(out.anomalies.contains(&"hl7-pending-limit"));
}

#[test]
fn every_message_of_the_corpus_is_an_event_needs_shared() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("VIGIE_SHARED").map_or(root, std::path::PathBuf::from);
    let mut found = 0;
    for folder in ["corpora/hl7v2/simhospital", "corpora/hl7v2/fhir-converter"] {
        let Ok(files) = std::fs::read_dir(shared.join(folder)) else {
            continue;
        };
        for file in files {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            if !bytes.starts_with(b"MSH|") {
                continue;
            }
            let lines = bytes.split(|byte| matches!(*byte, CR | LF));
            let headers = lines.filter(|line| line.starts_with(b"MSH|")).count();
            let out = tcp(ONLY, PORT, &[client(&bytes)]);
            assert_eq!(out.drafts.len(), headers);
            found += headers;
        }
    }
    println!("{found} messages of the shared corpus");
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1usize..60, 1..20)) {
        let stream = [adt(), adt(), b"\r\njunk\r".to_vec(), adt()].concat();
        let answers = [ack("AA", "M1"), ack("AE", "M1"), ack("AR", "?")].concat();
        let pieces = [client(&stream), server(&answers)];
        assert_any_split(ONLY, PORT, &pieces, &cuts);
    }

    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_messages(at in 0usize..200, value: u8, len in 0usize..230) {
        let mut adt = adt();
        let at = at % adt.len();
        adt[at] = value;
        adt.truncate(len);
        let ack = ack("AA", "M1");
        tcp(ONLY, PORT, &[client(&adt), server(&ack), client(&adt)]);
    }
}
