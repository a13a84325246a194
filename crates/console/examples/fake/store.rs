//! The store of the made-up hospital: events in memory, searched one by one.
//!
//! Enters: queries. Leaves: rows and events, newest first. Refuses: unknown columns in searches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::port::{Column, Datum, EventQuery, Events, Query, QueryError, Rows};
use model::record::{Cell, Record as _};
use model::{CLASSES, Event};

use crate::statement::Statement;

type Columns = BTreeMap<&'static str, Datum>;

/// Events in memory, oldest first.
pub(crate) struct FakeStore(Mutex<Vec<(Event, Columns)>>);

impl FakeStore {
    pub(crate) fn new(events: Vec<Event>) -> Self {
        let with = |event: Event| {
            let columns = columns(&event);
            (event, columns)
        };
        Self(Mutex::new(events.into_iter().map(with).collect()))
    }

    pub(crate) fn add(&self, event: Event) {
        let columns = columns(&event);
        self.lock().push((event, columns));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Event, Columns)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn select(&self, query: &Query, search: &str) -> Result<Vec<(Event, Columns)>, QueryError> {
        let search = Search::parse(search)?;
        let from = query.from.map_or(i64::MIN, |from| from.0);
        let to = query.to.map_or(i64::MAX, |to| to.0);
        let inside = |event: &Event| (from..to).contains(&event.meta.time.0);
        let all = self.lock();
        let found = all
            .iter()
            .rev()
            .filter(|(event, columns)| inside(event) && search.matches(columns));
        Ok(found.cloned().collect())
    }
}

impl EventQuery for FakeStore {
    fn rows(&self, query: &Query, _: &AtomicBool) -> Result<Rows, QueryError> {
        let text = query.text.trim();
        let lower = text.to_lowercase();
        if !lower.starts_with("select") && !lower.starts_with("with") {
            return Ok(spine(self.select(query, text)?, query.rows_max));
        }
        let statement = Statement::parse(text);
        let search = match &statement {
            Statement::Histogram { search, .. }
            | Statement::Values { search, .. }
            | Statement::Other { search } => search.clone(),
            Statement::ZoneCells
            | Statement::ZoneFlows { .. }
            | Statement::Edges { .. }
            | Statement::Throughput { .. }
            | Statement::ByClass
            | Statement::Protocols
            | Statement::Medical => String::new(),
        };
        let found = self.select(query, &search)?;
        Ok(answer(&statement, found, query.rows_max))
    }

    fn events(&self, query: &Query, _: &AtomicBool) -> Result<Events, QueryError> {
        let mut found = self.select(query, &query.text)?;
        let limited = (found.len() > query.rows_max).then_some("rows");
        found.truncate(query.rows_max);
        Ok(Events {
            events: found.into_iter().map(|(event, _)| event).collect(),
            limited,
            took_ms: 3,
        })
    }
}

