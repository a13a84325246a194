//! `./dev soak NAME`: the long form of tests that CI runs in reduced form.
//!
//! Enters: a name. Leaves: the test's own summary. Refuses: unknown names.
//! Source: the issues' "Done when" lists.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::{clean, run};

/// Name, package, test filter, environment that makes it long.
const SOAKS: &[(&str, &str, &str, &[(&str, &str)])] = &[
    ("kill", "vigie", "kill", &[("VIGIE_KILL_ROUNDS", "200")]),
    (
        "crash",
        "vigie-store",
        "crash",
        &[("VIGIE_CRASH_ROUNDS", "1000")],
    ),
    (
        "parsers",
        "vigie-wire",
        "replay",
        &[("PROPTEST_CASES", "200000")],
    ),
];

/// Runs one soak.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let wanted = args.first().map(String::as_str).unwrap_or_default();
    match wanted {
        "package" => return clean::install(root),
        "clean-up" => return clean::newcomer(root, "up"),
        "clean-test" => return clean::newcomer(root, "test"),
        _ => {}
    }
    let Some((name, package, filter, environment)) =
        SOAKS.iter().find(|(name, ..)| *name == wanted)
    else {
        let names: Vec<&str> = SOAKS.iter().map(|(name, ..)| *name).collect();
        bail!("which soak? one of: {}", names.join(", "));
    };
    let mut command = Command::new("cargo");
    command.args([
        "test",
        "--locked",
        "--workspace",
        "--features",
        "vigie/embed-ui",
    ]);
    command.args(["-p", package, filter, "--", "--nocapture"]);
    command.envs(environment.iter().copied()).current_dir(root);
    ensure!(run::streamed(&mut command, |_| ())?, "soak {name} failed");
    Ok(())
}
