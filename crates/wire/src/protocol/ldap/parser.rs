//! Messages: what is asked and what is answered.
//!
//! Enters: bytes. Leaves: message identifier and operation, values left out. Refuses: to wait for
//! more than [`MESSAGE_BYTES_MAX`] octets of a message; entries pass but for their head.
//! Limits: [`NAMES_MAX`] attributes or controls. Source: RFC 4511 section 4.

use codec::ber::{Element, Elements, Head, INTEGER, OCTETS, SEQUENCE, head};
use codec::bytes::Reader;

use super::filter;
use crate::protocol::Probe;

/// Most octets of one message that are looked at.
pub(super) const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Octets of an entry that are looked at: identifiers and lengths.
pub(super) const ENTRY_BYTES: usize = 24;
/// Most attributes or controls that are named.
pub(super) const NAMES_MAX: usize = 24;
/// Longest name of an attribute or distinguished name, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 1024;

/// Tags of operations.
pub(super) const BIND: u8 = 0x60;
pub(super) const ENTRY: u8 = 0x64;
pub(super) const REFERENCE: u8 = 0x73;
pub(super) const INTERMEDIATE: u8 = 0x79;
const UNBIND: u8 = 0x42;
const SEARCH: u8 = 0x63;
const MODIFY: u8 = 0x66;
const ADD: u8 = 0x68;
const DELETE: u8 = 0x4a;
const RENAME: u8 = 0x6c;
const COMPARE: u8 = 0x6e;
const ABANDON: u8 = 0x50;
const EXTENDED: u8 = 0x77;

/// Object identifier of STARTTLS.
pub(super) const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

/// True for operations that exist.
const fn is_operation(tag: u8) -> bool {
    matches!(
        tag,
        BIND | 0x61
            | UNBIND
            | SEARCH
            | ENTRY
            | 0x65
            | MODIFY
            | 0x67
            | ADD
            | 0x69
            | DELETE
            | 0x6b
            | RENAME
            | 0x6d
            | COMPARE
            | 0x6f
            | ABANDON
            | REFERENCE
            | EXTENDED
            | 0x78
            | INTERMEDIATE
    )
}

/// The outside of a message.
pub(super) struct Outside {
    /// Octets of the whole message.
    pub(super) total: usize,
    /// Tag of the operation.
    pub(super) operation: u8,
}

/// What the start of a message says: `Err` with what a probe would answer.
pub(super) fn outside(bytes: &[u8]) -> Result<Outside, Probe> {
    let (start, len) = match head(bytes) {
        Head::Is {
            tag: SEQUENCE,
            head,
            len,
        } => (head, len),
        Head::Short if bytes.first().is_none_or(|tag| *tag == SEQUENCE) => {
            return Err(Probe::NeedMore);
        }
        Head::Is { .. } | Head::Short | Head::Odd => return Err(Probe::No),
    };
    let rest = bytes.get(start..).unwrap_or(&[]);
    let (id_head, id_len) = match head(rest) {
        Head::Is {
            tag: INTEGER,
            head,
            len: len @ 1..=4,
        } => (head, len),
        Head::Short if rest.first().is_none_or(|tag| *tag == INTEGER) => {
            return Err(Probe::NeedMore);
        }
        Head::Is { .. } | Head::Short | Head::Odd => return Err(Probe::No),
    };
    let rest = rest.get(id_head + id_len..).unwrap_or(&[]);
    let used = id_head + id_len;
    match head(rest) {
        Head::Is {
            tag,
            head,
            len: inner,
        } if is_operation(tag) => {
            let fits = used.saturating_add(head).saturating_add(inner) <= len;
            let outside = Outside {
                total: start.saturating_add(len),
                operation: tag,
            };
            if fits { Ok(outside) } else { Err(Probe::No) }
        }
        Head::Short if rest.first().is_none_or(|tag| is_operation(*tag)) => Err(Probe::NeedMore),
        Head::Is { .. } | Head::Short | Head::Odd => Err(Probe::No),
    }
}

/// Whether a message starts here.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    match outside(bytes) {
        Ok(_) => Probe::Certain,
        Err(answer) => answer,
    }
}

/// One message.
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) operation: Operation,
}

