//! The printers of `vigie read` that a bench compares.
//!
//! Enters: events. Leaves: lines on standard output. Refuses: nothing.
//! Source: `crates/vigie/src/output`, whose files these are.

#[path = "../../../../vigie/src/output/eve.rs"]
mod eve;
#[path = "../../../../vigie/src/output/ndjson.rs"]
mod ndjson;
#[expect(dead_code, reason = "the program's own, of which less is needed here")]
#[path = "../../../../vigie/src/output/table.rs"]
mod table;

use std::io::{self, BufWriter};

use model::Event;

/// Takes events and writes them in one form.
pub(crate) trait Printer {
    /// Takes one event.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Writes what is left.
    fn finish(&mut self) -> io::Result<()>;
}

/// Octets of the buffer before standard output.
const OUT_BYTES: usize = 256 * 1024;

/// The printer of EVE records, or of OCSF events.
pub(crate) fn printer(eve: bool, clear: bool) -> Box<dyn Printer> {
    let out = BufWriter::with_capacity(OUT_BYTES, io::stdout());
    if eve {
        Box::new(eve::Eve::new(out, clear))
    } else {
        Box::new(ndjson::Ndjson::new(out, clear))
    }
}
