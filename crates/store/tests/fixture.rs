//! Stores written by past versions open: one directory per format version in `testdata`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a failing step is a failing test"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use model::class::{Dns, Http};
use model::port::{AuditEntry, AuditTrail as _, Datum, EventQuery as _, Query};
use model::{Connection, Event, EventUid, Meta, Millis, NodeId, Sensitive, Text};
use vigie_store::audit::Verified;
use vigie_store::{Opening, Store, StoreConfig};

/// 2026-11-23 00:00:00 UTC.
const DAY: i64 = 1_795_392_000_000;

fn config() -> StoreConfig {
    StoreConfig {
        maintain_every_ms: 0,
        free_bytes_min: 0,
        now: || Millis(DAY),
        ..StoreConfig::default()
    }
}

fn event(n: u64) -> Event {
    let time = Millis(DAY + i64::try_from(n).unwrap());
    let uid = EventUid {
        node: NodeId(7),
        seq: n,
    };
    let meta = Meta {
        uid,
        time,
        logged_time: time,
        site: Text::Borrowed("nord"),
        ..Meta::default()
    };
    let connection = Connection {
        app: Text::Borrowed("dns"),
        ..Connection::default()
    };
    let body = if n.is_multiple_of(2) {
        Dns {
            query: Some(Text::Borrowed("pacs.example.org")),
            ..Dns::default()
        }
        .into()
    } else {
        Http {
            path: Some(Sensitive::path("/dossiers/durand.pdf")),
            ..Http::default()
        }
        .into()
    };
    Event {
        meta,
        connection: Some(Box::new(connection)),
        body,
    }
}

/// Writes the fixture of the present version; run once per format version:
/// `cargo test -p vigie-store --test fixture -- --ignored`.
#[test]
#[ignore = "writes the fixture of a new format version"]
fn write_the_fixture() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join("v1");
    let _ = std::fs::remove_dir_all(&dir);
    let store = Store::open(&dir, config()).unwrap();
    let entry = AuditEntry {
        time: DAY,
        actor: "anne".to_owned(),
        action: "sign_in".to_owned(),
        object: "console".to_owned(),
        reason: String::new(),
        outcome: "ok".to_owned(),
    };
    store.trail().record(&entry).unwrap();
    store.ingest((1..9).map(event).collect()).unwrap();
    store.flush(Duration::from_secs(60)).unwrap();
    // These stay in the log.
    store.ingest((9..13).map(event).collect()).unwrap();
    drop(store);
    std::fs::remove_file(dir.join("store.lock")).unwrap();
}

#[test]
fn every_past_version_opens() {
    let versions = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut opened = 0;
    for version in std::fs::read_dir(versions).unwrap() {
        let work = tempfile::tempdir().unwrap();
        copy(&version.unwrap().path(), work.path());
        let store = Store::open(work.path(), config()).unwrap();
        assert_eq!(store.recovery().replayed, 4);
        let search = |text: &str| {
            let query = Query {
                text: text.to_owned(),
                from: None,
                to: None,
                rows_max: 100,
                time_ms_max: 60_000,
            };
            store.rows(&query, &AtomicBool::new(false)).unwrap().rows
        };
        assert_eq!(search("select count(*) from events")[0][0], Datum::I64(12));
        assert_eq!(search("query:pacs.example.org").len(), 6);
        // The site key came along: words are still found by their tokens.
        assert_eq!(search("path:durand").len(), 6);
        let opening = Opening {
            actor: "anne",
            reason: "test",
            now: Millis(DAY),
        };
        let uid = EventUid {
            node: NodeId(7),
            seq: 11,
        };
        let clear = store.vault().reveal(uid, &opening).unwrap();
        assert_eq!(clear[0].1, "/dossiers/durand.pdf");
        assert_eq!(store.trail().verify().unwrap(), Verified::Whole(2));
        assert_eq!(
            store.ingest(vec![event(3), event(11)]).unwrap().duplicates,
            2
        );
        opened += 1;
    }
    assert!(opened > 0);
}

#[test]
fn a_newer_store_is_refused() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join("v1");
    for folder in ["catalog", "wal"] {
        let work = tempfile::tempdir().unwrap();
        copy(&source, work.path());
        let file = only_file(&work.path().join(folder));
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[8] = 200;
        std::fs::write(&file, bytes).unwrap();
        let code = Store::open(work.path(), config())
            .err()
            .map(|error| error.code());
        assert_eq!(code, Some("newer_format"), "{folder}");
    }
}

fn only_file(dir: &Path) -> PathBuf {
    std::fs::read_dir(dir)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
