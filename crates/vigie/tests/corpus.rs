//! Reading survives every capture at hand, whole and damaged: no panic, no end of time, no end of
//! memory, and an exit code that says what happened.
//!
//! The packet path runs in this process, events are written as JSON like `vigie read` does; the
//! binary itself reads a sample. Five damages for each capture, decided by its name.

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
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where, and what it did"
)]

#[path = "support/day.rs"]
mod day;
#[path = "corpus/mutate.rs"]
mod mutate;

use std::io::{Cursor, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use capture::file::{Source, Stream};
use model::Event;
use model::ocsf::{Clearance, write_event};
use model::port::EventSink;
use mutate::Random;
use wire::{Frame, Sequence, WireConfig, Worker};

/// Ways to damage a capture.
const DAMAGES: u64 = 5;
/// A reading must end within this, and within a second for each megabyte, on a busy machine.
const SECONDS_MIN: u64 = 20;
/// One reading in this many is repeated by the binary; a prime, so that each damage gets its turn.
const BINARY_EVERY: usize = 97;

#[test]
fn every_capture_is_survived_whole_and_damaged_needs_shared() {
    let root = std::env::var_os("VIGIE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let root = root.join("corpora/pcap");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    if files.is_empty() {
        println!("no captures under {}: nothing was read", root.display());
        return;
    }
    let mut run = Run::default();
    for file in &files {
        let octets = std::fs::read(file).expect("a readable file");
        let name = file
            .strip_prefix(&root)
            .unwrap_or(file)
            .display()
            .to_string();
        run.capture(&name, &octets);
    }
    run.conclude(files.len());
}

#[test]
fn the_recorded_day_is_survived_whole_and_damaged() {
    let mut source = day::open().expect("the recording");
    let mut octets = Vec::new();
    let mut kept = 0;
    {
        let mut writer = None;
        while let Some(frame) = source.next().expect("a whole recording") {
            // One flow in eight, by the lower port bits of both ends, so that flows stay whole.
            if !is_kept(frame.bytes) {
                continue;
            }
            kept += 1;
            let writer = writer.get_or_insert_with(|| {
                let unit = capture::file::Resolution::Microseconds;
                capture::file::Writer::new(Vec::new(), frame.link, unit).expect("a header")
            });
            writer.write(&frame).expect("a frame");
        }
        if let Some(writer) = writer {
            octets = writer.finish().expect("the rest");
        }
    }
    assert!(kept > 1000, "{kept} frames were kept");
    let mut run = Run::default();
    run.capture("day", &octets);
    run.conclude(1);
}

/// True for frames of some flows, all of each.
fn is_kept(frame: &[u8]) -> bool {
    let port = |at: usize| frame.get(at).copied().unwrap_or(0);
    (port(35) ^ port(37)).is_multiple_of(8)
}

/// Every capture below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.to_string_lossy().contains(".pcap") {
            files.push(path);
        }
    }
}

/// What came of all readings.
#[derive(Default)]
struct Run {
    readings: usize,
    frames: u64,
    events: u64,
    json_bytes: usize,
    by_binary: usize,
    wrong: Vec<String>,
    slowest: Option<(Duration, String)>,
}

impl Run {
    /// Reads a capture whole and damaged in every way.
    fn capture(&mut self, name: &str, octets: &[u8]) {
        self.read(&format!("{name}, whole"), octets, None);
        for damage in 0..DAMAGES {
            let label = format!("{name}, damage {damage}");
            let mut random = Random::of(name, damage);
            let mut damaged = octets.to_vec();
            match damage {
                0 => mutate::flip_file_bits(&mut damaged, &mut random),
                1 => mutate::truncate(&mut damaged, &mut random),
                2 => mutate::duplicate(&mut damaged, &mut random),
                // The file stays sound, so that the damage gets past its reader.
                3 => change_frames(&mut damaged, |frame| {
                    mutate::damage_lengths(frame, &mut random);
                }),
                _ => change_frames(&mut damaged, |frame| {
                    mutate::flip_payload_bits(frame, &mut random);
                }),
            }
            self.read(&label, &damaged, Some(damage));
        }
    }