/// What a message asks or answers.
pub(super) enum Operation {
    Bind(Box<Bind>),
    Unbind,
    Abandon(i64),
    Ask(Box<Ask>),
    Entry,
    Reference,
    /// An answer: tag of the operation, code, detail.
    Answer(Answer),
    Other,
}

/// A bind.
#[derive(Default)]
pub(super) struct Bind {
    pub(super) version: i64,
    pub(super) name: String,
    /// `None` for simple.
    pub(super) mechanism: Option<String>,
    /// True when a password is there, in the clear.
    pub(super) password: bool,
    /// Security token of a SASL or Sicily bind.
    pub(super) token: Vec<u8>,
    /// User of a SASL mechanism that sends its password in the clear.
    pub(super) plain_user: Option<String>,
}

/// A request other than a bind.
#[derive(Clone, Default)]
pub(super) struct Ask {
    pub(super) operation: &'static str,
    /// Distinguished name, filter, or what else may name a person.
    pub(super) object: String,
    pub(super) scope: Option<&'static str>,
    pub(super) size_limit: Option<i64>,
    /// Attributes asked for, added, compared, or changed (`replace:member`).
    pub(super) attributes: Vec<String>,
    /// How many there were.
    pub(super) attribute_count: usize,
    /// Object identifier of an extended operation.
    pub(super) oid: Option<String>,
    pub(super) controls: Vec<String>,
}

/// An answer.
#[derive(Clone, Default)]
pub(super) struct Answer {
    pub(super) tag: u8,
    pub(super) code: i64,
    /// Code of Active Directory inside the diagnostic message.
    pub(super) detail: Option<String>,
    /// Security token of a bind answer.
    pub(super) token: Vec<u8>,
}

/// Reads a message; cut ones give what is there.
pub(super) fn read(bytes: &[u8]) -> Option<Message> {
    let outer = Element::first(bytes).filter(|outer| outer.tag == SEQUENCE)?;
    let mut parts = outer.children();
    let id = parts.next()?.int()?;
    let inner = parts.next()?;
    let controls = parts.next().filter(|part| part.tag == 0xa0);
    let operation = match inner.tag {
        BIND => Operation::Bind(Box::new(bind(&inner)?)),
        UNBIND => Operation::Unbind,
        ABANDON => Operation::Abandon(inner.int()?),
        ENTRY => Operation::Entry,
        REFERENCE => Operation::Reference,
        0x61 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78 => Operation::Answer(answer(&inner)?),
        _ => match ask(&inner) {
            Some(mut ask) => {
                let list = controls.iter().flat_map(Element::children).take(NAMES_MAX);
                ask.controls = list.filter_map(|c| c.children().next()).map(name).collect();
                Operation::Ask(Box::new(ask))
            }
            None => Operation::Other,
        },
    };
    Some(Message { id, operation })
}

fn bind(inner: &Element<'_>) -> Option<Bind> {
    let mut parts = inner.children();
    let mut out = Bind {
        version: parts.next()?.int()?,
        name: name(parts.next()?),
        ..Bind::default()
    };
    let Some(choice) = parts.next() else {
        return Some(out);
    };
    match choice.tag {
        0x80 => out.password = !choice.body.is_empty(),
        0xa3 => {
            let mut sasl = choice.children();
            let mechanism = sasl.next().map(name).unwrap_or_default();
            let token = sasl.next().map_or(&[][..], |token| token.body);
            if mechanism == "PLAIN" {
                let user = token.split(|octet| *octet == 0).nth(1).unwrap_or(&[]);
                out.plain_user = Some(codec::ber::text(user));
                out.password = true;
            } else {
                out.token = token.to_vec();
            }
            out.mechanism = Some(mechanism);
        }
        0x89..=0x8b => {
            out.mechanism = Some("Sicily".to_owned());
            out.token = choice.body.to_vec();
        }
        _ => {}
    }
    Some(out)
}

