//! The packet path of `vigie read`, without the store: `read [OPTIONS] FILE`.
//!
//! Enters: a capture; `--clear`, `--keylog F`, `--hash-files` and `--format ndjson|eve` mean what
//! they mean to `vigie read`, its other options are taken and ignored, so that a bench can run
//! either program; `--workers N` divides the capture among several (NDJSON, masked).
//! Leaves: events on standard output; with `--stats`, counters on standard error. Refuses: with
//! an error at its end, a capture that cannot be read so far; what stood before is told. Builds in
//! a minute where the whole program takes many: for profiling and for comparisons.

#[path = "output/mod.rs"]
mod output;
#[expect(dead_code, reason = "the program's own, of which less is needed here")]
#[path = "../../../vigie/src/time.rs"]
mod time;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use model::ocsf::{Clearance, EventWriter};
use model::port::EventSink;
use model::zone::Zones;
use model::{Event, SiteKey};
use output::Printer;
use vigie_capture::fan::Fan;
use vigie_capture::file::Source;
use wire::file::Policy;
use wire::{KeyLog, Secrets, WireConfig, Worker};

/// Octets of the buffer before standard output.
const OUT_BYTES: usize = 256 * 1024;

struct Mask {
    /// `None` when values stay clear.
    key: Option<SiteKey>,
    zones: Zones,
}

impl Mask {
    fn apply(&self, event: &mut Event) {
        if let Some(connection) = &mut event.connection {
            self.zones.apply(connection);
        }
        if let Some(key) = &self.key {
            event.mask(key);
        }
    }
}

/// Writes each event at once: what was just made is still at hand.
struct Sink<'a> {
    mask: &'a Mask,
    printer: Box<dyn Printer>,
    failed: Option<io::Error>,
}

impl EventSink for Sink<'_> {
    fn event(&mut self, mut event: Event) {
        self.mask.apply(&mut event);
        if let Err(error) = self.printer.event(&event) {
            self.failed.get_or_insert(error);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |option: &str| arguments.iter().any(|word| word == option);
    if given("--version") {
        writeln!(io::stdout(), "example read {}", env!("CARGO_PKG_VERSION"))?;
        return Ok(());
    }
    let after = |option: &str| {
        let at = arguments.iter().position(|word| word == option)?;
        arguments.get(at + 1)
    };
    let path = arguments.last().ok_or("read [OPTIONS] FILE")?;
    let secrets = after("--keylog").map(key_log).transpose()?;
    let clear = given("--clear");
    let mut source = Source::open(Path::new(path))?;
    let config = WireConfig {
        node: source.node(),
        secrets,
        files: Policy {
            hash: given("--hash-files"),
            ..Policy::default()
        },
        ..WireConfig::default()
    };
    let mask = Mask {
        key: (!clear).then(|| SiteKey::new(*source.digest())),
        zones: Zones::default(),
    };
    let workers = after("--workers").map_or(Ok(1), |number| number.parse())?;
    let stats = if workers > 1 {
        many(&mut source, workers, config, &mask)?
    } else {
        let eve = after("--format").is_some_and(|form| form == "eve");
        one(&mut source, config, &mask, output::printer(eve, clear))?
    };
    if given("--stats") {
        writeln!(io::stderr(), "{stats}")?;
    }
    Ok(())
}

fn one(
    source: &mut Source,
    config: WireConfig,
    mask: &Mask,
    printer: Box<dyn Printer>,
) -> Result<String, Box<dyn Error>> {
    let mut worker = Worker::new(config);
    let mut sink = Sink {
        mask,
        printer,
        failed: None,
    };
    let ending = loop {
        match source.next() {
            Ok(Some(frame)) => worker.frame(&frame, &mut sink),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    worker.finish(&mut sink);
    sink.printer.finish()?;
    if let Some(error) = sink.failed {
        return Err(error.into());
    }
    ending.map_or_else(
        || Ok(format!("{:#?}", worker.stats())),
        |error| Err(error.into()),
    )
}

fn many(
    source: &mut Source,
    workers: u32,
    config: WireConfig,
    mask: &Mask,
) -> Result<String, Box<dyn Error>> {
    let fan = Fan {
        workers,
        config,
        prepare: &|event| {
            mask.apply(event);
            true
        },
        render: &|events: Vec<Event>| {
            let (mut writer, mut lines) = (EventWriter::default(), Vec::new());
            for event in events {
                writer.write(&event, &mut lines, Clearance::Masked);
                lines.push(b'\n');
            }
            lines
        },
    };
    let mut out = io::BufWriter::with_capacity(OUT_BYTES, io::stdout());
    let mut failed = None;
    let ended = fan.read(source, &mut |lines: Vec<u8>| {
        failed = out.write_all(&lines).err();
        failed.is_none()
    });
    out.flush()?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if let Some(error) = ended.error {
        return Err(error.into());
    }
    Ok(format!("{:#?}", ended.stats))
}

fn key_log(path: &String) -> io::Result<Arc<dyn Secrets>> {
    let mut log = KeyLog::default();
    log.add(&std::fs::read(path)?);
    Ok(Arc::new(log))
}
