//! What an encrypted connection is used for, by the sizes of its turns.
//!
//! Enters: octets of either side after the new keys. Leaves: facts of the flow: turns, octets, and
//! whether they look like typing or like a transfer. A turn is what a side sends until the other
//! one answers, so that it does not matter how the stream was cut. Refuses: connections too short
//! to tell: less than [`TURNS_MIN`] turns and [`BYTES_MIN`] octets. It is a guess and says so.
//! Source: RFC 4253 section 6 (a key pressed makes one packet of at most some hundred octets).

use model::Text;
use model::fact::Facts;

use crate::protocol::Side;

/// Turns below which, with few octets, nothing is said.
const TURNS_MIN: u64 = 6;
/// Octets below which, with few turns, nothing is said.
const BYTES_MIN: u64 = 8 * 1024;
/// A client's turn that may be a key pressed.
const SMALL_BYTES_MAX: u64 = 160;
/// A client's turns from which on typing is thought of.
const TYPING_TURNS_MIN: u64 = 16;
/// Octets from which on a transfer is thought of.
const TRANSFER_BYTES_MIN: u64 = 64 * 1024;
/// How many times more the sender of a transfer sends.
const TRANSFER_RATIO: u64 = 4;

/// Turns of both sides, summed.
#[derive(Default)]
pub(super) struct Turns {
    last: Option<Side>,
    /// Octets of the turn under way.
    now: u64,
    turns: [u64; 2],
    bytes: [u64; 2],
    small: u64,
}

impl Turns {
    /// Counts octets of a side.
    pub(super) fn add(&mut self, side: Side, len: usize) {
        if len == 0 {
            return;
        }
        if self.last != Some(side) {
            self.close();
            self.last = Some(side);
        }
        self.now = self
            .now
            .saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
    }

    fn close(&mut self) {
        let now = std::mem::take(&mut self.now);
        let Some(side) = self.last.take() else {
            return;
        };
        self.small += u64::from(side == Side::Client && now <= SMALL_BYTES_MAX);
        if let Some(turns) = self.turns.get_mut(side.index()) {
            *turns += 1;
        }
        if let Some(bytes) = self.bytes.get_mut(side.index()) {
            *bytes = bytes.saturating_add(now);
        }
    }

    /// The facts; none for a connection too short to tell.
    pub(super) fn tell(&mut self) -> Vec<Text> {
        self.close();
        let [turns_out, turns_in] = self.turns;
        let [out, back] = self.bytes;
        if turns_out + turns_in < TURNS_MIN && out.saturating_add(back) < BYTES_MIN {
            return Vec::new();
        }
        let typing = turns_out >= TYPING_TURNS_MIN && self.small * 10 >= turns_out * 8;
        let transfer =
            |sent: u64, other: u64| sent >= TRANSFER_BYTES_MIN && sent / TRANSFER_RATIO >= other;
        let looks = if transfer(out, back) {
            "transfer_out"
        } else if transfer(back, out) && !typing {
            "transfer_in"
        } else if typing {
            "interactive"
        } else {
            "other"
        };
        let mut facts = Facts::of("ssh");
        facts.add("looks_like", looks);
        facts.add("turns_out", turns_out).add("turns_in", turns_in);
        facts.add("bytes_out", out).add("bytes_in", back);
        facts.add("small_turns_out", self.small);
        facts.take()
    }
}

#[cfg(test)]
mod tests;
