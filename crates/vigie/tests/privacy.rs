//! Names of patients in SMB paths, URLs, DICOM, HL7, LDAP filters and SMTP subjects never stand in
//! the clear outside the vault.

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

use serde_json::Value;
use support::talk::{Talk, ber};
use support::{Running, Session, files, ndjson, recorded_day, run, stdout, vigie};

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

/// Invented names that only [`letters`] holds.
const LETTERS: &[&str] = &[
    "Zaborowska",
    "Quenneville",
    "Thibodeaux",
    "Wolkenstein",
    "Yvernault",
    "Kerguelec",
    "Oyharzabal",
    "Vandermeulen",
];

/// LDAP searches, mails and web requests with the names of [`LETTERS`], as a capture.
fn letters(folder: &Path) -> PathBuf {
    let path = folder.join("letters.pcap");
    let client = [10, 20, 30, 11];
    let directory = (40_000..).zip(LETTERS).map(|(port, name)| {
        let talk = Talk::open((client, port), ([10, 20, 10, 50], 389));
        talk.ask(&search(name)).answer(&done()).close()
    });
    let mails = (41_000..).zip(LETTERS).map(|(port, name)| {
        let mail = format!(
            "Subject: Compte rendu {name}\r\nFrom: a@chu.test\r\nTo: b@chu.test\r\n\r\n\
             M. {name}\r\n.\r\n"
        );
        Talk::open((client, port), ([10, 20, 10, 60], 25))
            .answer(b"220 mail.chu.test ESMTP\r\n")
            .ask(b"EHLO ws1.chu.test\r\n")
            .answer(b"250 mail.chu.test\r\n")
            .ask(b"MAIL FROM:<a@chu.test>\r\n")
            .answer(b"250 ok\r\n")
            .ask(b"RCPT TO:<b@chu.test>\r\n")
            .answer(b"250 ok\r\n")
            .ask(b"DATA\r\n")
            .answer(b"354 go on\r\n")
            .ask(mail.as_bytes())
            .answer(b"250 taken\r\n")
            .ask(b"QUIT\r\n")
            .answer(b"221 bye\r\n")
            .close()
    });
    let web = (42_000..).zip(LETTERS).map(|(port, name)| {
        let request = format!(
            "GET /dossiers/{name}-compte-rendu.pdf?patient={name}&page=1 HTTP/1.1\r\n\
             Host: dpi.chu.test\r\n\r\n"
        );
        Talk::open((client, port), ([10, 20, 10, 30], 80))
            .ask(request.as_bytes())
            .answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .close()
    });
    support::talk::write(&path, directory.chain(mails).chain(web));
    path
}

/// An LDAP search for `(cn=NAME*)`. Source: RFC 4511 section 4.5.1.
fn search(name: &str) -> Vec<u8> {
    let prefix = ber(0x30, &ber(0x80, name.as_bytes()));
    let filter = ber(0xa4, &[ber(0x04, b"cn"), prefix].concat());
    let request = [
        ber(0x04, b"ou=people,dc=chu,dc=test"),
        ber(0x0a, &[2]),
        ber(0x0a, &[0]),
        ber(0x02, &[0]),
        ber(0x02, &[0]),
        ber(0x01, &[0]),
        filter,
        ber(0x30, b""),
    ];
    ber(
        0x30,
        &[ber(0x02, &[1]), ber(0x63, &request.concat())].concat(),
    )
}

/// Its answer: found nothing.
fn done() -> Vec<u8> {
    let result = [ber(0x0a, &[0]), ber(0x04, b""), ber(0x04, b"")].concat();
    ber(0x30, &[ber(0x02, &[1]), ber(0x65, &result)].concat())
}

