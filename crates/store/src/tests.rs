//! The store as a whole.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use model::port::{Datum, EventQuery as _, Query, Rows};
use model::{Event, Millis, NodeId};

use crate::testdata::{DAY, dns, http, inventory, network};
use crate::{Store, StoreConfig};

mod care;
mod queries;

pub(crate) fn config() -> StoreConfig {
    StoreConfig {
        maintain_every_ms: 0,
        free_bytes_min: 0,
        now: || Millis(DAY + 3_600_000),
        ..StoreConfig::default()
    }
}

pub(crate) fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(dir.path(), config()).unwrap()
}

pub(crate) fn mixed(from: u64, to: u64) -> Vec<Event> {
    (from..to)
        .map(|n| match n % 4 {
            0 => network(n),
            1 => http(n),
            2 => dns(n),
            _ => inventory(n),
        })
        .collect()
}

pub(crate) fn query(text: &str) -> Query {
    Query {
        text: text.to_owned(),
        from: None,
        to: None,
        rows_max: 10_000,
        time_ms_max: 60_000,
    }
}

pub(crate) fn rows(store: &Store, text: &str) -> Rows {
    match store.rows(&query(text), &AtomicBool::new(false)) {
        Ok(rows) => rows,
        Err(error) => panic!("{text}: {error:?}"),
    }
}

pub(crate) fn count(store: &Store, text: &str) -> i64 {
    let found = rows(store, text).rows[0][0].clone();
    let Datum::I64(n) = found else {
        panic!("{text}: {found:?}")
    };
    n
}

#[test]
fn an_acknowledged_event_is_found_at_once_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let ack = store.ingest(mixed(1, 1001)).unwrap();
    assert_eq!((ack.accepted, ack.duplicates), (1000, 0));
    assert_eq!(count(&store, "select count(*) from events"), 1000);
    drop(store);
    let store = open(&dir);
    assert_eq!(store.recovery().replayed, 1000);
    assert_eq!(count(&store, "select count(*) from events"), 1000);
    store.flush(Duration::from_secs(60)).unwrap();
    assert_eq!(count(&store, "select count(*) from events"), 1000);
    assert_eq!(store.status().wal_bytes, 0);
    drop(store);
    let store = open(&dir);
    assert_eq!(store.recovery().replayed, 0);
    assert_eq!(count(&store, "select count(*) from events"), 1000);
    assert_eq!(
        count(&store, "select count(distinct seq) from events"),
        1000
    );
}

#[test]
fn an_event_sent_twice_is_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ingest(mixed(1, 101)).unwrap();
    let ack = store.ingest(mixed(51, 151)).unwrap();
    assert_eq!((ack.accepted, ack.duplicates), (50, 50));
    store.flush(Duration::from_secs(60)).unwrap();
    let ack = store.ingest(mixed(1, 201)).unwrap();
    assert_eq!((ack.accepted, ack.duplicates), (50, 150));
    let mut twice = mixed(300, 310);
    twice.extend(mixed(300, 310));
    let ack = store.ingest(twice).unwrap();
    assert_eq!((ack.accepted, ack.duplicates), (10, 10));
    assert_eq!(count(&store, "select count(*) from events"), 210);
    drop(store);
    let store = open(&dir);
    assert_eq!(store.ingest(mixed(1, 200)).unwrap().accepted, 0);
    assert_eq!(count(&store, "select count(distinct seq) from events"), 210);
}

#[test]
fn memory_and_segments_answer_alike() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ingest(mixed(1, 2001)).unwrap();
    let asked = [
        "select class_name, count(*), min(time), max(seq) from events group by 1 order by 1",
        "select uid, src_ip, dst_port, site from events order by time, seq limit 50",
        "select host, url_path, url_path_tokens from http_activity order by seq limit 20",
        "select query, answers, answer_ttls from dns_activity order by seq limit 20",
    ];
    let before: Vec<_> = asked.iter().map(|text| rows(&store, text).rows).collect();
    store.flush(Duration::from_secs(60)).unwrap();
    for (text, before) in asked.iter().zip(before) {
        assert!(!before.is_empty());
        assert_eq!(rows(&store, text).rows, before, "{text}");
    }
}

#[test]
fn many_callers_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    std::thread::scope(|scope| {
        for caller in 0..4u32 {
            let store = &store;
            scope.spawn(move || {
                for round in 0..20u64 {
                    let mut events = mixed(round * 50 + 1, round * 50 + 51);
                    events
                        .iter_mut()
                        .for_each(|e| e.meta.uid.node = NodeId(caller));
                    assert_eq!(store.ingest(events).unwrap().accepted, 50);
                }
            });
        }
        for _ in 0..5 {
            store.flush(Duration::from_secs(60)).unwrap();
            let _ = count(&store, "select count(*) from events");
        }
    });
    assert_eq!(count(&store, "select count(*) from events"), 4000);
    let pairs = "select count(*) from (select distinct node, seq from events)";
    assert_eq!(count(&store, pairs), 4000);
}

#[test]
fn a_second_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(&dir);
    let code = Store::open(dir.path(), config())
        .err()
        .map(|error| error.code());
    assert_eq!(code, Some("in_use"));
}

#[test]
fn watchers_get_what_is_acknowledged_and_masked() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let watched = store.subscribe(Some(Box::new(|event| event.body.class().uid == 4002)));
    store.ingest(mixed(1, 41)).unwrap();
    for _ in 0..10 {
        let event = watched.next(Duration::from_secs(5)).unwrap().unwrap();
        assert!(Event::clone(&event).is_masked());
        assert_eq!(event.body.class().uid, 4002);
    }
    assert!(watched.next(Duration::from_millis(20)).unwrap().is_none());
    store.close();
    assert!(watched.next(Duration::from_secs(5)).is_err());
}
