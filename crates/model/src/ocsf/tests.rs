use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::plan::{BODY_SLOT, Plan};
use super::write::COLUMNS_MAX;
use super::*;
use crate::class::{CLASSES, Dns, Http, Network, Smb};
use crate::event::{Connection, Event, Meta};
use crate::record::{Field, Record as _};
use crate::sensitive::{Sensitive, SiteKey};
use crate::testing::{Secrets, Shown, event};
use crate::time::Millis;

fn written(event: &Event, clearance: Clearance) -> Json {
    let mut out = Vec::new();
    write_event(event, &mut out, clearance);
    serde_json::from_slice(&out).expect("valid json")
}

fn all_fields(class: &crate::Class) -> Vec<&'static Field> {
    let connection = if class.network {
        Connection::FIELDS
    } else {
        &[]
    };
    connection.iter().chain(class.fields).collect()
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_the_event(Shown(event) in event(Secrets::Masked)) {
        let mut out = Vec::new();
        write_event(&event, &mut out, Clearance::Masked);
        let text = String::from_utf8(out).expect("utf-8");
        let back = read_event(&text);
        prop_assert!(back.is_ok(), "{:?} in {text}", back.err());
        prop_assert!(back.is_ok_and(|back| back == event), "{text}");
    }

    #[test]
    fn one_writer_writes_what_fresh_ones_write(
        events in prop::collection::vec(event(Secrets::Any), 1..4),
    ) {
        let (mut one, mut fresh) = (Vec::new(), Vec::new());
        let mut writer = EventWriter::default();
        for Shown(event) in &events {
            writer.write(event, &mut one, Clearance::Masked);
            write_event(event, &mut fresh, Clearance::Masked);
        }
        prop_assert_eq!(one, fresh);
    }

    #[test]
    fn the_reader_refuses_without_panic(text in "\\PC{0,64}") {
        prop_assert!(read_event(&text).is_err());
    }

    #[test]
    fn no_object_has_a_key_twice(Shown(event) in event(Secrets::Any)) {
        let mut out = Vec::new();
        write_event(&event, &mut out, Clearance::Masked);
        let json: Json = serde_json::from_slice(&out).expect("valid json");
        // A repeated key would be lost in `Json`: then its compact form is shorter.
        let compact = serde_json::to_string(&json).expect("json");
        prop_assert_eq!(compact.len(), out.len());
    }
}

#[test]
fn path_groups_are_contiguous_and_columns_unique() {
    for class in CLASSES {
        let fields = all_fields(class);
        let columns: BTreeSet<_> = fields.iter().map(|field| field.column).collect();
        assert_eq!(
            columns.len(),
            fields.len(),
            "column twice in {}",
            class.name
        );
        let paths: BTreeSet<_> = fields.iter().map(|field| field.path).collect();
        assert_eq!(paths.len(), fields.len(), "path twice in {}", class.name);
        for unmapped in [false, true] {
            let paths = fields.iter().map(|field| field.path);
            let paths = paths.filter(|path| path.starts_with("unmapped.") == unmapped);
            contiguous(class.name, &paths.collect::<Vec<_>>());
        }
        assert!(class.fields.len() <= BODY_SLOT, "{}", class.name);
        assert!(Plan::of(class).is_some(), "{}", class.name);
    }
    assert!(Connection::FIELDS.len() <= BODY_SLOT);
}

fn contiguous(class: &str, paths: &[&str]) {
    let mut closed = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    for path in paths {
        let mut parts: Vec<&str> = path.split('.').collect();
        parts.pop();
        let around: Vec<String> = (1..=parts.len()).map(|n| parts[..n].join(".")).collect();
        for done in open.iter().filter(|done| !around.contains(done)) {
            closed.insert(done.clone());
        }
        for object in &around {
            assert!(
                !closed.contains(object),
                "{class}: {object} is split at {path}"
            );
        }
        open = around;
    }
}

#[test]
fn lists_of_objects_have_few_columns_and_hold_no_sensitive_value() {
    for class in CLASSES {
        let mut counts = std::collections::BTreeMap::new();
        for field in all_fields(class) {
            if let Some((list, _)) = field.path.split_once("[].") {
                *counts.entry(list).or_insert(0) += 1;
                assert_ne!(field.kind, crate::Kind::Sensitive, "{}", field.path);
            }
        }
        assert!(counts.values().all(|count| *count <= COLUMNS_MAX));
    }
}

fn smb(share: Sensitive) -> Event {
    Event {
        meta: Meta {
            time: Millis(1_700_000_000_123),
            site: "chu".into(),
            activity: 2,
            severity: 1,
            ..Meta::default()
        },
        connection: Some(Box::new(Connection {
            src_ip: "10.0.0.1".parse().ok(),
            protocol: 6,
            direction: 3,
            app: "smb".into(),
            ..Connection::default()
        })),
        body: Smb {
            command: "CREATE".into(),
            file: Some(share),
            ..Smb::default()
        }
        .into(),
    }
}

