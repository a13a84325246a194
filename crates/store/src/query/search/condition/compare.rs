//! Conditions on numbers, times and texts.
//!
//! Enters: a term and a column. Leaves: an expression. Refuses: values that do not fit.
//! Source: own language; names of OCSF identifiers.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use model::port::QueryError;
use model::{EventUid, Kind, Millis};

use super::super::value;
use super::super::{Op, Term};
use super::{Match, bad, pattern, whole_text};
use crate::query::views::{plain, time};
use crate::schema::{ClassSchema, Column};

/// Equality and order of identities: node, then sequence, as lists of events are sorted.
pub(super) fn identity(term: &Term, uid: EventUid) -> Result<Expr, QueryError> {
    let node = || plain("node");
    let seq = || plain("seq");
    let same = node().eq(lit(uid.node.0));
    Ok(match term.op {
        Op::Is => same.and(seq().eq(lit(uid.seq))),
        Op::Below => node()
            .lt(lit(uid.node.0))
            .or(same.and(seq().lt(lit(uid.seq)))),
        Op::Above => node()
            .gt(lit(uid.node.0))
            .or(same.and(seq().gt(lit(uid.seq)))),
        Op::AtLeast | Op::AtMost | Op::Between | Op::Contains => {
            return Err(bad(term, "is compared with :, :< or :> only"));
        }
    })
}

/// A condition on an integer column.
pub(super) fn integer(
    term: &Term,
    column: &Column,
    class: &ClassSchema,
) -> Result<Match, QueryError> {
    let read = |text: &str| {
        named(column.name, text, class)
            .or_else(|| value::number(text).and_then(value::whole))
            .ok_or_else(|| bad(term, "is not a whole number (units: KB, MiB, s, ms, h)"))
    };
    let wanted = read(&term.value);
    // An activity of another class is no mistake.
    if wanted.is_err() && column.name == "activity" && !term.value.is_empty() {
        return Ok(Match::Never);
    }
    let wanted = wanted?;
    let (low, high) = match term.op {
        Op::Is => (Some(wanted), Some(wanted)),
        Op::Above => (wanted.checked_add(1), None),
        Op::AtLeast => (Some(wanted), None),
        Op::Below => (None, wanted.checked_sub(1)),
        Op::AtMost => (None, Some(wanted)),
        Op::Between => (
            Some(wanted),
            Some(read(term.upper.as_deref().unwrap_or(""))?),
        ),
        Op::Contains => return Err(bad(term, "is compared with : on a number")),
    };
    Ok(within(column, low, high))
}

/// `low <= column <= high`, with bounds that the column's type cannot hold taken out.
fn within(column: &Column, low: Option<i64>, high: Option<i64>) -> Match {
    #[expect(clippy::wildcard_enum_match_arm, reason = "called for integers only")]
    let (least, most) = match column.kind {
        Kind::U16 => (0, i64::from(u16::MAX)),
        Kind::U32 => (0, i64::from(u32::MAX)),
        Kind::U64 => (0, i64::MAX),
        _ => (i64::MIN, i64::MAX),
    };
    if low.is_some_and(|low| low > most) || high.is_some_and(|high| high < least) {
        return Match::Never;
    }
    let here = || plain(column.name);
    let low = low
        .filter(|low| *low > least)
        .map(|low| number(column.kind, low));
    let high = high
        .filter(|high| *high < most)
        .map(|high| number(column.kind, high));
    Match::If(match (low, high) {
        (Some(low), Some(high)) if low == high => here().eq(low),
        (Some(low), Some(high)) => here().gt_eq(low).and(here().lt_eq(high)),
        (Some(low), None) => here().gt_eq(low),
        (None, Some(high)) => here().lt_eq(high),
        (None, None) => here().is_not_null(),
    })
}

/// A literal of the column's own type, so that statistics can be used.
fn number(kind: Kind, value: i64) -> Expr {
    #[expect(clippy::wildcard_enum_match_arm, reason = "called for integers only")]
    let literal = match kind {
        Kind::U16 => ScalarValue::UInt16(u16::try_from(value).ok()),
        Kind::U32 => ScalarValue::UInt32(u32::try_from(value).ok()),
        Kind::U64 => ScalarValue::UInt64(u64::try_from(value).ok()),
        _ => ScalarValue::Int64(Some(value)),
    };
    lit(literal)
}

/// Identifiers that have names.
fn named(column: &str, text: &str, class: &ClassSchema) -> Option<i64> {
    let names: &[&str] = match column {
        "status" => &["unknown", "success", "failure"],
        "severity" => &[
            "unknown",
            "informational",
            "low",
            "medium",
            "high",
            "critical",
            "fatal",
        ],
        "direction" => &["unknown", "inbound", "outbound", "lateral"],
        "activity" => {
            let known = class.class.activities.iter();
            let found = known
                .clone()
                .find(|(_, name)| name.eq_ignore_ascii_case(text));
            return found.map(|(id, _)| i64::from(*id));
        }
        _ => return None,
    };
    let at = names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))?;
    i64::try_from(at).ok()
}

/// A condition on a time column: a date means its whole day, a minute its whole minute.
pub(super) fn moment(term: &Term, column: &Column) -> Result<Expr, QueryError> {
    let read = |text: &str| {
        value::time_ms(text)
            .ok_or_else(|| bad(term, "is not a time like 2026-11-23 or 2026-11-23T14:05"))
    };
    let here = || plain(column.name);
    let at = |ms: i64| time(Millis(ms));
    let (start, end) = read(&term.value)?;
    Ok(match term.op {
        Op::Is => here().gt_eq(at(start)).and(here().lt(at(end))),
        Op::Above => here().gt_eq(at(end)),
        Op::AtLeast => here().gt_eq(at(start)),
        Op::Below => here().lt(at(start)),
        Op::AtMost => here().lt(at(end)),
        Op::Between => {
            let (_, end) = read(term.upper.as_deref().unwrap_or(""))?;
            here().gt_eq(at(start)).and(here().lt(at(end)))
        }
        Op::Contains => return Err(bad(term, "is compared with : on a time")),
    })
}

/// A condition on a text column: equality without regard to case, patterns, substrings.
pub(super) fn text(term: &Term, name: &str) -> Result<Expr, QueryError> {
    let wanted = whole_text(term);
    Ok(match term.op {
        Op::Contains => pattern(plain(name), &value::like_anywhere(&wanted), true),
        Op::Is | Op::Between if !term.quoted && wanted.contains('*') => {
            let lower = LOWER_CASE.contains(&name);
            let like = value::like(&if lower { wanted.to_lowercase() } else { wanted });
            pattern(plain(name), &like, !lower)
        }
        // Where the column is lower case by definition, bloom filters and statistics help.
        Op::Is | Op::Between if LOWER_CASE.contains(&name) => {
            plain(name).eq(lit(wanted.to_lowercase()))
        }
        Op::Is | Op::Between => pattern(plain(name), &escaped(&wanted), true),
        Op::Above | Op::AtLeast | Op::Below | Op::AtMost => {
            return Err(bad(term, "cannot be compared by order with a text"));
        }
    })
}

/// LIKE without any wildcard.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// Text columns whose values are lower case by their definition in `model`.
const LOWER_CASE: &[&str] = &[
    "proto",
    "host",
    "query",
    "flow",
    "about",
    "end_reason",
    "med_standard",
    "tls_ja3",
    "tls_ja3s",
    "tls_cert_sha256",
    "hassh",
    "hassh_server",
    "http_auth",
    "share_type",
];
