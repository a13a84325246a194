use std::sync::atomic::AtomicBool;
use std::time::Duration;

use model::port::{EventQuery as _, Query};

use crate::catalog::{Change, segment_files};
use crate::tests::{config, count, mixed, open};
use crate::{Store, StoreConfig};

fn sealed(store: &Store, from: u64, to: u64) {
    store.ingest(mixed(from, to)).unwrap();
    store.flush(Duration::from_secs(60)).unwrap();
}

fn on_disk(dir: &tempfile::TempDir) -> usize {
    segment_files(dir.path()).unwrap().len()
}

#[test]
fn files_go_after_the_commit_and_after_the_last_reader() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    sealed(&store, 1, 401);
    sealed(&store, 401, 801);
    let reader = store.core.view();
    let oldest: Vec<_> = store.core.oldest().into_iter().take(4).collect();
    store.core.retire(&oldest).unwrap();
    drop(oldest);
    assert_eq!(store.core.bury().unwrap(), 0);
    assert_eq!(on_disk(&dir), 8);
    assert_eq!(count(&store, "select count(*) from events"), 400);
    drop(reader);
    assert!(store.core.bury().unwrap() > 0);
    assert_eq!(on_disk(&dir), 4);
    assert_eq!(count(&store, "select count(*) from events"), 400);
}

#[test]
fn a_crash_between_commit_and_deletion_leaves_orphans_that_the_next_start_removes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    sealed(&store, 1, 401);
    sealed(&store, 401, 801);
    let oldest: Vec<_> = store.core.oldest().into_iter().take(4).collect();
    store.core.retire(&oldest).unwrap();
    // Here the program ends: nothing was deleted.
    drop(store);
    assert_eq!(on_disk(&dir), 8);
    let store = open(&dir);
    assert_eq!((store.recovery().orphans, on_disk(&dir)), (4, 4));
    assert_eq!(store.recovery().missing, 0);
    assert_eq!(count(&store, "select count(*) from events"), 400);
    assert_eq!(
        count(&store, "select cast(min(seq) as bigint) from events"),
        401
    );
}

#[test]
fn a_query_held_open_during_retention_reads_on() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        segment_bytes_max: Some(1),
        ..config()
    };
    let store = Store::open(dir.path(), config).unwrap();
    (0..8).for_each(|round| sealed(&store, round * 200 + 1, round * 200 + 201));
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let query = Query {
                        text: "select count(*), count(distinct seq) from events".to_owned(),
                        from: None,
                        to: None,
                        rows_max: 10,
                        time_ms_max: 60_000,
                    };
                    for _ in 0..6 {
                        store.rows(&query, &AtomicBool::new(false)).unwrap();
                    }
                })
            })
            .collect();
        for round in 8..14 {
            store.maintain().unwrap();
            sealed(&store, round * 200 + 1, round * 200 + 201);
        }
        readers.into_iter().for_each(|one| one.join().unwrap());
    });
    store.maintain().unwrap();
    assert_eq!(on_disk(&dir), 0);
}

#[test]
fn on_a_full_disk_a_reader_delays_and_does_not_stop_ingestion() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        quota_bytes: Some(600_000),
        ..config()
    };
    let store = Store::open(dir.path(), config).unwrap();
    sealed(&store, 1, 401);
    let forced = model::metric::STORE_FORCED.value();
    let reader = store.core.view();
    assert!(store.core.make_room(10_000_000).unwrap() > 0);
    assert!(model::metric::STORE_FORCED.value() >= forced + 4);
    assert_eq!(on_disk(&dir), 0);
    drop(reader);
    assert_eq!(store.ingest(mixed(401, 801)).unwrap().accepted, 400);
}

#[test]
fn rows_of_a_removed_segment_do_not_come_back_by_a_merge() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    sealed(&store, 1, 401);
    let oldest = store.core.oldest();
    let change = Change {
        remove: vec![oldest[0].id],
        ..Change::default()
    };
    store.core.commit(&change).unwrap();
    let error = store.core.commit(&change).unwrap_err();
    assert_eq!(error.code(), "conflict");
}

#[test]
fn a_segment_whose_file_is_gone_leaves_the_catalog() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    sealed(&store, 1, 401);
    drop(store);
    let files = segment_files(dir.path()).unwrap();
    std::fs::remove_file(dir.path().join(&files[0])).unwrap();
    let store = open(&dir);
    assert_eq!(store.recovery().missing, 1);
    assert_eq!(count(&store, "select count(*) from events"), 300);
    drop(store);
    assert_eq!(open(&dir).recovery().missing, 0);
}
