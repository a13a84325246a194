use codec::dicom::{DEFLATED, EXPLICIT_BIG, IMPLICIT_LITTLE};
use proptest::prelude::*;

use super::*;
use crate::protocol::replay::testing::{assert_any_split, client, describe, server, tcp};
use crate::protocol::replay::{self, Piece};
use crate::protocol::{Side, replay::Outcome};

static ONLY: &[&dyn Protocol] = &[&Dicom];
const PORT: u16 = 11_112;
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const VERIFICATION: &str = "1.2.840.10008.1.1";
const STUDY_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const STUDY_GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0], length.as_slice(), body].concat()
}

fn item(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0], length.as_slice(), body].concat()
}

fn associate(kind: u8, contexts: &[Vec<u8>], name: &str) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 0];
    body.extend_from_slice(b"PACS            CT1             ");
    body.extend_from_slice(&[0; 32]);
    body.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    body.extend(contexts.concat());
    let user = [
        item(0x51, &[0, 0, 0x40, 0]),
        item(0x52, b"1.2.276.0.7230010.3.0.3.6.7"),
        item(0x55, name.as_bytes()),
    ];
    body.extend(item(0x50, &user.concat()));
    pdu(kind, &body)
}

fn proposed(id: u8, abstract_syntax: &str, transfer: &[&str]) -> Vec<u8> {
    let mut body = vec![id, 0, 0, 0];
    body.extend(item(0x30, abstract_syntax.as_bytes()));
    for syntax in transfer {
        body.extend(item(0x40, syntax.as_bytes()));
    }
    item(0x20, &body)
}

fn answered(id: u8, result: u8, transfer: &str) -> Vec<u8> {
    let mut body = vec![id, 0, result, 0];
    body.extend(item(0x40, transfer.as_bytes()));
    item(0x21, &body)
}

fn pdv(context: u8, control: u8, fragment: &[u8]) -> Vec<u8> {
    let length = u32::try_from(fragment.len() + 2).unwrap().to_be_bytes();
    [length.as_slice(), &[context, control], fragment].concat()
}

fn implicit(group: u16, element: u16, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if group == 0 { 0 } else { b' ' });
    }
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    let head = [group.to_le_bytes(), element.to_le_bytes()].concat();
    [head.as_slice(), &length, &value].concat()
}

fn explicit(group: u16, element: u16, vr: &str, value: &[u8], big: bool) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(b' ');
    }
    let two = |n: u16| {
        if big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let mut out = [two(group), two(element)].concat();
    out.extend_from_slice(vr.as_bytes());
    if matches!(vr, "OB" | "OW" | "SQ" | "UN") {
        let length = u32::try_from(value.len()).unwrap();
        out.extend([0, 0]);
        out.extend(if big {
            length.to_be_bytes()
        } else {
            length.to_le_bytes()
        });
    } else {
        out.extend(two(u16::try_from(value.len()).unwrap()));
    }
    out.extend(value);
    out
}

/// A command set from elements (element, value).
fn command(elements: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let body: Vec<u8> = elements
        .iter()
        .flat_map(|(e, v)| implicit(0, *e, v))
        .collect();
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [implicit(0, 0, &length), body].concat()
}

fn us(n: u16) -> Vec<u8> {
    n.to_le_bytes().to_vec()
}

fn request(field: u16, id: u16, class: &str, data: bool) -> Vec<u8> {
    let kind = if data { 1 } else { 0x0101 };
    command(&[
        (0x0002, class.into()),
        (0x0100, us(field)),
        (0x0110, us(id)),
        (0x0800, us(kind)),
    ])
}

fn response(field: u16, id: u16, class: &str, status: u16, data: bool) -> Vec<u8> {
    let kind = if data { 1 } else { 0x0101 };
    command(&[
        (0x0002, class.into()),
        (0x0100, us(field | 0x8000)),
        (0x0120, us(id)),
        (0x0800, us(kind)),
        (0x0900, us(status)),
        (0x1021, us(2)),
    ])
}

