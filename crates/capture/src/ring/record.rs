//! One packet of the ring, as octets.
//!
//! Enters: frames. Leaves: records of [`HEAD_BYTES`] octets and the packet, and frames again.
//! Refuses: packets over [`FRAME_BYTES_MAX`]. Source: own format, version 1 of the ring: time (i64
//! nanoseconds), length on the wire (u32), octets kept (u32), link type (u16), stripped VLAN (u16,
//! 0xffff for none), the octets; least octet first.

use codec::bytes::Reader;
use model::Nanos;
use wire::{Frame, LinkType};

use crate::file::FRAME_BYTES_MAX;

/// Octets before the packet's.
pub(super) const HEAD_BYTES: usize = 20;
const NO_VLAN: u16 = 0xffff;

/// Octets that a frame's record takes; `None` when it is too long to be kept.
pub(super) fn cost(frame: &Frame<'_>) -> Option<usize> {
    let length = u32::try_from(frame.bytes.len()).ok()?;
    (length <= FRAME_BYTES_MAX).then_some(HEAD_BYTES + frame.bytes.len())
}

/// Appends the record of a frame of at most [`FRAME_BYTES_MAX`] octets.
pub fn push(frame: &Frame<'_>, out: &mut Vec<u8>) {
    let length = u32::try_from(frame.bytes.len()).unwrap_or(0);
    out.extend_from_slice(&frame.time.0.to_le_bytes());
    out.extend_from_slice(&frame.wire_len.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&frame.link.0.to_le_bytes());
    out.extend_from_slice(&frame.vlan.unwrap_or(NO_VLAN).to_le_bytes());
    out.extend_from_slice(frame.bytes);
}

/// The records of some octets; ends at the first that is not whole.
pub(super) struct Records<'a>(Reader<'a>);

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(Reader::new(bytes))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (Frame<'a>, usize);

    /// A frame, and the octets of its record.
    fn next(&mut self) -> Option<Self::Item> {
        let reader = &mut self.0;
        let time = i64::from_le_bytes(reader.array()?);
        let wire_len = u32::from_le_bytes(reader.array()?);
        let length = u32::from_le_bytes(reader.array()?);
        let link = u16::from_le_bytes(reader.array()?);
        let vlan = u16::from_le_bytes(reader.array()?);
        if length > FRAME_BYTES_MAX {
            return None;
        }
        let length = usize::try_from(length).ok()?;
        let frame = Frame {
            time: Nanos(time),
            number: 0,
            link: LinkType(link),
            wire_len,
            bytes: reader.take(length)?,
            vlan: (vlan != NO_VLAN).then_some(vlan),
        };
        Some((frame, HEAD_BYTES + length))
    }
}
