use proptest::prelude::*;

use super::json::{Item, Json};
use super::xml::Xml;
use crate::protocol::checks::{client, facts, only, play, server};
use crate::protocol::replay::testing::assert_any_split;
use crate::protocol::replay::{Outcome, Piece};
use crate::protocol::{Side, Transport};

fn request(line: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{line} HTTP/1.1\r\nHost: h\r\n{fields}Content-Length: {length}\r\n\r\n{body}").into()
}

fn answer(code: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {code}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn tcp(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 80, pieces)
}

/// The one medical event of an exchange that also gave its HTTP event; empty when there is none.
fn medical(pieces: &[Piece<'_>]) -> String {
    let out = tcp(pieces);
    assert_eq!(out.drafts[0].body.class().uid, 4002);
    out.drafts.get(1).map_or(String::new(), facts)
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"77","identifier":[{"type":{"text":"x"},
    "system":"urn:oid:1.2.250","value":"80\u0030\/1"},{"value":"2"}],
    "name":[{"family":"Durand","given":["Ana","Zoe"]}],"active":true}"#;

#[test]
fn a_read_names_its_patient() {
    let get = request(
        "GET /fhir/Patient/77",
        "Accept: application/fhir+json\r\n",
        "",
    );
    let ok = answer(
        "200 OK",
        "application/fhir+json; charset=utf-8",
        PATIENT.as_bytes(),
    );
    let bytes = PATIENT.len();
    assert_eq!(
        medical(&[client(&get), server(&ok)]),
        format!(
            "activity=5 status=1 med_standard=fhir med_operation=read ack_delay_ms=1 \
             med_status=200 object_count=1 med_bytes={bytes} patient=1.2.250|800/1 \
             patient_name=Durand Ana Zoe resource_type=Patient"
        )
    );
    for step in 1..40 {
        assert_any_split(only("http"), 80, &[client(&get), server(&ok)], &[step]);
    }
}

#[test]
fn a_search_counts_its_entries_and_knows_whom_it_was_about() {
    let get = request("GET /api/Observation?patient=Patient/9&code=1", "", "");
    let bundle = r#"{"resourceType":"Bundle","type":"searchset","total":40,"entry":[
        {"resource":{"resourceType":"Observation","subject":{"reference":"Patient/9"}}},
        {"resource":{"resourceType":"Observation","subject":{"reference":"Patient/9"}}}]}"#;
    let ok = answer("200 OK", "application/json", bundle.as_bytes());
    let said = medical(&[client(&get), server(&ok)]);
    assert!(said.contains("activity=4"), "{said}");
    assert!(said.contains("med_operation=search"), "{said}");
    assert!(said.contains("object_count=40"), "{said}");
    assert!(
        said.contains("patient=|9 resource_type=Observation"),
        "{said}"
    );
}

#[test]
fn several_patients_are_nobody_s() {
    let get = request("GET /fhir/Patient?name=durand", "", "");
    let bundle = r#"{"resourceType":"Bundle","entry":[
        {"resource":{"resourceType":"Patient","id":"1","name":[{"family":"A"}]}},
        {"resource":{"resourceType":"Patient","id":"2"}}]}"#;
    let ok = answer("200 OK", "application/fhir+json", bundle.as_bytes());
    let said = medical(&[client(&get), server(&ok)]);
    assert!(said.contains("object_count=2"), "{said}");
    assert!(!said.contains("patient"), "{said}");
}

#[test]
fn xml_says_the_same() {
    let get = request("GET /fhir/Patient/77", "", "");
    let xml = "<?xml version='1.0'?><Patient xmlns=\"http://hl7.org/fhir\"><id value='77'/>\
        <text><div xmlns=\"x\">a > b</div></text><identifier><system value=\"urn:oid:1.2.250\"/>\
        <value value=\"8&amp;1\"/></identifier><name><family value=\"Durand\"/></name></Patient>";
    let ok = answer("200 OK", "application/fhir+xml", xml.as_bytes());
    let said = medical(&[client(&get), server(&ok)]);
    assert!(said.contains("patient=1.2.250|8&1"), "{said}");
    assert!(
        said.contains("patient_name=Durand resource_type=Patient"),
        "{said}"
    );
    let get = request("GET /fhir/Patient", "", "");
    let xml = "<Bundle><type value=\"searchset\"/><total value=\"3\"/><entry><resource><Patient>\
        <id value=\"5\"/></Patient></resource></entry></Bundle>";
    let ok = answer("200 OK", "application/fhir+xml", xml.as_bytes());
    let said = medical(&[client(&get), server(&ok)]);
    assert!(said.contains("object_count=3"), "{said}");
    assert!(said.contains("patient=|5"), "{said}");
}

