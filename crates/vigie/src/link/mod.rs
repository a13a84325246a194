//! The link between role processes: batches of events one way, acknowledgements the other.
//!
//! Enters: encoded batches. Leaves: the same, once, in core, acknowledged when they are on disk.
//! Refuses: frames above [`FRAME_BYTES_MAX`]; peers of another protocol version, by name.
//! Source: `DESIGN.md` section 3, one binary, separate processes.

mod client;
mod frame;
mod server;
mod spool;

pub(crate) use client::{Uplink, UplinkConfig};
pub(crate) use frame::{FRAME_BYTES_MAX, Message, VERSION};
pub(crate) use server::{Receiver, serve};
pub(crate) use spool::Spool;
