//! Zeek's TSV: the lines with `#`, and columns as members.
//!
//! Enters: lines. Leaves: a record a data line. Refuses: data before `#fields`, more than
//! [`COLUMNS_MAX`] columns, lines with other columns than announced.
//! Source: Zeek documentation, "Zeek TSV Format Logs"; escapes as `\xHH`.

use serde_json::{Map, Number, Value};

use super::super::Reason;

/// Most columns that are read.
const COLUMNS_MAX: usize = 256;
/// Longest text of a mark such as `#unset_field`.
const MARK_BYTES_MAX: usize = 64;

/// What the head of a log says.
pub(in crate::log) struct Header {
    separator: u8,
    between: String,
    empty: String,
    unset: String,
    path: Option<String>,
    columns: Vec<(String, Kind)>,
}

/// What a column holds, as far as it matters here.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    Flag,
    List(bool),
}

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: b'\t',
            between: ",".to_owned(),
            empty: "(empty)".to_owned(),
            unset: "-".to_owned(),
            path: None,
            columns: Vec::new(),
        }
    }
}

impl Header {
    /// The log's own name.
    pub(in crate::log) fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Reads a line; `None` for one of the head.
    pub(in crate::log) fn line(
        &mut self,
        line: &[u8],
    ) -> Result<Option<Map<String, Value>>, Reason> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| Reason::NotText)?;
        if let Some(mark) = text.strip_prefix('#') {
            return self.mark(mark).map(|()| None);
        }
        if self.columns.is_empty() {
            return Err(Reason::NoHeader);
        }
        let separator = char::from(self.separator);
        let have = text.split(separator).count();
        if have != self.columns.len() {
            return Err(Reason::Columns(self.columns.len(), have));
        }
        let mut record = Map::new();
        for ((name, kind), cell) in self.columns.iter().zip(text.split(separator)) {
            if let Some(value) = self.cell(*kind, cell) {
                record.insert(name.clone(), value);
            }
        }
        Ok(Some(record))
    }

    fn mark(&mut self, mark: &str) -> Result<(), Reason> {
        if let Some(separator) = mark.strip_prefix("separator ") {
            // A new head: that of a file written after this one.
            *self = Self::default();
            self.separator = unescape(separator).bytes().next().unwrap_or(b'\t');
            return Ok(());
        }
        let separator = char::from(self.separator);
        let (name, value) = mark.split_once(separator).unwrap_or((mark, ""));
        let short = || value.chars().take(MARK_BYTES_MAX).collect::<String>();
        match name {
            "set_separator" => self.between = short(),
            "empty_field" => self.empty = short(),
            "unset_field" => self.unset = short(),
            "path" => self.path = Some(short()),
            "fields" => {
                self.columns.clear();
                if value.split(separator).count() > COLUMNS_MAX {
                    return Err(Reason::TooManyColumns);
                }
                let names = value.split(separator);
                self.columns = names.map(|name| (name.to_owned(), Kind::Text)).collect();
            }
            "types" => {
                let types = value.split(separator);
                for (column, name) in self.columns.iter_mut().zip(types) {
                    column.1 = kind(name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn cell(&self, kind: Kind, cell: &str) -> Option<Value> {
        if cell == self.unset {
            return None;
        }
        if let Kind::List(numbers) = kind {
            if cell == self.empty || self.between.is_empty() {
                return Some(Value::Array(Vec::new()));
            }
            let items = cell.split(self.between.as_str());
            return Some(Value::Array(
                items.map(|item| scalar(numbers, item)).collect(),
            ));
        }
        if cell == self.empty {
            return Some(Value::String(String::new()));
        }
        Some(match kind {
            Kind::Flag => Value::Bool(cell == "T"),
            Kind::Text | Kind::Number | Kind::List(_) => scalar(kind == Kind::Number, cell),
        })
    }
}

fn kind(name: &str) -> Kind {
    let number = |name: &str| {
        matches!(
            name,
            "time" | "interval" | "double" | "count" | "int" | "port"
        )
    };
    let inner = name
        .split_once('[')
        .map(|(_, inner)| inner.trim_end_matches(']'));
    match (name, inner) {
        (_, Some(inner)) => Kind::List(number(inner)),
        ("bool", None) => Kind::Flag,
        (name, None) if number(name) => Kind::Number,
        (_, None) => Kind::Text,
    }
}

/// A number when it should be and is one, else text: what it should have been is decided later.
fn scalar(number: bool, cell: &str) -> Value {
    if number {
        if let Ok(whole) = cell.parse::<u64>() {
            return Value::Number(whole.into());
        }
        if let Some(number) = cell.parse().ok().and_then(Number::from_f64) {
            return Value::Number(number);
        }
    }
    Value::String(unescape(cell))
}

/// Undoes `\xHH`; a backslash that begins nothing stays.
fn unescape(text: &str) -> String {
    if !text.contains("\\x") {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'\\', b'x', high, low, tail @ ..] => hex(*high).zip(hex(*low)).map(|h| (h, tail)),
            _ => None,
        };
        if let Some(((high, low), tail)) = escaped {
            out.push(high << 4 | low);
            rest = tail;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(octet: u8) -> Option<u8> {
    char::from(octet)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
