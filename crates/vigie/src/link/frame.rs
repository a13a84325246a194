//! Length-framed messages.
//!
//! Enters: bytes of a socket. Leaves: messages. Refuses: a length above [`FRAME_BYTES_MAX`],
//! unknown kinds. Source: `DESIGN.md` section 3. Layout: length u32 (kind included), kind u8,
//! payload; integers are little-endian.

use std::io::{self, ErrorKind, Read, Write};

use model::Event;
use model::binary;

/// Version of the link protocol.
pub(crate) const VERSION: u32 = 1;
/// Largest frame.
pub(crate) const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One message of the link.
pub(crate) enum Message {
    /// First of each connection: protocol version and the name of the role.
    Hello { version: u32, role: String },
    /// Encoded events under a number that grows by one.
    Batch { number: u64, bytes: Vec<u8> },
    /// The batch with this number is on disk.
    Ack { number: u64 },
    /// State of the sender, JSON.
    Status(Vec<u8>),
}

const HELLO: u8 = 1;
const BATCH: u8 = 2;
const ACK: u8 = 3;
const STATUS: u8 = 4;

/// Writes one message.
pub(crate) fn write_message(out: &mut impl Write, message: &Message) -> io::Result<()> {
    let (kind, number, payload): (u8, Option<u64>, &[u8]) = match message {
        Message::Hello { version, role } => (HELLO, Some(u64::from(*version)), role.as_bytes()),
        Message::Batch { number, bytes } => (BATCH, Some(*number), bytes),
        Message::Ack { number } => (ACK, Some(*number), &[]),
        Message::Status(json) => (STATUS, None, json),
    };
    let len = 1 + number.map_or(0, |_| 8) + payload.len();
    let len = u32::try_from(len).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(&[kind])?;
    if let Some(number) = number {
        out.write_all(&number.to_le_bytes())?;
    }
    out.write_all(payload)?;
    out.flush()
}

/// Reads one message; `None` at an orderly end.
pub(crate) fn read_message(input: &mut impl Read) -> io::Result<Option<Message>> {
    let mut head = [0u8; 4];
    match input.read(&mut head)? {
        0 => return Ok(None),
        n => input.read_exact(head.get_mut(n..).unwrap_or(&mut []))?,
    }
    let len = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if len == 0 || len > FRAME_BYTES_MAX {
        return Err(invalid("a frame of impossible length"));
    }
    let mut kind = [0u8; 1];
    input.read_exact(&mut kind)?;
    let mut payload = vec![0u8; len - 1];
    input.read_exact(&mut payload)?;
    let [kind] = kind;
    decode(kind, payload).map(Some)
}

fn decode(kind: u8, payload: Vec<u8>) -> io::Result<Message> {
    if kind == STATUS {
        return Ok(Message::Status(payload));
    }
    let (number, rest) = payload
        .split_first_chunk::<8>()
        .ok_or_else(|| invalid("a frame without its number"))?;
    let number = u64::from_le_bytes(*number);
    match kind {
        HELLO => {
            let version = u32::try_from(number).map_err(|_| invalid("an impossible version"))?;
            Ok(Message::Hello {
                version,
                role: String::from_utf8_lossy(rest).into_owned(),
            })
        }
        BATCH => Ok(Message::Batch {
            number,
            bytes: rest.to_vec(),
        }),
        ACK => Ok(Message::Ack { number }),
        _ => Err(invalid("a frame of unknown kind")),
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Encodes events for a batch.
pub(crate) fn encode_events(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(events.len() * 256);
    for event in events {
        binary::encode(event, &mut bytes);
    }
    bytes
}

/// The events of a batch; those before a damaged one, and what was wrong with it.
pub(crate) fn decode_events(bytes: &[u8]) -> (Vec<Event>, Option<binary::DecodeError>) {
    let mut events = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        match binary::decode(rest) {
            Ok((event, used)) => {
                events.push(event);
                rest = rest.get(used.max(1)..).unwrap_or(&[]);
            }
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}
