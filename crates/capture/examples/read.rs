//! The packet path of `vigie read --format ndjson`, without the store: `read [OPTIONS] FILE`.
//!
//! Enters: a capture; `--workers N`; other options of `vigie read` are taken and ignored, so that a
//! bench can run either program. Leaves: events on standard output; with `--stats`, counters on
//! standard error.
//! Refuses: a capture that cannot be read to its end. Builds in a minute where the whole program
//! takes many: for profiling.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;

use model::ocsf::{Clearance, EventWriter};
use model::port::EventSink;
use model::zone::Zones;
use model::{Event, SiteKey};
use vigie_capture::fan::Fan;
use vigie_capture::file::Source;
use wire::{WireConfig, Worker};

/// Octets of the buffer before standard output.
const OUT_BYTES: usize = 256 * 1024;

struct Mask {
    key: SiteKey,
    zones: Zones,
}

impl Mask {
    fn apply(&self, event: &mut Event) {
        if let Some(connection) = &mut event.connection {
            self.zones.apply(connection);
        }
        event.mask(&self.key);
    }
}

/// Writes each event at once: what was just made is still at hand.
struct Sink<'a, W: io::Write> {
    mask: &'a Mask,
    writer: EventWriter,
    line: Vec<u8>,
    out: W,
    failed: Option<io::Error>,
}

impl<W: io::Write> EventSink for Sink<'_, W> {
    fn event(&mut self, mut event: Event) {
        self.mask.apply(&mut event);
        self.line.clear();
        self.writer.write(&event, &mut self.line, Clearance::Masked);
        self.line.push(b'\n');
        if let Err(error) = self.out.write_all(&self.line) {
            self.failed.get_or_insert(error);
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|word| word == "--version") {
        writeln!(io::stdout(), "example read {}", env!("CARGO_PKG_VERSION"))?;
        return Ok(());
    }
    let path = arguments.last().ok_or("read [OPTIONS] FILE")?;
    let mut words = arguments.iter().skip_while(|word| *word != "--workers");
    let workers = words.nth(1).map_or(Ok(1), |number| number.parse())?;
    let mut source = Source::open(Path::new(path))?;
    let mask = Mask {
        key: SiteKey::new(*source.digest()),
        zones: Zones::default(),
    };
    let config = WireConfig {
        node: source.node(),
        ..WireConfig::default()
    };
    let out = io::BufWriter::with_capacity(OUT_BYTES, io::stdout());
    let stats = if workers > 1 {
        many(&mut source, workers, config, &mask, out)?
    } else {
        let mut worker = Worker::new(config);
        let mut sink = Sink {
            mask: &mask,
            writer: EventWriter::default(),
            line: Vec::new(),
            out,
            failed: None,
        };
        while let Some(frame) = source.next()? {
            worker.frame(&frame, &mut sink);
        }
        worker.finish(&mut sink);
        sink.out.flush()?;
        if let Some(error) = sink.failed {
            return Err(error.into());
        }
        format!("{:#?}", worker.stats())
    };
    if arguments.iter().any(|word| word == "--stats") {
        writeln!(io::stderr(), "{stats}")?;
    }
    Ok(())
}

fn many(
    source: &mut Source,
    workers: u32,
    config: WireConfig,
    mask: &Mask,
    mut out: impl io::Write,
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
