//! Why a line was refused.
//!
//! Enters: what was met. Leaves: a reason for the operator. Refuses: to repeat what stood in the
//! line: it may name a person. Source: `STYLE.md` rule 21.

use std::fmt;

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Longer than [`super::LINE_BYTES_MAX`].
    TooLong,
    /// Not JSON, from this column on.
    NotJson(usize),
    /// JSON that ends too early.
    CutShort,
    /// JSON, but no object.
    NotObject,
    /// Without this member.
    Missing(&'static str),
    /// This member is not what it should be.
    Wrong(&'static str),
    /// A TSV log's line before `#fields`.
    NoHeader,
    /// More columns in `#fields` than are read.
    TooManyColumns,
    /// Other columns than `#fields` says: how many there should be, and how many there are.
    Columns(usize, usize),
    /// Not UTF-8.
    NotText,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {} bytes", super::LINE_BYTES_MAX),
            Self::NotJson(column) => write!(f, "not JSON from column {column} on"),
            Self::CutShort => f.write_str("JSON that ends too early"),
            Self::NotObject => f.write_str("not a JSON object"),
            Self::Missing(name) => write!(f, "has no {name}"),
            Self::Wrong(name) => write!(f, "{name} is not one"),
            Self::NoHeader => f.write_str("stands before the line #fields"),
            Self::TooManyColumns => f.write_str("names too many columns"),
            Self::Columns(want, have) => write!(f, "has {have} columns, #fields names {want}"),
            Self::NotText => f.write_str("not UTF-8"),
        }
    }
}

impl Reason {
    /// The reason behind an error of the JSON reader, whose text could repeat the line's.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        if error.is_eof() {
            Self::CutShort
        } else {
            Self::NotJson(error.column())
        }
    }
}
