//! `vigie demo`: a populated console on a recorded hospital day.
//!
//! Enters: the recorded day that ships with Vigie. Leaves: a running console on its own folder.
//! Refuses: live capture; to mix with the state of a real installation.
//! Source: `DESIGN.md`; the recording is made by `lab/` and lies encoded, because it holds the
//! EICAR test string on the wire.

mod story;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use capture::file::{Source, Stream};
use serde::{Deserialize, Serialize};

use crate::cli::{Cli, Command, Demo, Up};
use crate::command::replay::{Feed, Shift, span};
use crate::config::Config;
use crate::exit::{Done, Usage};
use crate::output::say;
use crate::role::supervisor;
use crate::state::{DataDir, Run};
use crate::time;

/// The recording, below the share folder.
const RECORDING: &str = "lab/recorded/day.pcap.zst.xor";
/// Every octet of the recording is stored XOR this: inert for scanners, readable for us.
const MASK: u8 = 0xa5;
/// Written once the day is in the store.
const MARKER: &str = "demo.json";

/// What the marker holds.
#[derive(Serialize, Deserialize)]
struct Fed {
    /// When the day begins, as its events have it, in milliseconds since 1970.
    begin: i64,
}

/// Runs the command.
pub(crate) fn run(cli: &Cli, options: &Demo) -> Result<Done> {
    let recording = recording()?;
    let folder = cli.data_dir.clone().unwrap_or_else(|| {
        let usual = DataDir::locate(cli);
        usual.with_file_name("vigie-demo")
    });
    if options.fresh && folder.join(MARKER).exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{}: cannot be emptied", folder.display()))?;
    }
    let own = Cli {
        config: cli.config.clone(),
        data_dir: Some(folder),
        quiet: cli.quiet,
        json_logs: cli.json_logs,
        command: Command::Doctor,
    };
    let dir = DataDir::open(&own)?;
    if dir.path().join("node.json").exists() && !dir.path().join(MARKER).exists() {
        return Err(Usage(format!(
            "{}: this folder belongs to a real installation; name another with --data-dir",
            dir.path().display()
        ))
        .into());
    }
    let config = demo_config(&own, &dir)?;
    let up = Up {
        interface: Vec::new(),
        console: options.console.clone(),
        no_capture: true,
    };
    let ended = Arc::new(AtomicBool::new(false));
    if dir.path().join(MARKER).exists() {
        if let Some(fed) = dir.json::<Fed>(MARKER).filter(|_| !cli.quiet) {
            story::tell(fed.begin);
        }
    } else {
        feed_when_ready(dir, recording, config, cli.quiet, Arc::clone(&ended))?;
    }
    let result = supervisor::run(&own, &up);
    ended.store(true, Ordering::Relaxed);
    result
}

/// The configuration of the recorded hospital, unless one was given: its zones have names.
fn demo_config(cli: &Cli, dir: &DataDir) -> Result<Config> {
    if cli.config.is_none() && !dir.path().join("zones.json").exists() {
        // All of its networks: what is in no zone is outside, the gateway too.
        let zones = [
            ("network", "10.20.0.0/24"),
            ("servers", "10.20.10.0/24"),
            ("medical", "10.20.20.0/24"),
            ("workstations", "10.20.30.0/24"),
            ("building", "10.20.40.0/24"),
        ];
        let zones: Vec<(&str, Vec<&str>)> = zones
            .iter()
            .map(|(name, cidr)| (*name, vec![*cidr]))
            .collect();
        dir.write_json("zones.json", &zones)?;
    }
    Ok(Config::load(cli.config.as_deref())?)
}

/// The folder of shipped data: of the environment, beside the binary, or the system's.
fn recording() -> Result<PathBuf> {
    let mut candidates = Vec::new();
    if let Some(root) = std::env::var_os("VIGIE_SHARE") {
        candidates.push(PathBuf::from(root));
    }
    if let Ok(program) = std::env::current_exe()
        && let Some(prefix) = program.parent().and_then(Path::parent)
    {
        candidates.push(prefix.join("share/vigie"));
    }
    candidates.push(PathBuf::from("/usr/share/vigie"));
    let found = candidates
        .iter()
        .map(|folder| folder.join(RECORDING))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        let tried: Vec<String> = candidates
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        Usage(format!(
            "the recorded day ({RECORDING}) is in none of {}; set VIGIE_SHARE to its folder",
            tried.join(", ")
        ))
        .into()
    })
}

fn feed_when_ready(
    dir: DataDir,
    recording: PathBuf,
    config: Config,
    quiet: bool,
    ended: Arc<AtomicBool>,
) -> Result<()> {
    std::thread::Builder::new()
        .name("demo-feed".into())
        .spawn(move || {
            while !dir.json::<Run>("run.json").is_some_and(|run| run.ready) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            match feed(&dir, &recording, &config, quiet, &ended) {
                Ok(Some(fed)) if !quiet => story::tell(fed.begin),
                Ok(_) => {}
                Err(error) => say(&format!(
                    "vigie: the recorded day could not be fed: {error:#}"
                )),
            }
        })
        .context("the feeding thread could not be started")?;
    Ok(())
}

/// Feeds the day; nothing when it was interrupted.
fn feed(
    dir: &DataDir,
    recording: &Path,
    config: &Config,
    quiet: bool,
    ended: &AtomicBool,
) -> Result<Option<Fed>> {
    let span_ns = span(open(recording)?)?;
    // As `Shift::EndNow` counts, to the second or so that opening takes.
    let begin = time::now().0.saturating_sub(span_ns / 1_000_000);
    let feed = Feed {
        config,
        label: None,
        speed: None,
        quiet,
    };
    let whole = feed.run(dir, open(recording)?, Shift::EndNow { span_ns }, ended)?;
    anyhow::ensure!(whole, "the recording is damaged; reinstall Vigie");
    if ended.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let fed = Fed { begin };
    dir.write_json(MARKER, &fed)?;
    Ok(Some(fed))
}

fn open(recording: &Path) -> Result<Source> {
    let file = File::open(recording)
        .with_context(|| format!("{}: cannot be opened", recording.display()))?;
    let unmasked = Unmasked(BufReader::new(file));
    let name = recording.display().to_string();
    Ok(Source::of(Stream::of(&name, Box::new(unmasked)))?)
}

/// Takes the mask off while reading.
struct Unmasked<R>(R);

impl<R: Read> Read for Unmasked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(out)?;
        out.iter_mut().take(n).for_each(|octet| *octet ^= MASK);
        Ok(n)
    }
}
