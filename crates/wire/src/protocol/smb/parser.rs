//! The stream of one side, cut into SMB messages and what is wanted of them.
//!
//! Enters: bytes, bytes skipped, holes. Leaves: headers with the wanted head of their bodies.
//! Refuses: to wait for more than [`BODY_BYTES_MAX`] bytes of a body. After a hole beyond the
//! message it looks for the next frame in [`LOST_BYTES_MAX`] bytes at most. Source: [MS-SMB2]
//! section 2.2.1.

use codec::bytes::Reader;

/// Bytes of the NetBIOS session service header.
pub(super) const NETBIOS_BYTES: usize = 4;
/// Bytes of an SMB2 header.
pub(super) const HEADER_BYTES: usize = 64;
/// Most bytes of one body that are looked at.
pub(super) const BODY_BYTES_MAX: usize = 32 * 1024;
/// Bytes of an SMB1 message that are looked at: its negotiation.
const SMB1_BYTES_MAX: usize = 2048;
/// Most bytes searched for a frame after a hole.
const LOST_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// What follows the NetBIOS header: SMB1, SMB2, encrypted, compressed.
pub(super) const MAGICS: [&[u8; 4]; 4] = [b"\xffSMB", b"\xfeSMB", b"\xfdSMB", b"\xfcSMB"];

/// Commands.
pub(super) const NEGOTIATE: u16 = 0;
pub(super) const SESSION_SETUP: u16 = 1;
pub(super) const LOGOFF: u16 = 2;
pub(super) const TREE_CONNECT: u16 = 3;
pub(super) const TREE_DISCONNECT: u16 = 4;
pub(super) const CREATE: u16 = 5;
pub(super) const CLOSE: u16 = 6;
pub(super) const READ: u16 = 8;
pub(super) const WRITE: u16 = 9;
pub(super) const IOCTL: u16 = 11;
pub(super) const SET_INFO: u16 = 17;

/// The header of one SMB2 message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) status: u32,
    pub(super) command: u16,
    pub(super) flags: u32,
    /// Offset of the next message of a compound, 0 at its end.
    pub(super) next: u32,
    pub(super) message: u64,
    /// Absent in asynchronous messages.
    pub(super) tree: Option<u32>,
    pub(super) session: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes.get(..HEADER_BYTES)?);
        reader.skip(8)?;
        let status = reader.u32_le()?;
        let command = reader.u16_le()?;
        reader.skip(2)?;
        let flags = reader.u32_le()?;
        let next = reader.u32_le()?;
        let message = reader.u64_le()?;
        reader.skip(4)?;
        let tree = reader.u32_le()?;
        let session = reader.u64_le()?;
        Some(Self {
            status,
            command,
            flags,
            next,
            message,
            tree: (flags & 2 == 0).then_some(tree),
            session,
        })
    }

    pub(super) const fn is_response(&self) -> bool {
        self.flags & 1 != 0
    }

    pub(super) const fn is_related(&self) -> bool {
        self.flags & 4 != 0
    }

    pub(super) const fn is_signed(&self) -> bool {
        self.flags & 8 != 0
    }

    /// Bytes of the body that are wanted.
    const fn wanted(&self) -> usize {
        match (self.command, self.is_response()) {
            (NEGOTIATE | SESSION_SETUP, _) => BODY_BYTES_MAX,
            (TREE_CONNECT | CREATE | SET_INFO, false) => 8 * 1024,
            (CREATE, true) => 88,
            (CLOSE, _) => 60,
            (READ | WRITE, false) | (IOCTL, true) => 48,
            (IOCTL, false) => 56,
            (READ | WRITE | TREE_CONNECT, true) => 16,
            _ => 0,
        }
    }
}

