//! Tables as spreadsheets write them.
//!
//! Enters: octets of a CSV file. Leaves: rows of cells with their line. Refuses: nothing; a quote
//! that never ends takes the rest as one cell. Limits: rows and cells, given by the caller.
//! Source: RFC 4180; separators comma, semicolon and tab; UTF-8 with or without mark, else
//! Windows-1252 as French spreadsheets write it.

use std::borrow::Cow;

/// A table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Rows with something in them, each with its line from 1.
    pub(super) rows: Vec<(usize, Vec<String>)>,
    /// Rows beyond the limit.
    pub(super) left_out: usize,
}

/// Reads a table.
pub(super) fn read(octets: &[u8], rows_max: usize, cells_max: usize) -> Table {
    let text = decode(octets);
    let separator = separator(&text);
    let mut table = Table::default();
    let (mut cells, mut cell): (Vec<String>, String) = (Vec::new(), String::new());
    let (mut line, mut start) = (1usize, 1usize);
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        }
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            c if quoted => cell.push(c),
            '\r' => {}
            '\n' => {
                put(&mut cells, &mut cell, cells_max);
                table.put(start, &mut cells, rows_max);
                start = line;
            }
            c if c == separator => put(&mut cells, &mut cell, cells_max),
            c => cell.push(c),
        }
    }
    put(&mut cells, &mut cell, cells_max);
    table.put(start, &mut cells, rows_max);
    table
}

impl Table {
    fn put(&mut self, line: usize, cells: &mut Vec<String>, rows_max: usize) {
        let cells = std::mem::take(cells);
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        if self.rows.len() < rows_max {
            self.rows.push((line, cells));
        } else {
            self.left_out += 1;
        }
    }
}

fn put(cells: &mut Vec<String>, cell: &mut String, cells_max: usize) {
    let cell = std::mem::take(cell);
    if cells.len() < cells_max {
        cells.push(cell);
    }
}

/// The separator that the first line has most of.
fn separator(text: &str) -> char {
    let first = text.lines().next().unwrap_or_default();
    let count = |wanted: char| first.chars().filter(|c| *c == wanted).count();
    let most = [',', ';', '\t'].into_iter().rev().max_by_key(|c| count(*c));
    most.unwrap_or(',')
}

fn decode(octets: &[u8]) -> Cow<'_, str> {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(octets.iter().map(|octet| western(*octet)).collect()),
    }
}

/// Windows-1252, of which the letters of French stand at their Unicode places.
fn western(octet: u8) -> char {
    match octet {
        0x92 => '’',
        0x9c => 'œ',
        0x8c => 'Œ',
        octet => char::from(octet),
    }
}
