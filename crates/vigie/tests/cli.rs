//! The command line: help, exit codes, configuration, formats.

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

use support::{ndjson, recorded_day, run, stdout, vigie};

#[test]
fn every_command_explains_itself() {
    for command in [
        "up",
        "read",
        "replay",
        "query",
        "inventory",
        "packets",
        "demo",
        "config",
        "vault",
        "doctor",
    ] {
        let help = stdout(vigie().args([command, "--help"]), 0);
        assert!(help.contains("Usage: vigie"), "{command}: {help}");
    }
    let man = stdout(vigie().arg("man"), 0);
    assert!(man.contains(".TH vigie"), "{man}");
}

#[test]
fn a_wrong_word_is_refused_with_the_nearest() {
    let out = run(vigie().arg("raed"));
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("'read'"));
}

#[test]
fn the_effective_configuration_is_itself_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vigie.toml");
    std::fs::write(&path, stdout(vigie().args(["config", "show"]), 0)).unwrap();
    stdout(
        vigie().arg("--config").arg(&path).args(["config", "check"]),
        0,
    );
}

#[test]
fn reading_twice_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let day = recorded_day(folder.path());
    let mut one = vigie();
    one.args(["--quiet", "read", "--reproducible"]).arg(&day);
    let first = stdout(&mut one, 0);
    assert_eq!(first, stdout(&mut one, 0));
    let events = ndjson(&first);
    let classes = |uid: u64| {
        events
            .iter()
            .filter(|event| event["class_uid"] == uid)
            .count()
    };
    for uid in [4001, 4002, 4003, 4004, 4006, 4007, 5001, 99_904_001] {
        assert!(classes(uid) > 0, "no event of class {uid}");
    }
}

#[test]
fn only_keeps_the_classes_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let day = recorded_day(folder.path());
    let mut command = vigie();
    command
        .args(["--quiet", "read", "--only", "dns_activity,4007"])
        .arg(&day);
    let events = ndjson(&stdout(&mut command, 0));
    assert!(!events.is_empty());
    assert!(
        events
            .iter()
            .all(|event| event["class_uid"] == 4003 || event["class_uid"] == 4007)
    );
}

#[test]
fn eve_speaks_suricata_s_names() {
    let folder = tempfile::tempdir().unwrap();
    let day = recorded_day(folder.path());
    let mut command = vigie();
    command
        .args(["--quiet", "read", "--format", "eve"])
        .arg(&day);
    let lines = ndjson(&stdout(&mut command, 0));
    let of = |kind: &'static str| lines.iter().filter(move |line| line["event_type"] == kind);
    assert!(of("dns").all(|line| line["dns"]["rrname"].is_string() || line["dns"].is_object()));
    assert!(of("tls").any(|line| line["tls"]["version"] == "TLS 1.3"));
    assert!(of("http").any(|line| line["http"]["status"] == 200));
    assert!(of("flow").any(|line| line["flow"]["pkts_toserver"].as_u64() > Some(0)));
}
