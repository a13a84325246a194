//! Bad input, bad arguments: what is good is processed, what is bad is named, the exit code fits.
//! Source: `DESIGN.md` section 6, exit codes.

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
#![expect(clippy::expect_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use capture::file::{Resolution, Writer};
use model::Nanos;
use wire::{Frame, LinkType};

const PCAP_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;
/// Frames in [`good`], one event each.
const QUESTIONS: usize = 3;

fn vigie(arguments: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(arguments)
        .args(files)
        .output()
        .expect("vigie runs")
}

/// Reads DNS events of captures; exit code, events, standard error.
fn read(files: &[&Path]) -> (Option<i32>, usize, String) {
    let output = vigie(&["read", "--quiet", "--only", "dns_activity"], files);
    let events = output
        .stdout
        .iter()
        .filter(|octet| **octet == b'\n')
        .count();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), events, words)
}

/// A capture of [`QUESTIONS`].
fn good() -> Vec<u8> {
    questions(QUESTIONS)
}

/// A capture of DNS questions, each from its own port.
fn questions(count: usize) -> Vec<u8> {
    let mut writer =
        Writer::new(Vec::new(), LinkType::ETHERNET, Resolution::Microseconds).expect("a header");
    for number in 0..u16::try_from(count).expect("few") {
        let bytes = question(number);
        let frame = Frame {
            time: Nanos(1_700_000_000_000_000_000 + i64::from(number) * 1_000_000),
            number: 1,
            link: LinkType::ETHERNET,
            wire_len: u32::try_from(bytes.len()).expect("short"),
            bytes: &bytes,
            vlan: None,
        };
        writer.write(&frame).expect("a frame");
    }
    writer.finish().expect("the rest")
}

