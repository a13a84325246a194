//! Every class that Vigie writes, against the real OCSF 1.8.0 schema with the `health` extension.
//!
//! Needs Python 3 and, once, a package index: a missing one fails this test, it never skips it.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use model::class::{Body, CLASSES, Class};
use model::event::{Connection, Event, Meta};
use model::ocsf::{Clearance, write_event};
use model::record::{Field, Kind, Record as _, Value};
use model::sensitive::{Sensitive, SiteKey};
use model::{EventUid, Mac, Millis, NodeId};
use vigie_model as model;

fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("a workspace").to_owned()
}

/// A value that fits the field; protocol words where OCSF has a closed list.
fn full(field: &Field) -> Value {
    let text = match field.column {
        "http_method" => "GET",
        "tls_version" => "1.3",
        "share_type" => "disk",
        "query_type" => "AAAA",
        _ => "value",
    };
    let number = match field.column {
        "direction" => 3,
        "ip_proto" => 6,
        "rcode_id" => 3,
        "dns_opcode" => 0,
        "http_code" => 200,
        _ => 42,
    };
    match field.kind {
        Kind::Bool => Value::Bool(true),
        Kind::U16 | Kind::U32 | Kind::U64 => Value::U64(number),
        Kind::I64 => Value::I64(17),
        Kind::Text => Value::Text(text.into()),
        Kind::Ip => Value::Ip([10, 1, 2, 3].into()),
        Kind::Mac => Value::Mac(Mac([2, 0, 0, 0, 0, 1])),
        Kind::Time => Value::Time(Millis(1_760_000_000_000)),
        Kind::Sensitive => Value::Sensitive(Sensitive::path(r"\wards\north\letter.docx")),
        Kind::TextList => Value::TextList(vec![text.into(), "10.0.0.1".into()]),
        Kind::U64List => Value::U64List(vec![number, 7]),
        Kind::IpList => Value::IpList(vec![
            [10, 1, 2, 3].into(),
            "2001:db8::1".parse().expect("an address"),
        ]),
    }
}

fn meta(activity: u16, full: bool) -> Meta {
    Meta {
        uid: EventUid {
            node: NodeId(1),
            seq: 2,
        },
        time: Millis(1_760_000_000_000),
        logged_time: Millis(1_760_000_000_100),
        site: "chu-test".into(),
        activity,
        severity: 1,
        status: 1,
        status_code: full.then(|| "OK".into()),
        labels: if full {
            vec!["replay:1".into()]
        } else {
            vec![]
        },
    }
}

/// Every field set.
fn full_event(class: &'static Class, activity: u16) -> Event {
    let mut body = Body::empty(class.uid).expect("a body");
    for (index, field) in class.fields.iter().enumerate() {
        assert!(body.set(index, full(field)), "{}", field.column);
    }
    let mut connection = Connection::default();
    for (index, field) in Event::connection_fields().iter().enumerate() {
        assert!(connection.set(index, full(field)), "{}", field.column);
    }
    Event {
        meta: meta(activity, true),
        connection: class.network.then(|| Box::new(connection)),
        body,
    }
}

/// Only what every event of the class has, and one field.
fn lone_event(class: &'static Class, only: Option<usize>) -> Event {
    let mut body = Body::empty(class.uid).expect("a body");
    for (index, field) in class.fields.iter().enumerate() {
        let always = matches!(
            field.column,
            "about"
                | "med_standard"
                | "asset"
                | "smb_command"
                | "http_method"
                | "query"
                | "answers"
        );
        if always || only == Some(index) {
            assert!(body.set(index, full(field)), "{}", field.column);
        }
    }
    let connection = Connection {
        src_ip: "192.0.2.1".parse().ok(),
        dst_ip: "2001:db8::1".parse().ok(),
        protocol: 17,
        app: "unknown".into(),
        ..Connection::default()
    };
    Event {
        meta: meta(0, false),
        connection: class.network.then(|| Box::new(connection)),
        body,
    }
}

