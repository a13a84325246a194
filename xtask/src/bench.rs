//! `./dev bench NAME`: figures beside a peer, on the release build.
//!
//! Enters: a name and a capture. Leaves: CPU seconds, packets per CPU second, peak memory and
//! ratios.
//! Refuses: a figure without its peer of the same run. Source: `DESIGN.md` section 7.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// Alternating runs of each program; the median is reported.
const RUNS: usize = 5;

/// Runs one bench.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    match args.first().map(String::as_str) {
        Some("wire") => wire(root, args.get(1)),
        Some("store") => store(root),
        _ => bail!("which bench? wire [CAPTURE], store"),
    }
}

struct Figure {
    cpu: f64,
    rss_kib: u64,
}

/// Packets per CPU second of `vigie read` beside the ceiling probe and tshark.
fn wire(root: &Path, capture: Option<&String>) -> Result<()> {
    let vigie = PathBuf::from(std::env::var("VIGIE_BIN").context("VIGIE_BIN is not set")?);
    let target = vigie
        .parent()
        .and_then(Path::parent)
        .context("no target folder")?;
    let capture = match capture {
        Some(path) => PathBuf::from(path),
        None => {
            bail!("which capture? a little-endian microsecond pcap; see docs/benchmarks/wire.md")
        }
    };
    let mut build = Command::new("cargo");
    build.args([
        "build",
        "--release",
        "--quiet",
        "--manifest-path",
        "benches/Cargo.toml",
    ]);
    build
        .env("CARGO_TARGET_DIR", target.join("benches"))
        .current_dir(root);
    ensure!(build.status()?.success(), "the probe does not build");
    let probe = target.join("benches/release/ceiling");
    let packets = packets(&probe, &capture)?;
    println!("capture {}: {packets} packets", capture.display());
    let vigie_command = |path: &Path| {
        let mut command = Command::new(&vigie);
        command
            .args(["--quiet", "read", "--format", "ndjson"])
            .arg(path);
        command
    };
    let probe_command = |path: &Path| {
        let mut command = Command::new(&probe);
        command.arg(path);
        command
    };
    let mut ours = Vec::new();
    let mut ceiling = Vec::new();
    for _ in 0..RUNS {
        ceiling.push(measure(&mut probe_command(&capture))?);
        ours.push(measure(&mut vigie_command(&capture))?);
    }
    let (ours, ceiling) = (median(ours), median(ceiling));
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-q", "-r"]).arg(&capture);
    let peer = measure(&mut tshark)?;
    report("ceiling probe", packets, &ceiling, ours.cpu);
    report("vigie read", packets, &ours, ours.cpu);
    report("tshark (dissect only)", packets, &peer, ours.cpu);
    println!(
        "vigie / tshark = {:.0}x (promise >= 100); ceiling / vigie = {:.1} (promise <= 6)",
        peer.cpu / ours.cpu,
        ours.cpu / ceiling.cpu
    );
    Ok(())
}

/// The store's own bench example, beside DuckDB when Python has it.
fn store(root: &Path) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args([
        "run",
        "--release",
        "--locked",
        "-p",
        "vigie-store",
        "--example",
        "ingest_bench",
    ]);
    command.current_dir(root);
    ensure!(command.status()?.success(), "the store's bench failed");
    Ok(())
}

fn packets(probe: &Path, capture: &Path) -> Result<u64> {
    let out = Command::new(probe).arg(capture).output()?;
    ensure!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let json: serde_json::Value = serde_json::from_slice(&out.stdout)?;
    json["packets"].as_u64().context("no packet count")
}

fn report(name: &str, packets: u64, figure: &Figure, ours: f64) {
    let rate = packets as f64 / figure.cpu / 1000.0;
    println!(
        "{name:<24} {:>8.2} CPU s {rate:>9.0} kpps {:>8} KiB {:>7.2} of vigie's CPU",
        figure.cpu,
        figure.rss_kib,
        figure.cpu / ours
    );
}

fn median(mut figures: Vec<Figure>) -> Figure {
    figures.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    figures.swap_remove(figures.len() / 2)
}

/// User and system CPU seconds of a child, and its peak resident memory.
fn measure(command: &mut Command) -> Result<Figure> {
    let before = children_cpu()?;
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut rss_kib = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        rss_kib = rss_kib.max(peak_kib(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    };
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(Figure {
        cpu: children_cpu()? - before,
        rss_kib,
    })
}

/// CPU seconds of all ended children, from `/proc/self/stat` (fields 16 and 17, clock ticks of 10
/// ms).
fn children_cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit(") ").next().context("no stat")?;
    let ticks: u64 = after
        .split(' ')
        .skip(13)
        .take(2)
        .filter_map(|n| n.parse::<u64>().ok())
        .sum();
    Ok(ticks as f64 / 100.0)
}

fn peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}
