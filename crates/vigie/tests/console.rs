//! The console in Chromium, on the demo: signs in, reads Today, hunts, opens an asset, pivots.

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

use std::process::{Command, Stdio};
use std::time::Duration;

use support::{root, vigie, wait};

#[test]
fn chromium_reads_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let log = std::fs::File::create(folder.path().join("demo.log")).unwrap();
    let child = vigie()
        .env("VIGIE_SHARE", root())
        .args([
            "--data-dir",
            dir.to_str().unwrap(),
            "demo",
            "--console",
            "127.0.0.1:0",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut running = support::Running {
        child,
        dir: dir.clone(),
        console: String::new(),
    };
    let run = running.until_ready();
    running.console = run["console_url"].as_str().unwrap().to_owned();
    wait(
        "the recorded day to be in the store",
        Duration::from_secs(120),
        || dir.join("demo.json").exists().then_some(()),
    );
    let hosts = running.query("select count(*) as n from events");
    assert!(
        hosts
            .first()
            .is_some_and(|row| row["n"].as_u64() > Some(1000)),
        "{hosts:?}"
    );
    every_chapter_of_the_story_is_found(&running);
    let link = std::fs::read_to_string(dir.join("first-run.url")).unwrap();
    let token = link.trim().rsplit("token=").next().unwrap().to_owned();
    // Live traffic for the page that follows it: the day again, twenty times faster, as a replay.
    let day = support::recorded_day(folder.path());
    let mut replay = vigie();
    replay.args([
        "--quiet",
        "--data-dir",
        dir.to_str().unwrap(),
        "replay",
        "--speed",
        "20",
    ]);
    let mut replay = replay.arg(&day).stdin(Stdio::null()).spawn().unwrap();
    let status = Command::new("node")
        .arg("e2e/run.mjs")
        .current_dir(root().join("web"))
        .env("VIGIE_URL", running.console.trim_end_matches('/'))
        .env("VIGIE_TOKEN", token)
        .env("VIGIE_LIVE_SEARCH", "replay:*")
        .stdin(Stdio::null())
        .status()
        .unwrap();
    support::signal(replay.id(), "TERM");
    replay.wait().unwrap();
    assert!(status.success(), "the browser test failed: {status}");
}

/// What `vigie demo` tells to search for is there, at the minute that it tells.
fn every_chapter_of_the_story_is_found(running: &support::Running) {
    const EARLY_MS: i64 = 2 * 60_000;
    const LATE_MS: i64 = 15 * 60_000;
    let marker = std::fs::read(running.dir.join("demo.json")).unwrap();
    let marker: serde_json::Value = serde_json::from_slice(&marker).unwrap();
    let begin = marker["begin"].as_i64().unwrap();
    let story = include_str!("../src/command/demo/story.tsv");
    for chapter in story.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = chapter.split('\t').collect();
        let at = begin + cells[0].parse::<i64>().unwrap() * 60_000;
        let found = running.query(cells[2]);
        let in_time = |event: &serde_json::Value| {
            let time = event["time"].as_i64().unwrap();
            (at - EARLY_MS..at + LATE_MS).contains(&time)
        };
        assert!(found.iter().any(in_time), "nothing for: {chapter}");
    }
}
