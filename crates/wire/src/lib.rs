//! Packets to sessions to events.
//!
//! Enters: frames with their time and number. Leaves: events. Refuses: I/O, clocks, threads, and
//! unbounded state: every table and buffer counts against one budget.
//! Source: `DESIGN.md` section 4, wire.

pub mod frame;
pub mod protocol;

pub use frame::{Frame, LinkType};
