//! Upper-layer PDUs and the items of association negotiation.
//!
//! Enters: slices at the start of a header or item. Leaves: headers, items, contexts, user
//! information. Refuses: lengths beyond the slice (then `None` or the end of the iterator).
//! Source: DICOM PS3.8 section 9.3, PS3.7 annex D.3.3.

use std::borrow::Cow;

use super::code;
use crate::bytes::Reader;

/// Bytes of a PDU header.
pub const HEADER_BYTES: usize = 6;
/// Bytes of the fixed part of A-ASSOCIATE-RQ and A-ASSOCIATE-AC after the header.
pub const ASSOCIATE_BYTES: usize = 68;
/// Bytes of a presentation data value's header.
pub const PDV_HEADER_BYTES: usize = 6;
/// Longest PDU that [`plausible_data`] believes.
const PLAUSIBLE_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// A-ASSOCIATE-RQ.
pub const ASSOCIATE_RQ: u8 = 1;
/// A-ASSOCIATE-AC.
pub const ASSOCIATE_AC: u8 = 2;
/// A-ASSOCIATE-RJ.
pub const ASSOCIATE_RJ: u8 = 3;
/// P-DATA-TF.
pub const DATA: u8 = 4;
/// A-RELEASE-RQ.
pub const RELEASE_RQ: u8 = 5;
/// A-RELEASE-RP.
pub const RELEASE_RP: u8 = 6;
/// A-ABORT.
pub const ABORT: u8 = 7;

/// Header of a PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type, 1 to 7.
    pub kind: u8,
    /// Bytes that follow the header.
    pub length: u32,
}

impl Header {
    /// The header at the start of `bytes`; `None` when fewer than [`HEADER_BYTES`] are there.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        reader.skip(1)?;
        let length = reader.u32_be()?;
        Some(Self { kind, length })
    }
}

/// Fixed part of an association request or acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Associate<'a> {
    /// Bit field of protocol versions; bit 0 is version 1.
    pub version: u16,
    /// Called application entity title.
    pub called: Cow<'a, str>,
    /// Calling application entity title.
    pub calling: Cow<'a, str>,
}

impl<'a> Associate<'a> {
    /// The fixed part at the start of `bytes`, which follow the PDU header.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes.get(..ASSOCIATE_BYTES)?);
        let version = reader.u16_be()?;
        reader.skip(2)?;
        let called = code(reader.take(16)?);
        let calling = code(reader.take(16)?);
        Some(Self {
            version,
            called,
            calling,
        })
    }
}

/// Application context item.
pub const ITEM_APPLICATION: u8 = 0x10;
/// Presentation context item of a request.
pub const ITEM_CONTEXT_RQ: u8 = 0x20;
/// Presentation context item of an acceptance.
pub const ITEM_CONTEXT_AC: u8 = 0x21;
/// Abstract syntax sub-item.
pub const ITEM_ABSTRACT: u8 = 0x30;
/// Transfer syntax sub-item.
pub const ITEM_TRANSFER: u8 = 0x40;
/// User information item.
pub const ITEM_USER: u8 = 0x50;
/// Maximum length sub-item.
pub const ITEM_LENGTH_MAX: u8 = 0x51;
/// Implementation class UID sub-item.
pub const ITEM_IMPLEMENTATION: u8 = 0x52;
/// Implementation version name sub-item.
pub const ITEM_VERSION_NAME: u8 = 0x55;

/// One item or sub-item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its type.
    pub kind: u8,
    /// Its content.
    pub bytes: &'a [u8],
}

/// The items in `bytes`; ends at the first that is not whole.
pub fn items(bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || {
        let kind = reader.u8()?;
        reader.skip(1)?;
        let length = usize::from(reader.u16_be()?);
        let bytes = reader.take(length)?;
        Some(Item { kind, bytes })
    })
}

/// A presentation context as proposed or answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresentationContext<'a> {
    /// Odd identifier.
    pub id: u8,
    /// 0 accepted, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes; 0 in a
    /// proposal.
    pub result: u8,
    /// Abstract syntax; empty in an answer.
    pub abstract_syntax: Cow<'a, str>,
    /// Transfer syntaxes: proposed, or the one accepted.
    pub transfer_syntaxes: Vec<Cow<'a, str>>,
}

