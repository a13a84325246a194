//! Flows: conversations by their five-tuple, from the first packet to the last event.
//!
//! Enters: packets with their tuple. Leaves: flows to feed, events at their end. Refuses: more
//! flows than the budget pays for: the half-open, then the longest idle ones go first, counted.
//! Source: `DESIGN.md` section 4; Community ID 1.0.

pub(crate) mod event;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod record;
pub(crate) mod sides;
pub(crate) mod table;
pub(crate) mod wheel;

#[cfg(test)]
mod tests;
