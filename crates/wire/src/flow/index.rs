//! The flow table's index: open addressing with linear probing over 8-octet slots.
//!
//! Enters: 32 bits of a hash and a flow's number. Leaves: candidates to compare. Refuses: nothing;
//! it doubles at 3/4 full, so growth is bounded by the number of flows. Removal shifts back, so
//! that there are no tombstones. Source: Knuth, The Art of Computer Programming 3, 6.4 algorithm R.

/// No flow.
pub(crate) const NONE: u32 = u32::MAX;
/// Slots of an empty index.
const SLOTS_MIN: usize = 1024;

/// From hash to flow number.
pub(crate) struct Index {
    /// Hash in the upper half, number + 1 in the lower; 0 is free.
    slots: Vec<u64>,
    len: usize,
}

impl Index {
    /// An empty index.
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![0; SLOTS_MIN],
            len: 0,
        }
    }

    /// Bytes of state.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    /// The flow with this hash for which `same` says yes.
    #[inline]
    pub(crate) fn find(&self, hash: u32, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash);
        loop {
            let slot = self.slots.get(at).copied()?;
            if slot == 0 {
                return None;
            }
            let (tag, number) = super::key::halves_u64(slot);
            if tag == hash && same(number.wrapping_sub(1)) {
                return Some(number.wrapping_sub(1));
            }
            at = self.next(at);
        }
    }

    /// Adds a flow that is not there.
    pub(crate) fn insert(&mut self, hash: u32, number: u32) {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.len += 1;
        self.place((u64::from(hash) << 32) | (u64::from(number) + 1));
    }

    /// Removes a flow that is there.
    pub(crate) fn remove(&mut self, hash: u32, number: u32) {
        let wanted = (u64::from(hash) << 32) | (u64::from(number) + 1);
        let mut at = self.home(hash);
        loop {
            match self.slots.get(at).copied() {
                None | Some(0) => return,
                Some(slot) if slot == wanted => break,
                Some(_) => at = self.next(at),
            }
        }
        self.len -= 1;
        let mut hole = at;
        loop {
            at = self.next(at);
            let slot = self.slots.get(at).copied().unwrap_or(0);
            if slot == 0 {
                break;
            }
            // A slot moves into the hole when its home does not lie between the hole and itself.
            let (tag, _) = super::key::halves_u64(slot);
            let home = self.home(tag);
            let mask = self.slots.len() - 1;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.set(hole, slot);
                hole = at;
            }
        }
        self.set(hole, 0);
    }

    fn place(&mut self, value: u64) {
        let (tag, _) = super::key::halves_u64(value);
        let mut at = self.home(tag);
        while self.slots.get(at).is_some_and(|slot| *slot != 0) {
            at = self.next(at);
        }
        self.set(at, value);
    }

    fn grow(&mut self) {
        let doubled = vec![0; self.slots.len() * 2];
        for slot in std::mem::replace(&mut self.slots, doubled) {
            if slot != 0 {
                self.place(slot);
            }
        }
    }

    fn set(&mut self, at: usize, value: u64) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = value;
        }
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        usize::try_from(hash).unwrap_or(0) & (self.slots.len() - 1)
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }
}
