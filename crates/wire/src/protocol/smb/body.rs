//! Bodies of the commands that matter.
//!
//! Enters: the head of a body; offsets in it count from the SMB2 header. Leaves: typed fields.
//! Refuses: names beyond [`NAME_BYTES_MAX`] (cut), more than [`DIALECTS_MAX`] dialects; a body that
//! is too short is `None`. Source: [MS-SMB2] section 2.2, [MS-FSCC] section 2.4.

use codec::bytes::Reader;
use codec::ntlmssp::utf16;
use model::Text;

use super::parser::HEADER_BYTES;

/// Longest path or name read, in bytes on the wire.
const NAME_BYTES_MAX: usize = 4096;
/// Most dialects of one negotiation.
pub(super) const DIALECTS_MAX: usize = 64;

/// Persistent and volatile part of a file identifier.
pub(super) type FileId = (u64, u64);

/// The file identifier that stands for "the file of the previous command".
pub(super) const PREVIOUS: FileId = (u64::MAX, u64::MAX);

/// A CREATE request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Create {
    pub(super) path: String,
    pub(super) disposition: u32,
    pub(super) delete_on_close: bool,
}

/// A CREATE response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Created {
    pub(super) file: FileId,
    pub(super) file_bytes: u64,
}

/// What a SET_INFO request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Rename(String),
    Delete(bool),
}

/// Name of a dialect.
pub(super) fn dialect(revision: u16) -> Text {
    Text::Borrowed(match revision {
        0x0202 => "2.0.2",
        0x0210 => "2.1",
        0x02ff => "2.ff",
        0x0300 => "3.0",
        0x0302 => "3.0.2",
        0x0311 => "3.1.1",
        _ => return Text::from(format!("0x{revision:04x}")),
    })
}

/// Dialects of a NEGOTIATE request.
pub(super) fn negotiate_request(body: &[u8]) -> Option<Vec<Text>> {
    let mut reader = Reader::new(body);
    reader.skip(2)?;
    let count = usize::from(reader.u16_le()?);
    let mut dialects = Reader::new(body.get(36..)?);
    let revisions = std::iter::from_fn(move || dialects.u16_le());
    Some(
        revisions
            .take(count.min(DIALECTS_MAX))
            .map(dialect)
            .collect(),
    )
}

/// Dialect, whether signing is required, and the security token of a NEGOTIATE response.
pub(super) fn negotiate_response(body: &[u8]) -> Option<(u16, bool)> {
    let mut reader = Reader::new(body);
    reader.skip(2)?;
    let mode = reader.u16_le()?;
    Some((reader.u16_le()?, mode & 2 != 0))
}

/// Security token of a SESSION_SETUP request.
pub(super) fn setup_request(body: &[u8]) -> Option<&[u8]> {
    pointed(body, 12)
}

/// Session flags and security token of a SESSION_SETUP response.
pub(super) fn setup_response(body: &[u8]) -> Option<(u16, &[u8])> {
    let flags = Reader::new(body.get(2..)?).u16_le()?;
    Some((flags, pointed(body, 4).unwrap_or(&[])))
}

/// Path of a TREE_CONNECT request.
pub(super) fn tree_request(body: &[u8]) -> Option<String> {
    Some(name(pointed(body, 4)?))
}

/// Kind of share of a TREE_CONNECT response.
pub(super) fn tree_response(body: &[u8]) -> Option<&'static str> {
    Some(match body.get(2)? {
        1 => "disk",
        2 => "pipe",
        3 => "print",
        _ => return None,
    })
}

/// A CREATE request.
pub(super) fn create_request(body: &[u8]) -> Option<Create> {
    let mut reader = Reader::new(body.get(36..)?);
    let disposition = reader.u32_le()?;
    let options = reader.u32_le()?;
    Some(Create {
        path: name(pointed(body, 44)?),
        disposition,
        delete_on_close: options & 0x1000 != 0,
    })
}

