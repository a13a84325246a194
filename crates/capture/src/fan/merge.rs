//! Events of several workers as those of one.
//!
//! Enters: each worker's events, in its order, with their places. Leaves: one order, and the
//! identities that one worker would have given. Refuses: nothing.
//! Source: `DESIGN.md` section 5 (identity: packet number and index within it).

use model::{Event, EventUid, NodeId};
use wire::Sequence;

/// Where an event stands among all: ascending.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The packet.
    pub(super) number: u64,
    /// 0 for what ended before it, 1 for the packet's own.
    pub(super) phase: u8,
    /// Start of the flow, or depth of the layer.
    pub(super) major: i64,
    /// Identity of the flow, or order within the layer.
    pub(super) minor: u64,
}

/// One event; `None` when it was left out, which still takes its identity.
pub(super) struct Out {
    pub(super) place: Place,
    pub(super) event: Option<Event>,
}

/// Puts events in order.
pub(super) struct Merger {
    node: NodeId,
    live: bool,
    next: u64,
}

impl Merger {
    pub(super) const fn new(node: NodeId, sequence: Sequence) -> Self {
        let (live, next) = match sequence {
            Sequence::Packet => (false, 0),
            Sequence::Counter(start) => (true, start),
        };
        Self { node, live, next }
    }

    /// Merges what several workers made of the same frames.
    pub(super) fn merge(&mut self, parts: Vec<Vec<Out>>) -> Vec<Event> {
        let mut all: Vec<Out> = parts.into_iter().flatten().collect();
        // Stable, and fast on runs that are ordered already.
        all.sort_by_key(|out| out.place);
        let mut events = Vec::with_capacity(all.len());
        for out in all {
            if !self.live {
                let first = EventUid::of_packet(self.node, out.place.number, 0).seq;
                self.next = self.next.max(first);
            }
            let seq = self.next;
            self.next += 1;
            if let Some(mut event) = out.event {
                event.meta.uid = EventUid {
                    node: self.node,
                    seq,
                };
                events.push(event);
            }
        }
        events
    }
}
