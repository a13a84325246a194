//! `vigie query`: ask the store.
//!
//! Enters: search language or SQL. Leaves: a table, NDJSON, CSV or Parquet, on standard output or
//! in a file. Refuses: what the store refuses, with a caret at the character, exit code 2; Parquet
//! on a terminal.
//! Source: `DESIGN.md` section 6.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use model::Millis;
use serde_json::{Map, Value};

use crate::cli::{Cli, Query, QueryFormat};
use crate::config::Config;
use crate::exit::{Done, Usage};
use crate::output::say;
use crate::role::control::{Request, ask, ask_into};
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
    let text = options.text.clone();
    let from = moment(options.from.as_deref(), "--from")?;
    let to = moment(options.to.as_deref(), "--to")?;
    let (rows_max, time_ms_max) = (options.limit, config.store.query_time.0);
    let open = || crate::role::core::open_store(cli, &dir);
    let mut out = Out::open(options)?;
    let answer = if options.format == QueryFormat::Parquet {
        let request = Request::Export {
            text,
            from,
            to,
            rows_max,
            time_ms_max,
        };
        ask_into(&dir, open, &request, &mut out)?
    } else {
        let request = Request::Query {
            text,
            from,
            to,
            rows_max,
            time_ms_max,
        };
        let answer = ask(&dir, open, &request)?;
        print(&mut out, &answer, options.format)?;
        answer
    };
    out.finish()?;
    if let Some(limit) = answer.get("limited").and_then(Value::as_str)
        && !cli.quiet
    {
        say(&format!(
            "vigie: the answer was cut by the limit on {limit}; raise --limit or narrow it"
        ));
    }
    Ok(Done::Fully)
}

/// Where the answer goes.
enum Out {
    Stdout(BufWriter<Stdout>),
    /// Written beside its name, which it gets when it is whole.
    File {
        file: BufWriter<File>,
        part: PathBuf,
        path: PathBuf,
        whole: bool,
    },
}

impl Out {
    fn open(options: &Query) -> Result<Self> {
        let Some(path) = &options.output else {
            if options.format == QueryFormat::Parquet && io::stdout().is_terminal() {
                let help = "parquet is not for a terminal: add --output FILE, or redirect";
                return Err(Usage(help.to_owned()).into());
            }
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        };
        let wrong = |what: &str| Usage(format!("--output: {}: {what}", path.display()));
        let name = path.file_name().ok_or_else(|| wrong("is no file name"))?;
        if path.is_dir() {
            return Err(wrong("is a folder").into());
        }
        let mut part = name.to_owned();
        part.push(".part");
        let part = path.with_file_name(part);
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            // Events are nobody else's business, unless their owner says so.
            .mode(0o600)
            .open(&part)
            .map_err(|error| wrong(&format!("cannot be written: {error}")))?;
        Ok(Self::File {
            file: BufWriter::new(file),
            part,
            path: path.clone(),
            whole: false,
        })
    }

    fn finish(mut self) -> Result<()> {
        self.flush()?;
        if let Self::File {
            file,
            part,
            path,
            whole,
        } = &mut self
        {
            file.get_ref().sync_all()?;
            std::fs::rename(part, &*path)
                .with_context(|| format!("{}: cannot be put in place", path.display()))?;
            *whole = true;
        }
        Ok(())
    }
}

impl Drop for Out {
    /// What is not whole does not stay.
    fn drop(&mut self) {
        if let Self::File {
            part, whole: false, ..
        } = self
        {
            let _ = std::fs::remove_file(part);
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}

pub(super) fn moment(text: Option<&str>, option: &str) -> Result<Option<i64>> {
    let Some(text) = text else { return Ok(None) };
    let Some(Millis(millis)) = time::parse(text, time::now()) else {
        return Err(Usage(format!(
            "{option}: '{text}' is no time: use 2026-11-23T09:00:00Z, milliseconds, or -24h"
        ))
        .into());
    };
    Ok(Some(millis))
}

fn print(out: &mut impl Write, answer: &Value, format: QueryFormat) -> io::Result<()> {
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
        QueryFormat::Table => table(out, &columns, rows)?,
        // Comes as a file of its own.
        QueryFormat::Parquet => {}
    }
    Ok(())
}

pub(super) fn table(
    out: &mut impl Write,
    columns: &[(&str, &str)],
    rows: &[Value],
) -> io::Result<()> {
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
pub(super) fn csv(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
