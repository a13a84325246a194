//! Masking: the structure of a value without its words.
//!
//! Enters: clear text and its shape. Leaves: a display without names and the tokens of its words.
//! Refuses: to keep any part that is not a listed technical word or extension.
//! Limits: `limit::WORDS_MAX` tokens. Source: `DESIGN.md` section 1, Privacy.

use std::borrow::Cow;

use super::token::{SiteKey, Token, each_word};
use super::words::{is_extension, is_technical};
use super::{Masked, Shape};
use crate::limit::WORDS_MAX;

/// Masks `clear` of the given shape.
pub(super) fn mask(shape: Shape, clear: &str, key: &SiteKey) -> Masked {
    match shape {
        Shape::Patient => patient(clear, key),
        Shape::Path => Masked {
            display: path(clear).into(),
            tokens: tokens(clear, key),
        },
        Shape::Query => Masked {
            display: query(clear).into(),
            tokens: tokens(clear, key),
        },
        Shape::Text => {
            let mut display = String::with_capacity(LENGTH_BYTES);
            push_length(clear, &mut display);
            Masked {
                display: display.into(),
                tokens: tokens(clear, key),
            }
        }
    }
}

/// Octets of a length in braces.
const LENGTH_BYTES: usize = 8;

/// A patient identifier shows only its token; it is found by `assigner|id` and by `id` alone.
fn patient(clear: &str, key: &SiteKey) -> Masked {
    let (assigner, identifier) = clear.split_once('|').unwrap_or(("", clear));
    let own = key.patient(assigner, identifier);
    let mut tokens = tokens(identifier, key);
    tokens.push(own);
    tokens.push(key.patient("", identifier));
    tokens.sort_unstable();
    tokens.dedup();
    Masked {
        display: own.to_string().into(),
        tokens,
    }
}

fn tokens(clear: &str, key: &SiteKey) -> Vec<Token> {
    let decoded = percent_decoded(clear);
    let mut tokens: Vec<Token> = Vec::new();
    each_word(&decoded, |word| {
        let token = key.word(word);
        if !tokens.contains(&token) {
            tokens.push(token);
        }
        tokens.len() < WORDS_MAX
    });
    tokens.sort_unstable();
    tokens
}

/// Keeps separators, technical words and the extension of the last part.
fn path(clear: &str) -> String {
    let mut out = String::with_capacity(clear.len());
    let mut rest = clear;
    while let Some(end) = rest.find(['/', '\\']) {
        let (part, after) = rest.split_at(end);
        push_part(part, &mut out);
        let separator = after.chars().next();
        out.extend(separator);
        rest = after.get(1..).unwrap_or("");
    }
    push_part(rest, &mut out);
    out
}

fn push_part(part: &str, out: &mut String) {
    if part.is_empty() {
        return;
    }
    if is_technical(part) {
        return out.push_str(part);
    }
    match part.rsplit_once('.') {
        Some((stem, extension)) if is_extension(extension) => {
            push_length(stem, out);
            out.push('.');
            out.push_str(extension);
        }
        _ => push_length(part, out),
    }
}

fn push_length(text: &str, out: &mut String) {
    out.push('{');
    out.push_str(itoa::Buffer::new().format(text.chars().count()));
    out.push('}');
}

/// Keeps parameter names that are technical words, and the length of everything else.
fn query(clear: &str) -> String {
    let mut out = String::with_capacity(clear.len());
    for (index, pair) in clear.split('&').enumerate() {
        if index > 0 {
            out.push('&');
        }
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (pair, None),
        };
        let plain = name.split([':', '.']).next().unwrap_or("");
        if is_technical(plain) {
            out.push_str(plain)
        } else {
            push_length(name, &mut out)
        }
        if let Some(value) = value {
            out.push('=');
            push_length(value, &mut out);
        }
    }
    out
}

/// `%C3%A9` and `+` as the characters they stand for; everything else as it is.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'+' {
            out.push(b' ');
        } else if byte == b'%' {
            let mut ahead = bytes.clone();
            let high = ahead.next().and_then(hex);
            let low = ahead.next().and_then(hex);
            if let (Some(high), Some(low)) = (high, low) {
                out.push(high * 16 + low);
                bytes = ahead;
            } else {
                out.push(byte);
            }
        } else {
            out.push(byte);
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
