//! The block-structured capture format.
//!
//! Enters: a stream at its first octet. Leaves: cuts of the stream, one per packet block. Refuses:
//! blocks over [`BLOCK_BYTES_MAX`], frames over [`FRAME_BYTES_MAX`], more than [`INTERFACES_MAX`]
//! interfaces a section, more than [`OPTIONS_MAX`] options a block. A malformed block whose length
//! leads to another block is skipped and counted. Blocks without frames are skipped unread, but
//! for the secrets of TLS.
//! Source: draft-ietf-opsawg-pcapng; the obsolete packet block from its appendix.

use std::sync::Arc;

use model::Nanos;
use wire::{Growing, KeyLog, LinkType};

use super::error::{CaptureError, Damage};
use super::stream::{BUFFER_BYTES, Stream};
use super::{Cut, FRAME_BYTES_MAX, Order};
use crate::link;

/// A block-structured capture after its first section header.
pub(super) struct PcapNg {
    order: Order,
    /// `None` stands for a malformed description, so that the numbers of the others hold.
    interfaces: Vec<Option<Interface>>,
    /// The latest time seen: simple packet blocks have none.
    time: Nanos,
    /// A block whose two lengths differ began here; whether the first one is right shows next.
    suspect: Option<u64>,
    /// Who wants the TLS secrets that stand in the file.
    pub(super) secrets: Option<Arc<Growing>>,
    pub(super) skipped_blocks: u64,
    pub(super) damaged_blocks: u64,
    pub(super) first_damage: Option<(u64, Damage)>,
}

#[derive(Clone, Copy)]
struct Interface {
    link: LinkType,
    /// Most octets of a frame; 0 is no limit.
    snap_bytes: u32,
    unit: Unit,
    offset_ns: i64,
}

/// The unit of an interface's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Nanoseconds of one unit.
    Many(u64),
    /// Units of one nanosecond.
    Few(u64),
    /// Seconds divided by two to this.
    Binary(u8),
}

/// What a block turned out to be.
enum Block {
    Frame(Cut),
    Section,
    Interface,
    Secrets,
    Other,
}

impl PcapNg {
    /// A reader before the first section header, which `next` reads as any other block.
    pub(super) const fn new() -> Self {
        Self {
            order: Order::Little,
            interfaces: Vec::new(),
            time: Nanos(0),
            suspect: None,
            secrets: None,
            skipped_blocks: 0,
            damaged_blocks: 0,
            first_damage: None,
        }
    }

    /// The next packet block; `None` at the sound end.
    pub(super) fn next(&mut self, stream: &mut Stream) -> Result<Option<Cut>, CaptureError> {
        loop {
            if !stream.need(BLOCK_BYTES_MIN) {
                if stream.ended_here() {
                    self.settle();
                    return Ok(None);
                }
                return Err(stream.shortage("block", BLOCK_BYTES_MIN as u64));
            }
            let start = stream.offset();
            let (kind, len) = match self.head(stream.rest()) {
                Ok(head) => head,
                Err(damage) => {
                    return Err(match self.suspect.take() {
                        Some(suspect) => stream.broken(suspect, LENGTHS_DIFFER),
                        None => stream.broken(start, damage),
                    });
                }
            };
            if self.suspect.is_some() && !KNOWN_KINDS.contains(&kind) {
                return Err(stream.broken(self.suspect.take().unwrap_or(start), LENGTHS_DIFFER));
            }
            self.settle();
            if len > BUFFER_BYTES {
                self.skip_large(stream, kind, len as u64)?;
                continue;
            }
            if !stream.need(len) {
                return Err(stream.shortage("block", len as u64));
            }
            let outcome = self.block(kind, len, stream.rest());
            let end = self.order.u32_at(stream.rest(), len.saturating_sub(4)) as usize;
            if end != len {
                self.suspect = Some(start);
            }
            stream.advance(len);
            match outcome {
                Ok(Block::Frame(cut)) => return Ok(Some(cut)),
                Ok(Block::Other) => self.skipped_blocks = self.skipped_blocks.saturating_add(1),
                Ok(Block::Section | Block::Interface | Block::Secrets) => {}
                Err(damage) => self.count(start, damage),
            }
        }
    }

    /// The kind and length of the block at hand; a section header also sets the byte order.
    fn head(&mut self, block: &[u8]) -> Result<(u32, usize), Damage> {
        if block.starts_with(&SECTION.to_be_bytes()) {
            self.order = [Order::Little, Order::Big]
                .into_iter()
                .find(|order| order.u32_at(block, 8) == ORDER_MAGIC)
                .ok_or(Damage::Block("unknown byte order of a section"))?;
        }
        let (kind, len) = (self.order.u32_at(block, 0), self.order.u32_at(block, 4));
        if len > BLOCK_BYTES_MAX || (len as usize) < BLOCK_BYTES_MIN || !len.is_multiple_of(4) {
            return Err(Damage::ImpossibleLength {
                part: "block length",
                length: u64::from(len),
                max: u64::from(BLOCK_BYTES_MAX),
            });
        }
        Ok((kind, len as usize))
    }