fn image(vr: Option<bool>) -> Vec<u8> {
    let element = |g, e, r: &str, v: &[u8]| match vr {
        None => implicit(g, e, v),
        Some(big) => explicit(g, e, r, v, big),
    };
    [
        element(0x0008, 0x0005, "CS", b"ISO_IR 100"),
        element(0x0008, 0x0060, "CS", b"CT"),
        element(0x0008, 0x0070, "LO", b"ACME"),
        element(0x0008, 0x1090, "LO", b"Scan 1"),
        element(0x0009, 0x1001, "UN", &[7; 300]),
        element(0x0010, 0x0010, "PN", b"MULLER^H\xe9l\xe8ne"),
        element(0x0010, 0x0020, "LO", b"80001"),
        element(0x0010, 0x0021, "LO", b"CHU"),
        element(0x0020, 0x000d, "UI", b"1.2.3.4"),
        element(0x7fe0, 0x0010, "OW", &[0xaa; 5000]),
    ]
    .concat()
}

const IMAGE_FACTS: &str = "modality=CT";

/// Both association PDUs: verification implicit, CT in `syntax`, find and get implicit.
fn opening(syntax: &str) -> (Vec<u8>, Vec<u8>) {
    let asked = [
        proposed(1, VERIFICATION, &[IMPLICIT_LITTLE]),
        proposed(3, CT, &[EXPLICIT, syntax]),
        proposed(5, STUDY_FIND, &[IMPLICIT_LITTLE]),
        proposed(7, STUDY_GET, &[IMPLICIT_LITTLE]),
    ];
    let answers = [
        answered(1, 0, IMPLICIT_LITTLE),
        answered(3, 0, syntax),
        answered(5, 0, IMPLICIT_LITTLE),
        answered(7, 3, ""),
    ];
    (
        associate(1, &asked, "OFFIS_DCMTK_367"),
        associate(2, &answers, "ORTHANC"),
    )
}

fn data(pdvs: &[Vec<u8>]) -> Vec<u8> {
    pdu(4, &pdvs.concat())
}

fn store(syntax: &str, image: &[u8]) -> Outcome {
    let (rq, ac) = opening(syntax);
    let (head, tail) = image.split_at(image.len().min(250));
    let rsp = data(&[pdv(3, 3, &response(1, 9, CT, 0, false))]);
    let first = data(&[pdv(3, 3, &request(1, 9, CT, true)), pdv(3, 0, head)]);
    let rest: Vec<Vec<u8>> = tail
        .chunks(700)
        .map(|part| data(&[pdv(3, 0, part)]))
        .collect();
    let last = data(&[pdv(3, 2, &[])]);
    let mut all = vec![client(&rq), server(&ac), client(&first)];
    all.extend(rest.iter().map(|pdu| client(pdu)));
    all.extend([client(&last), server(&rsp)]);
    tcp(ONLY, PORT, &all)
}

#[test]
fn association_and_echo() {
    let (rq, ac) = opening(EXPLICIT);
    let echo = data(&[pdv(1, 3, &request(0x30, 1, VERIFICATION, false))]);
    let done = data(&[pdv(1, 3, &response(0x30, 1, VERIFICATION, 0, false))]);
    let release = pdu(5, &[0; 4]);
    let released = pdu(6, &[0; 4]);
    let asked = [rq, echo, release].concat();
    let said = [ac, done, released].concat();
    let out = tcp(ONLY, 80, &[client(&asked), server(&said)]);
    assert_eq!(out.name, Some("dicom"));
    assert_eq!(
        describe(&out.drafts),
        "1/1/accepted med_standard=dicom med_operation=ASSOCIATE calling_ae=CT1 called_ae=PACS \
         med_status=accepted calling_impl=1.2.276.0.7230010.3.0.3.6.7 \
         called_impl=1.2.276.0.7230010.3.0.3.6.7 calling_impl_name=OFFIS_DCMTK_367 \
         called_impl_name=ORTHANC abstract_syntaxes=1.2.840.10008.1.1,1.2.840.10008.5.1.4.1.1.2,\
         1.2.840.10008.5.1.4.1.2.2.1,1.2.840.10008.5.1.4.1.2.2.3 \
         context_results=accepted,accepted,accepted,abstract-syntax-not-supported \
         transfer_syntaxes=1.2.840.10008.1.2,1.2.840.10008.1.2.1\n\
         2/1/0x0000 med_standard=dicom med_operation=C-ECHO calling_ae=CT1 called_ae=PACS \
         sop_class=1.2.840.10008.1.1 med_status=0x0000\n"
    );
    assert!(out.anomalies.is_empty());
}

