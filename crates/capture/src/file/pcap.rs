//! The classic capture format.
//!
//! Enters: a stream at its first octet. Leaves: cuts of the stream, one per record. Refuses:
//! records over [`FRAME_BYTES_MAX`], versions before 2. A record's length is the only guide to the
//! next one: after an impossible one nothing more can be read.
//! Source: draft-ietf-opsawg-pcap; libpcap savefile.c for version 2.3 and the modified format.

use model::Nanos;
use wire::LinkType;

use super::error::{CaptureError, Damage};
use super::stream::Stream;
use super::{Cut, FRAME_BYTES_MAX, Order};
use crate::link;

/// A classic capture after its header.
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds of one unit of the fraction.
    unit_ns: i64,
    /// Octets of a record's header.
    header_bytes: usize,
    link: LinkType,
    /// Versions up to 2.3, and 543.0, may have both lengths exchanged.
    may_exchange: bool,
}

impl Pcap {
    /// The byte order, nanoseconds and header size that `magic` announces.
    pub(super) fn variant(magic: [u8; 4]) -> Option<(Order, i64, usize)> {
        let variant = |magic: u32| match magic {
            MICROSECONDS => Some((1_000, 16)),
            NANOSECONDS => Some((1, 16)),
            MODIFIED => Some((1_000, 24)),
            _ => None,
        };
        [Order::Little, Order::Big].into_iter().find_map(|order| {
            let (unit_ns, header_bytes) = variant(order.u32(magic))?;
            Some((order, unit_ns, header_bytes))
        })
    }

    /// Reads the header of the file.
    pub(super) fn begin(
        stream: &mut Stream,
        (order, unit_ns, header_bytes): (Order, i64, usize),
    ) -> Result<Self, CaptureError> {
        if !stream.need(FILE_HEADER_BYTES) {
            return Err(stream.shortage("file header", FILE_HEADER_BYTES as u64));
        }
        let head = stream.rest();
        let (major, minor) = (order.u16_at(head, 4), order.u16_at(head, 6));
        // The upper half holds the length of a frame check sequence, which stays in the frame.
        let [low, high, ..] = order.u32_at(head, 20).to_le_bytes();
        if major < 2 {
            let damage = Damage::NotSupported("a pcap file of a version before 2");
            return Err(stream.broken(4, damage));
        }
        stream.advance(FILE_HEADER_BYTES);
        Ok(Self {
            order,
            unit_ns,
            header_bytes,
            link: link::of_file(u16::from_le_bytes([low, high])),
            may_exchange: (major == 2 && minor <= 3) || major == 543,
        })
    }

    /// The next record; `None` at the sound end.
    #[inline]
    pub(super) fn next(&self, stream: &mut Stream) -> Result<Option<Cut>, CaptureError> {
        if !stream.need(self.header_bytes) {
            if stream.ended_here() {
                return Ok(None);
            }
            return Err(stream.shortage("record header", self.header_bytes as u64));
        }
        let head = stream.rest();
        let seconds = i64::from(self.order.u32_at(head, 0));
        let fraction = i64::from(self.order.u32_at(head, 4));
        let (mut len, mut wire_len) = (self.order.u32_at(head, 8), self.order.u32_at(head, 12));
        if self.may_exchange && len > wire_len {
            (len, wire_len) = (wire_len, len);
        }
        if len > FRAME_BYTES_MAX {
            return Err(impossible(stream, len));
        }
        let len = len as usize;
        let record_bytes = self.header_bytes.saturating_add(len);
        if !stream.need(record_bytes) {
            return Err(stream.shortage("record", record_bytes as u64));
        }
        stream.advance(record_bytes);
        let time = seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(fraction.saturating_mul(self.unit_ns));
        Ok(Some(Cut {
            time: Nanos(time),
            link: self.link,
            wire_len,
            len,
            back: len,
        }))
    }
}

#[cold]
fn impossible(stream: &Stream, len: u32) -> CaptureError {
    let damage = Damage::ImpossibleLength {
        part: "record",
        length: u64::from(len),
        max: u64::from(FRAME_BYTES_MAX),
    };
    stream.broken(stream.offset(), damage)
}

/// Magic number of files with microseconds.
pub(super) const MICROSECONDS: u32 = 0xa1b2_c3d4;
/// Magic number of files with nanoseconds.
pub(super) const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// Magic number of Kuznetzov's modified format: eight more octets in each record's header.
const MODIFIED: u32 = 0xa1b2_cd34;
/// Octets of the file header.
const FILE_HEADER_BYTES: usize = 24;
