//! The packet path of `vigie read`, without the store: `read [OPTIONS] FILE`.
//!
//! Enters: a capture; `--clear`, `--keylog F` and `--format ndjson|eve` mean what they mean to
//! `vigie read`, its other options are taken and ignored, so that a bench can run either program.
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

use model::port::EventSink;
use model::zone::Zones;
use model::{Event, SiteKey};
use output::Printer;
use vigie_capture::file::Source;
use wire::{KeyLog, Secrets, WireConfig, Worker};

struct Sink {
    /// `None` when values stay clear.
    key: Option<SiteKey>,
    zones: Zones,
    events: Vec<Event>,
}

impl EventSink for Sink {
    fn event(&mut self, mut event: Event) {
        if let Some(connection) = &mut event.connection {
            self.zones.apply(connection);
        }
        if let Some(key) = &self.key {
            event.mask(key);
        }
        self.events.push(event);
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
    let mut worker = Worker::new(WireConfig {
        node: source.node(),
        secrets,
        ..WireConfig::default()
    });
    let mut sink = Sink {
        key: (!clear).then(|| SiteKey::new(*source.digest())),
        zones: Zones::default(),
        events: Vec::new(),
    };
    let mut printer = output::printer(after("--format").is_some_and(|form| form == "eve"), clear);
    let mut packets = 0u64;
    let ending = loop {
        match source.next() {
            Ok(Some(frame)) => worker.frame(&frame, &mut sink),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        packets += 1;
        if packets.is_multiple_of(4096) {
            print(&mut sink, printer.as_mut())?;
        }
    };
    worker.finish(&mut sink);
    print(&mut sink, printer.as_mut())?;
    printer.finish()?;
    if given("--stats") {
        writeln!(io::stderr(), "{:#?}", worker.stats())?;
    }
    ending.map_or(Ok(()), |error| Err(error.into()))
}

fn print(sink: &mut Sink, printer: &mut dyn Printer) -> io::Result<()> {
    for event in sink.events.drain(..) {
        printer.event(&event)?;
    }
    Ok(())
}

fn key_log(path: &String) -> io::Result<Arc<dyn Secrets>> {
    let mut log = KeyLog::default();
    log.add(&std::fs::read(path)?);
    Ok(Arc::new(log))
}
