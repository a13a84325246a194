//! The timer wheel: which flows to look at, second by second of packet time.
//!
//! Enters: flow numbers with the second of their deadline. Leaves: the flows of seconds that
//! passed; a flow whose deadline moved is put back, so that a packet costs no timer work. Refuses:
//! nothing; deadlines beyond the wheel's turn wait in its last slot. Source: Varghese and Lauck,
//! 1987.

use super::index::NONE;

/// Slots, one per second.
pub(crate) const SLOTS: usize = 1024;

/// A hashed wheel with lists linked through a table parallel to the flows.
pub(crate) struct Wheel {
    heads: Vec<u32>,
    links: Vec<Link>,
    /// The second up to which slots were emptied.
    now: i64,
}

#[derive(Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
    slot: u32,
}

const FREE: Link = Link {
    prev: NONE,
    next: NONE,
    slot: NONE,
};

impl Wheel {
    /// An empty wheel.
    pub(crate) fn new() -> Self {
        Self {
            heads: vec![NONE; SLOTS],
            links: Vec::new(),
            now: 0,
        }
    }

    /// Bytes of state.
    pub(crate) fn bytes(&self) -> usize {
        self.heads.capacity() * size_of::<u32>() + self.links.capacity() * size_of::<Link>()
    }

    /// The second up to which slots were emptied.
    pub(crate) const fn now(&self) -> i64 {
        self.now
    }

    /// Puts an empty wheel at a second.
    pub(crate) const fn set(&mut self, second: i64) {
        self.now = second;
    }

    /// Adds flow `number`, to be looked at in second `deadline` or when the wheel's turn ends.
    pub(crate) fn add(&mut self, number: u32, deadline: i64) {
        let turn = i64::try_from(SLOTS).unwrap_or(i64::MAX);
        let last = self.now.saturating_add(turn - 1);
        let second = deadline.clamp(self.now.saturating_add(1), last);
        let slot = u32::try_from(second.rem_euclid(turn)).unwrap_or(0);
        let at = to_usize(number);
        if self.links.len() <= at {
            self.links.resize(at + 1, FREE);
        }
        let next = self.head(slot);
        self.put(
            number,
            Link {
                prev: NONE,
                next,
                slot,
            },
        );
        if let Some(link) = self.links.get_mut(to_usize(next)) {
            link.prev = number;
        }
        self.set_head(slot, number);
    }

    /// Takes flow `number` out.
    pub(crate) fn remove(&mut self, number: u32) {
        let Some(&link) = self.links.get(to_usize(number)) else {
            return;
        };
        if link.slot == NONE {
            return;
        }
        if link.prev == NONE {
            self.set_head(link.slot, link.next);
        } else if let Some(prev) = self.links.get_mut(to_usize(link.prev)) {
            prev.next = link.next;
        }
        if let Some(next) = self.links.get_mut(to_usize(link.next)) {
            next.prev = link.prev;
        }
        self.put(number, FREE);
    }

    /// Moves to the next second that is not after `second` and empties its slot into `due`; false
    /// when the wheel is there. Seconds before the last turn are passed over.
    pub(crate) fn step(&mut self, second: i64, due: &mut Vec<u32>) -> bool {
        if self.now >= second {
            return false;
        }
        let turn = i64::try_from(SLOTS).unwrap_or(i64::MAX);
        self.now = self.now.max(second.saturating_sub(turn)).saturating_add(1);
        let slot = u32::try_from(self.now.rem_euclid(turn)).unwrap_or(0);
        let mut number = self.head(slot);
        self.set_head(slot, NONE);
        while let Some(link) = self.links.get_mut(to_usize(number)) {
            due.push(number);
            let next = link.next;
            *link = FREE;
            number = next;
        }
        true
    }

    fn head(&self, slot: u32) -> u32 {
        self.heads.get(to_usize(slot)).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, slot: u32, number: u32) {
        if let Some(head) = self.heads.get_mut(to_usize(slot)) {
            *head = number;
        }
    }

    fn put(&mut self, number: u32, link: Link) {
        if let Some(slot) = self.links.get_mut(to_usize(number)) {
            *slot = link;
        }
    }
}

/// A flow number as an index; [`NONE`] is beyond every table.
pub(crate) fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
