//! Search filters as text.
//!
//! Enters: a filter in BER. Leaves: its text, as far as limits allow. Refuses: more than
//! [`DEPTH_MAX`] levels and [`TEXT_BYTES_MAX`] bytes: what is beyond becomes `...`.
//! Source: RFC 4511 section 4.5.1.7, RFC 4515.

use std::fmt::Write as _;

use codec::ber::Element;

/// Most levels of a filter that are written.
pub(super) const DEPTH_MAX: usize = 16;
/// Longest text.
pub(super) const TEXT_BYTES_MAX: usize = 2048;

/// The text of a filter.
pub(super) fn text(filter: &Element<'_>) -> String {
    let mut out = String::new();
    write(filter, 0, &mut out);
    out
}

fn write(filter: &Element<'_>, depth: usize, out: &mut String) {
    if depth >= DEPTH_MAX || out.len() >= TEXT_BYTES_MAX {
        if !out.ends_with("...") {
            out.push_str("...");
        }
        return;
    }
    out.push('(');
    match filter.tag {
        0xa0..=0xa2 => {
            out.push(match filter.tag {
                0xa0 => '&',
                0xa1 => '|',
                _ => '!',
            });
            for inner in filter.children() {
                if out.len() >= TEXT_BYTES_MAX {
                    out.push_str("...");
                    break;
                }
                write(&inner, depth + 1, out);
            }
        }
        0xa3 => compare(filter, "=", out),
        0xa4 => substrings(filter, out),
        0xa5 => compare(filter, ">=", out),
        0xa6 => compare(filter, "<=", out),
        0xa8 => compare(filter, "~=", out),
        0x87 => {
            value(filter.body, out);
            out.push_str("=*");
        }
        0xa9 => extensible(filter, out),
        other => {
            // Writing to a String cannot fail.
            let _ = write!(out, "?{other:02x}");
        }
    }
    out.push(')');
}

fn compare(filter: &Element<'_>, sign: &str, out: &mut String) {
    let mut parts = filter.children();
    value(parts.next().map_or(&[], |part| part.body), out);
    out.push_str(sign);
    value(parts.next().map_or(&[], |part| part.body), out);
}

fn substrings(filter: &Element<'_>, out: &mut String) {
    let mut parts = filter.children();
    value(parts.next().map_or(&[], |part| part.body), out);
    out.push('=');
    let pieces = parts.next();
    let mut ended = false;
    for piece in pieces.iter().flat_map(Element::children) {
        if piece.tag != 0x80 {
            out.push('*');
        }
        value(piece.body, out);
        ended = piece.tag == 0x82;
        if out.len() >= TEXT_BYTES_MAX {
            break;
        }
    }
    if !ended {
        out.push('*');
    }
}

fn extensible(filter: &Element<'_>, out: &mut String) {
    let part = |tag| filter.child(tag).map_or(&[][..], |part| part.body);
    value(part(0x82), out);
    if filter
        .child(0x84)
        .is_some_and(|dn| dn.body.first().is_some_and(|set| *set != 0))
    {
        out.push_str(":dn");
    }
    if !part(0x81).is_empty() {
        out.push(':');
        value(part(0x81), out);
    }
    out.push_str(":=");
    value(part(0x83), out);
}

/// Text as it is; other octets, parentheses, asterisks and backslashes escaped.
fn value(octets: &[u8], out: &mut String) {
    let octets = octets.get(..TEXT_BYTES_MAX).unwrap_or(octets);
    let is_text = std::str::from_utf8(octets).ok();
    let plain = |c: char| !c.is_control() && !matches!(c, '(' | ')' | '*' | '\\');
    match is_text {
        Some(text) if text.chars().all(plain) => out.push_str(text),
        _ => {
            for octet in octets {
                if (0x20..0x7f).contains(octet) && plain(char::from(*octet)) {
                    out.push(char::from(*octet));
                } else {
                    let _ = write!(out, "\\{octet:02x}");
                }
            }
        }
    }
}
