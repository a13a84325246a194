//! `kill -9` of each role at moments that nobody planned: every acknowledged event is there, once.
//!
//! One folder lives through all rounds. A round of `./dev soak kill` is a round of CI; there are
//! more of them, on the release build.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    reason = "a failing step is a failing test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::wire::{Wire, captures, capturing};
use support::{Moments, Running, day, ndjson, rounds, stdout, vigie, wait};

/// Rounds of each role in CI.
const ROUNDS: u64 = 5;
/// The supervisor is killed in one round of these.
const SUPERVISOR_EVERY: u64 = 5;
/// Packets of the recorded day, and of the part that one round reads.
const DAY_PACKETS: u64 = 71_000;
const PART_PACKETS: u64 = 9_000;
/// A kill of the sensor comes at most this long after the round began.
const MOMENT_MAX: Duration = Duration::from_millis(900);
const LIMIT: Duration = Duration::from_secs(60);

/// Identities in the store, with how often each is there; those of core itself (node 0) left out.
fn identities(running: &Running) -> BTreeMap<String, u64> {
    running
        .query("select uid, count(*) as n from events where node <> 0 group by uid")
        .iter()
        .map(|row| {
            let uid = row["uid"].as_str().unwrap().to_owned();
            (uid, row["n"].as_u64().unwrap())
        })
        .collect()
}

/// What the rounds found.
#[derive(Debug, Default)]
struct Tally {
    killed: BTreeMap<&'static str, u64>,
    lost: BTreeSet<String>,
    doubled: BTreeSet<String>,
    longest: Duration,
}

impl Tally {
    fn killed(&mut self, role: &'static str, restart: Duration) {
        *self.killed.entry(role).or_default() += 1;
        self.longest = self.longest.max(restart);
    }

    /// Compares the store with what must be there.
    fn compare(&mut self, expected: &BTreeSet<String>, found: &BTreeMap<String, u64>) {
        let lost = expected.iter().filter(|uid| !found.contains_key(*uid));
        self.lost.extend(lost.cloned());
        let doubled = found.iter().filter(|(_, n)| **n > 1).map(|(uid, _)| uid);
        self.doubled.extend(doubled.cloned());
    }

    fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty()
    }

    /// One line for the closing note; fails when something was lost or doubled.
    fn conclude(&self, what: &str, events: usize) {
        let killed: Vec<String> = self
            .killed
            .iter()
            .map(|(role, n)| format!("{n} of {role}"))
            .collect();
        println!(
            "\nkill {what}: {}; {events} events, {} lost, {} doubled, longest restart {:.2} s",
            killed.join(", "),
            self.lost.len(),
            self.doubled.len(),
            self.longest.as_secs_f64()
        );
        assert!(self.lost.is_empty(), "lost: {:?}", self.lost);
        assert!(self.doubled.is_empty(), "doubled: {:?}", self.doubled);
    }
}

/// Part of the recorded day that no other round reads, the identities that it must leave, and how
/// long reading it takes: kills come within that.
fn part(folder: &Path, number: u64) -> (PathBuf, BTreeSet<String>, Duration) {
    let from = number.wrapping_mul(3_571) % (DAY_PACKETS - PART_PACKETS);
    let path = folder.join(format!("part-{number}.pcap"));
    day::part(&path, from..from + PART_PACKETS).unwrap();
    let began = Instant::now();
    let events = ndjson(&stdout(vigie().args(["--quiet", "read"]).arg(&path), 0));
    let took = began.elapsed();
    let uids = events
        .iter()
        .map(|event| event["metadata"]["uid"].as_str().unwrap().to_owned());
    (path, uids.collect(), took)
}