fn ndjson() -> Vec<u8> {
    let key = SiteKey::new([3; 32]);
    let mut out = Vec::new();
    for class in CLASSES {
        let known = class.activities.iter().map(|(id, _)| *id).chain([0, 99]);
        let mut events: Vec<Event> = known.map(|id| full_event(class, id)).collect();
        events.push(lone_event(class, None));
        // One by one: what an object asks for beside a field must not depend on other fields.
        events.extend((0..class.fields.len()).map(|index| lone_event(class, Some(index))));
        for mut event in events {
            write_event(&event, &mut out, Clearance::Masked);
            out.push(b'\n');
            event.mask(&key);
            write_event(&event, &mut out, Clearance::Masked);
            out.push(b'\n');
        }
    }
    out
}

/// Whether the validator accepts these events, and what it says.
fn validate(events: Vec<u8>) -> (bool, String) {
    let root = workspace();
    let cache =
        std::env::var_os("VIGIE_DEV_CACHE").map_or_else(|| root.join(".dev/cache"), PathBuf::from);
    let mut validator = Command::new("python3")
        .arg(root.join("testkit/ocsf/validate.py"))
        .arg(cache)
        .arg(root.join("docs/ocsf-health"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 must be installed to validate against OCSF");
    let mut input = validator.stdin.take().expect("a pipe");
    // The validator reads standard input only after its environment stands, or not at all.
    let feeder = std::thread::spawn(move || drop(input.write_all(&events)));
    let done = validator.wait_with_output().expect("the validator ends");
    feeder.join().expect("a thread");
    let out = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    (done.status.success(), format!("{out}\n{errors}"))
}

#[test]
fn every_class_validates_against_ocsf() {
    let events = ndjson();
    let lines = events.iter().filter(|byte| **byte == b'\n').count();
    let text = String::from_utf8(events.clone()).expect("utf-8");
    let (valid, said) = validate(events);
    assert!(valid, "{said}");
    assert!(
        said.contains(&format!("{lines} events, 0 errors")),
        "{said}"
    );
    // The check itself works: each of these has one error.
    let of_network = |line: &&str| line.contains("\"class_uid\":4001");
    let line = text.lines().find(of_network).expect("an event");
    let wrong = [
        line.replace("\"severity_id\":1", "\"severity_id\":77"),
        line.replace("\"time\":", "\"when\":1,\"time\":"),
        line.replace("\"activity_name\":\"Open\"", "\"activity_name\":\"Shut\""),
        line.replace("\"class_uid\":4001", "\"class_uid\":4999"),
    ];
    let (valid, said) = validate(wrong.join("\n").into_bytes());
    assert!(!valid && said.contains("4 events, 4 errors"), "{said}");
}

/// The extension's `medical` object and the class that Vigie writes have the same attributes.
#[test]
fn the_health_extension_describes_what_is_written() {
    let root = workspace().join("docs/ocsf-health");
    let read = |name: &str| {
        let text = std::fs::read_to_string(root.join(name)).expect("a file of the extension");
        serde_json::from_str::<serde_json::Value>(&text).expect("json")
    };
    let object = read("objects/medical.json");
    let described: Vec<&String> = object["attributes"]
        .as_object()
        .expect("attributes")
        .keys()
        .collect();
    let class = Class::of_name("medical_exchange_activity").expect("the class");
    let mut written: Vec<&str> = class
        .fields
        .iter()
        .filter_map(|field| field.path.strip_prefix("medical."))
        .collect();
    written.sort_unstable();
    assert_eq!(described, written);
    let event = read("events/medical_exchange_activity.json");
    let activities = event["attributes"]["activity_id"]["enum"]
        .as_object()
        .expect("activities");
    for (id, name) in class.activities {
        assert_eq!(activities[&id.to_string()]["caption"], *name);
    }
    assert_eq!(activities.len(), class.activities.len());
    assert_eq!(
        read("extension.json")["uid"].to_string(),
        model::ocsf::HEALTH_UID
    );
    assert_eq!(
        read("extension.json")["version"],
        model::ocsf::HEALTH_VERSION
    );
}
