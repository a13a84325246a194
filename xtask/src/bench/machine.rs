//! What a figure is worth nothing without: the machine, versions, digests, the probes.
//!
//! Enters: paths. Leaves: texts for the report. Refuses: nothing; what is unknown is said so.
//! Source: `STYLE.md` rule 42.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Processor, cores and memory.
pub(super) fn description() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |rest| rest.trim_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse::<u64>().ok());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!(
        "{model}, {cores} cores, {} GiB, load {load}",
        kib.unwrap_or(0) >> 20
    )
}

/// First line of what a program says about its version.
pub(super) fn version(program: &Path, option: &str) -> String {
    let Ok(out) = Command::new(program).arg(option).output() else {
        return "unknown".to_owned();
    };
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// SHA-256 of a file.
pub(super) fn digest(path: &Path) -> Result<String> {
    let out = Command::new("sha256sum").arg(path).output()?;
    ensure!(out.status.success(), "sha256sum failed");
    let text = String::from_utf8(out.stdout)?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

/// A folder outside the tree for inputs and outputs of a bench; it stays for the next run.
pub(super) fn work_folder(bench: &str) -> Result<PathBuf> {
    let folder = target()?.join("bench").join(bench);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Builds one of the programs in `benches/`.
pub(super) fn probe(root: &Path, name: &str) -> Result<PathBuf> {
    let folder = target()?.join("benches");
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--quiet", "--locked", "--bin", name]);
    build.args(["--manifest-path", "benches/Cargo.toml"]);
    build.env("CARGO_TARGET_DIR", &folder).current_dir(root);
    ensure!(build.status()?.success(), "benches does not build");
    Ok(folder.join("release").join(name))
}

fn target() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").context("CARGO_TARGET_DIR is not set")?;
    Ok(PathBuf::from(target))
}
