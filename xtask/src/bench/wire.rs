//! `./dev bench wire`: the packet path beside the ceiling probe and tshark.
//!
//! Enters: a capture. Leaves: CPU seconds, packets per CPU second, peak memory and ratios.
//! Refuses: a figure without its peer of the same run. Source: `DESIGN.md` section 7.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::measure::{Figure, measure, median};

/// Alternating runs of each program; the median is reported.
const RUNS: usize = 5;

/// Packets per CPU second of `vigie read` beside the ceiling probe and tshark.
pub(super) fn run(root: &Path, args: &[String]) -> Result<()> {
    let vigie = PathBuf::from(std::env::var("VIGIE_BIN").context("VIGIE_BIN is not set")?);
    let target = vigie
        .parent()
        .and_then(Path::parent)
        .context("no target folder")?;
    let capture = match args.first() {
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
