//! Packets to sessions to events.
//!
//! Enters: frames with their time and number. Leaves: events. Refuses: I/O, clocks, threads, and
//! unbounded state: every table and buffer counts against one budget.
//! Source: `DESIGN.md` section 4, wire.

mod config;
mod conversation;
mod crypto;
pub mod file;
mod flow;
pub mod frame;
mod ip;
mod link;
pub mod log;
pub mod protocol;
mod runs;
pub mod secrets;
mod shard;
mod stats;
mod tcp;
#[doc(hidden)]
pub mod testing;
mod tunnel;
mod worker;

pub use config::{BUDGET_BYTES, BUDGET_BYTES_MIN, Sequence, Timeouts, WireConfig};
pub use conversation::{Conversation, Named, Namer};
pub use frame::{Frame, LinkType};
pub use secrets::{Growing, KeyLog, Secrets};
pub use shard::{Parts, Share, WORKERS_MAX, parts_of, shard_of};
pub use stats::{ProtocolStats, Stats};
pub use worker::Worker;
