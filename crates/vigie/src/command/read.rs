//! `vigie read`: captures in, events out.
//!
//! Enters: captures and logs of other sensors, files or standard input, told apart by content.
//! Leaves: events on standard output or in the store.
//! Refuses: nothing readable: a damaged file gives what stands before the damage, then exit code 3.
//! Source: `DESIGN.md` section 6.

mod log;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use capture::file::{CaptureError, Counts, Source, Stream};
use capture::link::Named;
use model::class::Class;
use model::port::EventSink;
use model::{Event, SiteKey, Text};
use wire::file::{FileObserver, Policy};
use wire::log::LogKind;
use wire::{Growing, KeyLog, LinkType, Secrets, Sequence, WireConfig, Worker};

use super::extract::Extract;
use crate::cli::{Cli, Read};
use crate::config::Config;
use crate::exit::{Done, Usage};
use crate::link::{Uplink, UplinkConfig};
use crate::output::{Printer, Progress, printer, say};
use crate::pipeline::Pipeline;
use crate::role::control;
use crate::state::{DataDir, Lock};
use crate::{stop, time};

/// Events handed to the store at once.
const BATCH_EVENTS: usize = 8192;

/// Runs the command.
pub(crate) fn run(cli: &Cli, options: &Read) -> Result<Done> {
    let config = Config::load(cli.config.as_deref())?;
    // A wrong class must not have made a folder.
    let _ = classes(&options.only)?;
    let mut target: Box<dyn Target> = if options.into_store {
        Box::new(IntoStore::open(cli, &config)?)
    } else {
        Box::new(Printed {
            printer: printer(options.format, options.clear),
        })
    };
    into(cli, options, &config, target.as_mut())
}

