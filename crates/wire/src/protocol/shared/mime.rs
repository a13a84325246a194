//! Header fields of mail: unfolded values, parameters, encoded words, addresses.
//!
//! Enters: the octets of one field. Leaves: text. Refuses: character sets other than UTF-8, ASCII,
//! ISO 8859-1/15 and Windows-1252: such a word stays as it was written.
//! Limits: [`WORDS_MAX`] encoded words a field, [`ADDRESSES_MAX`] addresses.
//! Source: RFC 5322, RFC 2045, RFC 2047, RFC 2231.

use super::text::{after, base64, readable};

/// Most encoded words of one field that are decoded.
pub(in crate::protocol) const WORDS_MAX: usize = 128;
/// Most addresses of one field.
pub(in crate::protocol) const ADDRESSES_MAX: usize = 256;
/// Most continuations of one parameter.
const PARTS_MAX: usize = 16;

/// A field's value with its encoded words decoded.
pub(in crate::protocol) fn decode(value: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = value.trim_ascii();
    let mut after_word = false;
    for _ in 0..WORDS_MAX {
        let Some(at) = rest.windows(2).position(|pair| pair == b"=?") else {
            break;
        };
        let (plain, word) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        // Blanks between two encoded words are no part of the text.
        if !(after_word && plain.trim_ascii().is_empty()) {
            out.push_str(&text(plain));
        }
        match encoded(word) {
            Some((decoded, after)) => {
                out.push_str(&decoded);
                rest = after;
                after_word = true;
            }
            None => {
                out.push_str("=?");
                rest = word.get(2..).unwrap_or(&[]);
                after_word = false;
            }
        }
    }
    out.push_str(&text(rest));
    readable(out.as_bytes())
}

/// The text of the encoded word at the start, and what follows it.
fn encoded(word: &[u8]) -> Option<(String, &[u8])> {
    let (charset, rest) = until(word.get(2..)?, b'?')?;
    let (encoding, rest) = until(rest, b'?')?;
    let end = rest.windows(2).position(|pair| pair == b"?=")?;
    let (body, rest) = rest.split_at_checked(end)?;
    let octets = match encoding {
        [b'B' | b'b'] => base64(body),
        [b'Q' | b'q'] => percent(body, b'=', true),
        _ => return None,
    };
    // RFC 2231 section 5: a language may follow the name.
    let charset = charset.split(|&octet| octet == b'*').next()?;
    Some((in_charset(charset, &octets)?, rest.get(2..)?))
}

fn until(bytes: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&o| o == octet)?;
    let (head, rest) = bytes.split_at_checked(at)?;
    Some((head, rest.get(1..)?))
}

/// Octets written as `=41` or `%41`.
fn percent(body: &[u8], sign: u8, underscore: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let [octet, tail @ ..] = rest {
        rest = tail;
        if *octet == sign
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = after;
        } else if underscore && *octet == b'_' {
            out.push(b' ');
        } else {
            out.push(*octet);
        }
    }
    out
}

fn hex(octet: u8) -> Option<u8> {
    let digit = char::from(octet).to_digit(16)?;
    u8::try_from(digit).ok()
}

fn in_charset(charset: &[u8], octets: &[u8]) -> Option<String> {
    let is = |name: &str| charset.eq_ignore_ascii_case(name.as_bytes());
    if is("utf-8") || is("utf8") || is("us-ascii") || is("ascii") {
        return Some(String::from_utf8_lossy(octets).into_owned());
    }
    let windows = is("windows-1252") || is("cp1252");
    let ninth = is("iso-8859-15");
    if !(windows || ninth || is("iso-8859-1") || is("latin1")) {
        return None;
    }
    let of = |&octet: &u8| match octet {
        0xa4 if ninth => '\u{20ac}',
        0x80..=0x9f if windows => {
            let at = usize::from(octet - 0x80);
            WINDOWS_1252.get(at).copied().unwrap_or('\u{fffd}')
        }
        _ => char::from(octet),
    };
    Some(octets.iter().map(of).collect())
}

/// Windows-1252 from 0x80 to 0x9f.
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{fffd}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{fffd}', '\u{17d}', '\u{fffd}',
    '\u{fffd}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{fffd}', '\u{17e}', '\u{178}',
];