/// What the parser found.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    /// An SMB2 message: its header, the head of its body; true when a compound goes on after it.
    Smb2(Header, &'a [u8]),
    /// The head of an SMB1 message, header included.
    Smb1(&'a [u8]),
    /// An encrypted message of a session, of so many bytes.
    Encrypted(u64, u64),
    /// A compressed message of so many bytes.
    Compressed(u64),
    /// The next bytes of what [`Parser::show`] asked for.
    Data(&'a [u8]),
    /// Something that is wrong, as an anomaly code.
    Wrong(&'static str),
    /// No frame was found for so long that none is looked for any more.
    GaveUp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// At a NetBIOS header.
    #[default]
    Frame,
    /// At a message; bytes left in the frame.
    Message(u64),
    /// Passing over so many bytes; bytes left in the frame after them.
    Pass(u64, u64),
    /// Showing so many bytes; bytes to pass over after them; bytes left in the frame after those.
    Show(u64, u64, u64),
    /// Looking for a frame; bytes left to look at.
    Lost(u64),
}

/// One step: bytes used, and what was found; no bytes and nothing means that more are needed.
pub(super) type Scan<'a> = (usize, Option<Found<'a>>);

/// Cuts the stream of one side.
#[derive(Debug, Default)]
pub(super) struct Parser {
    stage: Stage,
    seen: bool,
}

impl Parser {
    /// Looks at the next bytes, at least one.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        match self.stage {
            Stage::Frame => self.frame(bytes),
            Stage::Message(left) => self.message(bytes, left),
            Stage::Pass(n, after) => {
                let here = usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
                self.pass(n - to_u64(here), after);
                (here, None)
            }
            Stage::Show(n, pass, after) => {
                let here = usize::try_from(n).unwrap_or(usize::MAX);
                let shown = bytes.get(..here).unwrap_or(bytes);
                match n - to_u64(shown.len()) {
                    0 => self.pass(pass, after),
                    left => self.stage = Stage::Show(left, pass, after),
                }
                (shown.len(), Some(Found::Data(shown)))
            }
            Stage::Lost(left) => self.lost(bytes, left),
        }
    }

    /// Asks to be shown the `n` bytes after the message's head that was just found; false when
    /// they are not all there.
    pub(super) const fn show(&mut self, n: u64) -> bool {
        if let Stage::Pass(left, after) = self.stage
            && n > 0
            && n <= left
        {
            self.stage = Stage::Show(n, left - n, after);
            return true;
        }
        false
    }

    /// Bytes that need not be shown.
    pub(super) const fn skippable(&self) -> u64 {
        if let Stage::Pass(n, _) = self.stage {
            n
        } else {
            0
        }
    }

    /// `n` bytes passed unseen.
    pub(super) const fn skipped(&mut self, n: u64) {
        if let Stage::Pass(left, after) = self.stage {
            self.pass(left.saturating_sub(n), after);
        }
    }

    /// `n` bytes, those not used up included, were lost; true when the frame is known to go on.
    pub(super) const fn hole(&mut self, n: u64) -> bool {
        let (inside, after) = match self.stage {
            Stage::Message(left) => (left, 0),
            Stage::Pass(left, after) if n <= left => (left, after),
            Stage::Pass(left, after) => (left + after, 0),
            Stage::Show(left, pass, after) if n <= left + pass => (left + pass, after),
            Stage::Show(left, pass, after) => (left + pass + after, 0),
            Stage::Frame | Stage::Lost(_) => (0, 0),
        };
        if n <= inside && inside > 0 {
            self.pass(inside - n, after);
            return true;
        }
        self.stage = Stage::Lost(LOST_BYTES_MAX);
        false
    }

    fn frame<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        let Some([kind, a, b, c]) = bytes.first_chunk::<NETBIOS_BYTES>().copied() else {
            return (0, None);
        };
        let length = u64::from(u32::from_be_bytes([0, a, b, c]));
        match kind {
            0 => {
                if length > 0 {
                    self.stage = Stage::Message(length);
                }
                (NETBIOS_BYTES, None)
            }
            0x81..=0x85 if length <= 256 => {
                self.pass(length, 0);
                (NETBIOS_BYTES, None)
            }
            _ => {
                self.stage = Stage::Lost(LOST_BYTES_MAX);
                (0, Some(Found::Wrong("smb-frame-unknown")))
            }
        }
    }

    fn message<'a>(&mut self, bytes: &'a [u8], left: u64) -> Scan<'a> {
        let whole = usize::try_from(left).unwrap_or(usize::MAX);
        if left < 4 {
            self.pass(left, 0);
            return (0, Some(Found::Wrong("smb-message-short")));
        }
        let Some(magic) = bytes.first_chunk::<4>() else {
            return (0, None);
        };
        match magic {
            b"\xfeSMB" => self.smb2(bytes, left),
            b"\xffSMB" => {
                let Some(head) = bytes.get(..whole.min(SMB1_BYTES_MAX)) else {
                    return (0, None);
                };
                self.seen = true;
                self.pass(left - to_u64(head.len()), 0);
                (head.len(), Some(Found::Smb1(head)))
            }
            b"\xfdSMB" => {
                let Some(head) = bytes.get(..whole.min(52)) else {
                    return (0, None);
                };
                self.seen = true;
                let session = head.get(44..).and_then(|rest| Reader::new(rest).u64_le());
                self.pass(left - to_u64(head.len()), 0);
                (
                    head.len(),
                    Some(Found::Encrypted(session.unwrap_or(0), left)),
                )
            }
            b"\xfcSMB" => {
                self.seen = true;
                self.pass(left - 4, 0);
                (4, Some(Found::Compressed(left)))
            }
            _ if self.seen => {
                self.pass(left, 0);
                (0, Some(Found::Wrong("smb-magic-unknown")))
            }
            _ => {
                self.stage = Stage::Lost(LOST_BYTES_MAX);
                (0, Some(Found::Wrong("smb-frame-unknown")))
            }
        }
    }

    fn smb2<'a>(&mut self, bytes: &'a [u8], left: u64) -> Scan<'a> {
        if left < to_u64(HEADER_BYTES) {
            self.pass(left, 0);
            return (0, Some(Found::Wrong("smb-message-short")));
        }
        let Some(header) = Header::read(bytes) else {
            return (0, None);
        };
        let next = u64::from(header.next);
        let (length, wrong) = match next {
            0 => (left, false),
            next if next >= to_u64(HEADER_BYTES) && next < left => (next, false),
            _ => (left, true),
        };
        let body = length - to_u64(HEADER_BYTES);
        let wanted = header
            .wanted()
            .min(usize::try_from(body).unwrap_or(usize::MAX));
        let Some(body_head) = bytes.get(HEADER_BYTES..HEADER_BYTES + wanted) else {
            return (0, None);
        };
        self.seen = true;
        let header = Header {
            next: if wrong { 0 } else { header.next },
            ..header
        };
        self.pass(body - to_u64(wanted), left - length);
        (HEADER_BYTES + wanted, Some(Found::Smb2(header, body_head)))
    }

    fn lost<'a>(&mut self, bytes: &'a [u8], left: u64) -> Scan<'a> {
        if left == 0 {
            return (0, Some(Found::GaveUp));
        }
        if let Some(at) = find_message(bytes) {
            self.stage = Stage::Frame;
            return (at, Some(Found::Wrong("smb-resynchronised")));
        }
        // The last bytes may start a frame.
        let used = bytes.len().saturating_sub(NETBIOS_BYTES + 3);
        self.stage = Stage::Lost(left.saturating_sub(to_u64(used)));
        (used, None)
    }

    const fn pass(&mut self, n: u64, after: u64) {
        self.stage = match (n, after) {
            (0, 0) => Stage::Frame,
            (0, after) => Stage::Message(after),
            (n, after) => Stage::Pass(n, after),
        };
    }
}

/// Where a NetBIOS frame with an SMB message starts in `bytes`.
pub(super) fn find_message(bytes: &[u8]) -> Option<usize> {
    bytes.windows(NETBIOS_BYTES + 4).position(|window| {
        let (netbios, magic) = window.split_at(NETBIOS_BYTES);
        netbios.first() == Some(&0) && MAGICS.iter().any(|known| known.as_slice() == magic)
    })
}

fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
