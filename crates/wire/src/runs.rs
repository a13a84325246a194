//! Byte runs that arrived before what precedes them: of a TCP stream or of a fragmented datagram.
//!
//! Enters: pieces at sequence positions. Leaves: whole runs in order. Policy: the first copy of an
//! octet wins; a later copy that differs is reported. Refuses: more than [`RUNS_MAX`] separate runs
//! and more bytes than the caller allows. Source: RFC 9293 section 3.4 (sequence arithmetic).

use std::collections::VecDeque;

/// Most separate runs (holes) of one buffer; bounds the search of an insertion.
pub(crate) const RUNS_MAX: usize = 128;
/// What a run costs besides its octets: its entry and the allocator's header.
const RUN_COST: usize = 48;

/// Non-overlapping runs in ascending order after a base position.
#[derive(Default)]
pub(crate) struct Runs {
    runs: VecDeque<Run>,
    cost: usize,
}

struct Run {
    at: u32,
    bytes: Vec<u8>,
}

/// What an insertion met.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Octets that were there already.
    pub(crate) overlap: usize,
    /// True when some of them differed; the first copy stays.
    pub(crate) differs: bool,
    /// True when [`RUNS_MAX`] kept octets out.
    pub(crate) refused: bool,
}

impl Run {
    fn len(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }
}

impl Runs {
    /// True when nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Bytes that this buffer costs, allocator included.
    pub(crate) fn cost(&self) -> usize {
        self.cost + self.runs.capacity() * size_of::<Run>()
    }

    /// Position of the first octet held.
    pub(crate) fn first(&self) -> Option<u32> {
        self.runs.front().map(|run| run.at)
    }

    /// Takes the first run when it starts at `base`.
    pub(crate) fn pop_at(&mut self, base: u32) -> Option<Vec<u8>> {
        if self.first() != Some(base) {
            return None;
        }
        let run = self.runs.pop_front()?;
        self.cost = self.cost.saturating_sub(run.bytes.capacity() + RUN_COST);
        Some(run.bytes)
    }

    /// Octets held without a hole from `base` on.
    pub(crate) fn contiguous(&self, base: u32) -> u32 {
        let mut end = base;
        for run in &self.runs {
            if run.at != end {
                break;
            }
            end = end.wrapping_add(run.len());
        }
        end.wrapping_sub(base)
    }

    /// Inserts `bytes` at `at`, which must not lie before `base`; held octets win.
    pub(crate) fn insert(&mut self, base: u32, at: u32, bytes: &[u8]) -> Inserted {
        let mut out = Inserted::default();
        let mut offset = at.wrapping_sub(base);
        let mut rest = bytes;
        let mut index = self.runs.len();
        while index > 0 && self.end(index - 1, base) > u64::from(offset) {
            index -= 1;
        }
        while !rest.is_empty() {
            let room = self.room(index, base, offset);
            if room == Some(0) {
                let n = self.compare(index, base, offset, rest, &mut out);
                rest = rest.get(n..).unwrap_or(&[]);
                offset = offset.wrapping_add(u32::try_from(n).unwrap_or(u32::MAX));
                index += 1;
                continue;
            }
            let n = room.map_or(rest.len(), |room| rest.len().min(room));
            let (piece, later) = rest.split_at(n);
            match self.put(index, base.wrapping_add(offset), piece) {
                Some(next) => index = next,
                None => out.refused = true,
            }
            rest = later;
            offset = offset.wrapping_add(u32::try_from(n).unwrap_or(u32::MAX));
        }
        out
    }

    /// End of run `index`, relative to `base`.
    fn end(&self, index: usize, base: u32) -> u64 {
        self.runs.get(index).map_or(0, |run| {
            u64::from(run.at.wrapping_sub(base)) + u64::from(run.len())
        })
    }

    /// Free octets from `offset` to run `index`; `None` when there is no such run.
    fn room(&self, index: usize, base: u32, offset: u32) -> Option<usize> {
        let start = self.runs.get(index)?.at.wrapping_sub(base);
        Some(usize::try_from(start.saturating_sub(offset)).unwrap_or(usize::MAX))
    }

    /// Compares `rest` with run `index` where they overlap; returns the length of the overlap.
    fn compare(
        &self,
        index: usize,
        base: u32,
        offset: u32,
        rest: &[u8],
        out: &mut Inserted,
    ) -> usize {
        let Some(run) = self.runs.get(index) else {
            return rest.len();
        };
        let skip = offset.wrapping_sub(run.at.wrapping_sub(base));
        let held = run
            .bytes
            .get(usize::try_from(skip).unwrap_or(usize::MAX)..)
            .unwrap_or(&[]);
        let n = held.len().min(rest.len());
        out.overlap += n;
        out.differs |= held.get(..n) != rest.get(..n);
        n
    }

    /// Adds a piece before run `index`, to the end of the run before it when they touch; returns
    /// the index of the run after the piece, `None` when the piece was refused.
    fn put(&mut self, index: usize, at: u32, piece: &[u8]) -> Option<usize> {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.runs.get_mut(before));
        if let Some(run) = before
            && run.at.wrapping_add(run.len()) == at
        {
            let was = run.bytes.capacity();
            run.bytes.extend_from_slice(piece);
            self.cost += run.bytes.capacity() - was;
            return Some(index);
        }
        if self.runs.len() >= RUNS_MAX {
            return None;
        }
        let bytes = piece.to_vec();
        self.cost += bytes.capacity() + RUN_COST;
        self.runs.insert(index, Run { at, bytes });
        Some(index + 1)
    }
}

#[cfg(test)]
mod tests;
