//! `./dev bench store [MILLIONS]`: ingest and queries of the store, beside DuckDB.
//!
//! Enters: millions of events (default 3). Leaves: the figures of the store's own example, and for
//! the queries those of DuckDB on the same segments. Refuses: runs during which the machine's speed
//! changed by [`DRIFT_MAX`]: they are printed and marked as discarded.
//! Source: `DESIGN.md` section 7; `docs/benchmarks/store.md`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::machine;
use super::measure::{measure, median};
use crate::run::streamed;

/// Share by which the probe may differ before and after.
const DRIFT_MAX: f64 = 0.15;
/// Measurements of the probe; the median counts.
const PROBE_RUNS: usize = 3;
/// Runs of the probe in one measurement: clock ticks of 10 ms must not matter.
const PROBE_REPEATS: usize = 20;
/// The peer.
const PEER: &str = "duckdb==2.0.0";
/// Packets of the probe's input.
const PROBE_PACKETS: u32 = 60_000;
/// Octets of payload of each.
const PROBE_PAYLOAD: usize = 1000;

type Figures = BTreeMap<String, (f64, String)>;

/// The store's own example, then the peer, between two probes.
pub(super) fn run(root: &Path, args: &[String]) -> Result<()> {
    let days = args.first().map_or("3", String::as_str);
    let parsed: u64 = days.parse().context("how many millions of events?")?;
    ensure!((1..=38).contains(&parsed), "1 to 38 millions of events");
    let vigie = PathBuf::from(std::env::var("VIGIE_BIN").context("VIGIE_BIN is not set")?);
    let target = vigie
        .parent()
        .and_then(Path::parent)
        .context("no target folder")?;
    let example = built(root, target)?;
    let work = target.join("bench/store");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work)?;
    let peer = peer()?;

    let before = speed(root, &work)?;
    let mut figures = Figures::new();
    let mut command = Command::new(&example);
    command.arg(days).arg(work.join("data"));
    let ok = streamed(&mut command, |line| take(line, &mut figures))?;
    ensure!(ok, "the store's bench failed");
    let mut theirs = Figures::new();
    let mut command = Command::new(peer);
    command.arg(root.join("benches/duckdb_peer.py"));
    command.arg(work.join("data")).arg(last_day(parsed));
    let ok = streamed(&mut command, |line| take(line, &mut theirs))?;
    ensure!(ok, "DuckDB failed on the same segments");
    let after = speed(root, &work)?;
    fs::remove_dir_all(&work)?;

    report(&figures, &theirs);
    let drift = (after / before - 1.0).abs();
    println!("probe: {before:.2} CPU s before, {after:.2} after");
    ensure!(
        drift < DRIFT_MAX,
        "DISCARDED: the machine's speed changed by {:.0} % during the run",
        drift * 100.0
    );
    Ok(())
}

/// The example, from the very units of the release binary: the same packages and features are
/// asked for, so that only the example itself is compiled and linked.
fn built(root: &Path, target: &Path) -> Result<PathBuf> {
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "-p", "vigie"]);
    build.args(["-p", "vigie-store", "--features", "vigie/embed-ui"]);
    build.args(["--example", "ingest_bench"]);
    build.env("CARGO_TARGET_DIR", target).current_dir(root);
    ensure!(
        build.status()?.success(),
        "the store's bench does not build"
    );
    Ok(target.join("release/examples/ingest_bench"))
}

/// Python of a virtual environment with the peer in it.
fn peer() -> Result<PathBuf> {
    let cache = std::env::var("VIGIE_DEV_CACHE").context("VIGIE_DEV_CACHE is not set")?;
    let folder = Path::new(&cache).join("bench-duckdb");
    let python = folder.join("bin/python");
    let has = |python: &Path| {
        let mut ask = Command::new(python);
        ask.args(["-c", "import duckdb"]).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    };
    if !has(&python) {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&folder);
        ensure!(make.status()?.success(), "no Python environment for DuckDB");
        let mut install = Command::new(&python);
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--only-binary=:all:",
            PEER,
        ]);
        ensure!(install.status()?.success(), "DuckDB could not be installed");
    }
    Ok(python)
}