#[test]
fn interactions_follow_method_and_path() {
    for (line, body, wanted) in [
        (
            "GET /fhir/metadata",
            "",
            "activity=5 status=1 med_standard=fhir med_operation=capab",
        ),
        (
            "POST /fhir/Patient",
            PATIENT,
            "activity=3 status=1 med_standard=fhir med_operation=crea",
        ),
        (
            "PUT /fhir/Patient/77",
            PATIENT,
            "activity=7 status=1 med_standard=fhir med_operation=up",
        ),
        (
            "DELETE /fhir/Patient/77",
            "",
            "activity=7 status=1 med_standard=fhir med_operation=del",
        ),
        (
            "GET /fhir/Patient/7/_history",
            "",
            "activity=5 status=1 med_standard=fhir med_operation=h",
        ),
        ("GET /fhir/Patient/7/_history/2", "", "med_operation=vread"),
        (
            "GET /fhir/Patient/7/$everything",
            "",
            "med_operation=operation trigger=$everything",
        ),
        ("POST /fhir/Patient/_search", "", "activity=4"),
        (
            "GET /fhir/Patient/7/Observation",
            "",
            "med_operation=search",
        ),
    ] {
        let asked = request(line, "Content-Type: application/fhir+json\r\n", body);
        let ok = answer("200 OK", "application/fhir+json", b"{}");
        let said = medical(&[client(&asked), server(&ok)]);
        assert!(said.contains(wanted), "{line}: {said}");
    }
    let batch = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{}},{}]}"#;
    let asked = request(
        "POST /fhir",
        "Content-Type: application/fhir+json\r\n",
        batch,
    );
    let said = medical(&[client(&asked), server(&answer("200 OK", "text/plain", b""))]);
    assert!(said.contains("med_operation=transaction"), "{said}");
    assert!(said.contains("object_count=2"), "{said}");
}

#[test]
fn what_is_neither_gives_no_event() {
    let page = request("GET /Patient/7", "", "");
    let html = answer("200 OK", "text/html", b"<html></html>");
    assert_eq!(medical(&[client(&page), server(&html)]), "");
    let api = answer("200 OK", "application/json", br#"{"items":[1,2]}"#);
    assert_eq!(medical(&[client(&page), server(&api)]), "");
    let studies = request("GET /api/studies", "", "");
    assert_eq!(medical(&[client(&studies), server(&api)]), "");
}

#[test]
fn refusals_are_told() {
    let get = request(
        "GET /fhir/Patient/1",
        "Accept: application/fhir+json\r\n",
        "",
    );
    let no = answer(
        "403 No",
        "application/fhir+json",
        br#"{"resourceType":"OperationOutcome"}"#,
    );
    let said = medical(&[client(&get), server(&no)]);
    assert!(said.starts_with("activity=5 status=2"), "{said}");
    assert!(said.contains("med_status=403"), "{said}");
    assert!(!said.contains("object_count"), "{said}");
}

#[test]
fn a_study_search_is_one_event() {
    let get = request("GET /dicom-web/studies?PatientID=8000*&limit=5", "", "");
    let found = br#"[{"00080060":{"vr":"CS","Value":["CT"]},
        "00100010":{"vr":"PN","Value":[{"Alphabetic":"Durand^Ana"}]},
        "00100020":{"vr":"LO","Value":["80001"]},
        "0020000D":{"vr":"UI","Value":["1.2.3"]}},
        {"00100020":{"vr":"LO","Value":["80001"]},"0020000D":{"vr":"UI","Value":["1.2.4"]}}]"#;
    let ok = answer("200 OK", "application/dicom+json", found);
    let said = medical(&[client(&get), server(&ok)]);
    assert!(said.starts_with("activity=4 status=1 med_standard=dicomweb med_operation=search"));
    for wanted in [
        "object_count=2",
        "patient=|80001",
        "patient_name=Durand Ana",
        "modality=CT",
        "query_level=STUDY",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!said.contains("study_uid"), "{said}");
    for step in 1..40 {
        assert_any_split(only("http"), 80, &[client(&get), server(&ok)], &[step]);
    }
}

/// A DICOM file: preamble, meta information, a data set in explicit little endian.
fn file() -> Vec<u8> {
    fn element(group: u16, element: u16, vr: &[u8; 2], value: &str) -> Vec<u8> {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(b' ');
        }
        let mut out = Vec::new();
        out.extend(group.to_le_bytes());
        out.extend(element.to_le_bytes());
        out.extend(vr);
        out.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        out.extend(value);
        out
    }
    let meta = [
        element(2, 2, b"UI", "1.2.840.10008.5.1.4.1.1.2"),
        element(2, 0x10, b"UI", "1.2.840.10008.1.2.1"),
    ]
    .concat();
    let mut out = vec![0; 128];
    out.extend(b"DICM\x02\0\0\0UL\x04\0");
    out.extend(u32::try_from(meta.len()).unwrap().to_le_bytes());
    out.extend(meta);
    out.extend(element(8, 0x60, b"CS", "CT"));
    out.extend(element(8, 0x70, b"LO", "ACME"));
    out.extend(element(8, 0x1010, b"SH", "CT-2"));
    out.extend(element(0x10, 0x20, b"LO", "80001"));
    out.extend(element(0x18, 0x1000, b"LO", "SN9"));
    out.extend(element(0x20, 0x0d, b"UI", "1.2.3"));
    out.extend(element(0x20, 0x0e, b"UI", "1.2.3.4"));
    out
}

