//! `./dev xtask fuzz`: explores beyond the replayed corpus, and keeps a ledger of it.
//!
//! Enters: `TARGET MINUTES`, or `--changed --minutes N`. A target is `frames`, `captures`,
//! `events`, `eve`, `zeek`, `netflow` or a protocol of the registry. Leaves: libFuzzer's summary, a
//! line in `fuzz/ledger.tsv` per target; a crash is a file to commit as a case. Refuses: to go on
//! after a build error. Seeds are made of the captures of `VIGIE_SHARED` when they are there.
//! Source: LLVM's SanitizerCoverage and libFuzzer documents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::run;

/// Targets that are no protocol, with the folders that they run through.
const TARGETS: &[(&str, &[&str])] = &[
    (
        "frames",
        &[
            "crates/wire/src/link",
            "crates/wire/src/ip",
            "crates/wire/src/tcp",
        ],
    ),
    ("captures", &["crates/capture/src/file"]),
    (
        "events",
        &["crates/model/src/binary", "crates/model/src/ocsf"],
    ),
    ("eve", &["crates/wire/src/log"]),
    ("zeek", &["crates/wire/src/log"]),
    ("netflow", &["crates/wire/src/log"]),
];
/// Where the protocols live.
const PROTOCOLS: &str = "crates/wire/src/protocol";
/// The most exposed: they get ten minutes where others get three.
const EXPOSED: &[&str] = &[
    "dns", "tls", "http", "http2", "smb", "dicom", "hl7", "kerberos", "ldap", "quic",
];
/// What libFuzzer needs of the compiler; a named target keeps build scripts without it.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "--cfg=fuzzing",
];
/// The ledger.
const LEDGER: &str = "fuzz/ledger.tsv";

/// Runs one target, or all that changed since the ledger.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let bench = Bench::prepare(root)?;
    match words.as_slice() {
        ["--changed", "--minutes", minutes] => bench.changed(minutes.parse()?),
        [target, minutes] => bench.one(target, minutes.parse()?),
        _ => bail!("fuzz TARGET MINUTES, or fuzz --changed --minutes N"),
    }
}

struct Bench<'a> {
    root: &'a Path,
    binaries: PathBuf,
    seeds: PathBuf,
    corpora: PathBuf,
}

impl<'a> Bench<'a> {
    /// Builds the targets, and the seeds when there are none yet.
    fn prepare(root: &'a Path) -> Result<Self> {
        let cache = std::env::var("VIGIE_DEV_CACHE").context("start it through ./dev xtask")?;
        let corpora = Path::new(&cache).join("fuzz");
        std::fs::create_dir_all(&corpora)?;
        let target = corpora.join("target");
        let host = std::env::consts::ARCH.to_owned() + "-unknown-linux-gnu";
        let mut build = Command::new("cargo");
        build
            .args(["build", "--release", "--bins", "--target", &host])
            .env("RUSTFLAGS", COVERAGE.join(" "))
            .env("CARGO_TARGET_DIR", &target)
            .current_dir(root.join("fuzz"));
        ensure!(
            run::streamed(&mut build, |_| ())?,
            "the targets do not build"
        );
        let mut seeds = Command::new("cargo");
        seeds
            .args(["build", "--release", "--locked", "-p", "vigie-capture"])
            .args(["--example", "fuzz_seeds"])
            .env("CARGO_TARGET_DIR", target.join("seeds"))
            .current_dir(root);
        ensure!(
            run::streamed(&mut seeds, |_| ())?,
            "the maker of seeds does not build"
        );
        let bench = Self {
            root,
            seeds: target.join("seeds/release/examples/fuzz_seeds"),
            binaries: target.join(host).join("release"),
            corpora,
        };
        bench.seed()?;
        Ok(bench)
    }

    fn seed(&self) -> Result<()> {
        let shared = std::env::var("VIGIE_SHARED").unwrap_or_default();
        let captures = Path::new(&shared).join("corpora/pcap");
        let done = self.corpora.join("seeded");
        if done.exists() || !captures.exists() {
            return Ok(());
        }
        let mut command = Command::new(&self.seeds);
        command.arg(&self.corpora).args(files(&captures)?);
        ensure!(run::streamed(&mut command, |_| ())?, "no seeds");
        Ok(std::fs::write(done, b"")?)
    }

