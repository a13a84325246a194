//! Running a program with its output shown and, where wanted, read.
//!
//! Enters: a command line. Leaves: its lines, its success, its time. Refuses: nothing.
//! Source: none.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

/// Runs `command`, passes its standard output through and hands each line to `line`.
pub fn streamed(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let shown = format!("{command:?}");
    let started = Instant::now();
    eprintln!("xtask: {shown}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{shown} did not start"))?;
    if let Some(out) = child.stdout.take() {
        for text in BufReader::new(out).lines() {
            let text = text?;
            println!("{text}");
            line(&text);
        }
    }
    let ok = child.wait()?.success();
    let word = if ok { "done" } else { "FAILED" };
    eprintln!("xtask: {word} in {:.0} s", started.elapsed().as_secs_f64());
    Ok(ok)
}