/// `vigie read --into-store` under way.
fn feed(dir: &Path, capture: &Path) -> Child {
    vigie()
        .args(["--quiet", "--data-dir", dir.to_str().unwrap()])
        .args(["read", "--into-store"])
        .arg(capture)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

/// Core, the command that feeds it, and the supervisor of both are killed by turns.
#[test]
fn kill_of_core_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("state");
    let mut running = Running::start(&dir);
    let mut moments = Moments(0x2545_f491_4f6c_dd1d);
    let mut tally = Tally::default();
    let mut expected = BTreeSet::new();
    for round in 0..rounds(ROUNDS) {
        let (capture, uids, took) = part(folder.path(), 2 * round);
        expected.extend(uids);
        let mut client = feed(&dir, &capture);
        std::thread::sleep(moments.below(took));
        tally.killed("core", running.kill_role("core"));
        if round % SUPERVISOR_EVERY == SUPERVISOR_EVERY - 1 {
            std::thread::sleep(moments.below(took));
            let killed = Instant::now();
            running.kill_supervisor();
            running = Running::start(&dir);
            tally.killed("supervisor", killed.elapsed());
        }
        let status = client.wait().unwrap();
        assert!(
            status.success(),
            "round {round}: the feed gave up: {status}"
        );
        std::fs::remove_file(&capture).unwrap();

        let (capture, uids, took) = part(folder.path(), 2 * round + 1);
        expected.extend(uids);
        let mut client = feed(&dir, &capture);
        std::thread::sleep(moments.below(took));
        client.kill().unwrap();
        client.wait().unwrap();
        tally.killed("read", Duration::ZERO);
        let again = feed(&dir, &capture).wait().unwrap();
        assert!(again.success(), "round {round}: read again: {again}");
        std::fs::remove_file(&capture).unwrap();

        running.until_ready();
        tally.compare(&expected, &identities(&running));
        assert!(tally.is_clean(), "round {round}: {tally:?}");
    }
    let log = running.log();
    drop(running);
    assert!(!log.contains("panicked"), "{log}");
    // And once more from the disk alone.
    let running = Running::start(&dir);
    tally.compare(&expected, &identities(&running));
    tally.conclude("core", expected.len());
}

/// Exchanges of a round in the store: the `Host` of each, with how often it is there. All rounds at
/// once would be more rows than an answer holds.
fn exchanges(running: &Running, round: u64) -> BTreeMap<String, u64> {
    let sql = format!(
        "select host, count(*) as n from http_activity where host like 'r{round}-%' group by host"
    );
    running
        .query(&sql)
        .iter()
        .map(|row| {
            let host = row["host"].as_str().unwrap().to_owned();
            (host, row["n"].as_u64().unwrap())
        })
        .collect()
}

/// The sensor is killed in the middle of traffic, core too in some rounds, the supervisor in
/// others. What a query once showed was acknowledged, and is there to the end; an exchange is
/// never told twice. Needs root, for the namespaces.
#[test]
fn kill_of_the_sensor_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), b"x").unwrap();
    let mut wire = Wire::make("k");
    wire.serve(folder.path());
    let dir = folder.path().join("state");
    let mut running = wire.watch(&dir, &[]);
    let mut moments = Moments(0x9e37_79b9_7f4a_7c15);
    let mut tally = Tally::default();
    let mut acknowledged = Vec::new();
    let mut made = 0;
    for round in 0..rounds(ROUNDS) {
        let name = format!("r{round}");
        let traffic = wire.traffic(&name, Duration::from_millis(2), 0);
        // The sensor works again: something of this round is in the store.
        let seen = wait("exchanges of this round", LIMIT, || {
            let seen = exchanges(&running, round);
            (!seen.is_empty()).then_some(seen)
        });
        acknowledged.push(seen.into_keys().collect::<BTreeSet<_>>());
        std::thread::sleep(moments.below(MOMENT_MAX));
        if round % 3 == 1 {
            // The sensor spools meanwhile, or has batches that core took and could not confirm.
            tally.killed("core", running.kill_role("core"));
            std::thread::sleep(moments.below(MOMENT_MAX));
        }
        let before = captures(&dir);
        let killed = Instant::now();
        running.kill_role("sensor");
        capturing(&running, before + 1);
        tally.killed("sensor", killed.elapsed());
        if round % SUPERVISOR_EVERY == SUPERVISOR_EVERY - 1 {
            std::thread::sleep(moments.below(MOMENT_MAX));
            let killed = Instant::now();
            running.kill_supervisor();
            running = wire.watch(&dir, &[]);
            tally.killed("supervisor", killed.elapsed());
        }
        running.until_ready();
        made += traffic.finish();
        for (round, acknowledged) in (0..)
            .zip(&acknowledged)
            .skip(acknowledged.len().saturating_sub(3))
        {
            tally.compare(acknowledged, &exchanges(&running, round));
        }
        assert!(tally.is_clean(), "round {round}: {tally:?}");
    }
    let log = running.log();
    drop(running);
    assert!(!log.contains("panicked"), "{log}");
    // And once more from the disk alone, identities included.
    let running = Running::start(&dir);
    let mut found = 0;
    for (round, acknowledged) in (0..).zip(&acknowledged) {
        let exchanges = exchanges(&running, round);
        tally.compare(acknowledged, &exchanges);
        found += exchanges.len();
    }
    tally.compare(&BTreeSet::new(), &identities(&running));
    println!(
        "\nkill traffic: {made} exchanges made, {} seen by a sensor that lived",
        found
    );
    tally.conclude("sensor", found);
}