fn answer(statement: &Statement, found: Vec<(Event, Columns)>, rows_max: usize) -> Rows {
    let flows = |found: Vec<(Event, Columns)>| -> Vec<Columns> {
        let columns = found.into_iter().map(|(_, columns)| columns);
        columns.filter(|row| text(row, "about") == "flow").collect()
    };
    let rows: Vec<Vec<Datum>> = match statement {
        Statement::ZoneCells => sums(&flows(found), &["src_zone", "dst_zone", "proto"], &[]),
        Statement::ZoneFlows { zone, out } => {
            let (own, other, ip) = if *out {
                ("src_zone", "dst_zone", "dst_ip")
            } else {
                ("dst_zone", "src_zone", "src_ip")
            };
            let mut rows = flows(found);
            rows.retain(|row| text(row, own) == *zone);
            sums(&rows, &[other, ip], &[])
        }
        Statement::Edges { ips } => {
            let mut rows = flows(found);
            rows.retain(|row| {
                ips.contains(&text(row, "src_ip")) || ips.contains(&text(row, "dst_ip"))
            });
            sums(
                &rows,
                &["src_ip", "dst_ip", "proto"],
                &["src_zone", "dst_zone"],
            )
        }
        Statement::Throughput { from, bin_ms } => throughput(&flows(found), *from, *bin_ms),
        Statement::Histogram { from, bin_ms, .. } => {
            let mut bins: BTreeMap<(i64, u64), u64> = BTreeMap::new();
            for (_, row) in &found {
                let t = number(row, "time");
                let t = from + (t - from).div_euclid(*bin_ms) * bin_ms;
                *bins.entry((t, count(row, "class_uid"))).or_default() += 1;
            }
            let row = |((t, class), n)| vec![Datum::I64(t), Datum::U64(class), Datum::U64(n)];
            bins.into_iter().map(row).collect()
        }
        Statement::ByClass => counts(found.iter().map(|(_, row)| vec![row["class_uid"].clone()])),
        Statement::Protocols => counts(
            flows(found)
                .iter()
                .map(|row| vec![Datum::Text(text(row, "proto"))]),
        ),
        Statement::Medical => medical(&found),
        Statement::Values {
            columns,
            prefix,
            most,
            limit,
            ..
        } => values(&found, columns, prefix, *most, *limit),
        Statement::Other { .. } => return spine(found, rows_max),
    };
    let width = rows.first().map_or(0, Vec::len);
    Rows {
        columns: (0..width)
            .map(|at| column(&format!("c{at}"), "text"))
            .collect(),
        rows,
        limited: None,
        took_ms: 2,
    }
}

fn throughput(flows: &[Columns], from: i64, bin_ms: i64) -> Vec<Vec<Datum>> {
    let mut bins: BTreeMap<i64, u64> = BTreeMap::new();
    for row in flows {
        let t = number(row, "time");
        let t = from + (t - from).div_euclid(bin_ms) * bin_ms;
        *bins.entry(t).or_default() += count(row, "bytes");
    }
    bins.into_iter()
        .map(|(t, n)| vec![Datum::I64(t), Datum::U64(n)])
        .collect()
}

fn medical(found: &[(Event, Columns)]) -> Vec<Vec<Datum>> {
    let rows = found
        .iter()
        .filter(|(_, row)| row.contains_key("med_standard"));
    let first = |row: &Columns, a: &str, b: &str| {
        let value = row.get(a).or_else(|| row.get(b));
        value.cloned().unwrap_or(Datum::Null)
    };
    counts(rows.map(|(_, row)| {
        vec![
            first(row, "calling_ae", "sending_app"),
            first(row, "called_ae", "receiving_app"),
            Datum::Text(text(row, "med_standard")),
        ]
    }))
}

fn values(
    found: &[(Event, Columns)],
    columns: &[String],
    prefix: &str,
    most: bool,
    limit: usize,
) -> Vec<Vec<Datum>> {
    let columns: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
    let each = |row: &Columns| -> Vec<Vec<Datum>> {
        let values = columns.iter().filter_map(|column| row.get(column).cloned());
        let flat = values.flat_map(|value| {
            if let Datum::List(list) = value {
                list
            } else {
                vec![value]
            }
        });
        let fits =
            flat.filter(|value| !matches!(value, Datum::Null) && shown(value).starts_with(prefix));
        fits.map(|value| vec![value]).collect()
    };
    let mut rows = counts(found.iter().flat_map(|(_, row)| each(row)));
    if !most {
        rows.reverse();
    }
    rows.truncate(limit);
    rows
}

/// Bytes, flows, first and last time, other columns.
type Sum = (u64, u64, i64, i64, Vec<Datum>);

/// Bytes, flows, first and last time by the columns of `by`; then any value of `more`.
fn sums(rows: &[Columns], by: &[&str], more: &[&str]) -> Vec<Vec<Datum>> {
    let mut out: BTreeMap<Vec<String>, Sum> = BTreeMap::new();
    for row in rows {
        let key = by.iter().map(|column| text(row, column)).collect();
        let time = number(row, "time");
        let sum = out.entry(key).or_insert_with(|| {
            let more = more
                .iter()
                .map(|column| row.get(column).cloned().unwrap_or(Datum::Null));
            (0, 0, time, time, more.collect())
        });
        sum.0 += count(row, "bytes");
        sum.1 += 1;
        sum.2 = sum.2.min(time);
        sum.3 = sum.3.max(time);
    }
    let mut out: Vec<_> = out.into_iter().collect();
    out.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.0));
    let row = |(key, (bytes, flows, first, last, more)): (Vec<String>, _)| {
        let mut row: Vec<Datum> = key.into_iter().map(Datum::Text).collect();
        row.extend([
            Datum::U64(bytes),
            Datum::U64(flows),
            Datum::I64(first),
            Datum::I64(last),
        ]);
        row.extend::<Vec<Datum>>(more);
        row
    };
    out.into_iter().map(row).collect()
}