    /// Reads one whole block of `len` octets.
    fn block(&mut self, kind: u32, len: usize, block: &[u8]) -> Result<Block, Damage> {
        let body = block.get(8..len.saturating_sub(4)).unwrap_or(&[]);
        match kind {
            ENHANCED_PACKET => {
                if body.len() < 20 {
                    return Err(Damage::Block("packet block too short"));
                }
                let interface = self.order.u32_at(body, 0);
                self.packet(interface, body, len).map(Block::Frame)
            }
            SECTION => {
                // The length of the section is not used: blocks are read one after the other.
                self.interfaces.clear();
                if body.len() < 16 {
                    return Err(Damage::Block("section header too short"));
                }
                Ok(Block::Section)
            }
            INTERFACE => self.describe(body).map(|()| Block::Interface),
            SIMPLE_PACKET => self.simple_packet(body, len).map(Block::Frame),
            OBSOLETE_PACKET => {
                if body.len() < 20 {
                    return Err(Damage::Block("packet block too short"));
                }
                let interface = u32::from(self.order.u16_at(body, 0));
                self.packet(interface, body, len).map(Block::Frame)
            }
            SECRETS => self.learn(body),
            _ => Ok(Block::Other),
        }
    }

    /// Decryption secrets; only those of TLS are of use.
    fn learn(&mut self, body: &[u8]) -> Result<Block, Damage> {
        if body.len() < 8 {
            return Err(Damage::Block("secrets block too short"));
        }
        let wanted = self.order.u32_at(body, 0) == SECRETS_OF_TLS;
        let Some(secrets) = self.secrets.as_ref().filter(|_| wanted) else {
            return Ok(Block::Other);
        };
        let length = self.order.u32_at(body, 4) as usize;
        let Some(log) = body.get(8..).and_then(|rest| rest.get(..length)) else {
            return Err(Damage::Block("secrets longer than their block"));
        };
        let mut found = KeyLog::default();
        found.add(log);
        secrets.add(found);
        Ok(Block::Secrets)
    }

    /// An enhanced or obsolete packet block: both have times and lengths at the same places.
    fn packet(&mut self, interface: u32, body: &[u8], len: usize) -> Result<Cut, Damage> {
        let interface = self.interface(interface)?;
        let high = u64::from(self.order.u32_at(body, 4));
        let low = u64::from(self.order.u32_at(body, 8));
        let time = interface.unit.nanos(high << 32 | low);
        self.time = Nanos(time.saturating_add(interface.offset_ns));
        let frame_bytes = self.order.u32_at(body, 12);
        self.cut(
            interface,
            frame_bytes,
            self.order.u32_at(body, 16),
            body.len(),
            20,
            len,
        )
    }

    fn simple_packet(&mut self, body: &[u8], len: usize) -> Result<Cut, Damage> {
        if body.len() < 4 {
            return Err(Damage::Block("packet block too short"));
        }
        let interface = self.interface(0)?;
        let wire_len = self.order.u32_at(body, 0);
        let snap_bytes = match interface.snap_bytes {
            0 => u32::MAX,
            snap_bytes => snap_bytes,
        };
        let room = u32::try_from(body.len().saturating_sub(4)).unwrap_or(u32::MAX);
        let frame_bytes = wire_len.min(snap_bytes).min(room);
        self.cut(interface, frame_bytes, wire_len, body.len(), 4, len)
    }

    /// The frame of `frame_bytes` that stands `skip` octets into a body of `body_bytes`.
    fn cut(
        &self,
        interface: Interface,
        frame_bytes: u32,
        wire_len: u32,
        body_bytes: usize,
        skip: usize,
        len: usize,
    ) -> Result<Cut, Damage> {
        if frame_bytes > FRAME_BYTES_MAX {
            return Err(Damage::ImpossibleLength {
                part: "frame",
                length: u64::from(frame_bytes),
                max: u64::from(FRAME_BYTES_MAX),
            });
        }
        let frame_bytes = frame_bytes as usize;
        if frame_bytes > body_bytes.saturating_sub(skip) {
            return Err(Damage::Block("frame longer than its block"));
        }
        Ok(Cut {
            time: self.time,
            link: interface.link,
            wire_len,
            len: frame_bytes,
            back: len.saturating_sub(8).saturating_sub(skip),
        })
    }

    fn interface(&self, number: u32) -> Result<Interface, Damage> {
        match self.interfaces.get(number as usize) {
            Some(Some(interface)) => Ok(*interface),
            Some(None) => Err(Damage::Block("frame of a malformed interface")),
            None => Err(Damage::Block("frame of an interface that is not described")),
        }
    }

