//! Identities that the store has: per node, ranges of sequences.
//!
//! Enters: identities. Leaves: whether one is new, known, or must be looked up. Refuses: more than
//! [`RANGES_MAX`] exact ranges a node: the oldest half is blurred into one span, inside which only
//! the rows themselves can tell. Source: `facts/store.md` section 6 (kept as ranges, not per row).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most exact ranges that one node keeps.
pub(crate) const RANGES_MAX: usize = 65_536;

/// Sequences of one node, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Range {
    /// Node.
    pub node: u32,
    /// First sequence.
    pub from: u64,
    /// Last sequence.
    pub to: u64,
    /// True when some sequences inside may be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blurred: bool,
}

/// What is known of one identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Never seen.
    New,
    /// Seen.
    Yes,
    /// Perhaps: ask the rows.
    Perhaps,
}

/// All identities seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    nodes: BTreeMap<u32, Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    exact: BTreeMap<u64, u64>,
    blurred: Option<(u64, u64)>,
}

impl Seen {
    /// What is known of this identity.
    #[must_use]
    pub fn known(&self, node: u32, seq: u64) -> Known {
        let Some(node) = self.nodes.get(&node) else {
            return Known::New;
        };
        if node
            .exact
            .range(..=seq)
            .next_back()
            .is_some_and(|(_, to)| seq <= *to)
        {
            return Known::Yes;
        }
        match node.blurred {
            Some((from, to)) if (from..=to).contains(&seq) => Known::Perhaps,
            _ => Known::New,
        }
    }

    /// True when no identity of the range was ever seen, for certain.
    #[must_use]
    pub fn is_clear(&self, range: &Range) -> bool {
        let Some(node) = self.nodes.get(&range.node) else {
            return true;
        };
        let below = node.exact.range(..=range.to).next_back();
        below.is_none_or(|(_, to)| *to < range.from)
            && node
                .blurred
                .is_none_or(|(from, to)| range.to < from || range.from > to)
    }

    /// Adds a range.
    pub fn add(&mut self, range: Range) {
        if range.blurred {
            self.blur(range.node, range.from, range.to);
        } else {
            self.nodes
                .entry(range.node)
                .or_default()
                .add(range.from, range.to);
        }
    }

    /// Adds one identity.
    pub fn insert(&mut self, node: u32, seq: u64) {
        self.nodes.entry(node).or_default().add(seq, seq);
    }

    /// Declares a span of a node uncertain.
    pub fn blur(&mut self, node: u32, from: u64, to: u64) {
        let node = self.nodes.entry(node).or_default();
        let (low, high) = node.blurred.unwrap_or((from, to));
        node.blurred = Some((low.min(from), high.max(to)));
    }

    /// Everything, as ranges.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range> {
        let mut out = Vec::new();
        for (&node, ranges) in &self.nodes {
            if let Some((from, to)) = ranges.blurred {
                out.push(Range {
                    node,
                    from,
                    to,
                    blurred: true,
                });
            }
            let exact = ranges.exact.iter();
            out.extend(exact.map(|(&from, &to)| Range {
                node,
                from,
                to,
                blurred: false,
            }));
        }
        out
    }

    /// Adds everything of another set.
    pub fn merge(&mut self, other: &Self) {
        other.ranges().into_iter().for_each(|range| self.add(range));
    }
}

impl Node {
    fn add(&mut self, from: u64, to: u64) {
        let (mut from, mut to) = (from, to);
        // The range before, if it touches.
        if let Some((&start, &end)) = self.exact.range(..=from).next_back()
            && end.saturating_add(1) >= from
        {
            from = start;
            to = to.max(end);
        }
        // Ranges behind that touch.
        while let Some((&start, &end)) = self.exact.range(from..).next() {
            if start > to.saturating_add(1) {
                break;
            }
            self.exact.remove(&start);
            to = to.max(end);
        }
        self.exact.insert(from, to);
        if self.exact.len() > RANGES_MAX {
            self.forget_half();
        }
    }

    fn forget_half(&mut self) {
        for _ in 0..RANGES_MAX / 2 {
            let Some((from, to)) = self.exact.pop_first() else {
                break;
            };
            let (low, high) = self.blurred.unwrap_or((from, to));
            self.blurred = Some((low.min(from), high.max(to)));
        }
    }
}

#[cfg(test)]
mod tests;
