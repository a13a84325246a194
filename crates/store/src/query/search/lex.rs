//! Words and signs of the search language.
//!
//! Enters: text. Leaves: tokens with their offsets. Refuses: an open quote.
//! Source: own language.

use model::port::QueryError;

use super::wrong;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    /// Text without blanks; quotes inside a word (`path:"a b"`) belong to it.
    Word(Vec<Piece>),
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Plain(String),
    Quoted(String),
}

/// The tokens of a text, with their offsets.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.peek().copied() {
        if c.is_whitespace() {
            chars.next();
        } else if c == '(' {
            chars.next();
            out.push((at, Token::Open));
        } else if c == ')' {
            chars.next();
            out.push((at, Token::Close));
        } else {
            out.push((at, Token::Word(word(&mut chars)?)));
        }
    }
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn word(chars: &mut Chars<'_>) -> Result<Vec<Piece>, QueryError> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    while let Some((at, c)) = chars.peek().copied() {
        if c.is_whitespace() || c == '(' || c == ')' {
            break;
        }
        chars.next();
        if c != '"' {
            plain.push(c);
            continue;
        }
        if !plain.is_empty() {
            pieces.push(Piece::Plain(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Quoted(quoted(chars, at)?));
    }
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    Ok(pieces)
}

/// Up to the closing quote; `\"` and `\\` stand for themselves.
fn quoted(chars: &mut Chars<'_>, opened: usize) -> Result<String, QueryError> {
    let mut out = String::new();
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => return Ok(out),
            '\\' => match chars.peek().copied() {
                Some((_, next @ ('"' | '\\'))) => {
                    chars.next();
                    out.push(next);
                }
                _ => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    Err(wrong(
        "syntax",
        "this quote is never closed".to_owned(),
        opened,
    ))
}
