use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::class::{Body, Dns, Smb};
use crate::event::{Connection, Meta};
use crate::limit::{FIELD_BYTES_MAX, LIST_ITEMS_MAX};
use crate::record::Record as _;
use crate::sensitive::Sensitive;
use crate::testing::{Secrets, Shown, event};

fn encoded(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(encode(event, &mut out), 0);
    out
}

proptest! {
    #[test]
    fn decoding_what_was_encoded_gives_the_event(
        Shown(first) in event(Secrets::Any),
        Shown(second) in event(Secrets::Any),
    ) {
        let mut bytes = encoded(&first);
        let len = bytes.len();
        encode(&second, &mut bytes);
        let (back, used) = decode(&bytes).expect("first");
        prop_assert!(back == first);
        prop_assert_eq!(used, len);
        let (back, used) = decode(&bytes[len..]).expect("second");
        prop_assert!(back == second);
        prop_assert_eq!(len + used, bytes.len());
    }

    #[test]
    fn a_cut_frame_says_what_it_needs(Shown(event) in event(Secrets::Any), at in any::<u16>()) {
        let bytes = encoded(&event);
        let at = usize::from(at) % bytes.len();
        let need = if at < FRAME_BYTES { FRAME_BYTES } else { bytes.len() };
        prop_assert_eq!(decode(&bytes[..at]).err(), Some(DecodeError::Short { need }));
    }

    #[test]
    fn damaged_bytes_never_panic(
        Shown(event) in event(Secrets::Any),
        at in any::<u16>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encoded(&event);
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
        if let Ok((_, used)) = decode(&bytes) {
            prop_assert!(used <= bytes.len());
        }
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        let len = u32::try_from(bytes.len()).expect("short");
        let mut framed = vec![VERSION];
        framed.extend(len.to_le_bytes());
        let class = CLASSES[bytes.len() % CLASSES.len()].uid.to_le_bytes();
        bytes.iter_mut().zip(class).for_each(|(to, from)| *to = from);
        framed.append(&mut bytes);
        let _ = decode(&framed);
    }
}

#[test]
fn column_identifiers_are_unique_within_an_event_and_are_not_the_end() {
    for class in CLASSES {
        for fields in [class.fields, Connection::FIELDS] {
            let ids: BTreeSet<u16> = ids(fields).into_iter().collect();
            assert_eq!(ids.len(), fields.len(), "rename a column of {}", class.name);
            assert!(!ids.contains(&END), "rename a column of {}", class.name);
        }
    }
}

/// The format is a contract with files on disk: this frame was written by the first version.
#[test]
fn the_first_version_stays_readable() {
    let hex = include_str!("testdata/dns-v1.hex");
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("a byte"))
        .collect();
    let (event, used) = decode(&bytes).expect("a frame of version 1");
    assert_eq!(used, bytes.len());
    assert!(event == dns());
}

fn dns() -> Event {
    Event {
        meta: Meta {
            uid: crate::EventUid {
                node: crate::NodeId(7),
                seq: 9,
            },
            time: crate::Millis(1_700_000_000_123),
            logged_time: crate::Millis(-1),
            site: "chu".into(),
            activity: 2,
            severity: 1,
            status: 1,
            status_code: Some("NOERROR".into()),
            labels: vec!["replay:1".into()],
        },
        connection: Some(Box::new(Connection {
            src_ip: "10.0.0.1".parse().ok(),
            dst_ip: "2001:db8::53".parse().ok(),
            dst_port: Some(53),
            dst_mac: Some(crate::Mac([0, 1, 2, 3, 4, 5])),
            protocol: 17,
            direction: 3,
            app: "dns".into(),
            ..Connection::default()
        })),
        body: Dns {
            query: Some("pacs.chu.example".into()),
            answer_data: vec!["10.0.0.9".into()],
            answer_ttl: vec![300],
            ..Dns::default()
        }
        .into(),
    }
}

#[test]
fn the_fixture_is_what_is_written_today() {
    let hex: String = encoded(&dns()).iter().map(|b| format!("{b:02x}")).collect();
    let fixture: String = include_str!("testdata/dns-v1.hex")
        .split_whitespace()
        .collect();
    assert_eq!(hex, fixture);
}

#[test]
fn unknown_columns_are_passed_over() {
    let mut bytes = encoded(&dns());
    // Before the end mark of the body: a column that no class has.
    let end = bytes.len() - 2;
    bytes.splice(end..end, [0x34, 0x12, 4, 3, b'n', b'e', b'w']);
    let len = u32::try_from(bytes.len() - FRAME_BYTES).expect("short");
    bytes[1..FRAME_BYTES].copy_from_slice(&len.to_le_bytes());
    assert!(!body_ids(dns().body.class()).contains(&0x1234));
    assert!(decode(&bytes).is_ok_and(|(event, _)| event == dns()));
}

#[test]
fn what_is_too_long_is_cut_and_counted() {
    let mut event = dns();
    event.meta.labels = vec!["x".into(); LIST_ITEMS_MAX + 1];
    event.meta.site = "é".repeat(FIELD_BYTES_MAX).into();
    let mut bytes = Vec::new();
    assert_eq!(encode(&event, &mut bytes), 2);
    let (back, _) = decode(&bytes).expect("cut, not broken");
    assert_eq!(back.meta.labels.len(), LIST_ITEMS_MAX);
    assert_eq!(back.meta.site.len(), FIELD_BYTES_MAX);
}

#[test]
fn refusals_say_why() {
    assert_eq!(decode(&[]).err(), Some(DecodeError::Short { need: 5 }));
    assert_eq!(decode(&[9]).err(), Some(DecodeError::Version(9)));
    let long = decode(&[VERSION, 0, 0, 0, 0xff]).err();
    assert_eq!(long, Some(DecodeError::TooLong(0xff00_0000)));
    let class = decode(&[VERSION, 4, 0, 0, 0, 1, 0, 0, 0]).err();
    assert_eq!(class, Some(DecodeError::UnknownClass(1)));
    let mut bytes = encoded(&dns());
    let last = bytes.len() - 1;
    bytes[last] = 1;
    assert!(matches!(
        decode(&bytes).err(),
        Some(DecodeError::Damaged(_))
    ));
}

#[test]
fn clear_values_travel() {
    let event = Event {
        body: Body::from(Smb {
            file: Some(Sensitive::path(r"\Durand.docx")),
            ..Smb::default()
        }),
        ..dns()
    };
    assert!(decode(&encoded(&event)).is_ok_and(|(back, _)| back == event));
}
