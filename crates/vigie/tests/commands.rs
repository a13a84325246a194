//! Replays apart from what happened, their purge, and answers as Parquet files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a failing step is a failing test"
)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use support::{Running, query, recorded_day, run, stdout, vigie};

fn on(dir: &Path) -> Command {
    let mut command = vigie();
    command.args(["--data-dir", dir.to_str().unwrap()]);
    command
}

fn count(dir: &Path, view: &str) -> u64 {
    let rows = query(dir, &format!("select count(*) as n from {view}"));
    rows[0]["n"].as_u64().unwrap()
}

fn replay(dir: &Path, day: &Path, id: &str) {
    let mut command = on(dir);
    command.args(["--quiet", "replay", "--speed", "max", "--id", id]);
    stdout(command.arg(day), 0);
}

/// Exit code and standard error.
fn refused(command: &mut Command) -> (Option<i32>, String) {
    let out = run(command);
    (
        out.status.code(),
        String::from_utf8_lossy(&out.stderr).into_owned(),
    )
}

fn purge(dir: &Path, id: &str) -> u64 {
    let (code, said) =
        refused(on(dir).args(["replay", "--purge", id, "--reason", "exercise over"]));
    assert_eq!(code, Some(0), "{said}");
    let gone = said.split("is gone: ").nth(1).unwrap();
    gone.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_purged_replay_is_gone_from_a_running_and_a_stopped_vigie() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let day = recorded_day(folder.path());
    let running = Running::start(&dir);
    replay(&dir, &day, "ex-1");
    let one = count(&dir, "replayed_events");
    assert!(one > 1000, "{one}");
    replay(&dir, &day, "ex-2");
    let both = count(&dir, "replayed_events");
    assert!(both > one);
    // What happened: nothing, not even an asset.
    assert_eq!(count(&dir, "events"), 0);
    assert!(query(&dir, "class:inventory_info").is_empty());
    assert!(query(&dir, "").is_empty());
    assert_eq!(query(&dir, "replay:ex-1").len() as u64, one);
    let list = stdout(on(&dir).args(["replay", "--list"]), 0);
    assert!(
        list.contains("ex-1") && list.contains(&one.to_string()),
        "{list}"
    );
    let (code, said) = refused(on(&dir).args(["replay", "--purge", "ex-3"]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("did you mean 'ex-"), "{said}");
    assert_eq!(purge(&dir, "ex-1"), one);
    assert_eq!(count(&dir, "replayed_events"), both - one);
    assert!(query(&dir, "replay:ex-1").is_empty());
    let mut again = on(&dir);
    again.args(["replay", "--speed", "max", "--id", "ex-1"]);
    let (code, said) = refused(again.arg(&day));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("was purged"), "{said}");
    drop(running);
    assert_eq!(purge(&dir, "ex-2"), both - one);
    assert_eq!(count(&dir, "replayed_events"), 0);
    let list = stdout(on(&dir).args(["--quiet", "replay", "--list"]), 0);
    assert!(list.is_empty(), "{list}");
    let trail = std::fs::read_to_string(dir.join("audit/trail.jsonl")).unwrap();
    assert_eq!(trail.matches("\"replay_purge_asked\"").count(), 2);
    assert_eq!(trail.matches("\"replay_purged\"").count(), 2);
    assert!(trail.contains("exercise over"));
}

#[test]
fn parquet_goes_to_a_file_or_a_pipe_and_never_to_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let day = recorded_day(folder.path());
    stdout(
        on(&dir).args(["--quiet", "read", "--into-store"]).arg(&day),
        0,
    );
    let path = folder.path().join("answer.parquet");
    let to_file = |dir: &Path, text: &str| {
        let mut command = on(dir);
        command.args(["query", text, "--format", "parquet", "--limit", "1000000"]);
        command.arg("--output").arg(&path);
        command
    };
    let all = "select * from events";
    let stopped = {
        stdout(&mut to_file(&dir, all), 0);
        std::fs::read(&path).unwrap()
    };
    assert!(stopped.len() > 10_000);
    assert!(stopped.starts_with(b"PAR1") && stopped.ends_with(b"PAR1"));
    std::fs::remove_file(&path).unwrap();
    // A wrong query leaves no file, and says where it is wrong.
    let (code, said) = refused(&mut to_file(&dir, "prot:dns"));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("did you mean 'proto'"), "{said}");
    assert!(!path.exists() && !path.with_extension("parquet.part").exists());
    let running = Running::start(&dir);
    stdout(&mut to_file(&dir, all), 0);
    let running_says = std::fs::read(&path).unwrap();
    assert!(running_says.len() > 10_000 && running_says.ends_with(b"PAR1"));
    let mut piped = on(&dir);
    piped.args(["query", "proto:dns", "--format", "parquet"]);
    let piped = piped.stdin(Stdio::null()).output().unwrap();
    assert!(piped.status.success());
    assert!(piped.stdout.starts_with(b"PAR1") && piped.stdout.ends_with(b"PAR1"));
    let shown = format!(
        "{} --data-dir {} query proto:dns --format parquet",
        env!("CARGO_BIN_EXE_vigie"),
        dir.display()
    );
    let mut terminal = Command::new("script");
    let out = run(terminal.args(["-qec", &shown, "/dev/null"]));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("add --output FILE"), "{said}");
    drop(running);
}
