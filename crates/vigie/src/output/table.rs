//! One line an event, for people.
//!
//! Enters: events. Leaves: time, class, endpoints, protocol, the fields that say most.
//! Refuses: clear values unless asked for. Source: none.

use std::io::{self, Write};

use model::record::Cell;
use model::{Event, Sensitive};

use super::Printer;
use crate::time::rfc3339;

/// Longest text of one value, in characters.
const VALUE_CHARS_MAX: usize = 60;

/// See the module.
pub(super) struct Table<W: Write> {
    out: W,
    clear: bool,
    head: bool,
}

impl<W: Write> Table<W> {
    /// A printer to `out`.
    pub(super) const fn new(out: W, clear: bool) -> Self {
        Self {
            out,
            clear,
            head: false,
        }
    }
}

impl<W: Write> Printer for Table<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if !self.head {
            self.head = true;
            let names = ("time", "class", "source", "destination", "proto");
            let (time, class, src, dst, proto) = names;
            writeln!(
                self.out,
                "{time:<24} {class:<25} {src:<22} {dst:<22} {proto:<8} what"
            )?;
        }
        let time = rfc3339(event.meta.time);
        let class = event.body.class().name;
        let (src, dst, app) = event
            .connection
            .as_ref()
            .map_or_else(Default::default, |link| {
                let end = |ip: Option<_>, port: Option<u16>| match (ip, port) {
                    (Some(ip), Some(port)) => format!("{}", std::net::SocketAddr::new(ip, port)),
                    (Some(ip), None) => ip.to_string(),
                    (None, _) => String::new(),
                };
                (
                    end(link.src_ip, link.src_port),
                    end(link.dst_ip, link.dst_port),
                    link.app.to_string(),
                )
            });
        write!(
            self.out,
            "{time:<24} {class:<25} {src:<22} {dst:<22} {app:<8}"
        )?;
        let activity = event.body.class().activity(event.meta.activity);
        write!(self.out, " {activity}")?;
        let fields = event.body.class().fields;
        let mut words = String::new();
        event.body.each(&mut |index, cell| {
            if let Some(text) = self.text(&cell) {
                let column = fields.get(index).map_or("", |field| field.column);
                let short: String = text.chars().take(VALUE_CHARS_MAX).collect();
                words.push_str(&format!(" {column}={short}"));
            }
        });
        writeln!(self.out, "{words}")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Table<W> {
    fn text(&self, cell: &Cell<'_>) -> Option<String> {
        Some(match cell {
            Cell::Null => return None,
            Cell::Bool(value) => value.to_string(),
            Cell::U64(value) => value.to_string(),
            Cell::I64(value) => value.to_string(),
            Cell::Text(value) => (*value).to_owned(),
            Cell::Ip(value) => value.to_string(),
            Cell::Mac(value) => value.to_string(),
            Cell::Time(value) => rfc3339(*value),
            Cell::Sensitive(value) => shown(value, self.clear),
            Cell::TextList(list) => list.join(","),
            Cell::U64List(list) => list
                .iter()
                .map(u64::to_string)
                .collect::<Vec<_>>()
                .join(","),
            Cell::IpList(list) => list
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(","),
        })
    }
}

/// The masked form, or the clear one when it was asked for and still stands there.
pub(super) fn shown(value: &Sensitive, clear: bool) -> String {
    match (value.as_masked(), value.reveal()) {
        (Some(masked), _) => masked.display.to_string(),
        (None, Some((_, text))) if clear => text.to_owned(),
        _ => "[sensitive]".to_owned(),
    }
}
