//! How many peers an asset has.
//!
//! Enters: addresses. Leaves: the number of distinct ones: exact up to `PEERS_EXACT_MAX`, then an
//! estimate within about 7 %. Refuses: nothing; at most 1 KiB then 256 bytes.
//! Source: Flajolet et al., HyperLogLog (2007), with linear counting for small numbers.

use std::net::IpAddr;

use model::net::mapped;

use super::limit::PEERS_EXACT_MAX;

/// Registers; the standard error is 1.04 / sqrt(256) = 6.5 %.
const REGISTERS: usize = 256;
/// Bias correction for 256 registers: 0.7213 / (1 + 1.079 / 256).
const ALPHA: f64 = 0.718_273_4;

/// A counter of distinct addresses.
#[derive(Clone, Debug)]
pub(super) enum Peers {
    Exact(Vec<u64>),
    Estimated(Box<[u8; REGISTERS]>),
}

impl Default for Peers {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

/// Mixes an address into 64 even bits (the finaliser of SplitMix64 over both halves).
pub(super) fn hash(ip: IpAddr) -> u64 {
    let value = u128::from_be_bytes(mapped(ip));
    let [high, low] = [value >> 64, value & u128::from(u64::MAX)];
    let [high, low] = [high, low].map(|half| u64::try_from(half).unwrap_or(0));
    mix(mix(high ^ 0x9e37_79b9_7f4a_7c15) ^ low)
}

const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Peers {
    /// Counts one address; true when it is new for certain: while the counter is exact.
    pub(super) fn add(&mut self, ip: IpAddr) -> bool {
        let before = self.exact();
        self.add_hash(hash(ip));
        matches!((before, self.exact()), (Some(before), Some(now)) if now > before)
    }

    fn exact(&self) -> Option<usize> {
        match self {
            Self::Exact(known) => Some(known.len()),
            Self::Estimated(_) => None,
        }
    }

    fn add_hash(&mut self, hash: u64) {
        match self {
            Self::Exact(known) => {
                if let Err(at) = known.binary_search(&hash) {
                    known.insert(at, hash);
                }
                if known.len() > PEERS_EXACT_MAX {
                    let all = std::mem::take(known);
                    *self = Self::Estimated(Box::new([0; REGISTERS]));
                    all.into_iter().for_each(|hash| self.add_hash(hash));
                }
            }
            Self::Estimated(registers) => {
                let register = usize::try_from(hash >> 56).unwrap_or(0);
                let rank = u8::try_from((hash << 8).leading_zeros().min(56) + 1).unwrap_or(57);
                if let Some(slot) = registers.get_mut(register) {
                    *slot = rank.max(*slot);
                }
            }
        }
    }

    /// Counts what another counter counted.
    pub(super) fn absorb(&mut self, other: Self) {
        match other {
            Self::Exact(known) => known.into_iter().for_each(|hash| self.add_hash(hash)),
            Self::Estimated(theirs) => {
                if let Self::Exact(known) = self {
                    let all = std::mem::take(known);
                    *self = Self::Estimated(Box::new([0; REGISTERS]));
                    all.into_iter().for_each(|hash| self.add_hash(hash));
                }
                if let Self::Estimated(ours) = self {
                    let pairs = ours.iter_mut().zip(theirs.iter());
                    pairs.for_each(|(ours, theirs)| *ours = (*ours).max(*theirs));
                }
            }
        }
    }

    /// Distinct addresses counted.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Exact(known) => known.len() as u64,
            Self::Estimated(registers) => estimate(registers),
        }
    }
}

fn estimate(registers: &[u8; REGISTERS]) -> u64 {
    let size = 256.0;
    let sum: f64 = registers.iter().map(|r| 0.5f64.powi(i32::from(*r))).sum();
    let raw = ALPHA * size * size / sum;
    let empty = registers.iter().filter(|r| **r == 0).count();
    let estimate = match u32::try_from(empty) {
        Ok(empty) if empty > 0 && raw <= 2.5 * size => size * (size / f64::from(empty)).ln(),
        _ => raw,
    };
    rounded(estimate)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate is positive and far below 2^53"
)]
fn rounded(estimate: f64) -> u64 {
    estimate.round() as u64
}
