//! Commands and answers of IMAP.
//!
//! Enters: lines without their end, literals joined. Leaves: tags, verbs, strings, lengths of
//! literals. Refuses: nothing; an unknown verb is [`Verb::Other`]. Source: RFC 9051 section 9.

use crate::protocol::shared::text::{after, number, readable, word};

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Login,
    Authenticate,
    StartTls,
    /// SELECT, EXAMINE.
    Select,
    Fetch,
    Append,
    Id,
    /// Known, but only counted.
    Plain,
    Other,
}

/// Tag, verb and arguments of a command.
pub(super) fn command(line: &[u8]) -> (&[u8], Verb, &[u8]) {
    let (tag, rest) = word(line);
    let (mut verb, mut arguments) = word(rest);
    if verb.eq_ignore_ascii_case(b"UID") {
        (verb, arguments) = word(arguments);
    }
    let upper = verb.to_ascii_uppercase();
    let found = match upper.as_slice() {
        b"LOGIN" => Verb::Login,
        b"AUTHENTICATE" => Verb::Authenticate,
        b"STARTTLS" => Verb::StartTls,
        b"SELECT" | b"EXAMINE" => Verb::Select,
        b"FETCH" => Verb::Fetch,
        b"APPEND" => Verb::Append,
        b"ID" => Verb::Id,
        b"CAPABILITY" | b"NOOP" | b"LOGOUT" | b"ENABLE" | b"CREATE" | b"DELETE" | b"RENAME"
        | b"SUBSCRIBE" | b"UNSUBSCRIBE" | b"LIST" | b"LSUB" | b"NAMESPACE" | b"STATUS"
        | b"IDLE" | b"CLOSE" | b"UNSELECT" | b"EXPUNGE" | b"SEARCH" | b"STORE" | b"COPY"
        | b"MOVE" | b"CHECK" | b"SORT" | b"THREAD" | b"GETQUOTA" | b"GETQUOTAROOT" | b"GETACL"
        | b"MYRIGHTS" | b"COMPRESS" | b"XLIST" => Verb::Plain,
        _ => Verb::Other,
    };
    (tag, found, arguments)
}

/// How many octets follow the line as a literal.
pub(super) fn literal(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}")?;
    let at = inner.iter().rposition(|&octet| octet == b'{')?;
    let digits = inner.get(at + 1..)?;
    number(digits.strip_suffix(b"+").unwrap_or(digits))
}

/// The first string of arguments: quoted, literal, or an atom.
pub(super) fn string(arguments: &[u8]) -> Option<String> {
    let arguments = arguments.trim_ascii_start();
    if let Some(inner) = arguments.strip_prefix(b"\"") {
        let mut out = Vec::new();
        let mut octets = inner.iter();
        while let Some(&octet) = octets.next() {
            match octet {
                b'"' => break,
                b'\\' => out.extend(octets.next()),
                _ => out.push(octet),
            }
        }
        return Some(readable(&out));
    }
    if arguments.starts_with(b"{") {
        let at = arguments.iter().position(|&octet| octet == b'}')?;
        let (head, rest) = arguments.split_at_checked(at + 1)?;
        let length = usize::try_from(literal(head)?).ok()?;
        return Some(readable(rest.get(..length).unwrap_or(rest)));
    }
    let (atom, _) = word(arguments);
    (!atom.is_empty()).then(|| readable(atom))
}

/// The value of a key in the list of an ID command or answer.
pub(super) fn identity(list: &[u8], key: &[u8]) -> Option<String> {
    let mut rest = list;
    for _ in 0..ID_PAIRS_MAX {
        let at = rest.iter().position(|&octet| octet == b'"')?;
        rest = rest.get(at..)?;
        let name = quoted(&mut rest)?;
        rest = rest.trim_ascii_start();
        let value = if rest.starts_with(b"\"") {
            quoted(&mut rest)?
        } else {
            &[]
        };
        if name.eq_ignore_ascii_case(key) {
            return (!value.is_empty()).then(|| readable(value));
        }
    }
    None
}

/// Most pairs of an ID list that are looked at; RFC 2971 allows 30.
const ID_PAIRS_MAX: usize = 32;

fn quoted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let inner = rest.strip_prefix(b"\"")?;
    let end = inner.iter().position(|&octet| octet == b'"')?;
    let (text, after) = inner.split_at_checked(end)?;
    *rest = after.get(1..)?;
    Some(text)
}

/// True when the literal that ends this line is a whole mail, or its first part.
pub(super) fn is_mail(line: &[u8]) -> bool {
    let at = line.iter().rposition(|&octet| octet == b'{');
    let head = line.get(..at.unwrap_or(0)).unwrap_or(&[]).trim_ascii_end();
    let ends = |word: &[u8]| {
        let from = head.len().checked_sub(word.len());
        let tail = from.and_then(|from| head.get(from..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
    };
    ends(b"BODY[]") || ends(b"BODY[]<0>") || ends(b"RFC822")
}

/// The outcome of a tagged answer, in its own word.
pub(super) fn outcome(text: &[u8]) -> Option<(bool, &'static str)> {
    [("OK", true), ("NO", false), ("BAD", false)]
        .into_iter()
        .find(|(word, _)| after(text, word.as_bytes()).is_some())
        .map(|(word, good)| (good, word))
}