    /// An interface description.
    fn describe(&mut self, body: &[u8]) -> Result<(), Damage> {
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err(Damage::Block("more than 4096 interfaces in a section"));
        }
        if body.len() < 8 {
            self.interfaces.push(None);
            return Err(Damage::Block("interface description too short"));
        }
        let mut interface = Interface {
            link: link::of_file(self.order.u16_at(body, 0)),
            snap_bytes: self.order.u32_at(body, 4),
            unit: Unit::Many(1_000),
            offset_ns: 0,
        };
        let outcome = self.options(body.get(8..).unwrap_or(&[]), &mut interface);
        self.interfaces.push(Some(interface));
        outcome
    }

    fn options(&self, mut rest: &[u8], interface: &mut Interface) -> Result<(), Damage> {
        for _ in 0..OPTIONS_MAX {
            if rest.len() < 4 {
                return Ok(());
            }
            let (code, len) = (self.order.u16_at(rest, 0), self.order.u16_at(rest, 2));
            let len = usize::from(len);
            let Some(value) = rest.get(4..len.saturating_add(4)) else {
                return Err(Damage::Block("option longer than its block"));
            };
            match (code, value) {
                (OPTION_END, _) => return Ok(()),
                (OPTION_RESOLUTION, [exponent]) => interface.unit = Unit::of(*exponent),
                (OPTION_OFFSET, value) => {
                    if let Ok(octets) = value.try_into() {
                        interface.offset_ns = self.order.i64(octets).saturating_mul(1_000_000_000);
                    }
                }
                _ => {}
            }
            let padded = len.saturating_add(4).next_multiple_of(4);
            rest = rest.get(padded..).unwrap_or(&[]);
        }
        Err(Damage::Block("too many options"))
    }

    /// Skips a block that is longer than the buffer. None that is sound holds a frame.
    fn skip_large(&mut self, stream: &mut Stream, kind: u32, len: u64) -> Result<(), CaptureError> {
        let start = stream.offset();
        if FRAME_KINDS.contains(&kind) {
            let max = BUFFER_BYTES as u64;
            let part = "packet block";
            self.count(
                start,
                Damage::ImpossibleLength {
                    part,
                    length: len,
                    max,
                },
            );
        } else {
            self.skipped_blocks = self.skipped_blocks.saturating_add(1);
        }
        let missing = stream.skip(len);
        if missing > 0 {
            return Err(stream.shortage("block", missing));
        }
        Ok(())
    }

    /// A length that was doubtful led to a block: the damage is confined, and counted.
    fn settle(&mut self) {
        if let Some(start) = self.suspect.take() {
            self.count(start, LENGTHS_DIFFER);
        }
    }

    fn count(&mut self, start: u64, damage: Damage) {
        self.damaged_blocks = self.damaged_blocks.saturating_add(1);
        self.first_damage.get_or_insert((start, damage));
    }
}

impl Unit {
    /// The unit that the option `if_tsresol` announces.
    pub(super) const fn of(octet: u8) -> Self {
        let exponent = octet & 0x7f;
        if octet & 0x80 != 0 {
            return Self::Binary(exponent);
        }
        if exponent <= 9 {
            return Self::Many(10u64.pow(9u32.saturating_sub(exponent as u32)));
        }
        // Beyond 10^-28 a whole counter is less than one nanosecond.
        match 10u64.checked_pow((exponent as u32).saturating_sub(9)) {
            Some(units) => Self::Few(units),
            None => Self::Few(u64::MAX),
        }
    }

    /// `count` units in nanoseconds, at most the end of time.
    #[inline]
    pub(super) fn nanos(self, count: u64) -> i64 {
        let nanos = match self {
            Self::Many(nanos) => count.saturating_mul(nanos),
            Self::Few(units) => count.checked_div(units).unwrap_or(0),
            Self::Binary(exponent) => {
                let nanos = u128::from(count).saturating_mul(1_000_000_000);
                let nanos = nanos.checked_shr(u32::from(exponent)).unwrap_or(0);
                u64::try_from(nanos).unwrap_or(u64::MAX)
            }
        };
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}

const LENGTHS_DIFFER: Damage = Damage::Block("its two lengths differ");
/// Block type of a section header; a palindrome, the same in both byte orders.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
const ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const SECRETS: u32 = 10;
/// Type of secrets: a TLS key log.
const SECRETS_OF_TLS: u32 = 0x544c_534b;
const FRAME_KINDS: &[u32] = &[OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET];
/// Block types that may follow a doubtful length: the standard's, name resolution (4), statistics
/// (5), journal (9), decryption secrets (10) and the custom ones.
const KNOWN_KINDS: &[u32] = &[SECTION, 1, 2, 3, 4, 5, 6, 9, 10, 0x0bad, 0x4000_0bad];
const OPTION_END: u16 = 0;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
/// Octets of a block without a body.
const BLOCK_BYTES_MIN: usize = 12;
/// Longest block, 16 MiB: the limit of Wireshark.
const BLOCK_BYTES_MAX: u32 = 16 << 20;
/// Most interfaces of one section.
const INTERFACES_MAX: usize = 4096;
/// Most options of one block.
const OPTIONS_MAX: usize = 256;
