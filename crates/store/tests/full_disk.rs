//! A disk that is really full: a small tmpfs, mounted here. Needs root; says so when it has not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "a failing step is a failing test"
)]

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use model::class::{Dns, Http, Network};
use model::metric::{STORE_REFUSED, STORE_RETIRED, STORE_RETIRED_EVENTS};
use model::port::{Datum, EventQuery as _, Query};
use model::{Connection, Event, EventUid, Meta, Millis, NodeId, Sensitive, Text};
use vigie_store::{Store, StoreConfig};

/// 2026-11-23 00:00:00 UTC.
const DAY: i64 = 1_795_392_000_000;
/// Events of a batch.
const BATCH: u64 = 400;

struct Mount(tempfile::TempDir);

impl Mount {
    fn new(mib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "vigie-full"])
            .arg(dir.path())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path().join("ballast"))
            .unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn event(n: u64) -> Event {
    let scatter = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let time = Millis(DAY + i64::try_from(n).unwrap());
    let meta = Meta {
        uid: EventUid {
            node: NodeId(1),
            seq: n,
        },
        time,
        logged_time: time,
        site: Text::Borrowed("nord"),
        ..Meta::default()
    };
    let address = u32::try_from(scatter >> 40).unwrap();
    let connection = Connection {
        app: Text::Borrowed("dns"),
        src_ip: Some(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | address))),
        ..Connection::default()
    };
    let body = match n % 20 {
        0 => Http {
            path: Some(Sensitive::path(&format!("/dossiers/dupont{n}.pdf"))),
            ..Http::default()
        }
        .into(),
        1..=9 => Network {
            bytes: Some(scatter >> 30),
            ..Network::default()
        }
        .into(),
        _ => Dns {
            query: Some(Text::Owned(format!("h{scatter:016x}.example.org"))),
            ..Dns::default()
        }
        .into(),
    };
    Event {
        meta,
        connection: Some(Box::new(connection)),
        body,
    }
}

fn config() -> StoreConfig {
    StoreConfig {
        maintain_every_ms: 0,
        free_bytes_min: 0,
        now: || Millis(DAY),
        ..StoreConfig::default()
    }
}

fn numbers(store: &Store, text: &str) -> Vec<u64> {
    let query = Query {
        text: text.to_owned(),
        from: None,
        to: None,
        rows_max: 10,
        time_ms_max: 120_000,
    };
    let rows = store.rows(&query, &AtomicBool::new(false)).unwrap();
    let number = |datum: &Datum| match datum {
        Datum::U64(n) => *n,
        Datum::I64(n) => u64::try_from(*n).unwrap(),
        other => panic!("{other:?}"),
    };
    rows.rows[0].iter().map(number).collect()
}

/// What was acknowledged is in the store, or counted as given up; the newest is never given up.
fn balance(store: &Store, acknowledged: u64, when: &str) {
    let text = "select count(*), count(distinct seq), max(seq) from events";
    let found = numbers(store, text);
    let given_up = STORE_RETIRED_EVENTS.value();
    assert_eq!(found[0], found[1], "{when}: double events");
    assert_eq!(found[0] + given_up, acknowledged, "{when}");
    assert_eq!(found[2], acknowledged - 1, "{when}: the newest");
}

#[test]
fn a_full_disk_costs_the_oldest_and_refuses_clearly_when_nothing_is_left() {
    let Some(disk) = Mount::new(8) else {
        println!("full_disk: no tmpfs could be mounted (needs root); nothing was tested");
        return;
    };
    let store = Store::open(&disk.path().join("store"), config()).unwrap();
    let mut next = 0;
    let batch = |from: u64| (from..from + BATCH).map(event).collect::<Vec<_>>();

    // The disk is filled several times over, and every batch is taken.
    let started = Instant::now();
    while STORE_RETIRED_EVENTS.value() < 100_000 && next < 1_000_000 {
        let ack = store.ingest(batch(next)).unwrap();
        assert_eq!(ack.accepted as u64, BATCH);
        next += BATCH;
    }
    assert!(STORE_RETIRED.value() > 0, "the disk was never full");
    println!(
        "8 MiB: {next} events taken in {:.1} s, {} of them given up in {} segments",
        started.elapsed().as_secs_f64(),
        STORE_RETIRED_EVENTS.value(),
        STORE_RETIRED.value()
    );
    balance(&store, next, "after filling");

    // Something else takes the rest: the oldest go until nothing is left, then there is a clear no.
    disk.fill();
    let mut refused = None;
    for _ in 0..200 {
        match store.ingest(batch(next)) {
            Ok(_) => next += BATCH,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
        disk.fill();
    }
    let error = refused.expect("the disk is full");
    assert_eq!(error.code(), "disk_full");
    assert!(error.is_retryable() && error.to_string().contains("not acknowledged"));
    assert!(STORE_REFUSED.value() >= BATCH);
    balance(&store, next, "while refusing");

    // Once there is room the same batch is taken, and nothing is double.
    disk.free();
    assert_eq!(store.ingest(batch(next)).unwrap().accepted as u64, BATCH);
    next += BATCH;
    store.flush(Duration::from_secs(30)).unwrap();
    balance(&store, next, "after the refusal");

    // A start on the full disk works, too.
    drop(store);
    disk.fill();
    let store = Store::open(&disk.path().join("store"), config()).unwrap();
    assert!(store.recovery().damaged.is_empty());
    balance(&store, next, "after a start on a full disk");
    disk.free();
    store.ingest(batch(next)).unwrap();
    next += BATCH;
    balance(&store, next, "at the end");
}
