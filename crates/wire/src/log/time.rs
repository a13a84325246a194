//! Times as logs write them.
//!
//! Enters: ISO 8601 texts, seconds with a fraction. Leaves: milliseconds. Refuses: dates that do
//! not exist, years outside 1970 to 9999. Source: ISO 8601-1; days by the civil calendar's cycle
//! of 400 years.

use model::Millis;

/// The time of `2026-11-23T10:00:00.123456+0000`, with any number of decimals, `Z`, `+00:00` or no
/// zone (taken for UTC).
pub(super) fn iso(text: &str) -> Option<Millis> {
    let bytes = text.as_bytes();
    let number = |from: usize, len: usize| -> Option<i64> {
        let digits = bytes.get(from..from.checked_add(len)?)?;
        digits.iter().try_fold(0i64, |sum, octet| {
            octet
                .is_ascii_digit()
                .then(|| sum * 10 + i64::from(octet - b'0'))
        })
    };
    let separated = |at: usize, octets: &[u8]| bytes.get(at).is_some_and(|o| octets.contains(o));
    let shaped = separated(4, b"-") && separated(7, b"-") && separated(10, b"T ");
    if !shaped || !separated(13, b":") || !separated(16, b":") {
        return None;
    }
    let days = days(number(0, 4)?, number(5, 2)?, number(8, 2)?)?;
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = bytes.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix(b".") {
        Some(decimals) => {
            let end = decimals.iter().position(|octet| !octet.is_ascii_digit());
            decimals.split_at_checked(end.unwrap_or(decimals.len()))?
        }
        None => (&[][..], rest),
    };
    let mut ms = 0;
    for place in 0..3 {
        let digit = fraction.get(place).map_or(0, |octet| octet - b'0');
        ms = ms * 10 + i64::from(digit);
    }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    Some(Millis(seconds * 1000 + ms))
}

/// Seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let digit = |octet: &u8| octet.is_ascii_digit().then(|| i64::from(octet - b'0'));
    let (sign, digits) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let ([a, b, c, d] | [a, b, b':', c, d]) = digits else {
        return None;
    };
    let hours = digit(a)? * 10 + digit(b)?;
    Some(sign * (hours * 3_600 + (digit(c)? * 10 + digit(d)?) * 60))
}

/// Days from 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let most = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || day < 1 || day > most {
        return None;
    }
    // The year begins in March, so that the leap day is its last.
    let year = year - i64::from(month <= 2);
    let month = (month + 9) % 12;
    let in_year = (153 * month + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + in_year - TO_1970)
}

/// Days from 0000-03-01 to 1970-01-01.
const TO_1970: i64 = 719_468;

/// The time of seconds with a fraction since 1970.
pub(super) fn seconds(value: f64) -> Option<Millis> {
    const MOST: f64 = 253_402_300_800.0;
    if !(0.0..MOST).contains(&value) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within the range checked above"
    )]
    let micros = (value * 1e6).round() as i64;
    Some(Millis(micros.div_euclid(1000)))
}

/// Milliseconds of a span in seconds.
pub(super) fn span_ms(value: f64) -> Option<i64> {
    seconds(value).map(|span| span.0)
}
