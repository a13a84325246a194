//! Counts: what is in there, at a glance.
//!
//! Enters: events. Leaves: one table by class, protocol, host. Refuses: more than
//! [`NAMES_MAX`] names of each; the rest is counted as `(others)`. Source: none.

use std::collections::BTreeMap;
use std::io::{self, Write};

use model::class::Body;
use model::{Event, Millis};

use super::Printer;

const NAMES_MAX: usize = 10_000;
const SHOWN_MAX: usize = 15;

/// See the module.
pub(super) struct Summary<W: Write> {
    out: W,
    events: u64,
    first: Option<Millis>,
    last: Option<Millis>,
    classes: BTreeMap<String, u64>,
    protocols: BTreeMap<String, u64>,
    hosts: BTreeMap<String, u64>,
    anomalies: BTreeMap<String, u64>,
}

impl<W: Write> Summary<W> {
    /// A printer to `out`.
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            events: 0,
            first: None,
            last: None,
            classes: BTreeMap::new(),
            protocols: BTreeMap::new(),
            hosts: BTreeMap::new(),
            anomalies: BTreeMap::new(),
        }
    }
}

fn count(names: &mut BTreeMap<String, u64>, name: &str, n: u64) {
    if names.len() >= NAMES_MAX && !names.contains_key(name) {
        *names.entry("(others)".to_owned()).or_default() += n;
    } else {
        *names.entry(name.to_owned()).or_default() += n;
    }
}

impl<W: Write> Printer for Summary<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.events += 1;
        let time = event.meta.time;
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        count(&mut self.classes, event.body.class().name, 1);
        let Some(connection) = &event.connection else {
            return Ok(());
        };
        if let Body::Network(network) = &event.body
            && network.about == "flow"
        {
            count(&mut self.protocols, &connection.app, 1);
            let bytes = network.bytes.unwrap_or(0);
            count(&mut self.hosts, &connection.src().to_string(), bytes);
            count(&mut self.hosts, &connection.dst().to_string(), bytes);
            for code in &network.anomalies {
                count(&mut self.anomalies, code, 1);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let span = match (self.first, self.last) {
            (Some(first), Some(last)) => last.0.saturating_sub(first.0) / 1000,
            _ => 0,
        };
        writeln!(self.out, "{} events over {span} s", self.events)?;
        let parts = [
            ("events by class", &self.classes),
            ("flows by protocol", &self.protocols),
            ("bytes by host", &self.hosts),
            ("flows by anomaly", &self.anomalies),
        ];
        for (title, names) in parts {
            if names.is_empty() {
                continue;
            }
            writeln!(self.out, "\n{title}")?;
            let mut rows: Vec<(&String, &u64)> = names.iter().collect();
            rows.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            for (name, n) in rows.iter().take(SHOWN_MAX) {
                writeln!(self.out, "{n:>14}  {name}")?;
            }
            if rows.len() > SHOWN_MAX {
                writeln!(self.out, "{:>14}  more", rows.len() - SHOWN_MAX)?;
            }
        }
        self.out.flush()
    }
}
