//! Only the first bytes of a flow.
//!
//! Enters: flows and the bytes of their packets. Leaves: whether a packet is within the first
//! bytes. Refuses: to remember more than twice [`FLOWS_MAX`] flows: those not seen for longest are
//! forgotten, and begin anew. A flow that rested for [`REST_NS`] begins anew too.
//! Source: `DESIGN.md` section 4; time-machine by cut-off (Kornexl et al., IMC 2005).

use std::collections::HashMap;

use model::Nanos;
use wire::Conversation;

/// Most flows of a generation.
const FLOWS_MAX: usize = 128 * 1024;
/// A name that is used again after so long is another flow.
const REST_NS: u64 = 600_000_000_000;

#[derive(Clone, Copy)]
struct Seen {
    bytes: u64,
    last: Nanos,
}

/// Bytes kept of each flow: two generations, so that forgetting costs nothing.
pub(super) struct Cut {
    bytes_max: u64,
    now: HashMap<Conversation, Seen>,
    before: HashMap<Conversation, Seen>,
}

impl Cut {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self {
            bytes_max,
            now: HashMap::new(),
            before: HashMap::new(),
        }
    }

    /// Counts a packet; true when it begins within the first bytes of its flow.
    pub(super) fn keep(&mut self, flow: &Conversation, time: Nanos, bytes: u64) -> bool {
        if !self.now.contains_key(flow) {
            if self.now.len() >= FLOWS_MAX {
                self.before = std::mem::take(&mut self.now);
            }
            let known = self.before.remove(flow);
            let fresh = Seen {
                bytes: 0,
                last: time,
            };
            self.now.insert(*flow, known.unwrap_or(fresh));
        }
        let Some(seen) = self.now.get_mut(flow) else {
            return true;
        };
        if time > seen.last && time.since(seen.last) > REST_NS {
            seen.bytes = 0;
        }
        seen.last = time;
        let keep = seen.bytes < self.bytes_max;
        seen.bytes = seen.bytes.saturating_add(bytes);
        keep
    }
}
