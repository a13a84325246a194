//! `./dev bench agreement`: what Vigie says of captures beside what others say of them.
//!
//! Enters: `VIGIE_BIN`, the recorded day, the shared captures when present; names of parts to do
//! fewer of them. Leaves: `docs/benchmarks/agreement.md`; each difference, one a line, in the
//! bench's folder. Refuses: to go on when a program crashes. Source: issue 3, "Done when".

mod arkime;
mod facts;
mod medical;
mod office;
mod ours;
mod pdml;
mod reason;
mod report;
mod service;
mod suricata;
mod theirs;
mod web;
mod yaml;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};

use self::facts::Compared;
use super::machine;

/// Captures read at a time.
const WORKERS: usize = 2;

/// Runs the comparisons that `args` name, all without any, and writes the page when it was all.
pub(super) fn run(root: &Path, args: &[String]) -> Result<()> {
    let binary = std::env::var_os("VIGIE_BIN").context("VIGIE_BIN is not set")?;
    let binary = PathBuf::from(binary);
    let work = machine::work_folder("agreement")?;
    let wanted = |part: &str| args.is_empty() || args.iter().any(|arg| arg == part);
    let mut page = report::Page::default();
    if wanted("day") {
        let day = day(root, &work)?;
        page.day = Some(tshark(&binary, &day, &[day.clone()], &work)?);
    }
    let shared =
        std::env::var_os("VIGIE_SHARED").map(|shared| PathBuf::from(shared).join("corpora/pcap"));
    if let Some(shared) = shared.filter(|folder| folder.is_dir()) {
        let captures = captures(&shared)?;
        if wanted("shared") {
            page.shared = Some(tshark(&binary, &shared, &captures, &work)?);
            page.captures = captures.len();
        }
        if wanted("suricata") {
            page.suricata = Some(suricata::run(&binary, &shared.join("suricata-verify"))?);
        }
        if wanted("arkime") {
            page.arkime = Some(arkime::run(&binary, &shared.join("arkime"))?);
        }
    } else {
        println!("shared captures: left out: VIGIE_SHARED names no folder with corpora/pcap");
    }
    let tshark = machine::version(Path::new("tshark"), "--version");
    let text = page.text(&machine::version(&binary, "--version"), &tshark);
    print!("{text}");
    if args.is_empty() && page.shared.is_some() {
        fs::write(root.join("docs/benchmarks/agreement.md"), text)?;
    }
    Ok(())
}

/// Compares with tshark; every difference is written to a list in `work`.
fn tshark(binary: &Path, root: &Path, captures: &[PathBuf], work: &Path) -> Result<Vec<Compared>> {
    let compared = each(captures, |capture| {
        let name = capture
            .strip_prefix(root)
            .ok()
            .filter(|name| *name != Path::new(""));
        let name = name.unwrap_or(Path::new("day")).display().to_string();
        let theirs = theirs::read(capture, &name, work)?;
        Ok(facts::compare(&name, theirs, ours::read(binary, capture)?))
    })?;
    let mut text = String::from("capture\tprotocol\tkey\tflow\tvalue\ttshark\tvigie\n");
    for difference in compared.iter().flat_map(|one| &one.differences) {
        text += &report::line(difference);
    }
    let list = if captures.len() == 1 {
        "day.tsv"
    } else {
        "shared.tsv"
    };
    fs::write(work.join(list), text)?;
    Ok(compared)
}

/// Does something with each capture, several at a time; results in the order of the captures.
fn each<T: Send>(captures: &[PathBuf], work: impl Fn(&Path) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<T>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((at, capture)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    captures.get(at).map(|capture| (at, capture))
                } {
                    let result = work(capture).with_context(|| capture.display().to_string());
                    if let Ok(mut results) = results.lock() {
                        results.push((at, result));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The recorded day as a capture file.
fn day(root: &Path, work: &Path) -> Result<PathBuf> {
    let path = work.join("day.pcap");
    let packed = fs::read(root.join("lab/recorded/day.pcap.zst.xor"))?;
    let packed: Vec<u8> = packed.into_iter().map(|octet| octet ^ 0xa5).collect();
    let zst = work.join("day.pcap.zst");
    fs::write(&zst, packed)?;
    let mut zstd = Command::new("zstd");
    zstd.args(["--quiet", "--force", "--decompress", "--long=27"])
        .arg(&zst)
        .arg("-o")
        .arg(&path);
    ensure!(zstd.status().context("zstd")?.success(), "zstd failed");
    Ok(path)
}

/// Every capture below a folder, in order.
fn captures(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(captures(&path)?);
        } else if path.to_string_lossy().contains(".pcap")
            || path.extension().is_some_and(|e| e == "trace")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
