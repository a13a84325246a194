//! `vigie query`: ask the store.
//!
//! Enters: search language or SQL. Leaves: a table, NDJSON or CSV on standard output.
//! Refuses: what the store refuses, with a caret at the character, exit code 2.
//! Source: `DESIGN.md` section 6.

use std::io::{self, BufWriter, Write};

use anyhow::Result;
use model::Millis;
use serde_json::{Map, Value};

use crate::cli::{Cli, Query, QueryFormat};
use crate::config::Config;
use crate::exit::{Done, Usage};
use crate::output::say;
use crate::role::control::{Request, ask};
use crate::state::DataDir;
use crate::time;

/// Widest column of a table, in characters.
const COLUMN_CHARS_MAX: usize = 48;

/// Runs the command.
pub(crate) fn run(cli: &Cli, options: &Query) -> Result<Done> {
    let config = Config::load(cli.config.as_deref())?;
    let dir = DataDir::existing(cli).ok_or_else(|| {
        let at = DataDir::locate(cli);
        Usage(format!(
            "{}: no Vigie has run here; 'vigie up' or --data-dir",
            at.display()
        ))
    })?;
    let request = Request::Query {
        text: options.text.clone(),
        from: moment(options.from.as_deref(), "--from")?,
        to: moment(options.to.as_deref(), "--to")?,
        rows_max: options.limit,
        time_ms_max: config.store.query_time.0,
    };
    let answer = ask(&dir, || crate::role::core::open_store(cli, &dir), &request)?;
    print(&answer, options.format)?;
    if let Some(limit) = answer.get("limited").and_then(Value::as_str)
        && !cli.quiet
    {
        say(&format!(
            "vigie: the answer was cut by the limit on {limit}; raise --limit or narrow it"
        ));
    }
    Ok(Done::Fully)
}

fn moment(text: Option<&str>, option: &str) -> Result<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    let Some(Millis(millis)) = time::parse(text, time::now()) else {
        return Err(Usage(format!(
            "{option}: '{text}' is no time: use 2026-11-23T09:00:00Z, milliseconds, or -24h"
        ))
        .into());
    };
    Ok(Some(millis))
}

fn print(answer: &Value, format: QueryFormat) -> io::Result<()> {
    let empty = Vec::new();
    let columns: Vec<(&str, &str)> = answer
        .get("columns")
        .and_then(Value::as_array)
        .unwrap_or(&empty)
        .iter()
        .map(|column| {
            let text = |key| column.get(key).and_then(Value::as_str).unwrap_or_default();
            (text("name"), text("kind"))
        })
        .collect();
    let rows = answer
        .get("rows")
        .and_then(Value::as_array)
        .unwrap_or(&empty);
    let mut out = BufWriter::new(io::stdout());
    match format {
        QueryFormat::Ndjson => {
            for row in rows {
                let cells = row.as_array().unwrap_or(&empty);
                let object: Map<String, Value> = columns
                    .iter()
                    .zip(cells)
                    .filter(|(_, cell)| !cell.is_null())
                    .map(|((name, _), cell)| ((*name).to_owned(), cell.clone()))
                    .collect();
                writeln!(out, "{}", Value::Object(object))?;
            }
        }
        QueryFormat::Csv => {
            let head: Vec<String> = columns.iter().map(|(name, _)| csv(name)).collect();
            writeln!(out, "{}", head.join(","))?;
            for row in rows {
                let cells = row.as_array().unwrap_or(&empty);
                let line: Vec<String> = cells
                    .iter()
                    .zip(&columns)
                    .map(|(cell, (_, kind))| csv(&plain(cell, kind)))
                    .collect();
                writeln!(out, "{}", line.join(","))?;
            }
        }
        QueryFormat::Table => table(&mut out, &columns, rows)?,
    }
    out.flush()
}

fn table(out: &mut impl Write, columns: &[(&str, &str)], rows: &[Value]) -> io::Result<()> {
    let empty = Vec::new();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cells = row.as_array().unwrap_or(&empty);
            cells
                .iter()
                .zip(columns)
                .map(|(cell, (_, kind))| short(&plain(cell, kind)))
                .collect()
        })
        .collect();
    // Columns in which no row has anything say nothing.
    let used: Vec<bool> = (0..columns.len())
        .map(|at| {
            cells.is_empty()
                || cells
                    .iter()
                    .any(|row| row.get(at).is_some_and(|c| !c.is_empty()))
        })
        .collect();
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, (name, _))| {
            let widest = cells
                .iter()
                .filter_map(|row| row.get(at))
                .map(|c| c.chars().count())
                .max();
            name.chars().count().max(widest.unwrap_or(0))
        })
        .collect();
    let mut line = |row: &mut dyn Iterator<Item = &str>| -> io::Result<()> {
        let mut text = String::new();
        for ((cell, width), used) in row.zip(&widths).zip(&used) {
            if *used {
                let pad = width.saturating_sub(cell.chars().count());
                text.push_str(cell);
                text.push_str(&" ".repeat(pad + 2));
            }
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&mut columns.iter().map(|(name, _)| *name))?;
    for row in &cells {
        line(&mut row.iter().map(String::as_str))?;
    }
    Ok(())
}

fn short(text: &str) -> String {
    if text.chars().count() <= COLUMN_CHARS_MAX {
        return text.to_owned();
    }
    text.chars()
        .take(COLUMN_CHARS_MAX - 1)
        .chain(['…'])
        .collect()
}

/// A cell as text; times as RFC 3339.
fn plain(cell: &Value, kind: &str) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if kind == "time" => number
            .as_i64()
            .map_or_else(|| number.to_string(), |ms| time::rfc3339(Millis(ms))),
        Value::Array(list) => list
            .iter()
            .map(|item| plain(item, ""))
            .collect::<Vec<_>>()
            .join(" "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => cell.to_string(),
    }
}

/// RFC 4180 quoting.
fn csv(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
