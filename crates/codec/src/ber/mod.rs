//! BER and DER, one level at a time: what Kerberos, LDAP, SPNEGO and RDP wrap their values in.
//!
//! Enters: bytes. Leaves: elements that borrow their contents; integers, texts, object identifiers.
//! Refuses: indefinite lengths, lengths of more than four octets, tag numbers beyond
//! [`TAG_OCTETS_MAX`] octets. Nothing recurses here: who walks a tree counts its own depth. An
//! element that its surroundings cut is given as far as it is there. Limits: [`INT_OCTETS_MAX`],
//! [`OID_PARTS_MAX`]. Source: ITU-T X.690 sections 8.1 to 8.23.

use std::fmt::Write as _;

/// Longest integer that is read.
pub const INT_OCTETS_MAX: usize = 8;
/// Most octets of a tag number that does not fit the first octet.
pub const TAG_OCTETS_MAX: usize = 4;
/// Most parts of an object identifier that are read.
pub const OID_PARTS_MAX: usize = 32;

/// Universal tag of a boolean.
pub const BOOLEAN: u8 = 0x01;
/// Universal tag of an integer.
pub const INTEGER: u8 = 0x02;
/// Universal tag of an octet string.
pub const OCTETS: u8 = 0x04;
/// Universal tag of an object identifier.
pub const OID: u8 = 0x06;
/// Universal tag of an enumerated value.
pub const ENUMERATED: u8 = 0x0a;
/// Universal tag of a sequence.
pub const SEQUENCE: u8 = 0x30;
/// Universal tag of a set.
pub const SET: u8 = 0x31;

/// What the start of some bytes says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// An element: its first octet, the octets of tag and length, the octets of its contents.
    Is {
        /// First octet: class, constructed or not, tag number when it is below 31.
        tag: u8,
        /// Octets before the contents.
        head: usize,
        /// Octets of the contents.
        len: usize,
    },
    /// Too few octets to tell.
    Short,
    /// No element that this reader takes.
    Odd,
}

/// Reads tag and length.
#[must_use]
pub fn head(bytes: &[u8]) -> Head {
    let Some((&tag, mut rest)) = bytes.split_first() else {
        return Head::Short;
    };
    let mut used = 1;
    if tag & 0x1f == 0x1f {
        let Some(last) = rest.iter().take(TAG_OCTETS_MAX).position(|o| o & 0x80 == 0) else {
            return if rest.len() < TAG_OCTETS_MAX {
                Head::Short
            } else {
                Head::Odd
            };
        };
        used += last + 1;
        rest = rest.get(last + 1..).unwrap_or(&[]);
    }
    let Some((&first, rest)) = rest.split_first() else {
        return Head::Short;
    };
    used += 1;
    if first < 0x80 {
        let len = usize::from(first);
        return Head::Is {
            tag,
            head: used,
            len,
        };
    }
    let octets = usize::from(first & 0x7f);
    if octets == 0 || octets > 4 {
        return Head::Odd;
    }
    let Some(length) = rest.get(..octets) else {
        return Head::Short;
    };
    let len = length
        .iter()
        .fold(0u32, |sum, o| (sum << 8) | u32::from(*o));
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    Head::Is {
        tag,
        head: used + octets,
        len,
    }
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// First octet of the tag.
    pub tag: u8,
    /// Contents, as far as they are there.
    pub body: &'a [u8],
}

impl<'a> Element<'a> {
    /// The element that starts `bytes`.
    #[must_use]
    pub fn first(bytes: &'a [u8]) -> Option<Self> {
        Elements::new(bytes).next()
    }

    /// The elements inside.
    #[must_use]
    pub const fn children(&self) -> Elements<'a> {
        Elements::new(self.body)
    }

    /// The first element inside that has this tag.
    #[must_use]
    pub fn child(&self, tag: u8) -> Option<Self> {
        self.children().find(|element| element.tag == tag)
    }

    /// What an explicit tag `[n]` holds, among the elements inside: context class, constructed.
    #[must_use]
    pub fn explicit(&self, number: u8) -> Option<Self> {
        self.child(0xa0 | number)
            .and_then(|outer| Self::first(outer.body))
    }

    /// Its value as an integer of at most [`INT_OCTETS_MAX`] octets, signed.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        let (first, _) = self.body.split_first()?;
        if self.body.len() > INT_OCTETS_MAX {
            return None;
        }
        let start = if first & 0x80 == 0 { 0 } else { -1 };
        Some(
            self.body
                .iter()
                .fold(start, |sum: i64, o| (sum << 8) | i64::from(*o)),
        )
    }

    /// Its value as text: UTF-8, or each octet a character.
    #[must_use]
    pub fn text(&self) -> String {
        text(self.body)
    }

    /// Its value as an object identifier in dotted form.
    #[must_use]
    pub fn oid(&self) -> Option<String> {
        oid(self.body)
    }
}

/// Text of octets: UTF-8, or each octet a character when they are not.
#[must_use]
pub fn text(octets: &[u8]) -> String {
    std::str::from_utf8(octets).map_or_else(
        |_| octets.iter().map(|octet| char::from(*octet)).collect(),
        str::to_owned,
    )
}

/// The dotted form of an object identifier's contents.
#[must_use]
pub fn oid(octets: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut part = 0u64;
    let mut parts = 0;
    for octet in octets {
        part = part.checked_mul(128)? | u64::from(octet & 0x7f);
        if octet & 0x80 != 0 {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = if parts == 0 {
            let root = (part / 40).min(2);
            write!(out, "{root}.{}", part - root * 40)
        } else {
            write!(out, ".{part}")
        };
        part = 0;
        parts += 1;
        if parts == OID_PARTS_MAX {
            break;
        }
    }
    (parts > 0).then_some(out)
}

/// Elements in a row; ends at the first octets that are none.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// Those of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The octets after the elements read so far.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let Head::Is { tag, head, len } = head(self.rest) else {
            return None;
        };
        let after = self.rest.get(head..)?;
        let (body, rest) = after.split_at_checked(len).unwrap_or((after, &[]));
        self.rest = rest;
        Some(Element { tag, body })
    }
}

#[cfg(test)]
mod tests;
