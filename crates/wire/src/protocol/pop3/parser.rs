//! Commands and answers of POP3.
//!
//! Enters: lines without their end. Leaves: verbs, outcomes. Refuses: nothing; an unknown verb is
//! [`Verb::Other`]. Source: RFC 1939 sections 3 and 5 to 7.

use crate::protocol::shared::text::{after, word};

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    User,
    Pass,
    Apop,
    Auth,
    Stls,
    Stat,
    /// A whole mail, or its head: the answer has many lines.
    Retr,
    Dele,
    /// The answer has many lines.
    Many,
    /// Known, but it changes nothing.
    Plain,
    Other,
}

/// The verb of a command line, and its argument.
pub(super) fn command(line: &[u8]) -> (Verb, &[u8]) {
    let (verb, rest) = word(line);
    let upper = verb.to_ascii_uppercase();
    let listed = rest.trim_ascii().is_empty();
    let found = match upper.as_slice() {
        b"USER" => Verb::User,
        b"PASS" => Verb::Pass,
        b"APOP" => Verb::Apop,
        // Alone it lists the mechanisms.
        b"AUTH" if listed => Verb::Many,
        b"AUTH" => Verb::Auth,
        b"STLS" => Verb::Stls,
        b"STAT" => Verb::Stat,
        b"RETR" | b"TOP" => Verb::Retr,
        b"DELE" => Verb::Dele,
        b"CAPA" => Verb::Many,
        b"LIST" | b"UIDL" if listed => Verb::Many,
        b"LIST" | b"UIDL" | b"NOOP" | b"RSET" | b"QUIT" | b"LAST" | b"UTF8" | b"LANG" => {
            Verb::Plain
        }
        _ => Verb::Other,
    };
    (found, rest)
}

/// The first line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    Good(&'a [u8]),
    Bad(&'a [u8]),
    /// A challenge of SASL.
    More,
}

/// Reads the first line of an answer.
pub(super) fn answer(line: &[u8]) -> Option<Answer<'_>> {
    if let Some(text) = after(line, b"+OK") {
        Some(Answer::Good(text.trim_ascii()))
    } else if let Some(text) = after(line, b"-ERR") {
        Some(Answer::Bad(text.trim_ascii()))
    } else if line == b"+" || line.starts_with(b"+ ") {
        Some(Answer::More)
    } else {
        None
    }
}
