//! `./dev test` and `./dev check`: one pass, one profile, one feature set.
//!
//! Enters: nothing, or a filter for cargo's tests. Leaves: exit code and one closing line
//! `N passed, N failed`. Refuses: to skip a step. Source: `STYLE.md`, Tests.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{clean, run, tidy};

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Counts a step that is one check.
    fn step(&mut self, name: &str, ok: bool) {
        println!("{} {name}", if ok { "ok    " } else { "FAILED" });
        if ok {
            self.passed += 1
        } else {
            self.failed += 1
        }
    }

    /// Counts `test result: ok. 12 passed; 0 failed; ...` of cargo.
    fn cargo_line(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test result:") else {
            return;
        };
        let figure = |word: &str| -> u64 {
            let before = rest.split(word).next().unwrap_or_default().trim_end();
            before
                .rsplit([' ', ';', '.'])
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        self.passed += figure(" passed");
        self.failed += figure(" failed");
    }

    /// Counts `Tests  3 failed | 12 passed (15)` of vitest.
    fn node_line(&mut self, line: &str) {
        let Some(rest) = line.trim_start().strip_prefix("Tests ") else {
            return;
        };
        for part in rest.split('|') {
            let mut words = part.split_whitespace();
            let n = words
                .next()
                .and_then(|n| n.parse::<u64>().ok())
                .unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += n,
                Some("failed") => self.failed += n,
                _ => {}
            }
        }
    }
}

/// Everything, in the order in which it fails soonest.
pub fn run(root: &Path, filter: &[String]) -> Result<()> {
    let started = Instant::now();
    let mut tally = Tally::default();
    tally.step("format", format_is_clean(root)?);
    tally.step(
        "tidy",
        tidy::run(root)
            .map_err(|error| eprintln!("{error:#}"))
            .is_ok(),
    );
    tally.step("lints", lints(root)?);
    web(root, &mut tally)?;
    let mut command = cargo(root, "test");
    command.args(["--no-fail-fast"]).args(filter);
    let before = tally.failed;
    let ok = run::streamed(&mut command, |line| tally.cargo_line(line))?;
    if !ok && tally.failed == before {
        tally.step("cargo test", false);
    }
    if filter.is_empty() {
        let target = std::env::var("CARGO_TARGET_DIR").context("start it through ./dev")?;
        let package = clean::unpacked(root, &Path::new(&target).join("debug/vigie"));
        tally.step(
            "package",
            package.map_err(|error| eprintln!("{error:#}")).is_ok(),
        );
    }
    eprintln!(
        "xtask: all of it in {:.1} min",
        started.elapsed().as_secs_f64() / 60.0
    );
    println!("{} passed, {} failed", tally.passed, tally.failed);
    ensure!(tally.failed == 0, "{} failed", tally.failed);
    Ok(())
}

/// The fast part, before a commit.
pub fn check(root: &Path) -> Result<()> {
    ensure!(format_is_clean(root)?, "run 'cargo fmt'");
    tidy::run(root)?;
    ensure!(lints(root)?, "clippy has something to say");
    Ok(())
}

fn format_is_clean(root: &Path) -> Result<bool> {
    let mut main = Command::new("cargo");
    main.args(["fmt", "--all", "--check"]).current_dir(root);
    let mut own = Command::new("cargo");
    own.args(["fmt", "--check", "--manifest-path", "xtask/Cargo.toml"])
        .current_dir(root);
    Ok(run::streamed(&mut main, |_| ())? && run::streamed(&mut own, |_| ())?)
}

fn lints(root: &Path) -> Result<bool> {
    let mut command = cargo(root, "clippy");
    command.args(["--all-targets", "--quiet", "--", "-D", "warnings"]);
    run::streamed(&mut command, |_| ())
}

/// One feature set everywhere, so that nothing is compiled twice.
fn cargo(root: &Path, verb: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args([
        verb,
        "--workspace",
        "--locked",
        "--features",
        "vigie/embed-ui",
    ]);
    command.current_dir(root);
    command
}

fn web(root: &Path, tally: &mut Tally) -> Result<()> {
    let folder = root.join("web");
    let npm = |args: &[&str], tally: &mut Tally| -> Result<bool> {
        let mut command = Command::new("npm");
        command.args(args).env("NO_COLOR", "1").current_dir(&folder);
        run::streamed(&mut command, |line| tally.node_line(line))
    };
    let types = npm(&["run", "--silent", "check"], tally)?;
    tally.step("console types", types);
    let before = tally.failed;
    if !npm(&["run", "--silent", "test"], tally)? && tally.failed == before {
        tally.step("console unit tests", false);
    }
    Ok(())
}