#[test]
fn store_reads_the_head_in_every_encoding() {
    for (syntax, vr) in [
        (IMPLICIT_LITTLE, None),
        (EXPLICIT, Some(false)),
        (EXPLICIT_BIG, Some(true)),
        ("1.2.840.10008.1.2.4.70", Some(false)),
    ] {
        let image = image(vr);
        let out = store(syntax, &image);
        let text = describe(&out.drafts[1..]);
        let expected = format!(
            "3/1/0x0000 med_standard=dicom med_operation=C-STORE calling_ae=CT1 called_ae=PACS \
             sop_class={CT} med_status=0x0000 object_count=1 med_bytes={} patient=<CHU|80001> \
             patient_name=<MULLER H\u{e9}l\u{e8}ne> transfer_syntaxes={syntax} {IMAGE_FACTS} \
             manufacturer=ACME device_model=Scan 1 study_uid=1.2.3.4",
            image.len()
        );
        let (told, file) = text.split_once(" file_bytes=").unwrap();
        assert_eq!(told, expected);
        assert!(file.ends_with(" file_type=dicom\n"), "{file}");
        assert!(out.anomalies.is_empty(), "{:?}", out.anomalies);
        assert!(out.heap_bytes_max < 20_000, "{}", out.heap_bytes_max);
    }
}

#[test]
fn deflated_data_is_counted_not_read() {
    let out = store(DEFLATED, &image(Some(false)));
    assert_eq!(out.anomalies, ["dicom-deflated"]);
    assert!(!describe(&out.drafts).contains("modality"));
}

#[test]
fn find_counts_matches_and_keeps_the_keys_of_the_query() {
    let (rq, ac) = opening(EXPLICIT);
    let query = [
        implicit(8, 0x52, b"STUDY"),
        implicit(0x10, 0x10, b"DUR*"),
        implicit(0x10, 0x20, b"80001"),
        implicit(0x20, 0xd, b""),
    ]
    .concat();
    let matched = [implicit(8, 0x52, b"STUDY"), implicit(0x10, 0x20, b"99")].concat();
    let ask = data(&[
        pdv(5, 3, &request(0x20, 4, STUDY_FIND, true)),
        pdv(5, 2, &query),
    ]);
    let hit = data(&[
        pdv(5, 3, &response(0x20, 4, STUDY_FIND, 0xff00, true)),
        pdv(5, 2, &matched),
    ]);
    let end = data(&[pdv(5, 3, &response(0x20, 4, STUDY_FIND, 0, false))]);
    let said = [ac, hit.clone(), hit, end].concat();
    let out = tcp(ONLY, PORT, &[client(&rq), client(&ask), server(&said)]);
    let text = describe(&out.drafts[1..]);
    assert!(text.starts_with("4/1/0x0000 "), "{text}");
    assert!(text.contains("object_count=2"), "{text}");
    let bytes = query.len() + 2 * matched.len();
    assert!(text.contains(&format!("med_bytes={bytes} ")), "{text}");
    assert!(
        text.contains("patient=<|80001>") && text.contains("<DUR*>"),
        "{text}"
    );
    assert!(text.contains("query_level=STUDY"), "{text}");
}

#[test]
fn get_has_stores_the_other_way_and_asynchronous_answers_pair() {
    let (rq, ac) = opening(EXPLICIT);
    let query = implicit(8, 0x52, b"SERIES");
    let ask = [
        data(&[
            pdv(7, 3, &request(0x10, 1, STUDY_GET, true)),
            pdv(7, 2, &query),
        ]),
        data(&[pdv(1, 3, &request(0x30, 2, VERIFICATION, false))]),
    ]
    .concat();
    let image = image(Some(false));
    let sub = [
        data(&[pdv(3, 3, &request(1, 1, CT, true)), pdv(3, 2, &image)]),
        data(&[pdv(1, 3, &response(0x30, 2, VERIFICATION, 0, false))]),
    ]
    .concat();
    let stored = data(&[pdv(3, 3, &response(1, 1, CT, 0xa700, false))]);
    let end = data(&[pdv(7, 3, &response(0x10, 1, STUDY_GET, 0xb000, false))]);
    let pieces = [
        client(&rq),
        server(&ac),
        client(&ask),
        server(&sub),
        client(&stored),
        server(&end),
    ];
    let out = tcp(ONLY, PORT, &pieces);
    let text = describe(&out.drafts[1..]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("2/1/0x0000 "), "{text}");
    assert!(lines[1].starts_with("3/2/0xa700 "), "{text}");
    assert!(lines[1].contains("object_count=0"), "{text}");
    assert!(lines[2].starts_with("5/1/0xb000 "), "{text}");
    assert!(lines[2].contains("object_count=2"), "{text}");
}

