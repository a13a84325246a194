//! What an event says of a file.
//!
//! Enters: how a file ended. Leaves: the fields of the exchange's own event. Refuses: names: they
//! are the protocol's to mask; of a name, only its extension is kept in the clear.
//! Source: OCSF 1.8.0 `file`.

use model::Text;
use model::class::{Ftp, Http, Medical, Smb};

use super::{Kind, State};

/// Longest extension that is kept.
const EXTENSION_BYTES_MAX: usize = 12;

/// What is known of a file at its end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// Its length; absent when it was coded and not decoded.
    pub(crate) bytes: Option<u64>,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) state: State,
}

impl Facts {
    /// The hash as hexadecimal digits.
    pub(crate) fn sha256(&self) -> Option<Text> {
        self.sha256.map(|hash| Text::Owned(hex(&hash)))
    }

    /// What is said unless all was seen.
    pub(crate) fn state(&self) -> Option<Text> {
        (self.state != State::Complete).then(|| self.state.text())
    }

    /// The body of an answer.
    pub(crate) fn answer(&self, http: &mut Http) {
        http.file_type = Some(Text::Borrowed(self.kind.name));
        http.file_mime = Some(Text::Borrowed(self.kind.mime));
        http.file_bytes = self.bytes;
        http.file_sha256 = self.sha256();
        http.file_state = self.state();
    }

    /// The body of a request.
    pub(crate) fn request(&self, http: &mut Http) {
        http.upload_type = Some(Text::Borrowed(self.kind.name));
        http.upload_bytes = self.bytes;
        http.upload_sha256 = self.sha256();
        http.upload_state = self.state();
    }

    /// What was read from or written to a share.
    pub(crate) fn smb(&self, smb: &mut Smb) {
        smb.file_type = Some(Text::Borrowed(self.kind.name));
        smb.file_mime = Some(Text::Borrowed(self.kind.mime));
        smb.file_sha256 = self.sha256();
        smb.file_state = self.state();
    }

    /// What a data connection or a transfer moved.
    pub(crate) fn ftp(&self, ftp: &mut Ftp) {
        ftp.file_type = Some(Text::Borrowed(self.kind.name));
        ftp.file_mime = Some(Text::Borrowed(self.kind.mime));
        ftp.bytes = self.bytes;
        ftp.file_sha256 = self.sha256();
        ftp.file_state = self.state();
    }

    /// An object or a message of a medical exchange.
    pub(crate) fn medical(&self, medical: &mut Medical) {
        medical.file_type = Some(Text::Borrowed(self.kind.name));
        medical.file_bytes = self.bytes;
        medical.file_sha256 = self.sha256();
        medical.file_state = self.state();
    }
}

/// The extension of a name or path: lower case letters and digits.
pub(crate) fn extension(path: &str) -> Option<Text> {
    let name = path.rsplit(['/', '\\']).next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let plain = extension.bytes().all(|octet| octet.is_ascii_alphanumeric());
    let fits = (1..=EXTENSION_BYTES_MAX).contains(&extension.len());
    (plain && fits && !stem.is_empty()).then(|| Text::Owned(extension.to_ascii_lowercase()))
}

/// Hexadecimal digits, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|octet| [digit(octet >> 4), digit(octet & 15)])
        .collect()
}
