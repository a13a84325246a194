use std::sync::atomic::AtomicBool;
use std::time::Duration;

use model::port::{EventQuery as _, Query};
use model::{Event, Millis, Text};

use super::*;
use crate::testdata::DAY;
use crate::tests::{config, count, mixed, open, query, rows};
use crate::{Store, StoreConfig};

const WAIT: Duration = Duration::from_secs(60);

fn replayed(from: u64, to: u64, id: &str) -> Vec<Event> {
    let mut events = mixed(from, to);
    for event in &mut events {
        event.meta.labels.push(Text::from(format!("replay:{id}")));
    }
    events
}

fn opening(reason: &str) -> Opening<'_> {
    Opening {
        actor: "local:test",
        reason,
        now: Millis(DAY),
    }
}

/// 100 real events, 40 of replay `a`, 20 of replay `b`.
fn filled(store: &Store) {
    store.ingest(mixed(1, 101)).unwrap();
    store.ingest(replayed(1001, 1041, "a")).unwrap();
    store.ingest(replayed(2001, 2021, "b")).unwrap();
}

fn events(store: &Store, text: &str) -> usize {
    let found = store.events(&query(text), &AtomicBool::new(false));
    found.unwrap().events.len()
}

fn check_apart(store: &Store) {
    assert_eq!(count(store, "select count(*) from events"), 100);
    assert_eq!(count(store, "select count(*) from dns_activity"), 25);
    assert_eq!(count(store, "select count(*) from replayed_events"), 60);
    assert_eq!(
        count(store, "select count(*) from Replayed_DNS_activity"),
        15
    );
    for (search, n) in [
        ("", 100),
        ("not host:nowhere", 100),
        ("class:dns", 25),
        ("replay:a", 40),
        ("replay:*", 60),
        ("label:replay:b", 20),
        ("labels:\"replay:b\" class:dns", 5),
        ("class:dns not replay:b", 10),
        ("replay:nothing", 0),
        // One event, asked for by its identity.
        ("uid:00000001-00000000000003e9", 1),
    ] {
        assert_eq!(events(store, search), n, "{search}");
        assert_eq!(rows(store, search).rows.len(), n, "{search}");
        let quoted = search.replace('\'', "");
        let sql = format!("select count(*) from search('{quoted}')");
        assert_eq!(count(store, &sql), i64::try_from(n).unwrap(), "{sql}");
    }
    let sql = "select count(*) from search('replay:a', 'dns_activity')";
    assert_eq!(count(store, sql), 10);
    assert_eq!(store.status().events, 100);
    let replays = store.replays().unwrap();
    let shown: Vec<(&str, u64)> = replays
        .present
        .iter()
        .map(|replay| (replay.id.as_str(), replay.events))
        .collect();
    assert_eq!(shown, [("a", 40), ("b", 20)]);
}

#[test]
fn replays_stand_apart_in_memory_in_segments_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    filled(&store);
    check_apart(&store);
    drop(store);
    let store = open(&dir);
    check_apart(&store);
    store.flush(WAIT).unwrap();
    check_apart(&store);
    drop(store);
    check_apart(&open(&dir));
}

#[test]
fn compaction_keeps_replays_apart() {
    let dir = tempfile::tempdir().unwrap();
    let late = || StoreConfig {
        now: || Millis(DAY + 3 * 86_400_000),
        ..config()
    };
    let store = Store::open(dir.path(), late()).unwrap();
    filled(&store);
    store.flush(WAIT).unwrap();
    store.ingest(mixed(101, 103)).unwrap();
    store.ingest(replayed(1041, 1043, "a")).unwrap();
    store.flush(WAIT).unwrap();
    let before = store.status().segments;
    store.maintain().unwrap();
    assert!(store.status().segments < before);
    assert_eq!(count(&store, "select count(*) from events"), 102);
    assert_eq!(events(&store, "replay:a"), 42);
    let purged = store.purge("a", &opening("over"), WAIT).unwrap();
    assert_eq!(purged.events, 42);
    assert_eq!(count(&store, "select count(*) from replayed_events"), 20);
    assert_eq!(count(&store, "select count(*) from events"), 102);
}

