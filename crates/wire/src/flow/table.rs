//! The flow table: slab, index and wheel in one.
//!
//! Enters: keys and new flows. Leaves: flows by number. Refuses: nothing by itself; the worker
//! keeps it within the budget with [`Flows::bytes`]. The slab grows by chunks and never moves a
//! flow.
//! Source: `DESIGN.md` section 4, wire.

use super::index::Index;
use super::key::{Key, halves_u64};
use super::record::Flow;
use super::wheel::{Wheel, to_usize};

/// Flows of one chunk of the slab.
const CHUNK: usize = 256;
/// What one flow costs at most: its place in slab, index (while it doubles), wheel and free list.
pub(crate) const FLOW_COST: usize = size_of::<Flow>() + 64;

/// Every flow that is alive.
pub(crate) struct Flows {
    chunks: Vec<Vec<Flow>>,
    free: Vec<u32>,
    index: Index,
    /// When to look at which flow.
    pub(crate) wheel: Wheel,
    slots: u32,
    len: usize,
    hand: u32,
    seed: u64,
}

impl Flows {
    /// An empty table whose hash starts from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            index: Index::new(),
            wheel: Wheel::new(),
            slots: 0,
            len: 0,
            hand: 0,
            seed,
        }
    }

    /// Flows alive.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Places of the slab, used or not.
    pub(crate) const fn slots(&self) -> u32 {
        self.slots
    }

    /// Bytes of state, heap of the flows excluded.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Flow>()
            + self.index.bytes()
            + self.wheel.bytes()
            + self.free.capacity() * size_of::<u32>()
    }

    /// The hash that index and removal use.
    #[inline]
    pub(crate) fn hash(&self, key: &Key) -> u32 {
        halves_u64(key.hash(self.seed)).0
    }

    /// The number of the flow with this key.
    #[inline]
    pub(crate) fn find(&self, hash: u32, key: &Key) -> Option<u32> {
        self.index.find(hash, |number| {
            self.flow(number).is_some_and(|f| f.key == *key)
        })
    }

    /// The flow of a number.
    #[inline]
    pub(crate) fn flow(&self, number: u32) -> Option<&Flow> {
        let at = to_usize(number);
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// The flow of a number.
    #[inline]
    pub(crate) fn flow_mut(&mut self, number: u32) -> Option<&mut Flow> {
        let at = to_usize(number);
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }

    /// Adds a flow and returns its number.
    pub(crate) fn insert(&mut self, hash: u32, flow: Flow) -> u32 {
        self.len += 1;
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(place) = self.flow_mut(number) {
                    *place = flow;
                }
                number
            }
            None => self.append(flow),
        };
        self.index.insert(hash, number);
        number
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, number: u32) -> Option<Flow> {
        let place = self.flow_mut(number)?;
        if !place.alive {
            return None;
        }
        let flow = std::mem::take(place);
        let hash = self.hash(&flow.key);
        self.index.remove(hash, number);
        self.wheel.remove(number);
        self.free.push(number);
        self.len -= 1;
        Some(flow)
    }

    /// Turns the hand over at most `look` places and returns the best flow to evict among those
    /// that `may` accepts: half-open ones first, then the one idle for longest.
    pub(crate) fn victim(&mut self, look: usize, may: impl Fn(&Flow) -> bool) -> Option<u32> {
        let mut best: Option<(bool, i64, u32)> = None;
        let mut met = 0;
        for _ in 0..look.min(to_usize(self.slots)) {
            self.hand = if self.hand + 1 >= self.slots {
                0
            } else {
                self.hand + 1
            };
            let number = self.hand;
            let Some(flow) = self.flow(number).filter(|flow| flow.alive && may(flow)) else {
                continue;
            };
            let rank = (!flow.is_half_open(), flow.last.0, number);
            best = Some(best.map_or(rank, |best| best.min(rank)));
            met += 1;
            if met >= VICTIMS_MET {
                break;
            }
        }
        best.map(|(_, _, number)| number)
    }

    fn append(&mut self, flow: Flow) -> u32 {
        let number = self.slots;
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(flow),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(flow);
                self.chunks.push(chunk);
            }
        }
        self.slots += 1;
        number
    }
}

/// Candidates among which a victim is chosen.
const VICTIMS_MET: usize = 8;
