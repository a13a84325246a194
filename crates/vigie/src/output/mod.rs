//! Standard output and standard error: data on one, words on the other.
//!
//! Enters: events, lines, progress. Leaves: bytes on the two streams. Refuses: data on stderr.
//! Source: `DESIGN.md` section 6.

mod eve;
mod ndjson;
mod summary;
mod table;

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::Instant;

use model::Event;

use crate::cli::Format;

/// Writes one line to standard error.
pub(crate) fn say(line: &str) {
    // A closed standard error must not end the program.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Takes events and writes them in one form.
pub(crate) trait Printer {
    /// Takes one event; `clear` asks for values in the clear.
    ///
    /// # Errors
    /// Standard output is closed or full.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Writes what is left.
    ///
    /// # Errors
    /// As [`Printer::event`].
    fn finish(&mut self) -> io::Result<()>;
}

/// Size of the buffer before standard output.
const OUT_BYTES: usize = 256 * 1024;

/// The printer of a form.
pub(crate) fn printer(format: Format, clear: bool) -> Box<dyn Printer> {
    let out = BufWriter::with_capacity(OUT_BYTES, io::stdout());
    match format {
        Format::Ndjson => Box::new(ndjson::Ndjson::new(out, clear)),
        Format::Eve => Box::new(eve::Eve::new(out, clear)),
        Format::Table => Box::new(table::Table::new(out, clear)),
        Format::Summary => Box::new(summary::Summary::new(out)),
    }
}

/// A line that is rewritten on a terminal, and absent elsewhere.
pub(crate) struct Progress {
    shown: bool,
    last: Instant,
    started: Instant,
}

impl Progress {
    /// Starts; `quiet` and anything but a terminal keep it silent.
    pub(crate) fn new(quiet: bool) -> Self {
        let now = Instant::now();
        Self {
            shown: !quiet && io::stderr().is_terminal(),
            last: now,
            started: now,
        }
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Shows `line()` if half a second went by.
    pub(crate) fn tick(&mut self, line: impl FnOnce(f64) -> String) {
        if self.shown && self.last.elapsed().as_millis() >= 500 {
            self.last = Instant::now();
            let text = line(self.seconds());
            let _ = write!(io::stderr(), "\r\x1b[2K{text}");
            let _ = io::stderr().flush();
        }
    }

    /// Removes the line.
    pub(crate) fn clear(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}
