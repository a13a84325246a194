//! `./dev xtask fuzz TARGET SECONDS [PROTOCOL]`: explores beyond the replayed corpus.
//!
//! Enters: a target of `fuzz/`. Leaves: libFuzzer's own summary; a crash is a file to commit as a
//! case. Refuses: to run without cargo-fuzz. Source: the cargo-fuzz book; libFuzzer needs unstable
//! compiler flags, hence `RUSTC_BOOTSTRAP`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::run;

/// Runs one target for so many seconds.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let [target, seconds, protocol @ ..] = args else {
        bail!("fuzz TARGET SECONDS [PROTOCOL]; targets: sessions, frames, captures, events");
    };
    let there = Command::new("cargo").args(["fuzz", "--version"]).output()?;
    ensure!(
        there.status.success(),
        "cargo-fuzz is missing: cargo install cargo-fuzz --locked"
    );
    let corpus = std::env::var("VIGIE_DEV_CACHE").context("start it through ./dev xtask")?;
    let corpus = Path::new(&corpus).join("fuzz").join(target);
    std::fs::create_dir_all(&corpus)?;
    let mut command = Command::new("cargo");
    command
        .args(["fuzz", "run", "--sanitizer", "none", target])
        .arg(&corpus);
    command.args(["--", &format!("-max_total_time={seconds}"), "-timeout=10"]);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(root.join("fuzz"));
    if let [protocol, ..] = protocol {
        command.env("VIGIE_PROTOCOL", protocol);
    }
    ensure!(
        run::streamed(&mut command, |_| ())?,
        "{target} found something"
    );
    Ok(())
}