    fn changed(&self, minutes: u64) -> Result<()> {
        let ledger = self.ledger();
        let mut found = Vec::new();
        for target in self.targets()? {
            let wanted = if EXPOSED.contains(&target.as_str()) && minutes >= 3 {
                minutes.max(10)
            } else {
                minutes
            };
            let done = ledger.get(&target).is_some_and(|(digest, spent)| {
                Some(digest) == self.digest(&target).ok().as_ref() && *spent >= wanted
            });
            if !done && self.one(&target, wanted).is_err() {
                found.push(target);
            }
        }
        ensure!(found.is_empty(), "found something: {}", found.join(", "));
        Ok(())
    }

    /// Runs one target and notes it.
    fn one(&self, target: &str, minutes: u64) -> Result<()> {
        let is_protocol = !TARGETS.iter().any(|(name, _)| *name == target);
        let binary = if is_protocol { "sessions" } else { target };
        let corpus = self.corpora.join(target);
        std::fs::create_dir_all(&corpus)?;
        let mut command = Command::new(self.binaries.join(binary));
        command.arg(&corpus).args([
            &format!("-max_total_time={}", minutes * 60),
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-max_len=16384",
            "-print_final_stats=1",
            "-verbosity=0",
            &format!(
                "-artifact_prefix={}/crash-{target}-",
                self.corpora.display()
            ),
        ]);
        if is_protocol {
            command.env("VIGIE_PROTOCOL", target);
        }
        eprintln!("xtask: {target}, {minutes} minutes");
        let out = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?
            .wait_with_output()?;
        let said = String::from_utf8_lossy(&out.stderr);
        let runs = said
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .and_then(|n| n.trim().parse::<u64>().ok());
        if !out.status.success() {
            eprintln!("{said}");
            bail!("{target} found something");
        }
        let runs = runs.context("libFuzzer gave no count")?;
        println!("{target}: {minutes} minutes, {runs} executions, nothing found");
        self.note(target, minutes, runs)
    }

    /// Every target: the fixed ones and the registry's protocols.
    fn targets(&self) -> Result<Vec<String>> {
        let out = Command::new(&self.seeds).arg("--list").output()?;
        let names = String::from_utf8(out.stdout)?;
        let fixed = TARGETS.iter().map(|(name, _)| (*name).to_owned());
        Ok(fixed.chain(names.lines().map(str::to_owned)).collect())
    }

    /// A digest of the sources that a target runs through.
    fn digest(&self, target: &str) -> Result<String> {
        let own = Path::new(PROTOCOLS).join(target);
        let folders: Vec<PathBuf> = match TARGETS.iter().find(|(name, _)| *name == target) {
            Some((_, folders)) => folders.iter().map(PathBuf::from).collect(),
            None if self.root.join(&own).exists() => vec![own],
            // Names that share a folder (mdns in dns): the whole of the protocols.
            None => vec![PathBuf::from(PROTOCOLS)],
        };
        let mut command = Command::new("git");
        command.args(["ls-files", "-s", "--"]).args(folders);
        let listed = command.current_dir(self.root).output()?.stdout;
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for octet in listed {
            hash = (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3);
        }
        Ok(format!("{hash:016x}"))
    }

    /// Target -> digest and minutes spent on it.
    fn ledger(&self) -> BTreeMap<String, (String, u64)> {
        let text = std::fs::read_to_string(self.root.join(LEDGER)).unwrap_or_default();
        let rows = text.lines().skip(1).filter_map(|line| {
            let mut cells = line.split('\t');
            let (target, digest) = (cells.next()?, cells.next()?);
            let minutes = cells.next()?.parse().ok()?;
            Some((target.to_owned(), (digest.to_owned(), minutes)))
        });
        rows.collect()
    }

    /// Replaces the target's line in the ledger; minutes on the same sources add up.
    fn note(&self, target: &str, minutes: u64, runs: u64) -> Result<()> {
        let file = self.root.join(LEDGER);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let digest = self.digest(target)?;
        let (mut spent, mut executed) = (minutes, runs);
        let mut rows = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [name, known, m, n] = cells.as_slice() else {
                continue;
            };
            if *name == target && *known == digest {
                spent += m.parse::<u64>().unwrap_or(0);
                executed += n.parse::<u64>().unwrap_or(0);
            }
            rows.insert((*name).to_owned(), line.to_owned());
        }
        rows.insert(
            target.to_owned(),
            format!("{target}\t{digest}\t{spent}\t{executed}"),
        );
        let mut out = String::from("target\tdigest of its sources\tminutes\texecutions\n");
        for row in rows.values() {
            out.push_str(row);
            out.push('\n');
        }
        Ok(std::fs::write(file, out)?)
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
