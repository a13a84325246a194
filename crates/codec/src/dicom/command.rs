//! DIMSE command sets.
//!
//! Enters: a whole command set, implicit VR little endian. Leaves: the fields that say what is
//! asked or answered. Refuses: nothing; a broken tail keeps the head. Source: DICOM PS3.7 annex E.

use std::borrow::Cow;

use super::code;
use crate::bytes::Reader;

/// Value of (0000,0800) when no data set follows.
pub const NO_DATA_SET: u16 = 0x0101;
/// Bit of the command field that marks a response.
pub const RESPONSE: u16 = 0x8000;
/// C-CANCEL-RQ, which has no response.
pub const C_CANCEL: u16 = 0x0fff;

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command<'a> {
    /// Command field (0000,0100).
    pub field: u16,
    /// Message identifier (0000,0110).
    pub message: Option<u16>,
    /// Message identifier being responded to (0000,0120).
    pub responds_to: Option<u16>,
    /// Affected (0000,0002) or requested (0000,0003) SOP class.
    pub sop_class: Option<Cow<'a, str>>,
    /// Affected (0000,1000) or requested (0000,1001) SOP instance.
    pub sop_instance: Option<Cow<'a, str>>,
    /// Destination of a C-MOVE (0000,0600).
    pub move_destination: Option<Cow<'a, str>>,
    /// Command data set type (0000,0800); [`NO_DATA_SET`] or anything else.
    pub data_set: Option<u16>,
    /// Status (0000,0900).
    pub status: Option<u16>,
    /// Sub-operations completed (0000,1021).
    pub completed: Option<u16>,
    /// Sub-operations failed (0000,1022).
    pub failed: Option<u16>,
}

impl<'a> Command<'a> {
    /// Reads a command set; `None` when it has no command field.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut out = Self::default();
        let mut found = false;
        let mut reader = Reader::new(bytes);
        while let Some((element, value)) = element(&mut reader) {
            let number = Reader::new(value).u16_le();
            match element {
                0x0002 | 0x0003 => out.sop_class = Some(code(value)),
                0x0100 => {
                    out.field = number.unwrap_or(0);
                    found = number.is_some();
                }
                0x0110 => out.message = number,
                0x0120 => out.responds_to = number,
                0x0600 => out.move_destination = Some(code(value)),
                0x0800 => out.data_set = number,
                0x0900 => out.status = number,
                0x1000 | 0x1001 => out.sop_instance = Some(code(value)),
                0x1021 => out.completed = number,
                0x1022 => out.failed = number,
                _ => {}
            }
        }
        found.then_some(out)
    }

    /// True for a response.
    #[must_use]
    pub const fn is_response(&self) -> bool {
        self.field & RESPONSE != 0
    }

    /// True when a data set follows.
    #[must_use]
    pub fn has_data_set(&self) -> bool {
        self.data_set.is_some_and(|kind| kind != NO_DATA_SET)
    }
}

fn element<'a>(reader: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
    let group = reader.u16_le()?;
    let element = reader.u16_le()?;
    let length = usize::try_from(reader.u32_le()?).ok()?;
    if group != 0 {
        return None;
    }
    Some((element, reader.take(length)?))
}

/// Name of the operation of a command field, response bit ignored; `None` when unknown.
#[must_use]
pub const fn operation(field: u16) -> Option<&'static str> {
    Some(match field & !RESPONSE {
        0x0001 => "C-STORE",
        0x0010 => "C-GET",
        0x0020 => "C-FIND",
        0x0021 => "C-MOVE",
        0x0030 => "C-ECHO",
        0x0100 => "N-EVENT-REPORT",
        0x0110 => "N-GET",
        0x0120 => "N-SET",
        0x0130 => "N-ACTION",
        0x0140 => "N-CREATE",
        0x0150 => "N-DELETE",
        C_CANCEL => "C-CANCEL",
        _ => return None,
    })
}

/// True for the statuses after which more responses come.
#[must_use]
pub const fn is_pending(status: u16) -> bool {
    matches!(status, 0xff00 | 0xff01)
}

/// True for success and for warnings, with which the operation was done (PS3.7 annex C).
#[must_use]
pub const fn is_success(status: u16) -> bool {
    matches!(status, 0 | 1 | 0x0107 | 0x0116 | 0xb000..=0xbfff)
}
