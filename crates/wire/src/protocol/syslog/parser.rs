//! Messages of syslog.
//!
//! Enters: one message. Leaves: facility, severity, host and program. Refuses: what has no
//! priority.
//! Limits: [`WORD_BYTES_MAX`] octets a name. Source: RFC 5424 section 6, RFC 3164 section 4.

use crate::protocol::shared::text::{number, word};

/// Longest host or program name that is taken for one.
const WORD_BYTES_MAX: usize = 64;
/// Digits of the longest length that may stand before a message.
const LENGTH_DIGITS_MAX: usize = 6;

/// What a message tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) facility: u8,
    pub(super) severity: u8,
    pub(super) modern: bool,
    pub(super) host: Option<&'a [u8]>,
    pub(super) program: Option<&'a [u8]>,
}

/// Whether octets start with a priority; `None` when there are too few.
pub(super) fn starts(bytes: &[u8]) -> Option<bool> {
    let Some(rest) = bytes.strip_prefix(b"<") else {
        return if bytes.is_empty() { None } else { Some(false) };
    };
    let digits = rest
        .iter()
        .take(4)
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    match rest.get(digits) {
        None if digits < 4 => None,
        Some(b'>') if (1..=3).contains(&digits) => {
            let priority = number(rest.get(..digits)?).unwrap_or(u64::MAX);
            let octet = rest.get(digits + 1)?;
            Some(priority <= 191 && (octet.is_ascii_graphic() || *octet == b' '))
        }
        _ => Some(false),
    }
}

/// The octets after a length that stands before a message (RFC 6587 3.4.1).
pub(super) fn unframed(bytes: &[u8]) -> &[u8] {
    match length(bytes) {
        Some((_, rest)) => rest,
        // Digits alone: the message is still to come.
        None if bytes.len() <= LENGTH_DIGITS_MAX && bytes.iter().all(u8::is_ascii_digit) => &[],
        None => bytes,
    }
}

/// The length that stands before a message, and what follows it.
pub(super) fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let digits = bytes
        .iter()
        .take(LENGTH_DIGITS_MAX + 1)
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    if !(1..=LENGTH_DIGITS_MAX).contains(&digits) || bytes.get(digits) != Some(&b' ') {
        return None;
    }
    let length = usize::try_from(number(bytes.get(..digits)?)?).ok()?;
    Some((length, bytes.get(digits + 1..)?))
}

impl<'a> Message<'a> {
    /// Reads one message.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"<")?;
        let end = rest.iter().take(4).position(|&octet| octet == b'>')?;
        let priority = u8::try_from(number(rest.get(..end)?)?).ok()?;
        if priority > 191 {
            return None;
        }
        let text = rest.get(end + 1..)?;
        let modern = text.starts_with(b"1 ");
        let (host, program) = if modern {
            modern_names(text)
        } else {
            old_names(text)
        };
        Some(Self {
            facility: priority >> 3,
            severity: priority & 7,
            modern,
            host,
            program,
        })
    }
}

type Names<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Version, time, host, program.
fn modern_names(text: &[u8]) -> Names<'_> {
    let (_, rest) = word(text);
    let (_, rest) = word(rest);
    let (host, rest) = word(rest);
    let (program, _) = word(rest);
    (name(host), name(program))
}

/// `Mmm dd hh:mm:ss host program[pid]:`; the host is often left out. Without a program the words
/// may be those of a text, which may name a person: they are not kept.
fn old_names(text: &[u8]) -> Names<'_> {
    let Some(rest) = after_date(text) else {
        return (None, None);
    };
    let (first, after) = word(rest);
    match tag(first) {
        Some(program) => (None, Some(program)),
        None => match tag(word(after).0) {
            Some(program) => (name(first), Some(program)),
            None => (None, None),
        },
    }
}

fn after_date(text: &[u8]) -> Option<&[u8]> {
    let (month, rest) = word(text);
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    if months
        .iter()
        .any(|known| month.eq_ignore_ascii_case(known.as_bytes()))
    {
        let (day, rest) = word(rest);
        let (time, rest) = word(rest);
        return (number(day).is_some() && time.contains(&b':')).then_some(rest);
    }
    // RFC 3339 times are common in the old format.
    let iso = month.len() >= 19 && month.get(10) == Some(&b'T') && month.contains(&b':');
    iso.then_some(rest)
}

/// `program[12]:` or `program:`.
fn tag(word: &[u8]) -> Option<&[u8]> {
    let word = word.strip_suffix(b":")?;
    let end = word.iter().position(|&octet| octet == b'[');
    // Without a number a capital may begin a name ("Durand:").
    if end.is_none() && word.first().is_none_or(u8::is_ascii_uppercase) {
        return None;
    }
    name(word.get(..end.unwrap_or(word.len()))?)
}

fn name(word: &[u8]) -> Option<&[u8]> {
    let fits = !word.is_empty() && word != b"-" && word.len() <= WORD_BYTES_MAX;
    (fits && word.iter().all(u8::is_ascii_graphic)).then_some(word)
}