#[test]
fn a_clear_value_is_never_printed_behind_a_masked_door() {
    let mut event = smb(Sensitive::path(r"\dossiers\Durand.docx"));
    let masked = written(&event, Clearance::Masked).to_string();
    assert!(
        !masked.contains("Durand") && masked.contains(HIDDEN),
        "{masked}"
    );
    let clear = written(&event, Clearance::Clear);
    assert_eq!(clear["file"]["path"], r"\dossiers\Durand.docx");
    assert_eq!(clear["file"]["name"], "Durand.docx");
    assert!(clear["unmapped"]["tokens"].is_null());

    event.mask(&SiteKey::new([1; 32]));
    let masked = written(&event, Clearance::Clear);
    assert_eq!(masked["file"]["path"], r"\{8}\{6}.docx");
    assert_eq!(masked["file"]["name"], "{6}.docx");
    let tokens = masked["unmapped"]["tokens"]["file_path"].as_array();
    assert!(
        tokens.is_some_and(|tokens| tokens.len() == 3 && tokens[0].as_str().unwrap().len() == 16)
    );
}

#[test]
fn the_head_says_who_when_and_what() {
    let json = written(&smb(Sensitive::path("x")), Clearance::Masked);
    assert_eq!(json["type_uid"], 400_602);
    assert_eq!(json["activity_name"], "File Open");
    assert_eq!(json["class_name"], "SMB Activity");
    assert_eq!(json["category_name"], "Network Activity");
    assert_eq!(json["metadata"]["product"]["name"], "Vigie");
    assert_eq!(json["metadata"]["version"], OCSF_VERSION);
    assert_eq!(json["metadata"]["tenant_uid"], "chu");
    assert_eq!(json["metadata"]["uid"], "00000000-0000000000000000");
    assert_eq!(json["connection_info"]["protocol_name"], "tcp");
    assert_eq!(json["connection_info"]["direction"], "Lateral");
}

#[test]
fn columns_are_zipped_into_objects_and_scalars_become_one_object() {
    let mut event = smb(Sensitive::path("x"));
    event.body = Dns {
        query: Some("a.example".into()),
        opcode: Some(9),
        answer_data: vec!["192.0.2.1".into(), "192.0.2.2".into()],
        answer_type: vec!["A".into(), "A".into()],
        answer_ttl: vec![60],
        ..Dns::default()
    }
    .into();
    let json = written(&event, Clearance::Masked);
    assert_eq!(
        json["answers"].to_string(),
        r#"[{"rdata":"192.0.2.1","ttl":60,"type":"A"},{"rdata":"192.0.2.2","type":"A"}]"#
    );
    assert_eq!(json["query"]["opcode_id"], 99);
    assert_eq!(json["unmapped"]["codes"]["dns_opcode"], 9);
    event.body = Network {
        about: "tls".into(),
        tls_cert_sha256: Some("ab".into()),
        ..Network::default()
    }
    .into();
    let json = written(&event, Clearance::Masked);
    assert_eq!(json["tls"]["version"], "Unknown");
    assert_eq!(json["tls"]["certificate"]["fingerprints"][0]["value"], "ab");
    assert_eq!(
        json["tls"]["certificate"]["fingerprints"][0]["algorithm_id"],
        3
    );
    assert_eq!(json["tls"]["certificate"]["issuer"], "Unknown");
    assert_eq!(json["unmapped"]["about"], "tls");
}

#[test]
fn clear_values_read_back_are_clear_and_hidden_ones_are_absent() {
    let mut event = smb(Sensitive::path("x"));
    event.body = Http {
        path: Some(Sensitive::path("/patients/Durand")),
        ..Http::default()
    }
    .into();
    let mut out = Vec::new();
    write_event(&event, &mut out, Clearance::Clear);
    let back = read_event(std::str::from_utf8(&out).expect("utf-8")).ok();
    assert!(back.is_some_and(|back| back == event));
    out.clear();
    write_event(&event, &mut out, Clearance::Masked);
    let back = read_event(std::str::from_utf8(&out).expect("utf-8")).ok();
    let crate::Body::Http(http) = back.expect("an event").body else {
        panic!("http");
    };
    assert!(http.path.is_none());
}

#[test]
fn wrong_lines_say_what_is_wrong() {
    assert!(matches!(read_event("{"), Err(ReadError::NotJson { .. })));
    assert_eq!(
        read_event("[]").err(),
        Some(ReadError::NotJson { column: 0 })
    );
    assert_eq!(read_event("{}").err(), Some(ReadError::UnknownClass));
    let line =
        r#"{"class_uid":4003,"rcode_id":"x","metadata":{"uid":"00000000-0000000000000000"}}"#;
    assert_eq!(
        read_event(line).err(),
        Some(ReadError::WrongValue { path: "rcode_id" })
    );
    let long = " ".repeat(READ_BYTES_MAX + 1);
    assert_eq!(
        read_event(&long).err(),
        Some(ReadError::TooLong {
            bytes: READ_BYTES_MAX + 1
        })
    );
}
