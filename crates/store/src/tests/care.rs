use super::*;
use std::sync::atomic::{AtomicI64, Ordering};

const HOUR: i64 = 3_600_000;

/// A clock for one test: it must not be used by two.
static NOW: AtomicI64 = AtomicI64::new(DAY);

fn at(hours: i64, from: u64, to: u64) -> Vec<Event> {
    let mut events = mixed(from, to);
    for event in &mut events {
        event.meta.time.0 += hours * HOUR;
        event.meta.logged_time.0 += hours * HOUR;
    }
    events
}

#[test]
fn compaction_and_retention_keep_what_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        retention_days: Some(3),
        now: || Millis(NOW.load(Ordering::Relaxed)),
        ..config()
    };
    let store = Store::open(dir.path(), config).unwrap();
    let mut seq = 1;
    for hour in 0..3 {
        for _ in 0..3 {
            store.ingest(at(hour, seq, seq + 200)).unwrap();
            store.flush(Duration::from_secs(60)).unwrap();
            seq += 200;
        }
    }
    let all = "select sum(seq), count(*), count(distinct seq) from events";
    let before = rows(&store, all).rows;
    assert_eq!(store.status().segments, 4 * 9);
    NOW.store(DAY + 4 * HOUR, Ordering::Relaxed);
    store.maintain().unwrap();
    assert_eq!(store.status().segments, 4 * 3);
    assert_eq!(rows(&store, all).rows, before);
    NOW.store(DAY + 30 * HOUR, Ordering::Relaxed);
    store.maintain().unwrap();
    assert_eq!(store.status().segments, 4);
    assert_eq!(rows(&store, all).rows, before);
    let found = rows(&store, "select seq from events order by time, seq").rows;
    assert_eq!(found.len(), 1800);
    assert!(store.forecast_days().is_none_or(|days| days > 0.0));
    drop(store);
    // Nothing is left over, and everything opens again.
    let config = StoreConfig {
        retention_days: Some(3),
        now: || Millis(NOW.load(Ordering::Relaxed)),
        ..super::config()
    };
    let store = Store::open(dir.path(), config).unwrap();
    assert_eq!(store.recovery().orphans, 0);
    assert_eq!(rows(&store, all).rows, before);
    NOW.store(DAY + 100 * HOUR, Ordering::Relaxed);
    store.maintain().unwrap();
    assert_eq!(store.status().segments, 0);
    assert_eq!(count(&store, "select count(*) from events"), 0);
}

#[test]
fn a_full_disk_costs_the_oldest_segments_and_never_the_newest_events() {
    let dir = tempfile::tempdir().unwrap();
    let quota = 600_000;
    let config = StoreConfig {
        quota_bytes: Some(quota),
        ..config()
    };
    let store = Store::open(dir.path(), config).unwrap();
    let retired = model::metric::STORE_RETIRED.value();
    for round in 0..40u64 {
        let ack = store
            .ingest(mixed(round * 400 + 1, round * 400 + 401))
            .unwrap();
        assert_eq!(ack.accepted, 400, "round {round}");
        store.flush(Duration::from_secs(60)).unwrap();
    }
    assert!(model::metric::STORE_RETIRED.value() > retired);
    assert!(store.status().segment_bytes <= quota);
    let newest = "select count(*) from events where seq > 15600";
    assert_eq!(count(&store, newest), 400);
}

#[test]
fn late_data_lands_in_the_segment_of_its_arrival() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ingest(mixed(1, 101)).unwrap();
    let mut late = mixed(101, 103);
    late.iter_mut()
        .for_each(|event| event.meta.time.0 -= 400 * 24 * HOUR);
    store.ingest(late).unwrap();
    store.flush(Duration::from_secs(60)).unwrap();
    assert_eq!(store.status().segments, 4);
    assert_eq!(
        count(
            &store,
            "select count(*) from events where time < '2026-01-01'"
        ),
        2
    );
}

#[test]
fn a_damaged_catalog_is_rebuilt_from_the_segments() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ingest(mixed(1, 401)).unwrap();
    store.flush(Duration::from_secs(60)).unwrap();
    store.ingest(mixed(401, 801)).unwrap();
    store.flush(Duration::from_secs(60)).unwrap();
    store.ingest(mixed(801, 1001)).unwrap();
    drop(store);
    let catalog = dir.path().join("catalog");
    let manifest = std::fs::read_dir(&catalog)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&manifest).unwrap();
    bytes[60] ^= 0xff;
    std::fs::write(&manifest, &bytes).unwrap();
    let store = open(&dir);
    assert_eq!(count(&store, "select count(*) from events"), 1000);
    // What was sealed is still recognised, now by asking the rows.
    let ack = store.ingest(mixed(300, 1101)).unwrap();
    assert_eq!((ack.accepted, ack.duplicates), (100, 701));
    assert_eq!(
        count(&store, "select count(distinct seq) from events"),
        1100
    );
}

#[test]
fn a_whole_day_of_many_files_is_deduplicated_by_rows() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let sparse = |from: u64, to: u64| {
        let mut events = mixed(from, to);
        events
            .iter_mut()
            .for_each(|event| event.meta.uid.seq <<= 20);
        events
    };
    store.ingest(sparse(1, 3001)).unwrap();
    store.flush(Duration::from_secs(60)).unwrap();
    let ack = store.ingest(sparse(2990, 3010)).unwrap();
    assert_eq!((ack.accepted, ack.duplicates), (9, 11));
}

#[test]
fn a_sealer_that_stands_still_stops_nothing_below_the_bound_and_is_told_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        seal_rows: 400,
        hot_bytes_max: 400_000,
        ..config()
    };
    let store = Store::open(dir.path(), config).unwrap();
    // No segment can be written while a file stands where their folder was.
    let (segments, away) = (dir.path().join("segments"), dir.path().join("away"));
    std::fs::rename(&segments, &away).unwrap();
    std::fs::write(&segments, b"").unwrap();
    let refused = model::metric::STORE_REFUSED.value();
    let mut next = 1;
    let mut slowest = Duration::ZERO;
    let error = loop {
        let start = std::time::Instant::now();
        match store.ingest(mixed(next, next + 200)) {
            Ok(_) => next += 200,
            Err(error) => break error,
        }
        slowest = slowest.max(start.elapsed());
        assert!(next < 100_000, "the bound was never met");
    };
    assert!(next > 1000, "{next}");
    assert!(slowest < Duration::from_millis(1500), "{slowest:?}");
    assert!(error.code() == "behind" && error.is_retryable(), "{error}");
    assert!(model::metric::STORE_REFUSED.value() >= refused + 200);
    assert!(model::metric::STORE_PACED.value() > 0);
    let all = "select count(*) from events";
    assert_eq!(count(&store, all), i64::try_from(next - 1).unwrap());
    // Once it works again, so does everything else; nothing is lost or double.
    std::fs::remove_file(&segments).unwrap();
    std::fs::rename(&away, &segments).unwrap();
    while store.ingest(mixed(next, next + 200)).is_err() {}
    store.flush(Duration::from_secs(60)).unwrap();
    assert_eq!(count(&store, all), i64::try_from(next + 199).unwrap());
    assert_eq!(store.status().wal_bytes, 0);
}
