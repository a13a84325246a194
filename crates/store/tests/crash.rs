//! Kills a writer at random moments: nothing acknowledged may be lost, nothing may be double.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a failing step is a failing test"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use model::port::{Datum, EventQuery as _, Query};
use vigie_store::{Store, StoreConfig};

/// Kills per run; `VIGIE_CRASH_ROUNDS` asks for more.
const ROUNDS: u64 = 15;

#[path = "../examples/crash_writer.rs"]
mod crash_writer;

/// Names of what the child is told by.
const DIR: &str = "VIGIE_CRASH_DIR";
const FIRST: &str = "VIGIE_CRASH_FIRST";
const ROWS: &str = "VIGIE_CRASH_ROWS";
const QUOTA: &str = "VIGIE_CRASH_QUOTA";

/// Bytes of the store in the test of retention.
const QUOTA_BYTES: u64 = 400_000;

/// The child: this program, started again by the test below with its directory in the environment.
#[test]
#[ignore = "runs only as the child of the crash test"]
fn child() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(1)
    };
    if let Ok(dir) = std::env::var(DIR) {
        let (first, rows) = (number(FIRST), number(ROWS));
        let quota = std::env::var(QUOTA).ok().and_then(|n| n.parse().ok());
        crash_writer::run(Path::new(&dir), first, rows, quota, &mut std::io::stderr());
    }
}

fn numbers(store: &Store, text: &str) -> Vec<u64> {
    let query = Query {
        text: text.to_owned(),
        from: None,
        to: None,
        rows_max: 1000,
        time_ms_max: 120_000,
    };
    let rows = store.rows(&query, &AtomicBool::new(false)).unwrap();
    let first = rows.rows.first().cloned().unwrap_or_default();
    first
        .into_iter()
        .map(|datum| match datum {
            Datum::U64(n) => n,
            Datum::I64(n) => u64::try_from(n).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Runs a writer, kills it `after` its first acknowledgement; returns the last acknowledged number.
fn killed_writer(dir: &Path, first: u64, round: u64, after: Duration, quota: Option<u64>) -> u64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if let Some(quota) = quota {
        command.env(QUOTA, quota.to_string());
    }
    let mut child = command
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .env(ROWS, (1 + round % 7 * 20).to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let number = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse().ok());
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut last = first - 1;
    if let Some(Ok(line)) = lines.next() {
        last = number(&line).expect(&line);
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        last = number(&line).unwrap_or(last);
    }
    last
}

#[test]
fn kill_at_any_moment_loses_nothing_acknowledged() {
    let rounds = std::env::var("VIGIE_CRASH_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok());
    let rounds: u64 = rounds.unwrap_or(ROUNDS);
    let dir = tempfile::tempdir().unwrap();
    let mut first = 1u64;
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut torn = 0;
    for round in 0..rounds {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let after = Duration::from_micros(seed >> 45);
        let last = killed_writer(dir.path(), first, round, after, None);

        let config = StoreConfig {
            maintain_every_ms: 0,
            free_bytes_min: 0,
            ..StoreConfig::default()
        };
        let store = Store::open(dir.path(), config).unwrap();
        torn += store.recovery().torn;
        assert!(store.recovery().damaged.is_empty(), "round {round}");
        let spilled = std::fs::read_dir(dir.path().join("tmp")).unwrap().count();
        assert!(
            spilled <= 1,
            "round {round}: {spilled} folders of killed queries"
        );
        let all = numbers(&store, "select count(*), min(seq), max(seq) from events");
        let [rows, least, most] = all[..] else {
            panic!("three numbers")
        };
        // Telling all numbers apart would need more memory than a query gets after some hundred
        // rounds; those of this round tell doubles, the count of all tells the rest.
        let new = format!("select count(*), count(distinct seq) from events where seq >= {first}");
        let [new, distinct] = numbers(&store, &new)[..] else {
            panic!("two numbers")
        };
        assert_eq!(new, distinct, "round {round}: double events");
        assert!(
            most >= last,
            "round {round}: acknowledged {last}, found {most}"
        );
        assert_eq!((least, rows), (1, most), "round {round}: a gap");
        first = most + 1;
        // Half of the rounds leave the log as it is for the next start.
        if round % 2 == 0 {
            store.flush(Duration::from_secs(120)).unwrap();
            assert_eq!(numbers(&store, "select count(*) from events"), vec![most]);
        }
        drop(store);
    }
    println!(
        "{rounds} kills, {} events, {torn} torn tails, 0 lost, 0 double",
        first - 1
    );
}

/// Fills the quota, so that every writer meets retention at once; the next number.
fn filled(dir: &Path) -> u64 {
    let config = StoreConfig {
        maintain_every_ms: 0,
        free_bytes_min: 0,
        quota_bytes: Some(QUOTA_BYTES),
        ..StoreConfig::default()
    };
    let store = Store::open(dir, config).unwrap();
    let mut next = 1;
    while model::metric::STORE_RETIRED.value() == 0 {
        store
            .ingest((next..next + 500).map(crash_writer::event).collect())
            .unwrap();
        store.flush(Duration::from_secs(120)).unwrap();
        next += 500;
    }
    next
}

/// Parquet files below a folder.
fn files(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                u64::from(path.extension().is_some_and(|e| e == "parquet"))
            }
        })
        .sum()
}

#[test]
fn kill_during_retention_leaves_orphans_only_and_the_next_start_removes_them() {
    let rounds = std::env::var("VIGIE_CRASH_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok());
    let rounds: u64 = rounds.unwrap_or(ROUNDS);
    let dir = tempfile::tempdir().unwrap();
    let mut first = filled(dir.path());
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let (mut orphans, mut given_up) = (0, 0);
    for round in 0..rounds {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let after = Duration::from_micros(seed >> 45);
        let last = killed_writer(dir.path(), first, round, after, Some(QUOTA_BYTES));
        let config = StoreConfig {
            maintain_every_ms: 0,
            free_bytes_min: 0,
            quota_bytes: Some(QUOTA_BYTES),
            ..StoreConfig::default()
        };
        let store = Store::open(dir.path(), config).unwrap();
        assert_eq!(
            store.recovery().missing,
            0,
            "round {round}: a file before its commit"
        );
        orphans += store.recovery().orphans;
        let found = numbers(
            &store,
            "select count(*), count(distinct seq), max(seq) from events",
        );
        let [rows, distinct, most] = found[..] else {
            panic!("three numbers")
        };
        assert_eq!(rows, distinct, "round {round}: double events");
        assert!(
            most >= last,
            "round {round}: acknowledged {last}, found {most}"
        );
        first = most + 1;
        given_up = most - rows;
        store.flush(Duration::from_secs(120)).unwrap();
        store.maintain().unwrap();
        let known = store.status().segments;
        drop(store);
        assert_eq!(files(&dir.path().join("segments")), known, "round {round}");
    }
    println!(
        "{rounds} kills, {} events, {given_up} given up, {orphans} orphans removed",
        first - 1
    );
    assert!(given_up > 0, "retention never ran");
}
