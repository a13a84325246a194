//! Every capture of the shared data set gives what an independent reader counts and sums up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use vigie_capture::file::Source;

/// Frames, octets on the wire, earliest and latest time in nanoseconds.
type Summary = (u64, u64, Option<i64>, Option<i64>);

#[test]
fn every_capture_is_as_capinfos_says_needs_shared() {
    let root = std::env::var_os("VIGIE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let mut files = Vec::new();
    collect(&root.join("corpora/pcap"), &mut files);
    if files.is_empty() {
        println!("no captures under {}: nothing was compared", root.display());
        return;
    }
    files.sort();
    let ours: BTreeMap<&PathBuf, Result<Summary, String>> =
        files.iter().map(|file| (file, count(file))).collect();
    let theirs = capinfos(&files);
    if theirs.is_empty() {
        println!("capinfos is not installed: counts are not compared");
    }
    let (mut same, mut wrong) = (0, Vec::new());
    for (file, ours) in &ours {
        match (ours, theirs.get(*file)) {
            (Ok(ours), Some(theirs)) if ours == theirs => same += 1,
            (Ok(_), None) if theirs.is_empty() => {}
            // Both readers refuse the file, or both stop at the same damage.
            (Err(error), None) => println!("{error}"),
            (ours, theirs) => {
                wrong.push(format!("{}: {ours:?}, capinfos {theirs:?}", file.display()))
            }
        }
    }
    println!(
        "{} captures, {same} with the same frames, octets and times",
        files.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if path.is_dir() {
            collect(&path, files);
        } else if matches!(kind, Some("pcap" | "pcapng" | "cap")) {
            files.push(path);
        }
    }
}

fn count(path: &Path) -> Result<Summary, String> {
    let mut source = Source::open(path).map_err(|error| error.to_string())?;
    let (mut octets, mut times) = (0, None);
    while let Some(frame) = source.next().map_err(|error| error.to_string())? {
        octets += u64::from(frame.wire_len);
        let (first, last) = times.unwrap_or((frame.time, frame.time));
        times = Some((first.min(frame.time), last.max(frame.time)));
    }
    let counts = source.counts();
    let (first, last) = (times.map(|(time, _)| time.0), times.map(|(_, time)| time.0));
    match counts.first_damage {
        None => Ok((counts.frames, octets, first, last)),
        Some((at, damage)) => Err(format!("{}: {at}: {damage}", path.display())),
    }
}

/// Summaries by `capinfos`, which leaves out files that it cannot read to the end.
fn capinfos(files: &[PathBuf]) -> BTreeMap<PathBuf, Summary> {
    let mut summaries = BTreeMap::new();
    for some in files.chunks(100) {
        let mut command = Command::new("capinfos");
        command.args(["-T", "-r", "-m", "-M", "-S", "-c", "-d", "-a", "-e"]);
        let Ok(output) = command.args(some).output() else {
            return summaries;
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            summaries.extend(summary(line));
        }
    }
    summaries
}

/// One line of the table: name, frames, octets, earliest and latest time.
fn summary(line: &str) -> Option<(PathBuf, Summary)> {
    let mut words = line.rsplitn(5, ',');
    let (last, first) = (nanos(words.next()?), nanos(words.next()?));
    let octets = words.next()?.trim().parse().ok()?;
    let frames = words.next()?.trim().parse().ok()?;
    Some((PathBuf::from(words.next()?), (frames, octets, first, last)))
}

/// Nanoseconds of `seconds.fraction`; `None` for `n/a`.
fn nanos(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let seconds: i64 = seconds.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
    Some(seconds * 1_000_000_000 + fraction)
}
