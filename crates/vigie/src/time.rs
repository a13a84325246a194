//! The clock, and times as people write them.
//!
//! Enters: the system's clock. Leaves: milliseconds, RFC 3339. Refuses: nothing.
//! Source: RFC 3339; civil-from-days by Howard Hinnant's public formulas.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Millis;

/// Milliseconds since 1970 by the system's clock. The only place that reads it.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// `2026-11-23T09:30:00.250Z`.
pub(crate) fn rfc3339(time: Millis) -> String {
    let seconds = time.0.div_euclid(1000);
    let millis = time.0.rem_euclid(1000);
    let days = seconds.div_euclid(86_400);
    let second = seconds.rem_euclid(86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month, day of a day count since 1970-01-01.
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Days since 1970-01-01 of a date.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Reads milliseconds, `now`, `-24h` (units s, m, h, d, w) or RFC 3339 with `Z`; `None` if it is
/// none.
pub(crate) fn parse(text: &str, now: Millis) -> Option<Millis> {
    let text = text.trim();
    if text == "now" {
        return Some(now);
    }
    if let Some(span) = text.strip_prefix('-').or_else(|| text.strip_prefix("now-")) {
        let split = span.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = span.split_at_checked(split)?;
        let factor = match unit {
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        return Some(Millis(
            now.0 - number.parse::<i64>().ok()?.checked_mul(factor)?,
        ));
    }
    if let Ok(millis) = text.parse::<i64>() {
        return Some(Millis(millis));
    }
    parse_rfc3339(text)
}

fn parse_rfc3339(text: &str) -> Option<Millis> {
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00Z"));
    let mut parts = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    let clock = clock.strip_suffix('Z').unwrap_or(clock);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.splitn(3, ':').map(str::parse::<i64>);
    let hour = parts.next()?.ok()?;
    let minute = parts.next()?.ok()?;
    let second = parts.next().unwrap_or(Ok(0)).ok()?;
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    let millis = fraction.parse::<i64>().ok()?;
    let of_day = hour
        .checked_mul(3600)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?;
    Some(Millis(
        (days(year, month, day) * 86_400 + of_day) * 1000 + millis,
    ))
}

#[cfg(test)]
#[path = "time/tests.rs"]
mod tests;