/// A CREATE response.
pub(super) fn create_response(body: &[u8]) -> Option<Created> {
    let file_bytes = Reader::new(body.get(48..)?).u64_le()?;
    let file = file_id(body, 64)?;
    Some(Created { file, file_bytes })
}

/// File identifier of a request: its place depends on the command.
pub(super) fn file_id(body: &[u8], at: usize) -> Option<FileId> {
    let mut reader = Reader::new(body.get(at..)?);
    Some((reader.u64_le()?, reader.u64_le()?))
}

/// Size of the file that a CLOSE response states, when it states attributes.
pub(super) fn close_response(body: &[u8]) -> Option<u64> {
    let flags = Reader::new(body.get(2..)?).u16_le()?;
    let size = Reader::new(body.get(48..)?).u64_le()?;
    (flags & 1 != 0).then_some(size)
}

/// Bytes that a READ or WRITE response says were moved: both have them at the same place.
pub(super) fn moved(body: &[u8]) -> Option<u32> {
    Reader::new(body.get(4..)?).u32_le()
}

/// File and change of a SET_INFO request; `None` for the kinds of information not looked at.
pub(super) fn set_info(body: &[u8]) -> Option<(FileId, Change)> {
    let mut reader = Reader::new(body);
    reader.skip(2)?;
    let kind = reader.u8()?;
    let class = reader.u8()?;
    let length = usize::try_from(reader.u32_le()?).ok()?;
    let offset = usize::from(reader.u16_le()?).checked_sub(HEADER_BYTES)?;
    let file = file_id(body, 16)?;
    let buffer = body.get(offset..)?;
    let buffer = buffer.get(..length).unwrap_or(buffer);
    let change = match (kind, class) {
        (1, 10 | 65) => {
            let length = usize::try_from(Reader::new(buffer.get(16..)?).u32_le()?).ok()?;
            let bytes = buffer.get(20..)?;
            Change::Rename(name(bytes.get(..length).unwrap_or(bytes)))
        }
        (1, 13 | 64) => Change::Delete(buffer.first()? & 1 != 0),
        _ => return None,
    };
    Some((file, change))
}

/// Dialects of an SMB1 negotiation request; `None` when `bytes` are not one.
pub(super) fn smb1_request(bytes: &[u8]) -> Option<Vec<Text>> {
    if *bytes.get(4)? != 0x72 || bytes.get(9)? & 0x80 != 0 {
        return None;
    }
    let strings = bytes.get(35..)?.split(|byte| *byte == 2);
    let names = strings.filter(|name| !name.is_empty()).take(DIALECTS_MAX);
    let text = |name: &[u8]| {
        let end = name
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(name.len());
        let name = name.get(..end.min(64)).unwrap_or(&[]);
        Text::from(
            name.iter()
                .map(|byte| char::from(*byte))
                .collect::<String>(),
        )
    };
    Some(names.map(text).collect())
}

/// Index of the dialect that an SMB1 negotiation response chose, and its status.
pub(super) fn smb1_response(bytes: &[u8]) -> Option<(u32, u16)> {
    if *bytes.get(4)? != 0x72 || bytes.get(9)? & 0x80 == 0 {
        return None;
    }
    let status = Reader::new(bytes.get(5..)?).u32_le()?;
    Some((status, Reader::new(bytes.get(33..)?).u16_le()?))
}

/// What the offset and length at `at` point to; cut when the body is.
fn pointed(body: &[u8], at: usize) -> Option<&[u8]> {
    let mut reader = Reader::new(body.get(at..)?);
    let offset = usize::from(reader.u16_le()?);
    let length = usize::from(reader.u16_le()?);
    if length == 0 {
        return Some(&[]);
    }
    let rest = body.get(offset.checked_sub(HEADER_BYTES)?..)?;
    Some(rest.get(..length).unwrap_or(rest))
}

fn name(bytes: &[u8]) -> String {
    utf16(bytes.get(..NAME_BYTES_MAX).unwrap_or(bytes))
}
