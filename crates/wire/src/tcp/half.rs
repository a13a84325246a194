//! One direction of a TCP connection: sequence tracking and reassembly.
//!
//! Enters: pieces of the stream in any order. Leaves: bytes in order, gaps. In order nothing is
//! copied. Refuses: to hold more than [`HELD_BYTES_MAX`] bytes; then the hole is skipped. A piece
//! farther than [`FAR`] from what is expected is ignored, unless [`FAR_MAX`] come in a row: then
//! the stream goes on there. Source: RFC 9293 section 3.4 (arithmetic modulo 2^32).

use model::Nanos;

use super::Stream;
use crate::protocol::Side;
use crate::runs::Runs;

/// Most bytes held back on one side, with what they cost.
const HELD_BYTES_MAX: usize = 256 * 1024;
/// Largest distance from the expected sequence number that is believed at once.
const FAR: u32 = 1 << 26;
/// Far pieces in a row after which the stream goes on at the last of them.
const FAR_MAX: u8 = 3;
/// Packets after the receiver acknowledged beyond a hole until it is skipped: captures may show the
/// two sides slightly out of order.
const PATIENCE: u8 = 3;
/// A hole older than this is skipped.
const HOLE_NS_MAX: u64 = 10_000_000_000;

/// Sequence state of one direction.
#[derive(Default)]
pub(crate) struct Half {
    /// Next octet expected.
    next: u32,
    /// First octet after the stream.
    fin: u32,
    /// Highest acknowledgement of the other side.
    acked: u32,
    bits: u8,
    far: u8,
    held: Option<Box<Held>>,
}

struct Held {
    runs: Runs,
    since: Nanos,
    patience: u8,
}

/// A piece of a stream.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    /// Sequence number of its first octet.
    pub(crate) seq: u32,
    /// Octets captured.
    pub(crate) bytes: &'a [u8],
    /// Octets on the wire.
    pub(crate) len: u32,
}

const KNOWN: u8 = 1;
const FIN_SEEN: u8 = 2;
const ACK_SEEN: u8 = 4;
const OPENED: u8 = 8;

impl Half {
    /// True once a sequence number was seen.
    pub(crate) const fn is_known(&self) -> bool {
        self.bits & KNOWN != 0
    }

    /// True once FIN was seen.
    pub(crate) const fn has_fin(&self) -> bool {
        self.bits & FIN_SEEN != 0
    }

    /// True when every octet up to FIN came.
    pub(crate) const fn is_over(&self) -> bool {
        self.has_fin() && self.held.is_none() && before_or_at(self.fin, self.next)
    }

    /// True when this sequence number is too far from what is expected.
    pub(crate) const fn is_far(&self, seq: u32) -> bool {
        let ahead = seq.wrapping_sub(self.next);
        ahead > FAR && ahead.wrapping_neg() > FAR
    }

    /// SYN with this sequence number.
    pub(crate) const fn open(&mut self, seq: u32) {
        if !self.is_known() {
            self.next = seq.wrapping_add(1);
            self.fin = seq;
            self.bits |= KNOWN | OPENED;
        }
    }

    /// True when this side's SYN had this sequence number. Until FIN, `fin` keeps it.
    pub(crate) const fn opened_at(&self, seq: u32) -> bool {
        self.bits & OPENED != 0 && !self.has_fin() && self.fin == seq
    }

    /// A segment without payload: its number is what comes next.
    #[inline]
    pub(crate) const fn see(&mut self, seq: u32) {
        if !self.is_known() {
            self.next = seq;
            self.bits |= KNOWN;
        }
    }

    /// FIN after octet `end`.
    pub(crate) const fn fin(&mut self, end: u32) {
        if !self.is_far(end) {
            self.fin = end;
            self.bits |= FIN_SEEN;
        }
    }

    /// The other side acknowledged everything before `ack`.
    #[inline]
    pub(crate) fn acked<S: Stream>(&mut self, side: Side, ack: u32, now: Nanos, out: &mut S) {
        if self.bits & ACK_SEEN == 0 || before_or_at(self.acked, ack) {
            self.acked = ack;
            self.bits |= ACK_SEEN;
        }
        if self.held.is_some() {
            self.lose_patience(side, now, out);
        }
    }

    /// A piece of the stream came.
    #[inline]
    pub(crate) fn piece<S: Stream>(
        &mut self,
        side: Side,
        piece: &Piece<'_>,
        now: Nanos,
        out: &mut S,
    ) {
        self.see(piece.seq);
        if piece.seq == self.next && self.held.is_none() {
            self.far = 0;
            return self.deliver(side, piece.bytes, piece.len, out);
        }
        self.disorder(side, piece, now, out);
    }

    /// Lets out what is held; what lacks before FIN is a gap.
    pub(crate) fn finish<S: Stream>(&mut self, side: Side, out: &mut S) {
        while self.held.is_some() {
            self.skip_hole(side, out);
        }
        let missing = self.fin.wrapping_sub(self.next);
        if self.has_fin() && missing > 0 && missing < FAR {
            self.next = self.fin;
            out.gap(side, u64::from(missing));
        }
    }

