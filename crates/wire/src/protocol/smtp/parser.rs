//! Commands and replies of SMTP.
//!
//! Enters: lines without their end. Leaves: verbs with arguments, codes with texts. Refuses:
//! nothing; an unknown verb is [`Verb::Other`]. Source: RFC 5321 section 4.

use crate::protocol::shared::text::{after, number, word};

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Hello,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Quit,
    StartTls,
    Auth,
    /// Known, but it changes nothing.
    Plain,
    Other,
    /// No command: the end of a mail's content, which is answered like one.
    Content,
}

/// The verb of a command line, and its argument.
pub(super) fn command(line: &[u8]) -> (Verb, &[u8]) {
    let (verb, rest) = word(line);
    let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
    let found = if is(b"EHLO") || is(b"HELO") || is(b"LHLO") {
        Verb::Hello
    } else if is(b"MAIL") {
        Verb::Mail
    } else if is(b"RCPT") {
        Verb::Rcpt
    } else if is(b"DATA") {
        Verb::Data
    } else if is(b"BDAT") {
        Verb::Bdat
    } else if is(b"RSET") {
        Verb::Rset
    } else if is(b"QUIT") {
        Verb::Quit
    } else if is(b"STARTTLS") {
        Verb::StartTls
    } else if is(b"AUTH") {
        Verb::Auth
    } else if [
        &b"NOOP"[..],
        b"VRFY",
        b"EXPN",
        b"HELP",
        b"XCLIENT",
        b"XFORWARD",
        b"TURN",
        b"ETRN",
    ]
    .into_iter()
    .any(is)
    {
        Verb::Plain
    } else {
        Verb::Other
    };
    (found, rest)
}

/// The address of `FROM:<...>` or `TO:<...>`; empty for the null sender.
pub(super) fn path<'a>(argument: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let rest = after(argument, key)?.trim_ascii_start();
    if let Some(inner) = rest.strip_prefix(b"<") {
        let end = inner.iter().position(|&octet| octet == b'>');
        return inner.get(..end.unwrap_or(inner.len()));
    }
    Some(word(rest).0)
}

/// Size of a chunk and whether it is the last; `None` when it is no size.
pub(super) fn chunk(argument: &[u8]) -> Option<(u64, bool)> {
    let (size, rest) = word(argument);
    let last = word(rest).0.eq_ignore_ascii_case(b"LAST");
    Some((number(size)?, last))
}

/// One line of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply<'a> {
    /// Three digits.
    pub(super) code: u16,
    /// False when another line of the same reply follows.
    pub(super) last: bool,
    pub(super) text: &'a [u8],
}

/// Reads a line of a reply.
pub(super) fn reply(line: &[u8]) -> Option<Reply<'_>> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = number(code).filter(|code| (200..600).contains(code))?;
    let code = u16::try_from(code).ok()?;
    match rest {
        [] => Some(Reply {
            code,
            last: true,
            text: rest,
        }),
        [b'-', text @ ..] => Some(Reply {
            code,
            last: false,
            text,
        }),
        [b' ' | b'\t', text @ ..] => Some(Reply {
            code,
            last: true,
            text,
        }),
        _ => None,
    }
}
