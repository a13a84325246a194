//! Named pipes of SMB 1: opened, written, read, called, closed.
//!
//! Enters: heads of messages. Leaves: what is done to which pipe. Refuses: commands inside chains
//! (nobody chains calls), files. Limits: [`PENDING_MAX`] requests without answer.
//! Source: [MS-CIFS] sections 2.2.3, 2.2.4.33 and 2.2.4.64, [MS-SMB] sections 2.2.4.2 to 2.2.4.9.

use codec::bytes::Reader;
use codec::ntlmssp::utf16;

use super::body::FileId;
use super::state::Table;

/// Most requests without answer of one flow.
const PENDING_MAX: usize = 64;
/// Longest name of a pipe that is read, in bytes on the wire.
const NAME_BYTES_MAX: usize = 512;
const HEADER_BYTES: usize = 32;
/// Where the words begin: after their count.
const WORDS_AT: usize = HEADER_BYTES + 1;

/// Commands.
const CLOSE: u8 = 0x04;
const TRANSACTION: u8 = 0x25;
const READ: u8 = 0x2e;
const WRITE: u8 = 0x2f;
const CREATE: u8 = 0xa2;
/// Subcommand of a transaction: a write and a read at once.
const TRANSACT_PIPE: u16 = 0x26;

/// What is done to a pipe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act<'a> {
    /// It was opened by this name.
    Open(String),
    /// It is closed.
    Close,
    /// Data passed; so many octets of them stand beyond what was shown.
    Data { shown: &'a [u8], missing: u64 },
}

/// A request whose answer matters.
enum Asked {
    Create(String),
    Data(u16),
}

/// Requests without answer, by process and number.
pub(super) struct Old {
    pending: Table<(u32, u16), Asked>,
}

impl Default for Old {
    fn default() -> Self {
        Self {
            pending: Table::new(PENDING_MAX),
        }
    }
}

struct Header {
    command: u8,
    status: u32,
    is_answer: bool,
    is_unicode: bool,
    /// Tree and user: file identifiers are theirs.
    place: u32,
    key: (u32, u16),
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes.get(4..HEADER_BYTES)?);
        let (command, status) = (r.u8()?, r.u32_le()?);
        let (flags, flags2) = (r.u8()?, r.u16_le()?);
        r.skip(12)?;
        let (tree, process, user, number) = (r.u16_le()?, r.u16_le()?, r.u16_le()?, r.u16_le()?);
        Some(Self {
            command,
            status,
            is_answer: flags & 0x80 != 0,
            is_unicode: flags2 & 0x8000 != 0,
            place: u32::from(tree) << 16 | u32::from(user),
            key: (u32::from(tree) << 16 | u32::from(process), number),
        })
    }

    /// An identifier that no file of SMB 2 has: that dialect's are never seen in the same flow.
    fn file(&self, id: u16) -> FileId {
        (u64::from(id), 1 << 63 | u64::from(self.place))
    }
}

impl Old {
    /// Looks at a message, as far as it is there.
    pub(super) fn message<'a>(&mut self, bytes: &'a [u8]) -> Option<(FileId, Act<'a>)> {
        let header = Header::read(bytes)?;
        if header.is_answer {
            self.answer(&header, bytes)
        } else {
            self.request(&header, bytes)
        }
    }

    fn request<'a>(&mut self, header: &Header, bytes: &'a [u8]) -> Option<(FileId, Act<'a>)> {
        match header.command {
            CLOSE => Some((header.file(word(bytes, 0)?), Act::Close)),
            CREATE => {
                let asked = Asked::Create(name(header, bytes)?);
                self.pending.put(header.key, asked);
                None
            }
            READ => {
                let id = word(bytes, 2)?;
                self.pending.put(header.key, Asked::Data(id));
                None
            }
            WRITE => {
                let (id, length, offset) = (word(bytes, 2)?, word(bytes, 10)?, word(bytes, 11)?);
                Some((header.file(id), data(bytes, offset, length)))
            }
            TRANSACTION if word(bytes, 14)? == TRANSACT_PIPE => {
                let (length, offset, id) = (word(bytes, 11)?, word(bytes, 12)?, word(bytes, 15)?);
                self.pending.put(header.key, Asked::Data(id));
                Some((header.file(id), data(bytes, offset, length)))
            }
            _ => None,
        }
    }

    fn answer<'a>(&mut self, header: &Header, bytes: &'a [u8]) -> Option<(FileId, Act<'a>)> {
        let asked = self.pending.take(header.key)?;
        // STATUS_BUFFER_OVERFLOW: more is to be read.
        if !matches!(header.status, 0 | 0x8000_0005) {
            return None;
        }
        match (header.command, asked) {
            (CREATE, Asked::Create(name)) => {
                // Resource type 1 and 2 are pipes; it stands after 64 octets of times and sizes.
                let kind = bytes.get(WORDS_AT + 63..)?;
                let is_pipe = matches!(Reader::new(kind).u16_le()?, 1 | 2);
                let id = Reader::new(bytes.get(WORDS_AT + 5..)?).u16_le()?;
                is_pipe.then(|| (header.file(id), Act::Open(name)))
            }
            (READ, Asked::Data(id)) => {
                let (length, offset) = (word(bytes, 5)?, word(bytes, 6)?);
                Some((header.file(id), data(bytes, offset, length)))
            }
            (TRANSACTION, Asked::Data(id)) => {
                let (length, offset) = (word(bytes, 6)?, word(bytes, 7)?);
                Some((header.file(id), data(bytes, offset, length)))
            }
            _ => None,
        }
    }

    /// Heap bytes held; an estimate that errs high.
    pub(super) fn heap_bytes(&self) -> usize {
        self.pending.heap_bytes(64)
    }
}

/// One of the words of a message.
fn word(bytes: &[u8], index: usize) -> Option<u16> {
    let count = usize::from(*bytes.get(HEADER_BYTES)?);
    let at = bytes.get(WORDS_AT + 2 * index..)?;
    (index < count).then(|| Reader::new(at).u16_le()).flatten()
}

/// Data at an offset from the start of the message.
fn data(bytes: &[u8], offset: u16, length: u16) -> Act<'_> {
    let length = usize::from(length);
    let rest = bytes.get(usize::from(offset)..).unwrap_or(&[]);
    let shown = rest.get(..length).unwrap_or(rest);
    let missing = u64::try_from(length - shown.len()).unwrap_or(0);
    Act::Data { shown, missing }
}

/// Name of the file that a CREATE request opens.
fn name(header: &Header, bytes: &[u8]) -> Option<String> {
    let length = usize::from(Reader::new(bytes.get(WORDS_AT + 5..)?).u16_le()?);
    let words = usize::from(*bytes.get(HEADER_BYTES)?);
    let mut at = WORDS_AT + 2 * words + 2;
    if header.is_unicode {
        at = at.next_multiple_of(2);
    }
    let rest = bytes.get(at..)?;
    let name = rest.get(..length.min(NAME_BYTES_MAX)).unwrap_or(rest);
    Some(if header.is_unicode {
        utf16(name)
    } else {
        name.iter().map(|octet| char::from(*octet)).collect()
    })
}
