//! Values as people write them: sizes, durations, dates, addresses, patterns.
//!
//! Enters: a word. Leaves: a number, a time, a pattern. Refuses: what does not read as one.
//! Source: IEC 80000-13 (KiB is 1024), SI (KB is 1000), ISO 8601.

use crate::segment::DAY_MS;
use crate::segment::layout::days_of;

/// A number with an optional unit: `10MB`, `1.5GiB`, `250ms` (milliseconds), `2h`.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let value: f64 = digits.parse().ok()?;
    let factor = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?
        .1;
    let value = value * factor;
    value.is_finite().then_some(value)
}

/// A duration in milliseconds; a unit is needed.
pub(super) fn duration_ms(text: &str) -> Option<i64> {
    let unit = text
        .trim()
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !DURATIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(unit))
    {
        return None;
    }
    whole(number(text)?)
}

/// A whole number; `None` for fractions and beyond 2^53.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked just before: whole and below 2^53"
)]
pub(super) fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
}

/// A time: `2026-11-23`, `2026-11-23T14:05`, `2026-11-23 14:05:09.250`, milliseconds; UTC. The
/// second value is where the stated unit ends (a day, a minute), exclusive.
pub(super) fn time_ms(text: &str) -> Option<(i64, i64)> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    if !text.contains('-') {
        let ms: i64 = text.parse().ok()?;
        return Some((ms, ms.checked_add(1)?));
    }
    let (date, clock) = text
        .split_once(['T', 't', ' '])
        .map_or((text, None), |(d, c)| (d, Some(c)));
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = digits(parts.next()?, 2).filter(|day| (1..=31).contains(day))?;
    if parts.next().is_some() {
        return None;
    }
    let start = days_of(year, month, day).checked_mul(DAY_MS)?;
    let Some(clock) = clock else {
        return Some((start, start + DAY_MS));
    };
    let (offset, span) = clock_ms(clock)?;
    Some((start + offset, start + offset + span))
}

fn clock_ms(text: &str) -> Option<(i64, i64)> {
    let mut parts = text.split(':');
    let hours = digits(parts.next()?, 2).filter(|hours| *hours < 24)?;
    let minutes = digits(parts.next()?, 2).filter(|minutes| *minutes < 60)?;
    let base = (hours * 60 + minutes) * 60_000;
    let Some(seconds) = parts.next() else {
        return Some((base, 60_000));
    };
    if parts.next().is_some() {
        return None;
    }
    let (whole, fraction) = seconds
        .split_once('.')
        .map_or((seconds, None), |(s, f)| (s, Some(f)));
    let base = base + digits(whole, 2).filter(|seconds| *seconds < 60)? * 1000;
    match fraction {
        None => Some((base, 1000)),
        Some(fraction) => Some((base + digits(fraction, 3)?, 1)),
    }
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// `*` of a pattern as SQL LIKE with `\` as escape.
pub(super) fn like(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 4);
    for c in pattern.chars() {
        match c {
            '*' => out.push('%'),
            '%' | '_' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

/// A text as SQL LIKE that looks for it anywhere; `*` has no meaning.
pub(super) fn like_anywhere(text: &str) -> String {
    let mut out = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// Bytes and milliseconds.
static UNITS: &[(&str, f64)] = &[
    ("", 1.0),
    ("B", 1.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("ms", 1.0),
    ("s", 1e3),
    ("min", 6e4),
    ("m", 6e4),
    ("h", 3.6e6),
    ("d", 8.64e7),
    ("w", 6.048e8),
];

/// Units that a duration may have.
static DURATIONS: &[&str] = &["ms", "s", "m", "min", "h", "d", "w"];