#[test]
fn a_store_shows_the_head_of_what_is_stored() {
    let kind = "multipart/related; type=\"application/dicom\"; boundary=b";
    let body = [
        b"--b\r\nContent-Type: application/dicom\r\n\r\n".as_slice(),
        &file(),
        &[7; 90_000],
        b"\r\n--b--",
    ]
    .concat();
    let head = format!(
        "POST /wado/studies HTTP/1.1\r\nHost: h\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         \r\n",
        body.len()
    );
    let done = br#"{"00081190":{"vr":"UR"},"00081199":{"vr":"SQ","Value":[{"00081150":
        {"vr":"UI","Value":["1"]}},{"00081150":{"vr":"UI","Value":["1"]}}]}}"#;
    let ok = answer("200 OK", "application/dicom+json", done);
    let pieces = [client(head.as_bytes()), client(&body), server(&ok)];
    let said = medical(&pieces);
    assert!(said.starts_with("activity=3 status=1 med_standard=dicomweb med_operation=store"));
    for wanted in [
        "sop_class=1.2.840.10008.5.1.4.1.1.2",
        "object_count=2",
        "patient=|80001",
        "transfer_syntaxes=1.2.840.10008.1.2.1",
        "modality=CT",
        "manufacturer=ACME",
        "station=CT-2",
        "device_serial=SN9",
        "study_uid=1.2.3",
        "series_uid=1.2.3.4",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(tcp(&pieces).heap_bytes_max < 100_000);
    assert_any_split(only("http"), 80, &pieces, &[1000, 7]);
}

#[test]
fn retrieval_takes_its_level_from_the_path() {
    for (line, wanted) in [
        ("GET /dicom-web/studies/1.2.3", "med_operation=retrieve"),
        (
            "GET /dicom-web/studies/1.2.3/series",
            "med_operation=search",
        ),
        (
            "GET /dicom-web/studies/1.2.3/series/1.2.4/instances/1.5/frames/1",
            "query_level=IMAGE",
        ),
        (
            "GET /dicom-web/studies/1.2.3/series/1.2.4/metadata",
            "series_uid=1.2.4",
        ),
        (
            "GET /wado?requestType=WADO&studyUID=1.2.3&objectUID=1.4",
            "study_uid=1.2.3",
        ),
        ("GET /dicom-web/workitems", "med_operation=worklist"),
    ] {
        let get = request(line, "", "");
        let ok = answer("200 OK", "image/jpeg", b"x");
        let said = medical(&[client(&get), server(&ok)]);
        assert!(said.contains(wanted), "{line}: {said}");
    }
}

#[test]
fn bodies_are_looked_at_within_a_bound() {
    let get = request("GET /fhir/Observation", "", "");
    let mut body = String::from(r#"{"resourceType":"Bundle","type":"searchset","entry":[{}"#);
    while body.len() < 600_000 {
        body.push_str(r#",{"resource":{"resourceType":"Observation","valueString":"abcdefgh"}}"#);
    }
    body.push_str("]}");
    let ok = answer("200 OK", "application/fhir+json", body.as_bytes());
    let out = tcp(&[client(&get), server(&ok), client(&get), server(&ok)]);
    assert_eq!(out.drafts.len(), 4, "nothing after the bound is lost");
    let said = facts(&out.drafts[1]);
    assert!(said.contains("anomalies=body-cut"), "{said}");
    assert!(out.heap_bytes_max < 64 * 1024, "{}", out.heap_bytes_max);
    let hole = [
        client(&get),
        server(&ok[..2000]),
        Piece::Gap(Side::Server, 1000),
        server(&ok[3000..]),
        client(&get),
        server(&ok),
    ];
    let out = tcp(&hole);
    assert_eq!(
        out.drafts.len(),
        4,
        "a hole inside a body costs nothing else"
    );
    let zipped = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n\
        Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz";
    let said = medical(&[client(&get), server(zipped)]);
    assert!(said.contains("anomalies=body-encoded"), "{said}");
    let chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n\
        Transfer-Encoding: chunked\r\n\r\n10\r\n{\"resourceType\":\r\n9\r\n\"Patient\"\r\n\
        d\r\n,\"id\":\"10010\"\r\n1\r\n}\r\n0\r\n\r\n";
    let get = request("GET /fhir/Patient?family=x", "", "");
    let said = medical(&[client(&get), server(chunked)]);
    assert!(said.contains("patient=|10010"), "{said}");
}

proptest! {
    #[test]
    fn scanners_take_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut say = |_: &str, _: Item<'_>| {};
        Json::default().feed(&bytes, &mut say);
        Xml::default().feed(&bytes, &mut say);
    }

    #[test]
    fn nesting_is_bounded(depth in 0_usize..5000) {
        let mut json = Json::default();
        let mut deepest = 0;
        let nested = "[{\"a\":".repeat(depth);
        json.feed(nested.as_bytes(), &mut |path, _| deepest = deepest.max(path.len()));
        prop_assert!(deepest <= super::json::DEPTH_MAX * 130);
    }
}
