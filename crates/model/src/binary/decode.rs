//! Bytes to events.
//!
//! Enters: bytes of unknown origin. Leaves: an event and the length of its frame. Refuses: what is
//! not exactly what `encode` writes; never panics, and allocates no more than a frame's own length
//! allows. Limits: [`EVENT_BYTES_MAX`], `limit`. Source: `mod.rs`.

use std::net::IpAddr;

use super::{CONNECTION_IDS, END, EVENT_BYTES_MAX, FRAME_BYTES, TOKENS_MAX, VERSION, body_ids};
use crate::class::Body;
use crate::event::{Connection, Event, Meta};
use crate::limit::{FIELD_BYTES_MAX, LIST_ITEMS_MAX};
use crate::net::Mac;
use crate::record::{Record as _, Text, Value};
use crate::sensitive::{Masked, Sensitive, Shape, Token};
use crate::time::Millis;
use crate::uid::{EventUid, NodeId};

/// Most fields of one record, known or not.
const FIELDS_MAX: usize = 256;

/// Why bytes are not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The frame goes on: this many bytes are needed in all.
    #[error("event cut short: {need} bytes needed")]
    Short {
        /// Length of the frame as far as it is known.
        need: usize,
    },
    /// Another version wrote it.
    #[error("event encoding version {0} is not known")]
    Version(u8),
    /// It claims more than [`EVENT_BYTES_MAX`].
    #[error("event of {0} bytes; at most {EVENT_BYTES_MAX} are taken")]
    TooLong(usize),
    /// Its class is not known here.
    #[error("event of unknown class {0}")]
    UnknownClass(u32),
    /// The frame is whole and its content is wrong.
    #[error("event damaged at byte {0}")]
    Damaged(usize),
}

/// Reads the frame at the start of `bytes`; returns the event and the bytes that it took.
///
/// # Errors
/// The bytes are not a whole frame of ours; after [`DecodeError::Damaged`] and
/// [`DecodeError::UnknownClass`] the next frame starts behind this one's length.
pub fn decode(bytes: &[u8]) -> Result<(Event, usize), DecodeError> {
    let short = DecodeError::Short { need: FRAME_BYTES };
    let (version, rest) = bytes.split_first().ok_or(short)?;
    if *version != VERSION {
        return Err(DecodeError::Version(*version));
    }
    let (len, rest) = rest.split_first_chunk::<4>().ok_or(short)?;
    let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
    if len > EVENT_BYTES_MAX {
        return Err(DecodeError::TooLong(len));
    }
    let used = FRAME_BYTES + len;
    let frame = rest.get(..len).ok_or(DecodeError::Short { need: used })?;
    let mut reader = Reader { rest: frame };
    let class = reader.array().map(u32::from_le_bytes);
    let class = class.ok_or(DecodeError::Damaged(FRAME_BYTES))?;
    let body = Body::empty(class).ok_or(DecodeError::UnknownClass(class))?;
    match reader.event(body) {
        Some(event) if reader.rest.is_empty() => Ok((event, used)),
        _ => Err(DecodeError::Damaged(used - reader.rest.len())),
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn event(&mut self, mut body: Body) -> Option<Event> {
        let meta = self.meta()?;
        let connection = match self.u8()? {
            0 => None,
            1 => {
                let mut connection = Box::<Connection>::default();
                self.fields(&CONNECTION_IDS, |index, value| connection.set(index, value))?;
                Some(connection)
            }
            _ => return None,
        };
        self.fields(body_ids(body.class()), |index, value| {
            body.set(index, value)
        })?;
        Some(Event {
            meta,
            connection,
            body,
        })
    }

    fn meta(&mut self) -> Option<Meta> {
        Some(Meta {
            uid: EventUid {
                node: NodeId(u32::from_le_bytes(self.array()?)),
                seq: u64::from_le_bytes(self.array()?),
            },
            time: Millis(self.signed()?),
            logged_time: Millis(self.signed()?),
            site: self.text()?,
            activity: u16::try_from(self.unsigned()?).ok()?,
            severity: u16::try_from(self.unsigned()?).ok()?,
            status: u16::try_from(self.unsigned()?).ok()?,
            status_code: match self.u8()? {
                0 => None,
                1 => Some(self.text()?),
                _ => return None,
            },
            labels: self.list(Self::text)?,
        })
    }

    /// Fields come in the order of the record, so each search starts behind the previous one.
    fn fields(&mut self, ids: &[u16], mut set: impl FnMut(usize, Value) -> bool) -> Option<()> {
        let mut next = 0;
        for _ in 0..=FIELDS_MAX {
            let id = u16::from_le_bytes(self.array()?);
            if id == END {
                return Some(());
            }
            let value = self.value()?;
            let ahead = ids.get(next..).unwrap_or(&[]);
            let index = match ahead.iter().position(|known| *known == id) {
                Some(offset) => Some(next + offset),
                None => ids.iter().position(|known| *known == id),
            };
            if let Some(index) = index {
                if !set(index, value) {
                    return None;
                }
                next = index + 1;
            }
        }
        None
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.u8()? {
            1 => Value::Bool(match self.u8()? {
                0 => false,
                1 => true,
                _ => return None,
            }),
            2 => Value::U64(self.unsigned()?),
            3 => Value::I64(self.signed()?),
            4 => Value::Text(self.text()?),
            5 => Value::Ip(self.ip()?),
            6 => Value::Mac(Mac(self.array()?)),
            7 => Value::Time(Millis(self.signed()?)),
            8 => Value::Sensitive(self.sensitive()?),
            9 => Value::TextList(self.list(Self::text)?),
            10 => Value::U64List(self.list(Self::unsigned)?),
            11 => Value::IpList(self.list(Self::ip)?),
            _ => return None,
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            let low = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if shift == 63 && low > 1 {
                return None;
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn str(&mut self) -> Option<&'b str> {
        let len = usize::try_from(self.unsigned()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        let text = std::str::from_utf8(text).ok()?;
        (len <= FIELD_BYTES_MAX).then_some(text)
    }

    fn text(&mut self) -> Option<Text> {
        self.str().map(|text| Text::Owned(text.to_owned()))
    }

    fn ip(&mut self) -> Option<IpAddr> {
        match self.u8()? {
            4 => self.array::<4>().map(IpAddr::from),
            6 => self.array::<16>().map(IpAddr::from),
            _ => None,
        }
    }

    fn sensitive(&mut self) -> Option<Sensitive> {
        let shape = match self.u8()? {
            0 => {
                let display = self.str()?.into();
                let tokens = self.items(TOKENS_MAX, |reader| {
                    reader
                        .array()
                        .map(|octets| Token(u64::from_le_bytes(octets)))
                })?;
                return Some(Sensitive::masked(Masked { display, tokens }));
            }
            1 => Shape::Path,
            2 => Shape::Query,
            3 => Shape::Text,
            4 => Shape::Patient,
            _ => return None,
        };
        self.str().map(|clear| Sensitive::new(shape, clear))
    }

    fn list<T>(&mut self, item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.items(LIST_ITEMS_MAX, item)
    }

    fn items<T>(
        &mut self,
        items_max: usize,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = usize::try_from(self.unsigned()?).ok()?;
        if count > items_max {
            return None;
        }
        (0..count).map(|_| item(self)).collect()
    }
}
