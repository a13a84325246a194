//! Characters of HL7 values.
//!
//! Enters: bytes and the names in MSH-18. Leaves: UTF-8 text. Refuses: nothing; what cannot be
//! decoded becomes U+FFFD or its Latin-1 reading. Source: HL7 v2.5.1 table 0211.

use std::borrow::Cow;

use super::{Separators, TEXT_BYTES_MAX, unescape};

/// How the bytes of a message become text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Not said, or a set that is not known here: UTF-8 when valid, else Latin-1.
    #[default]
    Unknown,
    /// Declared as UTF-8: invalid sequences are replaced.
    Utf8,
    /// ISO 8859-1, and 8859-15 with its eight differences.
    Latin {
        /// True for 8859-15.
        nine: bool,
    },
}

impl Charset {
    /// The set that MSH-18 names (first repetition).
    #[must_use]
    pub fn of_name(name: &[u8]) -> Self {
        let name: Vec<u8> = name
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(u8::to_ascii_uppercase)
            .collect();
        match name.as_slice() {
            b"UNICODEUTF8" | b"UTF8" => Self::Utf8,
            b"88591" | b"ISO88591" | b"LATIN1" => Self::Latin { nine: false },
            b"885915" | b"ISO885915" | b"LATIN9" => Self::Latin { nine: true },
            _ => Self::Unknown,
        }
    }

    /// The text of `bytes`. Text that is valid UTF-8 is taken as such, whatever was declared:
    /// accented Latin-1 text practically never is.
    #[must_use]
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        match (std::str::from_utf8(bytes), self) {
            (Ok(text), _) => Cow::Borrowed(text),
            (Err(_), Self::Utf8) => String::from_utf8_lossy(bytes),
            (Err(_), Self::Latin { nine: true }) => bytes.iter().map(|b| latin9(*b)).collect(),
            (Err(_), Self::Latin { nine: false } | Self::Unknown) => {
                bytes.iter().map(|byte| char::from(*byte)).collect()
            }
        }
    }

    /// The text of one value: cut to [`TEXT_BYTES_MAX`], unescaped, decoded, trimmed.
    #[must_use]
    pub fn text(&self, bytes: &[u8], separators: Separators) -> String {
        let bytes = bytes.get(..TEXT_BYTES_MAX).unwrap_or(bytes);
        let plain = unescape(bytes, separators);
        self.decode(&plain).trim().to_owned()
    }
}

const fn latin9(byte: u8) -> char {
    match byte {
        0xa4 => '€',
        0xa6 => 'Š',
        0xa8 => 'š',
        0xb4 => 'Ž',
        0xb8 => 'ž',
        0xbc => 'Œ',
        0xbd => 'œ',
        0xbe => 'Ÿ',
        _ => byte as char,
    }
}
