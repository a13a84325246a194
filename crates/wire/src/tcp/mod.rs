//! TCP: headers, the connection's state, both streams.
//!
//! Enters: segments with the side that sent them. Leaves: bytes in order, gaps, anomalies, through
//! [`Stream`]. Policy: the first copy of an octet wins; a hole is skipped once the receiver
//! acknowledged what is beyond it, the buffer is full, or it is old. Refuses: headers that are not
//! whole. Source: RFC 9293.

pub(crate) mod half;

use model::Nanos;

use crate::flow::sides::Sides;
use crate::protocol::Side;
use half::{Half, Piece};

/// FIN.
pub(crate) const FIN: u8 = 1;
/// SYN.
pub(crate) const SYN: u8 = 2;
/// RST.
pub(crate) const RST: u8 = 4;
/// ACK.
pub(crate) const ACK: u8 = 16;

/// One segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// Source port.
    pub(crate) src_port: u16,
    /// Destination port.
    pub(crate) dst_port: u16,
    /// Sequence number.
    pub(crate) seq: u32,
    /// Acknowledgement number.
    pub(crate) ack: u32,
    /// Flags, CWR to FIN.
    pub(crate) flags: u8,
    /// Payload that was captured.
    pub(crate) payload: &'a [u8],
    /// Length of the payload on the wire.
    pub(crate) payload_len: u32,
}