/// Most transfer syntaxes kept of one presentation context.
const TRANSFER_SYNTAXES_MAX: usize = 64;

impl<'a> PresentationContext<'a> {
    /// Reads the content of a presentation context item.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let [id, _, result, _] = reader.array()?;
        let mut out = Self {
            id,
            result,
            ..Self::default()
        };
        for item in items(reader.rest()) {
            match item.kind {
                ITEM_ABSTRACT => out.abstract_syntax = code(item.bytes),
                ITEM_TRANSFER if out.transfer_syntaxes.len() < TRANSFER_SYNTAXES_MAX => {
                    out.transfer_syntaxes.push(code(item.bytes));
                }
                _ => {}
            }
        }
        Some(out)
    }
}

/// What the user information item says of an implementation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInformation<'a> {
    /// Longest P-DATA-TF that it takes; 0 is unlimited.
    pub length_max: Option<u32>,
    /// Implementation class UID.
    pub implementation: Option<Cow<'a, str>>,
    /// Implementation version name.
    pub version_name: Option<Cow<'a, str>>,
}

impl<'a> UserInformation<'a> {
    /// Reads the content of a user information item. The user identity sub-item, which may hold a
    /// password, is not looked at.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut out = Self::default();
        for item in items(bytes) {
            match item.kind {
                ITEM_LENGTH_MAX => out.length_max = Reader::new(item.bytes).u32_be(),
                ITEM_IMPLEMENTATION => out.implementation = Some(code(item.bytes)),
                ITEM_VERSION_NAME => out.version_name = Some(code(item.bytes)),
                _ => {}
            }
        }
        out
    }
}

/// Header of a presentation data value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PdvHeader {
    /// Bytes after the length field: two of header, then the fragment.
    pub length: u32,
    /// Presentation context.
    pub context: u8,
    /// Message control header: bit 0 command, bit 1 last fragment.
    pub control: u8,
}

impl PdvHeader {
    /// The header at the start of `bytes`; `None` when it is not whole.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            length: reader.u32_be()?,
            context: reader.u8()?,
            control: reader.u8()?,
        })
    }

    /// True for a fragment of a command set.
    #[must_use]
    pub const fn is_command(&self) -> bool {
        self.control & 1 == 1
    }

    /// True for the last fragment of a command set or data set.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.control & 2 == 2
    }
}

/// How much the first bytes look like a P-DATA-TF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plausible {
    /// They cannot be one.
    No,
    /// They are too few to tell.
    Unknown,
    /// Lengths, context and control agree.
    Yes,
    /// A command set starts in it.
    Command,
}

/// Says whether `bytes` look like the start of a P-DATA-TF: type, reserved octet, lengths that
/// agree, odd context, control bits, and the group length element of a command.
#[must_use]
pub fn plausible_data(bytes: &[u8]) -> Plausible {
    if !b"\x04\x00".starts_with(bytes.get(..2).unwrap_or(bytes)) {
        return Plausible::No;
    }
    let Some(header) = Header::read(bytes) else {
        return Plausible::Unknown;
    };
    if header.length < 6 || header.length > PLAUSIBLE_BYTES_MAX {
        return Plausible::No;
    }
    let Some(pdv) = bytes.get(HEADER_BYTES..).and_then(PdvHeader::read) else {
        return Plausible::Unknown;
    };
    let fits = pdv.length >= 2 && pdv.length <= header.length - 4;
    if !fits || pdv.context & 1 == 0 || pdv.control > 3 {
        return Plausible::No;
    }
    let body = bytes.get(HEADER_BYTES + PDV_HEADER_BYTES..).unwrap_or(&[]);
    let group_length = [0, 0, 0, 0, 4, 0, 0, 0];
    if pdv.is_command() {
        let start = body.get(..8).unwrap_or(body);
        return match (group_length.starts_with(start), start.len()) {
            (true, 8) => Plausible::Command,
            (true, _) => Plausible::Unknown,
            // A later fragment of a command: rare.
            (false, _) => Plausible::No,
        };
    }
    if pdv.length == header.length - 4 {
        Plausible::Yes
    } else {
        Plausible::No
    }
}
