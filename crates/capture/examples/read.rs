//! The packet path of `vigie read --format ndjson`, without the store: `read [OPTIONS] FILE`.
//!
//! Enters: a capture; options of `vigie read` but `--hash-files` are taken and ignored, so that a
//! bench can run either program. Leaves: events on standard output; with `--stats`, counters on standard error.
//! Refuses: a capture that cannot be read to its end. Builds in a minute where the whole program
//! takes many: for profiling.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;

use model::ocsf::{Clearance, EventWriter};
use model::port::EventSink;
use model::zone::Zones;
use model::{Event, SiteKey};
use vigie_capture::file::Source;
use wire::file::Policy;
use wire::{WireConfig, Worker};

/// Octets of the buffer before standard output.
const OUT_BYTES: usize = 256 * 1024;

struct Sink {
    key: SiteKey,
    zones: Zones,
    events: Vec<Event>,
}

impl EventSink for Sink {
    fn event(&mut self, mut event: Event) {
        if let Some(connection) = &mut event.connection {
            self.zones.apply(connection);
        }
        event.mask(&self.key);
        self.events.push(event);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|word| word == "--version") {
        writeln!(io::stdout(), "example read {}", env!("CARGO_PKG_VERSION"))?;
        return Ok(());
    }
    let path = arguments.last().ok_or("read [OPTIONS] FILE")?;
    let mut source = Source::open(Path::new(path))?;
    let mut worker = Worker::new(WireConfig {
        node: source.node(),
        files: Policy {
            hash: arguments.iter().any(|word| word == "--hash-files"),
            ..Policy::default()
        },
        ..WireConfig::default()
    });
    let mut sink = Sink {
        key: SiteKey::new(*source.digest()),
        zones: Zones::default(),
        events: Vec::new(),
    };
    let mut out = io::BufWriter::with_capacity(OUT_BYTES, io::stdout());
    let mut writer = EventWriter::default();
    let mut line = Vec::new();
    let mut packets = 0u64;
    loop {
        let more = match source.next()? {
            Some(frame) => {
                worker.frame(&frame, &mut sink);
                true
            }
            None => {
                worker.finish(&mut sink);
                false
            }
        };
        packets += 1;
        if packets.is_multiple_of(4096) || !more {
            for event in sink.events.drain(..) {
                line.clear();
                writer.write(&event, &mut line, Clearance::Masked);
                line.push(b'\n');
                out.write_all(&line)?;
            }
        }
        if !more {
            break;
        }
    }
    out.flush()?;
    if arguments.iter().any(|word| word == "--stats") {
        writeln!(io::stderr(), "{:#?}", worker.stats())?;
    }
    Ok(())
}