/// A question for the address of `a.test`: Ethernet, IPv4, UDP without checksum, DNS.
fn question(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    frame.extend([
        0x45, 0, 0, 52, high, low, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 53,
    ]);
    frame.extend([0x80 | high, low, 0, 53, 0, 32, 0, 0]);
    frame.extend([high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    frame.extend([1, b'a', 4, b't', b'e', b's', b't', 0, 0, 1, 0, 1]);
    frame
}

/// Writes a file into a folder that lives as long as the test.
fn file(folder: &tempfile::TempDir, name: &str, octets: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, octets).expect("a file");
    path
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Asserts that a file is read up to its damage and that the message tells file, place and cause.
fn assert_damaged(name: &str, octets: &[u8], events: usize, says: &[&str]) {
    let folder = folder();
    let path = file(&folder, name, octets);
    let (code, read, words) = read(&[&path]);
    assert_eq!((code, read), (Some(3), events), "{name}: {words}");
    assert!(words.contains(name), "{name} is not named: {words}");
    for part in says {
        assert!(words.contains(part), "'{part}' is missing: {words}");
    }
}

#[test]
fn a_sound_capture_is_read_fully() {
    let folder = folder();
    let path = file(&folder, "good.pcap", &good());
    assert_eq!(read(&[&path]), (Some(0), QUESTIONS, String::new()));
}

#[test]
fn a_truncated_capture_gives_what_stands_before() {
    let mut octets = good();
    let record = RECORD_HEADER_BYTES + question(0).len();
    octets.truncate(PCAP_HEADER_BYTES + 2 * record + RECORD_HEADER_BYTES + 5);
    let offset = format!("byte {}", PCAP_HEADER_BYTES + 2 * record);
    assert_damaged(
        "cut.pcap",
        &octets,
        2,
        &[
            &offset,
            "truncated",
            "the 2 packets before it were processed",
        ],
    );
}

#[test]
fn a_length_that_cannot_be_stops_the_reading_there() {
    let mut octets = good();
    let record = RECORD_HEADER_BYTES + question(0).len();
    let length = PCAP_HEADER_BYTES + record + 8;
    octets[length..length + 4].fill(0x7f);
    let offset = format!("byte {}", PCAP_HEADER_BYTES + record);
    assert_damaged(
        "long.pcap",
        &octets,
        1,
        &[
            &offset,
            "impossible",
            "the 1 packets before it were processed",
        ],
    );
}

#[test]
fn what_is_no_capture_is_named() {
    assert_damaged("empty.pcap", b"", 0, &["the file is empty"]);
    assert_damaged(
        "letter.txt",
        b"Bonjour\n",
        0,
        &["not a capture file", "byte 0"],
    );
    assert_damaged(
        "archive.zip",
        b"PK\x03\x04rest",
        0,
        &["a zip archive", "convert it"],
    );
    let cut = good();
    assert_damaged("head.pcap", &cut[..10], 0, &["truncated"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder();
    let path = folder.path().join("absent.pcap");
    let (code, events, words) = read(&[&path]);
    assert_eq!((code, events), (Some(3), 0), "{words}");
    assert!(
        words.contains("absent.pcap") && words.contains("cannot be opened"),
        "{words}"
    );
}

#[test]
fn one_bad_file_among_good_ones_stops_nothing() {
    let folder = folder();
    let first = file(&folder, "first.pcap", &good());
    let bad = file(&folder, "bad.pcap", b"\xd4\xc3\xb2\xa1 not really");
    let last = file(&folder, "last.pcap", &good());
    let (code, events, words) = read(&[&first, &bad, &last]);
    assert_eq!((code, events), (Some(3), 2 * QUESTIONS), "{words}");
    assert!(words.contains("bad.pcap"), "{words}");
    assert!(
        !words.contains("first.pcap") && !words.contains("last.pcap"),
        "{words}"
    );
}

#[test]
fn a_link_type_that_is_not_understood_is_named_and_counted() {
    let folder = folder();
    let mut octets = good();
    // The link type is the last field of the header; 147 is one for private use.
    octets[20] = 147;
    let path = file(&folder, "private.pcap", &octets);
    let (_, events, words) = read(&[&path]);
    assert_eq!(events, 0, "{words}");
    assert!(
        words.contains("147") && words.contains("3 frames"),
        "{words}"
    );
}

#[test]
fn a_class_that_does_not_exist_is_a_wrong_use() {
    let folder = folder();
    let path = file(&folder, "good.pcap", &good());
    let output = vigie(&["read", "--only", "dns_activty"], &[&path]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(
        words.contains("dns_activty") && words.contains("dns_activity"),
        "{words}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn an_option_that_does_not_exist_is_a_wrong_use() {
    let output = vigie(&["read", "--formt", "eve", "x.pcap"], &[]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("--format"), "{words}");
}

#[test]
fn an_unknown_configuration_key_is_refused_with_the_nearest() {
    let folder = folder();
    let capture = file(&folder, "good.pcap", &good());
    let config = file(&folder, "vigie.toml", b"[wire]\nbudgt = \"64MiB\"\n");
    let config = config.to_string_lossy();
    let output = vigie(&["--config", &config, "read"], &[&capture]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    for part in ["budgt", "did you mean 'budget'", "line 2", "vigie.toml"] {
        assert!(words.contains(part), "'{part}' is missing: {words}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn a_reader_that_leaves_ends_us_without_complaint() {
    let folder = folder();
    // More output than any pipe holds.
    let path = file(&folder, "many.pcap", &questions(9000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["read", "--quiet"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vigie runs");
    let mut line = String::new();
    let mut stdout = BufReader::with_capacity(16, child.stdout.take().expect("a pipe"));
    stdout.read_line(&mut line).expect("a line");
    drop(stdout);
    let output = child.wait_with_output().expect("vigie ends");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), &*words),
        (Some(0), ""),
        "after {line}"
    );
}

#[test]
fn standard_input_is_a_capture_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["read", "--quiet", "--only", "dns_activity", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vigie runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let cut = good().len() - 3;
    stdin.write_all(&good()[..cut]).expect("taken");
    drop(stdin);
    let output = child.wait_with_output().expect("vigie ends");
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("standard input"), "{words}");
    assert_eq!(
        output
            .stdout
            .iter()
            .filter(|octet| **octet == b'\n')
            .count(),
        2
    );
}