/// UTF-8 as it is, anything else as ISO 8859-1.
fn text(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|&octet| char::from(octet)).collect(),
    }
}

/// The value before the first parameter, lower case.
pub(in crate::protocol) fn kind(value: &[u8]) -> String {
    let first = value.split(|&octet| octet == b';').next().unwrap_or(value);
    readable(first).to_ascii_lowercase()
}

/// A parameter's value, its continuations joined, decoded.
pub(in crate::protocol) fn parameter(value: &[u8], name: &[u8]) -> Option<String> {
    let mut joined = Vec::new();
    let (mut charset, mut found, mut is_percent) = (None, false, false);
    for piece in split_outside_quotes(value, b';').skip(1).take(64) {
        let Some((key, text)) = until(piece, b'=') else {
            continue;
        };
        let key = key.trim_ascii();
        let Some(tail) = after(key, name) else {
            continue;
        };
        let text = unquoted(text.trim_ascii());
        match tail {
            b"" => return Some(decode(&text)),
            [b'*', number @ ..] => {
                found = true;
                let extended = tail.ends_with(b"*");
                is_percent |= extended;
                let first = number.is_empty() || number.starts_with(b"0");
                let mut text = text.as_slice();
                if extended
                    && first
                    && let Some((name, rest)) = until(text, b'\'')
                {
                    charset = Some(name.to_vec());
                    text = until(rest, b'\'').map_or(rest, |(_, rest)| rest);
                }
                if joined.len() < PARTS_MAX * 256 {
                    joined.extend_from_slice(text);
                }
            }
            _ => {}
        }
    }
    if !found {
        return None;
    }
    let octets = if is_percent {
        percent(&joined, b'%', false)
    } else {
        joined
    };
    let decoded = in_charset(charset.as_deref().unwrap_or(b"utf-8"), &octets);
    Some(readable(
        decoded.unwrap_or_else(|| text(&octets)).as_bytes(),
    ))
}

fn unquoted(text: &[u8]) -> Vec<u8> {
    let Some(inner) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|octet| matches!(octet, b' ' | b'\t'));
        return text
            .get(..end.unwrap_or(text.len()))
            .unwrap_or(text)
            .to_vec();
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut octets = inner.iter();
    while let Some(&octet) = octets.next() {
        match octet {
            b'"' => break,
            b'\\' => out.extend(octets.next()),
            _ => out.push(octet),
        }
    }
    out
}

/// Parts between `between`, quoted strings kept whole.
fn split_outside_quotes(value: &[u8], between: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |&octet| {
        let splits = octet == between && !quoted;
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        splits
    })
}

/// The addresses of a field, without names; groups are opened.
pub(in crate::protocol) fn addresses(value: &[u8]) -> Vec<&[u8]> {
    let parts = split_outside_quotes(value, b',').take(ADDRESSES_MAX);
    parts.filter_map(address).collect()
}

/// The address of one mailbox: what stands in angle brackets, else the word with an `@`.
pub(in crate::protocol) fn address(mailbox: &[u8]) -> Option<&[u8]> {
    if let Some(at) = mailbox.iter().rposition(|&octet| octet == b'<') {
        let inner = mailbox.get(at + 1..)?;
        let end = inner.iter().position(|&octet| octet == b'>');
        let inner = inner.get(..end.unwrap_or(inner.len()))?.trim_ascii();
        return (!inner.is_empty()).then_some(inner);
    }
    let mut words = mailbox.split(|&octet| matches!(octet, b' ' | b'\t' | b':' | b';' | b','));
    words.find(|word| word.contains(&b'@'))
}

/// The domain of an address, lower case.
pub(in crate::protocol) fn domain(address: &[u8]) -> Option<String> {
    let at = address.iter().rposition(|&octet| octet == b'@')?;
    let domain = address.get(at + 1..)?;
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b".-_[]:".contains(octet);
    let fits = !domain.is_empty() && domain.len() <= 255 && domain.iter().all(plain);
    fits.then(|| readable(domain).to_ascii_lowercase())
}