#[test]
fn rejection_abort_and_silence_are_told() {
    let (rq, ac) = opening(EXPLICIT);
    let reject = pdu(3, &[0, 1, 1, 7]);
    let out = tcp(ONLY, PORT, &[client(&rq), server(&reject)]);
    let text = describe(&out.drafts);
    assert!(
        text.starts_with("1/2/permanent/called-ae-title-not-recognized "),
        "{text}"
    );
    assert!(text.contains("med_status=rejected"), "{text}");

    let abort = pdu(7, &[0, 0, 2, 1]);
    let out = tcp(ONLY, PORT, &[client(&rq), client(&abort)]);
    assert!(describe(&out.drafts).starts_with("1/2/abort source 2 reason 1 "));

    let echo = data(&[pdv(1, 3, &request(0x30, 1, VERIFICATION, false))]);
    let out = tcp(
        ONLY,
        PORT,
        &[client(&rq), server(&ac), client(&echo), server(&abort)],
    );
    assert!(describe(&out.drafts[1..]).starts_with("2/2/aborted "));

    let out = tcp(ONLY, PORT, &[client(&rq)]);
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(out.drafts[0].status, 0);
}

#[test]
fn the_middle_of_an_association_is_picked_up() {
    let image = image(Some(false));
    let store = data(&[pdv(3, 3, &request(1, 1, CT, true)), pdv(3, 2, &image)]);
    let done = data(&[pdv(3, 3, &response(1, 1, CT, 0, false))]);
    let out = tcp(ONLY, 80, &[client(&store), server(&done)]);
    let text = describe(&out.drafts);
    assert!(
        text.contains("C-STORE") && text.contains("patient=<CHU|80001>"),
        "{text}"
    );
    // Only the data set: believed on usual ports.
    let tail = data(&[pdv(3, 2, &image)]);
    assert_eq!(tcp(ONLY, 80, &[client(&tail)]).name, None);
    let out = tcp(ONLY, 104, &[client(&tail), server(&done)]);
    let text = describe(&out.drafts);
    assert!(
        text.contains("C-STORE") && text.contains("modality=CT"),
        "{text}"
    );
}

#[test]
fn a_gap_in_pixel_data_costs_nothing_else() {
    let (rq, ac) = opening(EXPLICIT);
    let image = image(Some(false));
    let store = data(&[pdv(3, 3, &request(1, 1, CT, true)), pdv(3, 2, &image)]);
    let echo = data(&[pdv(1, 3, &request(0x30, 2, VERIFICATION, false))]);
    let done = data(&[pdv(3, 3, &response(1, 1, CT, 0, false))]);
    let echoed = data(&[pdv(1, 3, &response(0x30, 2, VERIFICATION, 0, false))]);
    let (head, tail) = store.split_at(2000);
    let pieces = [
        client(&rq),
        server(&ac),
        client(head),
        Piece::Gap(Side::Client, 1000),
        client(&tail[1000..]),
        server(&done),
        client(&echo),
        server(&echoed),
    ];
    let out = tcp(ONLY, PORT, &pieces);
    let text = describe(&out.drafts);
    assert_eq!(out.drafts.len(), 3, "{text}");
    assert!(
        text.contains(&format!("med_bytes={} ", image.len())),
        "{text}"
    );
    assert!(text.contains("patient=<CHU|80001>"), "{text}");
}

