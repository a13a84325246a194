//! Names of patients in SMB paths, URLs, DICOM and HL7 never stand in the clear outside the vault.

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

use std::collections::BTreeSet;

use serde_json::Value;
use support::{Running, files, ndjson, recorded_day, run, stdout, vigie};

/// Names that the lab's generator put on the wire, as `read --clear` shows them, and in how many
/// places (a name in a kind of field).
fn planted(events: &[Value]) -> (BTreeSet<String>, usize) {
    let mut places = BTreeSet::new();
    let mut names = BTreeSet::new();
    for event in events {
        for pointer in [
            "/medical/patient_name",
            "/file/path",
            "/http_request/url/path",
            "/http_request/url/query_string",
            "/unmapped/smb/renamed_to",
        ] {
            let text = event
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default();
            for word in text.split(|c: char| !c.is_alphabetic()) {
                if word.chars().count() >= 5 && word.chars().next().is_some_and(char::is_uppercase)
                {
                    names.insert(word.to_owned());
                    places.insert((word.to_owned(), pointer));
                }
            }
        }
    }
    // Words of protocols and file layouts that are no names.
    for word in [
        "Patient",
        "Appointment",
        "Encounter",
        "Observation",
        "Bundle",
        "README",
        "RESTORE",
    ] {
        names.remove(word);
        places.retain(|(name, _)| name != word);
    }
    (names, places.len())
}

/// UTF-8 and UTF-16 forms of a name.
fn forms(name: &str) -> [Vec<u8>; 2] {
    let wide = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [name.as_bytes().to_vec(), wide]
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn planted_names_stand_nowhere_outside_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let day = recorded_day(folder.path());
    let clear = stdout(vigie().args(["--quiet", "read", "--clear"]).arg(&day), 0);
    let events = ndjson(&clear);
    let (names, places) = planted(&events);
    assert!(places >= 40, "only {places} plantings of {names:?}");
    let masked = stdout(vigie().args(["--quiet", "read"]).arg(&day), 0);
    let dir = folder.path().join("state");
    let running = Running::start(&dir);
    let dir_text = dir.to_str().unwrap();
    let mut store = vigie();
    store
        .args(["--quiet", "--data-dir", dir_text, "read", "--into-store"])
        .arg(&day);
    stdout(&mut store, 0);
    let mut shown = masked;
    for class in [
        "http_activity",
        "smb_activity",
        "medical_exchange_activity",
        "dns_activity",
    ] {
        for row in running.query(&format!("select * from {class}")) {
            shown.push_str(&row.to_string());
        }
    }
    shown.push_str(&support::fetch(&format!("{}metrics", running.console)));
    for name in &names {
        assert!(!shown.contains(name.as_str()), "'{name}' is in an answer");
    }
    for path in files(&dir).into_iter().chain([dir.with_extension("log")]) {
        let bytes = support::bytes(&path);
        for name in &names {
            for form in forms(name) {
                assert!(!holds(&bytes, &form), "'{name}' is in {}", path.display());
            }
        }
    }
    found_through_the_vault(&running, &names);
}

/// One exchange of a patient, opened with a reason, shows the name, and the trail has the opening.
fn found_through_the_vault(running: &Running, names: &BTreeSet<String>) {
    let rows =
        running.query("select uid from medical_exchange_activity where patient_name is not null");
    let uid = rows
        .first()
        .and_then(|row| row["uid"].as_str())
        .expect("an exchange with a name");
    let dir = running.dir.to_str().unwrap();
    let mut open = vigie();
    open.args([
        "--data-dir",
        dir,
        "vault",
        "open",
        uid,
        "--reason",
        "test of the vault",
    ]);
    let opened = stdout(&mut open, 0);
    assert!(
        names.iter().any(|name| opened.contains(name.as_str())),
        "{opened}"
    );
    let trail: Vec<u8> = files(&running.dir)
        .iter()
        .filter(|path| path.to_string_lossy().contains("audit"))
        .flat_map(|path| support::bytes(path))
        .collect();
    assert!(
        holds(&trail, uid.as_bytes()),
        "the opening is not in the audit trail"
    );
    let mut silent = vigie();
    silent.args(["--data-dir", dir, "vault", "open", uid, "--reason", ""]);
    assert_eq!(
        run(&mut silent).status.code(),
        Some(2),
        "an opening without reason"
    );
}

#[test]
fn a_name_is_found_by_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let day = recorded_day(folder.path());
    let clear = ndjson(&stdout(
        vigie().args(["--quiet", "read", "--clear"]).arg(&day),
        0,
    ));
    let name = planted(&clear).0.into_iter().next().expect("a name");
    let dir = folder.path().join("state");
    let dir_text = dir.to_str().unwrap();
    let mut store = vigie();
    store
        .args(["--quiet", "--data-dir", dir_text, "read", "--into-store"])
        .arg(&day);
    stdout(&mut store, 0);
    let lower = name.to_lowercase();
    let texts = [
        format!("patient_name:{lower}"),
        format!("file_path:{lower}"),
        format!("url_path:{lower}"),
        format!("renamed_to:{lower}"),
        format!("url_query:{lower}"),
    ];
    let found: usize = texts
        .iter()
        .map(|text| support::query(&dir, text).len())
        .sum();
    assert!(found > 0, "'{name}' is found by no search");
}