    fn read(&mut self, label: &str, octets: &[u8], damage: Option<u64>) {
        let begin = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| read(label, octets))) {
            Ok((frames, events, json_bytes)) => {
                self.frames += frames;
                self.events += events;
                self.json_bytes += json_bytes;
            }
            Err(_) => self.wrong.push(format!("{label}: panic")),
        }
        let took = begin.elapsed();
        let limit = SECONDS_MIN + u64::try_from(octets.len() / 1_000_000).unwrap_or(0);
        if took > Duration::from_secs(limit) {
            self.wrong.push(format!("{label}: {took:?}"));
        }
        if self
            .slowest
            .as_ref()
            .is_none_or(|(slowest, _)| took > *slowest)
        {
            self.slowest = Some((took, label.to_owned()));
        }
        if self.readings % BINARY_EVERY == 1 && damage.is_some() {
            self.by_binary += 1;
            let code = exit_code(octets);
            if !matches!(code, Some(0 | 3)) {
                self.wrong
                    .push(format!("{label}: the binary ended with {code:?}"));
            }
        }
        self.readings += 1;
    }

    fn conclude(&self, captures: usize) {
        println!(
            "{captures} captures, {} readings ({} by the binary), {} frames, {} events, {} MB of \
             JSON, slowest {:?}",
            self.readings,
            self.by_binary,
            self.frames,
            self.events,
            self.json_bytes / 1_000_000,
            self.slowest
        );
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
        assert!(self.frames > 0 && self.events > 0, "nothing was read");
    }
}

/// Changes the frames of a little-endian pcap in place; other files are left alone.
fn change_frames(octets: &mut [u8], mut change: impl FnMut(&mut [u8])) {
    let micro = octets.starts_with(&0xa1b2_c3d4_u32.to_le_bytes());
    let nano = octets.starts_with(&0xa1b2_3c4d_u32.to_le_bytes());
    if !(micro || nano) {
        return;
    }
    let mut at = 24;
    while let Some([a, b, c, d]) = octets.get(at + 8..at + 12) {
        let len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let Some(frame) = octets.get_mut(at + 16..(at + 16).saturating_add(len)) else {
            return;
        };
        change(frame);
        at += 16 + len;
    }
}

/// Reads as `vigie read --clear` and `vigie read` do; frames, events, octets of JSON.
fn read(label: &str, octets: &[u8]) -> (u64, u64, usize) {
    let stream = Stream::of(label, Box::new(Cursor::new(octets.to_vec())));
    let Ok(mut source) = Source::of(stream) else {
        return (0, 0, 0);
    };
    let mut worker = Worker::new(WireConfig {
        node: source.node(),
        sequence: Sequence::Packet,
        ..WireConfig::default()
    });
    let mut sink = Json {
        key: model::SiteKey::new([7; 32]),
        events: 0,
        bytes: 0,
        line: Vec::new(),
    };
    let mut frames = 0;
    while let Ok(Some(frame)) = source.next() {
        let frame: Frame<'_> = frame;
        worker.frame(&frame, &mut sink);
        frames += 1;
    }
    worker.finish(&mut sink);
    (frames, sink.events, sink.bytes)
}

/// Writes each event in the clear and masked.
struct Json {
    key: model::SiteKey,
    events: u64,
    bytes: usize,
    line: Vec<u8>,
}

impl EventSink for Json {
    fn event(&mut self, mut event: Event) {
        for clearance in [Clearance::Clear, Clearance::Masked] {
            if matches!(clearance, Clearance::Masked) {
                event.mask(&self.key);
            }
            self.line.clear();
            write_event(&event, &mut self.line, clearance);
            self.bytes += self.line.len();
        }
        self.events += 1;
    }
}

/// How the binary ends on these octets.
fn exit_code(octets: &[u8]) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vigie"))
        .args(["read", "--quiet", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("vigie runs");
    if let Some(mut stdin) = child.stdin.take() {
        // It may stop reading at the damage.
        let _ = stdin.write_all(octets);
    }
    child.wait().expect("vigie ends").code()
}
