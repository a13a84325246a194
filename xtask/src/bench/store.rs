//! `./dev bench store`: ingest and queries of the store.
//!
//! Enters: nothing. Leaves: what the store's own example prints. Refuses: arguments.
//! Source: `DESIGN.md` section 7.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

/// The store's own bench example, beside DuckDB when Python has it.
pub(super) fn run(root: &Path, args: &[String]) -> Result<()> {
    ensure!(args.is_empty(), "bench store takes no arguments");
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
