//! `kill -9` of a role at random moments: every acknowledged event is there, once.

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

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use support::{Running, recorded_day, signal, stdout, vigie, wait};

/// Rounds in CI; `./dev soak kill` sets more.
const ROUNDS: u64 = 6;

fn rounds() -> u64 {
    std::env::var("VIGIE_KILL_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(ROUNDS)
}

/// Identities in the store, with how often each is there.
fn identities(running: &Running) -> BTreeMap<String, u64> {
    let rows = running.query("select uid, count(*) as n from events group by uid");
    rows.iter()
        .map(|row| {
            (
                row["uid"].as_str().unwrap().to_owned(),
                row["n"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn kill_of_core_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let day = recorded_day(folder.path());
    let expected = stdout(vigie().args(["--quiet", "read"]).arg(&day), 0)
        .lines()
        .count();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..rounds() {
        let dir = folder.path().join(format!("state-{round}"));
        let mut running = Running::start(&dir);
        let mut feed = vigie()
            .args([
                "--quiet",
                "--data-dir",
                dir.to_str().unwrap(),
                "read",
                "--into-store",
            ])
            .arg(&day)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(random % 1500));
        let core = running.role("core").expect("core runs");
        signal(core, "KILL");
        wait("core to be started again", Duration::from_secs(60), || {
            running.role("core").filter(|pid| *pid != core)
        });
        let status = feed.wait().unwrap();
        assert!(
            status.success(),
            "round {round}: the feed gave up: {status}"
        );
        running.until_ready();
        let found = wait("core to answer", Duration::from_secs(60), || {
            let found = identities(&running);
            (!found.is_empty()).then_some(found)
        });
        let inventory = running.query("select count(*) as n from inventory_info where node = 0");
        let own = inventory
            .first()
            .and_then(|row| row["n"].as_u64())
            .unwrap_or(0);
        assert!(
            found.values().all(|n| *n == 1),
            "round {round}: an event is there twice"
        );
        let found = u64::try_from(found.len()).unwrap() - own;
        assert_eq!(found, u64::try_from(expected).unwrap(), "round {round}");
    }
    println!(
        "kill: {} rounds, {expected} events each, none lost, none doubled",
        rounds()
    );
}