/// Reads the files into a target.
pub(super) fn into(
    cli: &Cli,
    options: &Read,
    config: &Config,
    target: &mut dyn Target,
) -> Result<Done> {
    let only = classes(&options.only)?;
    let secrets = options.keylog.as_deref().map(key_log).transpose()?;
    let extract = options.extract_files.as_deref();
    let extract = extract.map(Extract::open).transpose()?;
    let files = crate::pipeline::files(config);
    let files = Policy {
        hash: options.hash_files || files.hash,
        observer: extract
            .clone()
            .map(|extract| extract as Arc<dyn FileObserver>),
        ..files
    };
    let stop = stop::flag()?;
    let mut unreadable = false;
    for file in &options.files {
        let mut reading = Reading {
            config,
            options,
            only: &only,
            secrets: secrets.clone(),
            files: &files,
            quiet: cli.quiet,
            stop: &stop,
            target: &mut *target,
        };
        unreadable |= !reading.file(file, site_key(cli))?;
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    target.finish()?;
    if let Some(extract) = extract {
        extract.finish()?;
    }
    Ok(if unreadable {
        Done::Unreadable
    } else {
        Done::Fully
    })
}

/// The classes of `--only`.
fn classes(names: &[String]) -> Result<Vec<u32>> {
    let mut uids = Vec::new();
    for name in names {
        let class = Class::of_name(name).ok_or_else(|| {
            let known: Vec<&str> = model::CLASSES.iter().map(|class| class.name).collect();
            Usage(format!(
                "--only: there is no class '{name}'; known: {}",
                known.join(", ")
            ))
        })?;
        uids.push(class.uid);
    }
    Ok(uids)
}

/// Longest key log that is read.
const KEY_LOG_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The secrets of `--keylog`. Their values are never shown, in no error either.
fn key_log(path: &Path) -> Result<Arc<dyn Secrets>> {
    let unreadable = |why: String| Usage(format!("--keylog {}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if length.len() > KEY_LOG_BYTES_MAX {
        return Err(unreadable(format!("larger than {KEY_LOG_BYTES_MAX} bytes")).into());
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut log = KeyLog::default();
    log.add(&bytes);
    if log.refused() > 0 {
        say(&format!(
            "vigie: {}: {} lines are no secrets and were passed over",
            path.display(),
            log.refused()
        ));
    }
    if log.is_empty() {
        return Err(unreadable("no secret of a TLS connection in it".to_owned()).into());
    }
    Ok(Arc::new(log))
}

/// The key of an existing installation, so that tokens agree with its store.
fn site_key(cli: &Cli) -> Option<SiteKey> {
    DataDir::existing(cli).and_then(|dir| store::Vault::existing_site_key(dir.path()))
}

struct Reading<'a> {
    config: &'a Config,
    options: &'a Read,
    only: &'a [u32],
    secrets: Option<Arc<dyn Secrets>>,
    files: &'a Policy,
    quiet: bool,
    stop: &'a Arc<AtomicBool>,
    target: &'a mut dyn Target,
}

impl Reading<'_> {
    /// Reads one file; false when it was not readable to its end.
    fn file(&mut self, path: &Path, key: Option<SiteKey>) -> Result<bool> {
        let opened = Stream::open(path).and_then(|stream| {
            let known = capture::file::is_capture(stream.head());
            match LogKind::of(stream.head()).filter(|_| !known) {
                Some(kind) => Ok(Opened::Log(stream, kind)),
                None => Source::of(stream).map(Opened::Capture),
            }
        });
        let own = |digest: &[u8]| SiteKey::new(blake3::derive_key("vigie read", digest));
        let mut source = match opened {
            Ok(Opened::Capture(source)) => source,
            Ok(Opened::Log(stream, kind)) => {
                let key = key.unwrap_or_else(|| own(stream.digest()));
                return self.log(path, stream, kind, key);
            }
            Err(error) => {
                say(&format!("vigie: {error}; nothing of it was processed"));
                return Ok(false);
            }
        };
        // Without an installation the key is the file's own: tokens agree within the file only, and
        // whoever can compute it holds the file itself.
        let key = key.unwrap_or_else(|| own(source.digest()));
        // A capture may bring its secrets itself.
        let growing = Arc::new(Growing::new(self.secrets.clone()));
        let secrets = if source.secrets_to(&growing) {
            Some(growing as Arc<dyn Secrets>)
        } else {
            self.secrets.clone()
        };
        let mut worker = Worker::new(WireConfig {
            node: source.node(),
            site: Text::from(self.config.site.name.clone()),
            budget_bytes: self.config.wire.budget.as_usize(),
            interim_ms: self.config.wire.interim.0,
            sequence: Sequence::Packet,
            secrets,
            files: self.files.clone(),
            ..WireConfig::default()
        });
        let mut sink = self.sink(key);
        let mut progress = Progress::new(self.quiet);
        let mut packets = 0u64;
        let ending = loop {
            match source.next() {
                Ok(Some(frame)) => {
                    packets += 1;
                    worker.frame(&frame, &mut sink);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if packets.is_multiple_of(4096) {
                self.target.take(&mut sink.events)?;
                progress.tick(|s| progress_line(path, packets, s));
                if self.stop.load(Ordering::Relaxed) {
                    break None;
                }
            }
        };
        worker.finish(&mut sink);
        self.target.take(&mut sink.events)?;
        progress.clear();
        let counts = source.counts();
        self.close(path, &counts, &worker, ending)
    }

    fn sink(&self, key: SiteKey) -> Sink {
        Sink {
            only: self.only.to_vec(),
            key,
            // The store masks at its own door, and keeps the clear values in the vault.
            clear: self.options.clear || self.options.into_store,
            logged: if self.options.reproducible {
                None
            } else {
                Some(time::now())
            },
            zones: crate::pipeline::zones(self.config),
            events: Vec::new(),
        }
    }

    fn close(
        &self,
        path: &Path,
        counts: &Counts,
        worker: &Worker,
        ending: Option<CaptureError>,
    ) -> Result<bool> {
        for (link, frames) in &worker.stats().links_refused {
            say(&format!(
                "vigie: {}: {frames} frames of link type {} are not understood; they were left out",
                path.display(),
                Named(LinkType(*link))
            ));
        }
        if let Some(error) = ending {
            let packets = counts.frames;
            say(&format!(
                "vigie: {error}; the {packets} packets before it were processed"
            ));
            return Ok(false);
        }
        if let (n @ 1.., Some((at, damage))) = (counts.damaged_blocks, &counts.first_damage) {
            let path = path.display();
            say(&format!(
                "vigie: {path}: byte {at}: {damage}; {n} damaged blocks were left out, the rest \
                 was processed"
            ));
            return Ok(false);
        }
        Ok(true)
    }
}

fn progress_line(path: &Path, packets: u64, seconds: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = packets as f64 / seconds.max(0.001) / 1000.0;
    format!("{}: {packets} packets, {rate:.0} k/s", path.display())
}

/// What a file turned out to be.
enum Opened {
    Capture(Source),
    Log(Stream, LogKind),
}

/// Filters, completes and masks what the worker makes.
struct Sink {
    only: Vec<u32>,
    key: SiteKey,
    clear: bool,
    logged: Option<model::Millis>,
    zones: model::zone::Zones,
    events: Vec<Event>,
}

impl EventSink for Sink {
    fn event(&mut self, mut event: Event) {
        if !self.only.is_empty() && !self.only.contains(&event.body.class().uid) {
            return;
        }
        crate::pipeline::place(&mut event, &self.zones);
        event.meta.logged_time = self.logged.unwrap_or(event.meta.time);
        if !self.clear {
            event.mask(&self.key);
        }
        self.events.push(event);
    }
}

/// Where the events go.
pub(super) trait Target {
    /// Takes these events.
    fn take(&mut self, events: &mut Vec<Event>) -> Result<()>;
    /// There are no more.
    fn finish(&mut self) -> Result<()>;
}

/// The store of this machine: through the running core, else opened here.
enum IntoStore {
    Running(Option<Uplink>),
    Own(
        Box<Pipeline>,
        #[expect(dead_code, reason = "held for its lock only")] Lock,
    ),
}

impl IntoStore {
    fn open(cli: &Cli, config: &Config) -> Result<Self> {
        let dir = DataDir::open(cli)?;
        let Some(lock) = control::lock_or_core(&dir)? else {
            let role = "read".to_owned();
            let link = UplinkConfig {
                role,
                socket: dir.link_socket(),
                spool: None,
            };
            return Ok(Self::Running(Some(Uplink::start(link)?)));
        };
        let store = crate::role::core::open_store(cli, &dir)?;
        let pipeline = Box::new(Pipeline::new(config, store));
        crate::role::core::restore(&pipeline);
        Ok(Self::Own(pipeline, lock))
    }
}

impl Target for IntoStore {
    fn take(&mut self, events: &mut Vec<Event>) -> Result<()> {
        let mut rest = std::mem::take(events);
        while !rest.is_empty() {
            let batch: Vec<Event> = rest.drain(..rest.len().min(BATCH_EVENTS)).collect();
            match self {
                Self::Running(Some(uplink)) => anyhow::ensure!(uplink.send(batch), "core is away"),
                Self::Running(None) => anyhow::bail!("the link to core is closed"),
                Self::Own(pipeline, _) => {
                    pipeline
                        .events(batch)
                        .map_err(|error| anyhow::anyhow!(error))?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Running(uplink) => {
                let lost = uplink.take().map_or(0, Uplink::finish);
                anyhow::ensure!(
                    lost == 0,
                    "core went away: {lost} batches are not in the store"
                );
            }
            Self::Own(pipeline, _) => {
                crate::role::core::write_inventory(pipeline);
                pipeline.store.close();
            }
        }
        Ok(())
    }
}

struct Printed {
    printer: Box<dyn Printer>,
}

impl Target for Printed {
    fn take(&mut self, events: &mut Vec<Event>) -> Result<()> {
        for event in events.drain(..) {
            self.printer.event(&event)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(self.printer.finish()?)
    }
}
