//! Logs of other sensors, as `vigie read` takes them.
//!
//! Enters: an open file that is a log by its content. Leaves: events to the same target as those
//! of captures; on standard error, what was left out. Refuses: lines that are no record, each told
//! with its number up to [`REFUSED_SAID_MAX`] of them; the file then counts as not wholly readable.
//! Source: `DESIGN.md` section 6.

use std::io::BufRead as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::Result;
use capture::file::Stream;
use model::{SiteKey, Text};
use wire::Sequence;
use wire::log::{LogConfig, LogCounts, LogKind, LogReader, Refused};

use super::Reading;
use crate::output::{Progress, say};

/// Refused lines that are told one by one.
const REFUSED_SAID_MAX: u64 = 10;
/// Octets between two looks at the clock and at the events made.
const PIECE_BYTES: usize = 64 * 1024;

impl Reading<'_> {
    /// Reads one log; false when some of it was not readable.
    pub(super) fn log(
        &mut self,
        path: &Path,
        mut stream: Stream,
        kind: LogKind,
        key: SiteKey,
    ) -> Result<bool> {
        let mut reader = LogReader::new(
            kind,
            &LogConfig {
                node: stream.node(),
                site: Text::from(self.config.site.name.clone()),
                sequence: Sequence::Packet,
            },
        );
        let mut sink = self.sink(key);
        let mut progress = Progress::new(self.quiet);
        let mut said = 0;
        let mut refused = |line: Refused| {
            said += 1;
            if said <= REFUSED_SAID_MAX {
                say(&format!(
                    "vigie: {}: line {}: {}; it was left out",
                    path.display(),
                    line.line,
                    line.reason
                ));
            }
        };
        let ending = loop {
            let piece = match stream.fill_buf() {
                Ok([]) => break None,
                Ok(piece) => piece,
                Err(error) => break Some(error),
            };
            let piece = piece.get(..PIECE_BYTES).unwrap_or(piece);
            reader.feed(piece, &mut sink, &mut refused);
            let read = piece.len();
            stream.consume(read);
            self.target.take(&mut sink.events)?;
            let lines = reader.counts().lines;
            progress.tick(|_| format!("{}: {lines} lines", path.display()));
            if self.stop.load(Ordering::Relaxed) {
                break None;
            }
        };
        reader.finish(&mut sink, &mut refused);
        self.target.take(&mut sink.events)?;
        progress.clear();
        close(path, reader.counts());
        if let Some(error) = &ending {
            say(&format!(
                "vigie: {}: {error}; the {} lines before it were processed",
                path.display(),
                reader.counts().lines
            ));
        }
        Ok(ending.is_none() && reader.counts().refused == 0)
    }
}

/// Tells what was left out.
fn close(path: &Path, counts: &LogCounts) {
    let path = path.display();
    if let more @ 1.. = counts.refused.saturating_sub(REFUSED_SAID_MAX) {
        say(&format!(
            "vigie: {path}: {more} more lines were left out; the rest was processed"
        ));
    }
    let list = |counts: &std::collections::BTreeMap<String, u64>| {
        let each: Vec<String> = counts
            .iter()
            .map(|(name, n)| format!("{name} ({n})"))
            .collect();
        each.join(", ")
    };
    if !counts.unknown.is_empty() {
        let names = list(&counts.unknown);
        say(&format!(
            "vigie: {path}: record types that are not understood were left out: {names}"
        ));
    }
    if !counts.passed_over.is_empty() {
        let names = list(&counts.passed_over);
        say(&format!(
            "vigie: {path}: records that tell no traffic were passed over: {names}"
        ));
    }
}