/// Distinct rows with their number, most frequent first.
fn counts(rows: impl Iterator<Item = Vec<Datum>>) -> Vec<Vec<Datum>> {
    let mut out: BTreeMap<Vec<String>, (Vec<Datum>, u64)> = BTreeMap::new();
    for row in rows {
        let key = row.iter().map(shown).collect();
        out.entry(key).or_insert((row, 0)).1 += 1;
    }
    let mut out: Vec<_> = out.into_values().collect();
    out.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let row = |(mut row, n): (Vec<Datum>, u64)| {
        row.push(Datum::U64(n));
        row
    };
    out.into_iter().map(row).collect()
}

fn spine(found: Vec<(Event, Columns)>, rows_max: usize) -> Rows {
    let names = [
        "time", "class", "src_ip", "dst_ip", "proto", "src_zone", "dst_zone", "uid",
    ];
    let kinds = ["time", "text", "ip", "ip", "text", "text", "text", "text"];
    let limited = (found.len() > rows_max).then_some("rows");
    let row = |(_, row): (Event, Columns)| {
        let value = |name: &&str| row.get(*name).cloned().unwrap_or(Datum::Null);
        names.iter().map(value).collect()
    };
    Rows {
        columns: names
            .iter()
            .zip(kinds)
            .map(|(name, kind)| column(name, kind))
            .collect(),
        rows: found.into_iter().take(rows_max).map(row).collect(),
        limited,
        took_ms: 2,
    }
}

fn column(name: &str, kind: &'static str) -> Column {
    Column {
        name: name.to_owned(),
        kind,
    }
}

/// The columns of an event that are present.
pub(crate) fn columns(event: &Event) -> Columns {
    let meta = &event.meta;
    let class = event.body.class();
    let mut out = Columns::from([
        ("class", Datum::Text(class.name.to_owned())),
        ("class_uid", Datum::U64(u64::from(class.uid))),
        ("time", Datum::I64(meta.time.0)),
        ("uid", Datum::Text(meta.uid.to_string())),
        ("site", Datum::Text(meta.site.to_string())),
        ("activity", Datum::U64(u64::from(meta.activity))),
        ("severity", Datum::U64(u64::from(meta.severity))),
        ("status", Datum::U64(u64::from(meta.status))),
    ]);
    if let Some(code) = &meta.status_code {
        out.insert("status_code", Datum::Text(code.to_string()));
    }
    if let Some(connection) = &event.connection {
        let fields = Event::connection_fields();
        connection.each(&mut |at, cell| {
            if let (Some(field), Some(value)) = (fields.get(at), datum(cell)) {
                out.insert(field.column, value);
            }
        });
    }
    event.body.each(&mut |at, cell| {
        if let (Some(field), Some(value)) = (class.fields.get(at), datum(cell)) {
            out.insert(field.column, value);
        }
    });
    out
}

fn datum(cell: Cell<'_>) -> Option<Datum> {
    let list = |values: Vec<Datum>| Some(Datum::List(values));
    match cell {
        Cell::Null => None,
        Cell::Bool(value) => Some(Datum::Bool(value)),
        Cell::U64(value) => Some(Datum::U64(value)),
        Cell::I64(value) => Some(Datum::I64(value)),
        Cell::Text(value) => Some(Datum::Text(value.to_owned())),
        Cell::Ip(value) => Some(Datum::Text(value.to_string())),
        Cell::Mac(value) => Some(Datum::Text(value.to_string())),
        Cell::Time(value) => Some(Datum::I64(value.0)),
        Cell::Sensitive(value) => value
            .as_masked()
            .map(|masked| Datum::Text(masked.display.to_string())),
        Cell::TextList(values) => list(
            values
                .iter()
                .map(|text| Datum::Text(text.to_string()))
                .collect(),
        ),
        Cell::U64List(values) => list(values.iter().map(|value| Datum::U64(*value)).collect()),
        Cell::IpList(values) => list(
            values
                .iter()
                .map(|ip| Datum::Text(ip.to_string()))
                .collect(),
        ),
    }
}

