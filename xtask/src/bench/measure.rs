//! CPU time and peak memory of a child process.
//!
//! Enters: a command. Leaves: a [`Figure`]. Refuses: a child that fails: a crashed run is no
//! figure. Source: proc(5).

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// What one run cost.
pub(super) struct Figure {
    /// User and system CPU seconds.
    pub(super) cpu: f64,
    /// Peak resident memory.
    pub(super) rss_kib: u64,
}

/// The figure in the middle, by CPU time.
pub(super) fn median(mut figures: Vec<Figure>) -> Figure {
    figures.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    figures.swap_remove(figures.len() / 2)
}

/// User and system CPU seconds of a child, and its peak resident memory; its standard output is the
/// caller's matter.
pub(super) fn measure(command: &mut Command) -> Result<Figure> {
    let before = children_cpu()?;
    let mut child = command.stderr(Stdio::null()).spawn()?;
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