#[test]
fn a_purge_removes_one_replay_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    filled(&store);
    let uid = "00000001-00000000000003e9".parse().unwrap();
    let clear = |store: &Store| store.vault().reveal(uid, &opening("test")).unwrap();
    assert_eq!(clear(&store).len(), 1);
    assert!(store.purge("a", &opening(" "), WAIT).is_err());
    let purged = store.purge("a", &opening("over"), WAIT).unwrap();
    assert_eq!((purged.events, purged.vault_files), (40, 1));
    assert!(purged.segments >= 4);
    let check = |store: &Store| {
        assert_eq!(count(store, "select count(*) from events"), 100);
        assert_eq!(count(store, "select count(*) from replayed_events"), 20);
        assert_eq!(events(store, "uid:00000001-00000000000003e9"), 0);
        assert!(clear(store).is_empty());
        // Real clear values, and those of the other replay, are still there.
        let other = |seq: &str| {
            let uid = format!("00000001-{seq}").parse().unwrap();
            store.vault().reveal(uid, &opening("test")).unwrap().len()
        };
        assert_eq!(other("0000000000000001"), 1);
        assert_eq!(other("00000000000007d1"), 1);
        assert_eq!(store.replays().unwrap().purged, ["a"]);
    };
    check(&store);
    let trail = store.trail().latest_entries();
    assert!(trail.contains(&("replay_purge_asked".to_owned(), "over".to_owned())));
    assert!(trail.contains(&("replay_purged".to_owned(), "over".to_owned())));
    // Late batches are not taken back; others are.
    let ack = store.ingest(replayed(1031, 1061, "a")).unwrap();
    assert_eq!((ack.accepted, ack.purged), (0, 30));
    let mut both = replayed(1061, 1063, "a");
    both.extend(mixed(101, 104));
    let ack = store.ingest(both).unwrap();
    assert_eq!((ack.accepted, ack.purged), (3, 2));
    assert_eq!(count(&store, "select count(*) from events"), 103);
    assert_eq!(count(&store, "select count(*) from replayed_events"), 20);
    drop(store);
    let store = open(&dir);
    assert_eq!(store.recovery().orphans, 0);
    assert_eq!(store.ingest(replayed(3001, 3004, "a")).unwrap().purged, 3);
    assert_eq!(count(&store, "select count(*) from replayed_events"), 20);
}

#[test]
fn a_purge_meets_a_replay_that_still_runs() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let feeding = scope.spawn(|| {
            let (mut next, mut refused) = (1u64, 0);
            while !stop.load(std::sync::atomic::Ordering::Relaxed) || refused == 0 {
                match store.ingest(replayed(next, next + 10, "a")) {
                    Ok(ack) => {
                        refused += ack.purged;
                        next += 10;
                    }
                    // Sent again, as a role does.
                    Err(StoreError::Purging) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        while events(&store, "replay:a") < 200 {
            std::thread::yield_now();
        }
        let purged = store.purge("a", &opening("over"), WAIT).unwrap();
        assert!(purged.events >= 200);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        feeding.join().unwrap();
    });
    assert_eq!(count(&store, "select count(*) from replayed_events"), 0);
    drop(store);
    let store = open(&dir);
    assert_eq!(count(&store, "select count(*) from replayed_events"), 0);
}

#[test]
fn a_crash_around_the_commit_leaves_all_of_it_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    filled(&store);
    store.flush(WAIT).unwrap();
    drop(store);
    // Killed before the commit: the directory as it is.
    let before = tempfile::tempdir().unwrap();
    copy(dir.path(), before.path());
    let store = open(&before);
    check_apart(&store);
    drop(store);
    // Killed behind the commit, before any file went: the manifest of after, the files of before.
    let store = open(&dir);
    let after = tempfile::tempdir().unwrap();
    copy(dir.path(), after.path());
    store.purge("a", &opening("over"), WAIT).unwrap();
    std::fs::remove_dir_all(after.path().join("catalog")).unwrap();
    copy(&dir.path().join("catalog"), &after.path().join("catalog"));
    drop(store);
    let store = open(&after);
    assert!(store.recovery().orphans >= 4);
    assert_eq!(count(&store, "select count(*) from events"), 100);
    assert_eq!(count(&store, "select count(*) from replayed_events"), 20);
    let uid = "00000001-00000000000003e9".parse().unwrap();
    let clear = store.vault().reveal(uid, &opening("test")).unwrap();
    assert!(clear.is_empty());
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
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

#[test]
fn live_streams_leave_replays_out_unless_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let real = mixed(2, 3).remove(0);
    let replay = replayed(6, 7, "a").remove(0);
    let fits = |text: &str| {
        let matcher = store.matcher(text).unwrap();
        (matcher(&real), matcher(&replay))
    };
    assert_eq!(fits(""), (true, false));
    assert_eq!(fits("class:dns"), (true, false));
    assert_eq!(fits("replay:a"), (false, true));
    assert_eq!(fits("replay:b"), (false, false));
}

#[test]
fn a_list_goes_on_behind_an_event_without_skipping_its_millisecond() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut same = mixed(1, 300);
    for event in &mut same {
        event.meta.time = Millis(DAY);
    }
    store.ingest(same).unwrap();
    let mut found = Vec::new();
    let mut text = String::new();
    loop {
        let page = Query {
            rows_max: 40,
            ..query(&text)
        };
        let page = store.events(&page, &AtomicBool::new(false)).unwrap().events;
        let Some(last) = page.last() else { break };
        text = format!("(time:<{} or uid:<{})", last.meta.time.0, last.meta.uid);
        found.extend(page.iter().map(|event| event.meta.uid.seq));
    }
    let wanted: Vec<u64> = (1..300).rev().collect();
    assert_eq!(found, wanted);
    assert_eq!(events(&store, "uid:>00000001-0000000000000128"), 3);
}

impl crate::audit::Trail {
    /// Action and reason of the last entries.
    fn latest_entries(&self) -> Vec<(String, String)> {
        use model::port::AuditTrail as _;
        let latest = self.latest(20).unwrap();
        latest
            .into_iter()
            .map(|entry| (entry.action, entry.reason))
            .collect()
    }
}