fn text(row: &Columns, column: &str) -> String {
    row.get(column).map(shown).unwrap_or_default()
}

fn number(row: &Columns, column: &str) -> i64 {
    match row.get(column) {
        Some(Datum::I64(value)) => *value,
        _ => 0,
    }
}

fn count(row: &Columns, column: &str) -> u64 {
    match row.get(column) {
        Some(Datum::U64(value)) => *value,
        _ => 0,
    }
}

fn shown(value: &Datum) -> String {
    match value {
        Datum::Null => String::new(),
        Datum::Bool(value) => value.to_string(),
        Datum::I64(value) => value.to_string(),
        Datum::U64(value) => value.to_string(),
        Datum::F64(value) => value.to_string(),
        Datum::Text(value) => value.clone(),
        Datum::List(values) => values.iter().map(shown).collect::<Vec<_>>().join(","),
    }
}

/// A search: alternatives of terms; no parentheses, no ranges: the real store has them.
pub(crate) struct Search(Vec<Vec<Term>>);

struct Term {
    not: bool,
    column: Option<String>,
    value: String,
}

impl Search {
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        let mut known: BTreeSet<&str> = CLASSES
            .iter()
            .flat_map(|class| class.fields)
            .chain(Event::connection_fields())
            .map(|field| field.column)
            .collect();
        known.extend([
            "class",
            "class_uid",
            "time",
            "uid",
            "site",
            "activity",
            "severity",
        ]);
        known.extend(["status", "status_code", "labels"]);
        let mut alternatives = vec![Vec::new()];
        let mut not = false;
        for word in text.split_whitespace() {
            match word {
                "AND" => continue,
                "OR" => alternatives.push(Vec::new()),
                "NOT" => not = true,
                word => {
                    let word = word.trim_matches(['(', ')']);
                    let (minus, word) = match word.strip_prefix('-') {
                        Some(rest) => (true, rest),
                        None => (false, word),
                    };
                    let (column, value) = match word.split_once(':') {
                        Some((column, value)) => (Some(column.to_owned()), value),
                        None => (None, word),
                    };
                    if let Some(wrong) = column.as_deref().filter(|name| !known.contains(name)) {
                        return Err(unknown(text, wrong, &known));
                    }
                    let value = value.trim_matches('"').to_lowercase();
                    if let Some(last) = alternatives.last_mut() {
                        let not = not || minus;
                        last.push(Term { not, column, value });
                    }
                    not = false;
                }
            }
        }
        Ok(Self(alternatives))
    }

    pub(crate) fn matches(&self, row: &Columns) -> bool {
        let term = |term: &Term| {
            let fits = |value: &Datum| {
                let value = shown(value).to_lowercase();
                match (&term.column, term.value.strip_suffix('*')) {
                    (Some(_), Some(start)) => value.starts_with(start),
                    (Some(_), None) => value == term.value,
                    (None, _) => value.contains(&term.value),
                }
            };
            let found = match &term.column {
                Some(column) => row.get(column.as_str()).is_some_and(fits),
                None => row.values().any(fits),
            };
            found != term.not
        };
        self.0.iter().any(|terms| terms.iter().all(term))
    }
}

fn unknown(text: &str, wrong: &str, known: &BTreeSet<&str>) -> QueryError {
    let start: String = wrong.chars().take(3).collect();
    QueryError {
        code: "unknown_field",
        detail: format!("no column is named {wrong}"),
        position: text.find(wrong),
        suggestion: known
            .iter()
            .find(|name| name.starts_with(&start))
            .map(|name| (*name).to_owned()),
    }
}