#[test]
fn after_a_gap_over_a_boundary_the_next_command_is_found() {
    let (rq, ac) = opening(EXPLICIT);
    let image = image(Some(false));
    let store = data(&[pdv(3, 3, &request(1, 1, CT, true)), pdv(3, 2, &image)]);
    let echo = data(&[pdv(1, 3, &request(0x30, 2, VERIFICATION, false))]);
    let lost = store.len() - 2000 + 40;
    let both = [store, echo.clone(), echo].concat();
    let (head, tail) = both.split_at(2000);
    let pieces = [
        client(&rq),
        server(&ac),
        client(head),
        Piece::Gap(Side::Client, lost as u64),
        client(&tail[lost..]),
    ];
    let out = tcp(ONLY, PORT, &pieces);
    assert!(describe(&out.drafts).contains("C-ECHO"));
    assert!(out.anomalies.contains(&"dicom-resynchronised"));
}

#[test]
fn limits_hold() {
    let (rq, ac) = opening(EXPLICIT);
    let mut many = rq;
    for id in 0..1000 {
        many.extend(data(&[pdv(1, 3, &request(0x30, id, VERIFICATION, false))]));
    }
    let out = tcp(ONLY, PORT, &[server(&ac), client(&many)]);
    assert!(out.anomalies.contains(&"dicom-operations-limit"));
    assert!(out.heap_bytes_max < 1_000_000, "{}", out.heap_bytes_max);
    let long = data(&[pdv(1, 1, &vec![0; 60_000])]);
    let out = tcp(ONLY, PORT, &[client(&opening(EXPLICIT).0), client(&long)]);
    assert!(out.anomalies.contains(&"dicom-command-long"));
}

#[test]
fn what_is_not_dicom_is_refused() {
    let first = |bytes| First {
        transport: Transport::Tcp,
        side: Side::Client,
        client_port: 40_000,
        server_port: 104,
        bytes,
    };
    assert_eq!(
        Dicom.probe(&first(b"\x01\x00\x00\x00\x00\x10 BGP-ish")),
        Probe::No
    );
    assert_eq!(Dicom.probe(&first(b"GET /")), Probe::No);
    assert_eq!(Dicom.probe(&first(b"\x04\x01\x00\x50")), Probe::No);
    assert_eq!(Dicom.probe(&first(b"\x01\x00\x00")), Probe::NeedMore);
    assert_eq!(
        Dicom.probe(&first(b"\x05\x00\x00\x00\x00\x04\0\0\0\0")),
        Probe::Maybe
    );
}

fn whole_conversation() -> (Vec<u8>, Vec<u8>) {
    let (rq, ac) = opening(EXPLICIT);
    let image = image(Some(false));
    let parts: Vec<Vec<u8>> = image
        .chunks(321)
        .map(|part| data(&[pdv(3, 0, part)]))
        .collect();
    let asked = [
        rq,
        data(&[pdv(3, 3, &request(1, 1, CT, true))]),
        parts.concat(),
        data(&[
            pdv(3, 2, b""),
            pdv(1, 1, &request(0x30, 2, VERIFICATION, false)[..30]),
            pdv(1, 3, &request(0x30, 2, VERIFICATION, false)[30..]),
        ]),
        pdu(5, &[0; 4]),
    ]
    .concat();
    let said = [
        ac,
        data(&[pdv(3, 3, &response(1, 1, CT, 0, false))]),
        data(&[pdv(1, 3, &response(0x30, 2, VERIFICATION, 0, false))]),
        pdu(6, &[0; 4]),
    ]
    .concat();
    (asked, said)
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1usize..400, 1..20)) {
        let (asked, said) = whole_conversation();
        assert_any_split(ONLY, PORT, &[client(&asked), server(&said)], &cuts);
    }

    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_conversations(
        changes in prop::collection::vec((0usize..8000, any::<u8>()), 1..8),
        cuts in prop::collection::vec(1usize..900, 1..10),
        gap in 0u64..3000,
    ) {
        let (mut asked, said) = whole_conversation();
        for (at, value) in changes {
            let at = at % asked.len();
            asked[at] = value;
        }
        let (a, b) = asked.split_at(cuts[0]);
        let skip = usize::try_from(gap).unwrap().min(b.len());
        let pieces = [
            client(a),
            Piece::Gap(Side::Client, gap),
            client(&b[skip..]),
            server(&said),
        ];
        let _ = tcp(ONLY, PORT, &replay::testing::recut(&pieces, &cuts));
    }
}
