//! Failures of queries as people read them.
//!
//! Enters: failures of the engine. Leaves: [`QueryError`]s with code, place and nearest right word.
//! Refuses: internal detail of values. Source: `model::port`, `STYLE.md` rule 21.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use model::port::QueryError;

use super::views;
use crate::executor::Failure;

/// An error with code and sentence only.
pub(crate) fn plain(code: &'static str, detail: &str) -> QueryError {
    QueryError {
        code,
        detail: detail.to_owned(),
        position: None,
        suggestion: None,
    }
}

/// A failure of a run.
pub(crate) fn failure(text: &str, failure: &Failure) -> QueryError {
    match failure {
        Failure::Cancelled => plain("cancelled", "the query was cancelled"),
        Failure::Output(cause) => plain("output", &format!("the answer was not written: {cause}")),
        Failure::Time => plain("limit_time", "no row came in time; narrow the time window"),
        Failure::Engine(error) => engine(text, error),
    }
}

/// A failure of the engine.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other causes are reported as they are"
)]
pub(crate) fn engine(text: &str, error: &DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => plain(
            "limit_memory",
            "the query needs more memory than it may; narrow or group less",
        ),
        DataFusionError::SchemaError(found, _) => {
            if let SchemaError::FieldNotFound {
                field,
                valid_fields,
            } = found.as_ref()
            {
                let names: Vec<&str> = valid_fields.iter().map(|field| field.name()).collect();
                return unknown(text, field.name(), &names);
            }
            plain("syntax", &found.to_string())
        }
        DataFusionError::SQL(found, _) => {
            let detail = found.to_string();
            let position = place(text, &detail);
            QueryError {
                code: "syntax",
                detail: first_line(&detail),
                position,
                suggestion: None,
            }
        }
        DataFusionError::Plan(detail) => planned(text, detail),
        DataFusionError::External(cause) if cause.is::<QueryError>() => cause
            .downcast_ref::<QueryError>()
            .cloned()
            .unwrap_or_else(|| plain("internal", "")),
        // The engine reports a full spill directory as an I/O failure of Arrow.
        other if other.to_string().contains("max_temp_directory_size") => plain(
            "limit_memory",
            "the query needs more memory and disk than it may",
        ),
        other => {
            let code = if is_user_fault(other) {
                "bad_value"
            } else {
                "internal"
            };
            plain(code, &first_line(&other.to_string()))
        }
    }
}

fn planned(text: &str, detail: &str) -> QueryError {
    let table = detail
        .strip_prefix("table '")
        .and_then(|rest| rest.split('\'').next());
    if let Some(table) = table {
        let name = table.rsplit('.').next().unwrap_or(table);
        let detail = format!("unknown table {name}");
        let known = views::all_names();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let suggestion = nearest(name, &known).map(str::to_owned);
        let position = find(text, name);
        return QueryError {
            code: "unknown_field",
            detail,
            position,
            suggestion,
        };
    }
    let value = detail.contains("is not an IP address") || detail.contains("is not a block");
    plain(
        if value { "bad_value" } else { "syntax" },
        &first_line(detail),
    )
}

/// A name that does not exist, with the nearest that does.
pub(crate) fn unknown(text: &str, name: &str, names: &[&str]) -> QueryError {
    QueryError {
        code: "unknown_field",
        detail: format!("unknown field {name}"),
        position: find(text, name),
        suggestion: nearest(name, names).map(str::to_owned),
    }
}

/// The nearest of `names` within three edits, and less than half of the word.
pub(crate) fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let most = (word.chars().count() / 2).clamp(1, 3);
    names
        .iter()
        .map(|name| (edits(&word, name), *name))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance (V. Levenshtein, 1966), of words of at most 64 characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = *cell;
            left = substituted.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn is_user_fault(error: &DataFusionError) -> bool {
    matches!(
        error,
        DataFusionError::Execution(_)
            | DataFusionError::ArrowError(..)
            | DataFusionError::NotImplemented(_)
    )
}

/// "... at Line: 2, Column: 7" as an offset in bytes.
fn place(text: &str, detail: &str) -> Option<usize> {
    let (_, rest) = detail.rsplit_once("Line: ")?;
    let (line, rest) = rest.split_once(", Column: ")?;
    let line: usize = line.trim().parse().ok()?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let column: usize = digits.parse().ok()?;
    let mut start = 0;
    for _ in 1..line {
        start += text.get(start..)?.find('\n')? + 1;
    }
    let offset = text
        .get(start..)?
        .char_indices()
        .nth(column.checked_sub(1)?);
    Some(offset.map_or(text.len(), |(at, _)| start + at))
}

fn find(text: &str, word: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(&word.to_ascii_lowercase())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("").to_owned()
}
