//! OCSF, one JSON object a line.
//!
//! Enters: events. Leaves: lines. Refuses: clear values unless asked for.
//! Source: OCSF 1.8.0.

use std::io::{self, Write};

use model::Event;
use model::ocsf::{Clearance, EventWriter};

use super::Printer;

/// See the module.
pub(super) struct Ndjson<W: Write> {
    out: W,
    writer: EventWriter,
    line: Vec<u8>,
    clearance: Clearance,
}

impl<W: Write> Ndjson<W> {
    /// A printer to `out`.
    pub(super) fn new(out: W, clear: bool) -> Self {
        let clearance = if clear {
            Clearance::Clear
        } else {
            Clearance::Masked
        };
        Self {
            out,
            writer: EventWriter::default(),
            line: Vec::with_capacity(2048),
            clearance,
        }
    }
}

impl<W: Write> Printer for Ndjson<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.line.clear();
        self.writer.write(event, &mut self.line, self.clearance);
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