fn ask(inner: &Element<'_>) -> Option<Ask> {
    let mut parts = inner.children();
    let mut out = Ask::default();
    match inner.tag {
        SEARCH => {
            out.operation = "search";
            let base = name(parts.next()?);
            let scope = match parts.next()?.int()? {
                0 => "base",
                1 => "one",
                2 => "sub",
                3 => "children",
                _ => "unknown",
            };
            out.scope = Some(scope);
            out.size_limit = parts.nth(1)?.int().filter(|limit| *limit > 0);
            let filter = parts
                .nth(2)
                .map(|filter| filter::text(&filter))
                .unwrap_or_default();
            out.object = format!("{base}?{scope}?{filter}");
            let list = parts.next();
            let wanted = list.iter().flat_map(Element::children);
            out.attribute_count = wanted.clone().count();
            out.attributes = wanted.take(NAMES_MAX).map(name).collect();
        }
        MODIFY => {
            out.operation = "modify";
            out.object = name(parts.next()?);
            let list = parts.next();
            let changes = list.iter().flat_map(Element::children);
            out.attribute_count = changes.clone().count();
            out.attributes = changes.take(NAMES_MAX).filter_map(|c| change(&c)).collect();
        }
        ADD => {
            out.operation = "add";
            out.object = name(parts.next()?);
            let list = parts.next();
            let added = list.iter().flat_map(Element::children);
            out.attribute_count = added.clone().count();
            let names = added.take(NAMES_MAX).filter_map(|a| a.children().next());
            out.attributes = names.map(name).collect();
        }
        DELETE => {
            out.operation = "delete";
            out.object = name(*inner);
        }
        RENAME => {
            out.operation = "modify_dn";
            let (from, to) = (name(parts.next()?), name(parts.next()?));
            let parent = parts.nth(1).map(|parent| format!(",{}", name(parent)));
            out.object = format!("{from} -> {to}{}", parent.unwrap_or_default());
        }
        COMPARE => {
            out.operation = "compare";
            out.object = name(parts.next()?);
            let attribute = parts.next().and_then(|pair| pair.children().next());
            out.attributes.extend(attribute.map(name));
            out.attribute_count = out.attributes.len();
        }
        EXTENDED => {
            out.operation = "extended";
            out.oid = parts.find(|part| part.tag == 0x80).map(name);
        }
        _ => return None,
    }
    Some(out)
}

/// One change: what is done to which attribute.
fn change(change: &Element<'_>) -> Option<String> {
    let mut parts = change.children();
    let what = match parts.next()?.int()? {
        0 => "add",
        1 => "delete",
        2 => "replace",
        3 => "increment",
        _ => "unknown",
    };
    let attribute = parts.next()?.children().next()?;
    Some(format!("{what}:{}", name(attribute)))
}

fn answer(inner: &Element<'_>) -> Option<Answer> {
    let mut parts = inner.children();
    let code = parts.next()?.int()?;
    let matched = parts.next();
    let message = parts.next().map(|m| m.text()).unwrap_or_default();
    let detail = message.split_once(", data ").map(|(_, rest)| {
        rest.chars()
            .take_while(char::is_ascii_hexdigit)
            .take(8)
            .collect::<String>()
    });
    let token = parts.find(|part| part.tag == 0x87).or_else(|| {
        // Sicily answers in the place of the matched name.
        matched.filter(|m| m.tag == OCTETS && m.body.starts_with(b"NTLMSSP"))
    });
    Some(Answer {
        tag: inner.tag,
        code,
        detail: detail.filter(|detail| !detail.is_empty()),
        token: token.map_or_else(Vec::new, |token| token.body.to_vec()),
    })
}

fn name(element: Element<'_>) -> String {
    let octets = element.body.get(..NAME_BYTES_MAX).unwrap_or(element.body);
    codec::ber::text(octets)
}

/// What stands inside a wrapped message when it is signed and not encrypted.
pub(super) fn unwrapped(frame: &[u8]) -> Option<&[u8]> {
    let at = if frame.starts_with(&[1, 0, 0, 0]) {
        // NTLMSSP: version, checksum, sequence number.
        16
    } else if frame.starts_with(&[5, 4]) {
        // Kerberos: header, then what the rotation brought to the front.
        let flags = frame.get(2).copied()?;
        let rotation = Reader::new(frame.get(6..)?).u16_be()?;
        if flags & 2 != 0 {
            return None;
        }
        16 + usize::from(rotation)
    } else {
        0
    };
    let inside = frame.get(at..)?;
    outside(inside).is_ok().then_some(inside)
}

/// The messages of a datagram or of a wrapped frame, one after the other.
pub(super) fn each(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let total = outside(rest).ok()?.total;
        let mut after = Elements::new(rest);
        after.next()?;
        let message = rest.get(..total).unwrap_or(rest);
        rest = after.rest();
        Some(message)
    })
}
