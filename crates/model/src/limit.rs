//! Limits that more than one crate must agree on.
//!
//! Enters: nothing. Leaves: named constants, each with the reason for its size. Refuses: nothing.
//! Source: `DESIGN.md` section 5.

/// Longest text that one event field keeps, in bytes; longer ones are cut at a character border.
pub const FIELD_BYTES_MAX: usize = 4 * 1024;
/// Most elements that one list field keeps.
pub const LIST_ITEMS_MAX: usize = 64;
/// Most words of one sensitive value that get a token; the rest is only counted in its length.
pub const WORDS_MAX: usize = 64;

/// Cuts `text` to [`FIELD_BYTES_MAX`] at a character border.
#[must_use]
pub fn cut(text: &str) -> &str {
    cut_to(text, FIELD_BYTES_MAX)
}

/// Cuts `text` to at most `bytes_max` bytes at a character border.
#[must_use]
pub fn cut_to(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let mut end = bytes_max;
    while end > 0 && !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}