impl<'a> Segment<'a> {
    /// Decodes the payload of an IP packet whose length on the wire is `wire_len`.
    #[inline]
    pub(crate) fn decode(bytes: &'a [u8], wire_len: u32) -> Result<Self, &'static str> {
        let Some((head, _)) = bytes.split_first_chunk::<20>() else {
            return Err("tcp-header-short");
        };
        let [
            s0,
            s1,
            d0,
            d1,
            q0,
            q1,
            q2,
            q3,
            a0,
            a1,
            a2,
            a3,
            offset,
            flags,
            ..,
        ] = *head;
        let header = usize::from(offset >> 4) * 4;
        if header < 20 {
            return Err("tcp-header-malformed");
        }
        let header_len = u32::from(offset >> 4) * 4;
        if header_len > wire_len {
            return Err("tcp-header-malformed");
        }
        Ok(Self {
            src_port: u16::from_be_bytes([s0, s1]),
            dst_port: u16::from_be_bytes([d0, d1]),
            seq: u32::from_be_bytes([q0, q1, q2, q3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags,
            payload: bytes.get(header..).unwrap_or(&[]),
            payload_len: wire_len - header_len,
        })
    }

    /// True when any of these flags is set.
    pub(crate) const fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// True for a SYN without ACK.
    pub(crate) const fn is_open(&self) -> bool {
        self.flags & (SYN | ACK | RST | FIN) == SYN
    }
}

/// Where the bytes of both streams go.
pub(crate) trait Stream {
    /// True while anybody wants bytes; otherwise nothing is held for reassembly.
    fn wanted(&self) -> bool;
    /// The next bytes of a side.
    fn bytes(&mut self, side: Side, bytes: &[u8]);
    /// Bytes of a side that never came.
    fn gap(&mut self, side: Side, missing: u64);
    /// Bytes that came again.
    fn repeated(&mut self, n: u32);
    /// An anomaly of this flow.
    fn anomaly(&mut self, code: &'static str);
}

/// Both directions of one connection.
#[derive(Default)]
pub(crate) struct Tcp {
    halves: Sides<Half>,
    /// Flags seen, by side.
    pub(crate) flags: Sides<u8>,
    bits: u8,
}

const SYN_SEEN: u8 = 1;
const ESTABLISHED: u8 = 2;
const RESET: u8 = 4;
const REFUSED: u8 = 8;
const ENDED: u8 = 16;

impl Tcp {
    /// Takes one segment of `side`.
    #[inline]
    pub(crate) fn segment<S: Stream>(
        &mut self,
        side: Side,
        segment: &Segment<'_>,
        now: Nanos,
        out: &mut S,
    ) {
        *self.flags.of_mut(side) |= segment.flags;
        if segment.has(SYN | RST) {
            self.control(side, segment, out);
        } else if side == Side::Client || segment.payload_len > 0 {
            self.bits |= ESTABLISHED;
        }
        if segment.has(ACK) {
            let other = side.other();
            self.halves
                .of_mut(other)
                .acked(other, segment.ack, now, out);
        }
        let half = self.halves.of_mut(side);
        let seq = segment.seq.wrapping_add(u32::from(segment.has(SYN)));
        // A reset may carry a text for people (RFC 9293 section 3.5.3): no part of the stream.
        if segment.payload_len > 0 && !segment.has(RST) {
            let piece = Piece {
                seq,
                bytes: segment.payload,
                len: segment.payload_len,
            };
            half.piece(side, &piece, now, out);
        } else if !segment.has(RST) {
            half.see(seq);
        }
        if segment.has(FIN) {
            half.fin(seq.wrapping_add(segment.payload_len));
        }
    }

    /// True for a SYN that begins another connection than this one.
    pub(crate) fn is_new_connection(&self, side: Side, segment: &Segment<'_>) -> bool {
        if !segment.is_open() {
            return false;
        }
        if self.is_closed() || !self.has(SYN_SEEN) {
            return true;
        }
        let half = self.halves.of(side);
        let same = half.is_known() && half.opened_at(segment.seq);
        !same && !self.has(ESTABLISHED)
    }

    /// True when both sides sent FIN, or one sent RST.
    pub(crate) fn is_closed(&self) -> bool {
        self.has(RESET) || (self.halves.client.has_fin() && self.halves.server.has_fin())
    }

    /// True until the handshake is complete; false for connections picked up later.
    pub(crate) const fn is_half_open(&self) -> bool {
        self.bits & (SYN_SEEN | ESTABLISHED) == SYN_SEEN
    }

    /// True when the SYN of this side was seen.
    pub(crate) fn saw_syn(&self, side: Side) -> bool {
        *self.flags.of(side) & SYN != 0
    }

    /// True when RST was seen.
    pub(crate) const fn is_reset(&self) -> bool {
        self.has(RESET)
    }

    /// True when RST answered SYN.
    pub(crate) const fn is_refused(&self) -> bool {
        self.has(REFUSED)
    }

    /// True once, when both streams came to their FIN with nothing held back.
    pub(crate) fn take_end(&mut self) -> bool {
        let over = !self.has(ENDED) && self.halves.client.is_over() && self.halves.server.is_over();
        if over {
            self.bits |= ENDED;
        }
        over
    }

    /// Lets out what is held back, holes as gaps: the flow ends.
    pub(crate) fn finish<S: Stream>(&mut self, out: &mut S) {
        self.halves.client.finish(Side::Client, out);
        self.halves.server.finish(Side::Server, out);
    }

    /// Bytes held back, with what they cost.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.halves.client.heap_bytes() + self.halves.server.heap_bytes()
    }

    const fn has(&self, bit: u8) -> bool {
        self.bits & bit != 0
    }

    /// SYN and RST.
    fn control<S: Stream>(&mut self, side: Side, segment: &Segment<'_>, out: &mut S) {
        if segment.has(RST) {
            let half = self.halves.of(side);
            if half.is_known() && half.is_far(segment.seq) && segment.seq != 0 {
                out.anomaly("tcp-reset-out-of-window");
                return;
            }
            let server = &self.flags.server;
            if side == Side::Server && self.is_half_open() && server & SYN == 0 {
                self.bits |= REFUSED;
            }
            self.bits |= RESET;
            return;
        }
        let half = self.halves.of(side);
        if half.is_known() && !half.opened_at(segment.seq) {
            out.anomaly("tcp-syn-again");
            return;
        }
        self.bits |= SYN_SEEN;
        self.halves.of_mut(side).open(segment.seq);
    }
}

#[cfg(test)]
mod tests;
