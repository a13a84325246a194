//! Octets of the wire as text of an event.
//!
//! Enters: octets. Leaves: readable text, decoded Base64. Refuses: nothing; what is not text is
//! escaped. Limits: [`TEXT_BYTES_MAX`] of a short text, [`BASE64_BYTES_MAX`].
//! Source: RFC 4648 section 4.

use model::Text;
use model::limit::{cut, cut_to};

/// Longest text of a fact, in bytes.
pub(in crate::protocol) const TEXT_BYTES_MAX: usize = 256;
/// Most octets that one Base64 text gives.
pub(in crate::protocol) const BASE64_BYTES_MAX: usize = 4096;

/// Text as it is when it is UTF-8 without controls, else escaped; blanks at both ends go.
pub(in crate::protocol) fn readable(octets: &[u8]) -> String {
    let octets = octets.trim_ascii();
    match std::str::from_utf8(octets) {
        Ok(text) if !text.chars().any(char::is_control) => cut(text).to_owned(),
        _ => cut(&octets.escape_ascii().to_string()).to_owned(),
    }
}

/// The same, short; `None` when nothing is left.
pub(in crate::protocol) fn short(octets: &[u8]) -> Option<Text> {
    let text = readable(octets);
    (!text.is_empty()).then(|| Text::Owned(cut_to(&text, TEXT_BYTES_MAX).to_owned()))
}

/// The first word and what follows it, blanks between them dropped.
pub(in crate::protocol) fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|octet| matches!(octet, b' ' | b'\t'));
    let (word, rest) = line
        .split_at_checked(end.unwrap_or(line.len()))
        .unwrap_or((line, &[]));
    (word, rest.trim_ascii_start())
}

/// What follows `prefix`, whatever its case.
pub(in crate::protocol) fn after<'a>(octets: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = octets.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// True when `needle` stands in `octets`, whatever its case.
pub(in crate::protocol) fn holds(octets: &[u8], needle: &[u8]) -> bool {
    octets
        .windows(needle.len().max(1))
        .any(|window| window.eq_ignore_ascii_case(needle))
}

/// True when `octets` are the start of `whole`, whatever the case, and shorter.
pub(in crate::protocol) fn may_become(octets: &[u8], whole: &[u8]) -> bool {
    octets.len() < whole.len() && after(whole, octets).is_some()
}

/// The number that `octets` spell.
pub(in crate::protocol) fn number(octets: &[u8]) -> Option<u64> {
    let digits = octets.trim_ascii();
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, octet| {
        let digit = octet.is_ascii_digit().then(|| octet - b'0')?;
        Some(sum * 10 + u64::from(digit))
    })
}

/// Octets of a Base64 text; what is no digit is passed over, `=` ends it.
pub(in crate::protocol) fn base64(text: &[u8]) -> Vec<u8> {
    base64_up_to(text, BASE64_BYTES_MAX)
}

/// The same, of at most so many octets.
pub(in crate::protocol) fn base64_up_to(text: &[u8], max: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0u32);
    for &octet in text {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = (bits << 6 | u32::from(value)) & 0x00ff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            let [.., octet] = (bits >> held).to_be_bytes();
            out.push(octet);
            if out.len() >= max {
                break;
            }
        }
    }
    out
}