    /// Bytes held back, with what they cost.
    pub(crate) fn heap_bytes(&self) -> usize {
        let held = self.held.as_ref();
        held.map_or(0, |held| size_of::<Held>() + held.runs.cost())
    }

    /// Hands bytes on; those that were not captured are a gap.
    #[inline]
    fn deliver<S: Stream>(&mut self, side: Side, bytes: &[u8], len: u32, out: &mut S) {
        self.next = self.next.wrapping_add(len);
        if !bytes.is_empty() {
            out.bytes(side, bytes);
        }
        let missing = u64::from(len).saturating_sub(u64::try_from(bytes.len()).unwrap_or(0));
        if missing > 0 {
            out.gap(side, missing);
        }
    }

    /// A piece that is not the next one, or that comes while others are held.
    fn disorder<S: Stream>(&mut self, side: Side, piece: &Piece<'_>, now: Nanos, out: &mut S) {
        if self.is_far(piece.seq) {
            return self.far_piece(side, piece, out);
        }
        self.far = 0;
        let mut piece = *piece;
        let behind = self.next.wrapping_sub(piece.seq);
        if behind <= FAR && behind > 0 {
            out.repeated(behind.min(piece.len));
            if behind >= piece.len {
                return;
            }
            let cut = usize::try_from(behind).unwrap_or(usize::MAX);
            piece = Piece {
                seq: self.next,
                bytes: piece.bytes.get(cut..).unwrap_or(&[]),
                len: piece.len - behind,
            };
        }
        if !out.wanted() {
            self.held = None;
            self.next = piece.seq.wrapping_add(piece.len);
            return;
        }
        if piece.seq == self.next && self.held.is_none() {
            return self.deliver(side, piece.bytes, piece.len, out);
        }
        self.hold(side, &piece, now, out);
    }

    /// Keeps a piece until what precedes it came, or lets out what it completes.
    fn hold<S: Stream>(&mut self, side: Side, piece: &Piece<'_>, now: Nanos, out: &mut S) {
        let held = self.held.get_or_insert_with(|| {
            Box::new(Held {
                runs: Runs::default(),
                since: now,
                patience: 0,
            })
        });
        let done = held.runs.insert(self.next, piece.seq, piece.bytes);
        out.repeated(u32::try_from(done.overlap).unwrap_or(u32::MAX));
        if done.differs {
            out.anomaly("tcp-overlap-differs");
        }
        if done.refused {
            out.anomaly("tcp-reassembly-runs-limit");
        }
        self.drain(side, out);
        let full = |half: &Self| {
            let held = half.held.as_ref();
            held.is_some_and(|held| done.refused || held.runs.cost() > HELD_BYTES_MAX)
        };
        if full(self) {
            out.anomaly("tcp-reassembly-limit");
            self.skip_hole(side, out);
        }
        if self.held.is_some() {
            self.lose_patience(side, now, out);
        }
    }

    /// Counts the packets since the receiver acknowledged beyond the hole; skips a hopeless hole.
    fn lose_patience<S: Stream>(&mut self, side: Side, now: Nanos, out: &mut S) {
        let Some(held) = &mut self.held else {
            return;
        };
        let beyond = held.runs.first().unwrap_or(self.next);
        if self.bits & ACK_SEEN != 0 && before_or_at(beyond, self.acked) {
            held.patience = held.patience.saturating_add(1);
        }
        if held.patience >= PATIENCE || now.since(held.since) > HOLE_NS_MAX {
            held.patience = 0;
            held.since = now;
            self.skip_hole(side, out);
        }
    }

    /// Gives the octets before the first run up, and lets that run out.
    fn skip_hole<S: Stream>(&mut self, side: Side, out: &mut S) {
        if let Some(first) = self.held.as_ref().and_then(|held| held.runs.first()) {
            let missing = first.wrapping_sub(self.next);
            self.next = first;
            if missing > 0 {
                out.gap(side, u64::from(missing));
            }
        }
        self.drain(side, out);
    }

    /// Lets out the runs that are next.
    fn drain<S: Stream>(&mut self, side: Side, out: &mut S) {
        let Some(mut held) = self.held.take() else {
            return;
        };
        let mut moved = false;
        while let Some(run) = held.runs.pop_at(self.next) {
            let len = u32::try_from(run.len()).unwrap_or(u32::MAX);
            self.deliver(side, &run, len, out);
            moved = true;
        }
        if held.runs.is_empty() {
            return;
        }
        if moved {
            held.patience = 0;
        }
        self.held = Some(held);
    }

    /// A piece far from what is expected: believed only when others follow it.
    fn far_piece<S: Stream>(&mut self, side: Side, piece: &Piece<'_>, out: &mut S) {
        out.anomaly("tcp-sequence-far");
        self.far += 1;
        if self.far < FAR_MAX {
            return;
        }
        self.far = 0;
        self.held = None;
        self.next = piece.seq;
        // How much is missing is unknown: at least one octet.
        out.gap(side, 1);
        self.deliver(side, piece.bytes, piece.len, out);
    }
}

/// True when `a` does not come after `b`, modulo 2^32.
const fn before_or_at(a: u32, b: u32) -> bool {
    b.wrapping_sub(a) < 1 << 31
}