fn take(line: &str, figures: &mut Figures) {
    let mut words = line.split(' ');
    let (Some("figure"), Some(name), Some(value)) = (words.next(), words.next(), words.next())
    else {
        return;
    };
    if let Ok(value) = value.parse() {
        let unit = words.next().unwrap_or_default().to_owned();
        figures.insert(name.to_owned(), (value, unit));
    }
}

fn report(ours: &Figures, theirs: &Figures) {
    println!(
        "{:<20} {:>14} {:<14} {:>10} {:>8}",
        "", "vigie", "", "DuckDB", "ratio"
    );
    for (name, (value, unit)) in ours {
        match theirs.get(name) {
            Some((peer, _)) if unit == "rows" => {
                let same = if peer == value { "same" } else { "DIFFERENT" };
                println!("{name:<20} {value:>14.0} {unit:<14} {peer:>10.0} {same:>8}");
            }
            Some((peer, _)) => {
                let ratio = value / peer;
                println!("{name:<20} {value:>14.1} {unit:<14} {peer:>10.1} {ratio:>8.2}");
            }
            None => println!("{name:<20} {value:>14.1} {unit}"),
        }
    }
}

/// The day that the store's bench ends with; it begins on 2026-11-23, a million events a day.
fn last_day(days: u64) -> String {
    let day = 22 + days;
    if day <= 30 {
        format!("2026-11-{day:02}")
    } else {
        format!("2026-12-{:02}", day - 30)
    }
}

/// CPU seconds of the ceiling probe of `benches/`, on packets made here: the machine's speed now.
fn speed(root: &Path, work: &Path) -> Result<f64> {
    let ceiling = machine::probe(root, "ceiling")?;
    let capture = work.join("probe.pcap");
    if !capture.exists() {
        packets(&capture)?;
    }
    let mut figures = Vec::new();
    for _ in 0..PROBE_RUNS {
        let again = format!("for n in $(seq {PROBE_REPEATS}); do \"$0\" \"$1\"; done");
        let mut command = Command::new("sh");
        command.args(["-ec", &again]);
        command.arg(&ceiling).arg(&capture);
        command.stdout(Stdio::null());
        figures.push(measure(&mut command)?);
    }
    Ok(median(figures).cpu)
}

/// A classic pcap of TCP segments of a few hundred flows.
fn packets(path: &Path) -> Result<()> {
    let mut out = std::io::BufWriter::new(fs::File::create(path)?);
    let head = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 1];
    for word in head {
        out.write_all(&word.to_le_bytes())?;
    }
    let length = u32::try_from(54 + PROBE_PAYLOAD)?;
    let payload: Vec<u8> = (0..PROBE_PAYLOAD).map(|n| (n * 7 % 251) as u8).collect();
    for n in 0..PROBE_PACKETS {
        for word in [n / 10_000, n % 10_000 * 100, length, length] {
            out.write_all(&word.to_le_bytes())?;
        }
        let flow = u16::try_from(n % 500)?;
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
        frame.extend_from_slice(&u16::try_from(40 + PROBE_PAYLOAD)?.to_be_bytes());
        frame.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend_from_slice(&(40_000 + flow).to_be_bytes());
        frame.extend_from_slice(&443u16.to_be_bytes());
        let sequence = n / 500 * u32::try_from(PROBE_PAYLOAD)?;
        frame.extend_from_slice(&sequence.to_be_bytes());
        frame.extend_from_slice(&[0, 0, 0, 1, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0]);
        out.write_all(&frame)?;
        out.write_all(&payload)?;
    }
    out.flush()?;
    Ok(())
}
