//! DICOM: upper-layer PDUs, association items, DIMSE command sets, heads of data sets.
//!
//! Enters: byte slices, or pieces of a data set as they come. Leaves: borrowed values, commands,
//! elements asked for. Refuses: values longer than [`dataset::VALUE_BYTES_MAX`] (cut), nesting over
//! [`dataset::DEPTH_MAX`]. Source: DICOM PS3.8 section 9.3, PS3.7 annex E, PS3.5 section 7.

pub mod command;
pub mod dataset;
pub mod pdu;

use std::borrow::Cow;

/// Implicit VR little endian, the default transfer syntax.
pub const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
/// Explicit VR big endian (retired).
pub const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
/// Deflated explicit VR little endian.
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// JPIP referenced deflate and JPIP HTJ2K referenced deflate: deflated data sets too.
pub const DEFLATED_JPIP: [&str; 2] = ["1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"];

/// Text of a UID, an application entity title or a code string: padding (spaces and NULs) trimmed,
/// octets above ASCII read as Latin-1.
#[must_use]
pub fn code(bytes: &[u8]) -> Cow<'_, str> {
    let blank = |byte: &u8| matches!(*byte, b' ' | 0);
    let start = bytes.iter().position(|byte| !blank(byte));
    let end = bytes.iter().rposition(|byte| !blank(byte));
    let (Some(start), Some(end)) = (start, end) else {
        return Cow::Borrowed("");
    };
    let bytes = bytes.get(start..=end).unwrap_or(&[]);
    latin1(bytes)
}

/// Text of a value under the specific character set `charset`, (0008,0005), trimmed: UTF-8 when it
/// is valid, else Latin-1. Other sets (ISO 2022 escapes, GB18030) are not decoded: their octets
/// above ASCII come out as Latin-1, always the same way, so that equality still holds.
#[must_use]
pub fn text(bytes: &[u8], charset: &[u8]) -> String {
    let utf8 = charset.windows(10).any(|window| window == b"ISO_IR 192");
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if utf8 => String::from_utf8_lossy(bytes),
        Err(_) => latin1(bytes),
    };
    text.trim_matches([' ', '\0']).to_owned()
}

fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        Ok(_) | Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests;