/// In which of the kinds of field that the day holds names were planted, and how many.
fn kinds(events: &[Value], names: &BTreeSet<String>) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for event in events {
        for (kind, pointer) in [
            ("SMB path", "/file/path"),
            ("SMB path", "/unmapped/smb/renamed_to"),
            ("URL path", "/http_request/url/path"),
            ("URL query", "/http_request/url/query_string"),
            ("HL7", "/medical/patient_name"),
            ("DICOM", "/medical/patient_name"),
        ] {
            let medical = event.pointer("/medical/standard").and_then(Value::as_str);
            let matches = match kind {
                "SMB path" => event["class_uid"] == 4006,
                "URL path" | "URL query" => event["class_uid"] == 4002,
                "HL7" => medical == Some("hl7v2"),
                _ => medical == Some("dicom"),
            };
            let text = event.pointer(pointer).and_then(Value::as_str);
            let named = text.is_some_and(|text| names.iter().any(|name| text.contains(name)));
            if matches && named {
                *kinds.entry(kind).or_default() += 1;
            }
        }
    }
    kinds
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
    let letters = letters(folder.path());
    let mut clear = vigie();
    clear.args(["--quiet", "read", "--clear"]);
    let events = ndjson(&stdout(clear.arg(&day).arg(&letters), 0));
    let (mut names, places) = planted(&events);
    names.extend(LETTERS.iter().map(|name| (*name).to_owned()));
    let kinds = kinds(&events, &names);
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    let wire = support::bytes(&letters);
    for name in LETTERS {
        assert!(holds(&wire, name.as_bytes()));
    }
    let places = places + 2 * LETTERS.len();
    assert!(places >= 40, "only {places} plantings of {names:?}");
    println!(
        "\nprivacy: {} names in {places} places: {kinds:?}, {n} LDAP filters, {n} mail subjects",
        names.len(),
        n = LETTERS.len()
    );
    let mut shown = stdout(vigie().args(["--quiet", "read"]).arg(&day).arg(&letters), 0);
    let dir = folder.path().join("state");
    let running = Running::start(&dir);
    let dir_text = dir.to_str().unwrap();
    let mut store = vigie();
    store.args(["--quiet", "--data-dir", dir_text, "read", "--into-store"]);
    stdout(store.arg(&day).arg(&letters), 0);
    for port in [25, 389] {
        let flows = format!("select uid from network_activity where dst_port = {port}");
        assert!(running.query(&flows).len() >= LETTERS.len(), "port {port}");
    }
    // In the log first, then sealed in segments.
    shown.push_str(&answers(&running));
    shown.push_str(&interface(&running, folder.path()));
    shown.push_str(&support::fetch(&format!("{}metrics", running.console)));
    let log = files(&dir)
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("/wal/"));
    let log: u64 = log.map(|path| path.metadata().unwrap().len()).sum();
    assert!(
        log > 100_000,
        "the log was scanned while it held {log} octets"
    );
    on_disk(&dir, &names);
    drop(running);
    let running = Running::start(&dir);
    let segments = files(&dir)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "parquet"));
    assert!(segments.count() > 3, "no segments");
    shown.push_str(&answers(&running));
    on_disk(&dir, &names);
    assert_eq!(
        Needles::new(&names).found(shown.as_bytes()),
        None,
        "in an answer"
    );
    found_through_the_vault(&running, &names);
}

/// Every column of every class, as the command line shows it.
fn answers(running: &Running) -> String {
    let mut shown = String::new();
    for class in model::CLASSES {
        for row in running.query(&format!("select * from {}", class.name)) {
            shown.push_str(&row.to_string());
        }
    }
    assert!(shown.len() > 100_000, "{} octets of answers", shown.len());
    shown
}

/// What the console's own interface answers.
fn interface(running: &Running, folder: &Path) -> String {
    let session = Session::first(running, folder);
    let mut shown = String::new();
    for search in [
        "proto:smb",
        "proto:http",
        "proto:dicom",
        "proto:hl7",
        "dst_port:389",
    ] {
        let found = session.read(&format!(
            "events?q={search}&from=1794900000000&to=1795600000000&limit=500"
        ));
        assert!(found.len() > 500, "{search}: {found}");
        shown.push_str(&found);
    }
    for path in ["assets?limit=500", "overview", "system", "audit-trail"] {
        shown.push_str(&session.read(path));
    }
    shown
}

/// Names in UTF-8 and UTF-16, looked for in one pass.
struct Needles<'a> {
    /// True for the first two octets of a form.
    begins: Vec<bool>,
    forms: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Needles<'a> {
    fn new(names: &'a BTreeSet<String>) -> Self {
        let mut begins = vec![false; 1 << 16];
        let mut all = Vec::new();
        for name in names {
            for form in forms(name) {
                begins[usize::from(u16::from_be_bytes([form[0], form[1]]))] = true;
                all.push((name.as_str(), form));
            }
        }
        Self { begins, forms: all }
    }

    /// A name that stands in these octets.
    fn found(&self, bytes: &[u8]) -> Option<&'a str> {
        let mut last = 0;
        for (at, octet) in bytes.iter().enumerate() {
            let pair = last << 8 | usize::from(*octet);
            last = usize::from(*octet);
            if self.begins[pair] && at > 0 {
                let rest = &bytes[at - 1..];
                let form = self.forms.iter().find(|(_, form)| rest.starts_with(form));
                if let Some((name, _)) = form {
                    return Some(name);
                }
            }
        }
        None
    }
}

#[test]
fn a_needle_is_found_wherever_it_stands() {
    let names = BTreeSet::from(["Durand".to_owned()]);
    let needles = Needles::new(&names);
    assert_eq!(needles.found(b"Durand"), Some("Durand"));
    assert_eq!(needles.found(b"..D.u.DuDurand"), Some("Durand"));
    assert_eq!(needles.found(&forms("xDurand")[1]), Some("Durand"));
    assert_eq!(needles.found(b"Duran"), None);
}

/// No name in any file of the folder, nor in what Vigie said.
fn on_disk(dir: &Path, names: &BTreeSet<String>) {
    let needles = Needles::new(names);
    for path in files(dir).into_iter().chain([dir.with_extension("log")]) {
        let found = needles.found(&support::bytes(&path));
        assert_eq!(found, None, "in {}", path.display());
    }
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
