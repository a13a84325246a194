//! `./dev soak NAME`: the long form of tests that CI runs in reduced form.
//!
//! Enters: a name. Leaves: the test's own summary. Refuses: unknown names.
//! Source: the issues' "Done when" lists.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::{clean, run};

/// A long run of some test files.
struct Soak {
    name: &'static str,
    /// What `cargo test` is told, after the features.
    tests: &'static [&'static str],
    /// What makes them long.
    environment: &'static [(&'static str, &'static str)],
}

const SOAKS: &[Soak] = &[
    Soak {
        name: "kill",
        tests: &["--test", "kill"],
        environment: &[("VIGIE_KILL_ROUNDS", "200")],
    },
    Soak {
        name: "lab",
        tests: &["--test", "lab"],
        environment: &[("VIGIE_LAB_SECONDS", "60")],
    },
    Soak {
        name: "starve",
        tests: &["--test", "starve"],
        environment: &[("VIGIE_STARVE_EXCHANGES", "5000")],
    },
    Soak {
        name: "crash",
        tests: &["--test", "crash"],
        environment: &[("VIGIE_CRASH_ROUNDS", "1000")],
    },
    Soak {
        name: "parsers",
        tests: &["-p", "vigie-wire", "--lib", "replay"],
        environment: &[("PROPTEST_CASES", "200000")],
    },
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
    let Some(soak) = SOAKS.iter().find(|soak| soak.name == wanted) else {
        let names: Vec<&str> = SOAKS.iter().map(|soak| soak.name).collect();
        bail!(
            "which soak? one of: {}, package, clean-up, clean-test",
            names.join(", ")
        );
    };
    // Of the whole workspace, so that the tests are built as `./dev test` builds them; the binary
    // that they run is the one of VIGIE_BIN, which `./dev` sets to the release build.
    let mut command = Command::new("cargo");
    command.args(["test", "--locked", "--workspace"]);
    command.args(["--features", "vigie/embed-ui"]);
    command.args(soak.tests);
    command.args(["--", "--nocapture", "--test-threads", "1"]);
    command.envs(soak.environment.iter().copied());
    command.current_dir(root);
    if let Ok(binary) = std::env::var("VIGIE_BIN") {
        println!("soak {}: the binary under test is {binary}", soak.name);
    }
    let mut summary = Vec::new();
    let ok = run::streamed(&mut command, |line| {
        if line.starts_with(soak.name) {
            summary.push(line.to_owned());
        }
    })?;
    println!("\nsoak {}: summary", soak.name);
    summary.iter().for_each(|line| println!("{line}"));
    ensure!(ok, "soak {} failed", soak.name);
    Ok(())
}
