//! Sums of what chatty protocols repeat: controllers are polled every second for years.
//!
//! Enters: what was done, by group. Leaves: the first of each group at once, then what came since,
//! every [`SUMMARY_MS`] of packet time and at the end. Refuses: more than [`GROUPS_MAX`] groups of
//! one flow: what does not fit is summed under one group (`tally-groups-limit`).
//! Source: `DESIGN.md` section 4, wire (bounded memory).

use std::collections::BTreeMap;

use model::Nanos;

use super::Context;

/// Most groups of one flow.
pub(super) const GROUPS_MAX: usize = 64;
/// How long what repeats is summed.
pub(super) const SUMMARY_MS: i64 = 60_000;

/// Sums by group.
pub(super) struct Tally<K, V> {
    groups: BTreeMap<K, Group<V>>,
    other: K,
    next: Option<Nanos>,
}

struct Group<V> {
    /// Time of the first since the last event of this group; `None` when nothing came since.
    time: Option<Nanos>,
    sum: V,
}

impl<K: Ord + Clone, V: Default> Tally<K, V> {
    /// No groups yet; `other` stands for those that find no room.
    pub(super) const fn new(other: K) -> Self {
        Self {
            groups: BTreeMap::new(),
            other,
            next: None,
        }
    }

    /// Adds to a group; returns what an event should say at once when the group is new.
    pub(super) fn add(
        &mut self,
        key: &K,
        time: Nanos,
        cx: &mut Context<'_>,
        add: impl FnOnce(&mut V),
    ) -> Option<(Nanos, V)> {
        let fits = self.groups.len() < GROUPS_MAX || self.groups.contains_key(key);
        if !fits {
            cx.anomaly("tally-groups-limit");
        }
        let key = if fits { key } else { &self.other };
        if let Some(group) = self.groups.get_mut(key) {
            group.time.get_or_insert(time);
            add(&mut group.sum);
            return None;
        }
        let mut sum = V::default();
        add(&mut sum);
        let empty = Group {
            time: None,
            sum: V::default(),
        };
        self.groups.insert(key.clone(), empty);
        Some((time, sum))
    }

    /// What came since the last time, once the period is over.
    pub(super) fn due(&mut self, now: Nanos) -> Vec<(K, Nanos, V)> {
        let next = *self.next.get_or_insert_with(|| now.plus_ms(SUMMARY_MS));
        if now < next {
            return Vec::new();
        }
        self.next = Some(now.plus_ms(SUMMARY_MS));
        self.take()
    }

    /// What came since the last time.
    pub(super) fn take(&mut self) -> Vec<(K, Nanos, V)> {
        let mut out = Vec::new();
        for (key, group) in &mut self.groups {
            if let Some(time) = group.time.take() {
                out.push((key.clone(), time, std::mem::take(&mut group.sum)));
            }
        }
        out
    }

    /// Heap bytes held, estimated.
    pub(super) fn heap_bytes(&self) -> usize {
        self.groups.len() * (size_of::<K>() + size_of::<Group<V>>() + 32)
    }
}
