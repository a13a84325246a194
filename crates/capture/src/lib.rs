//! Frames for `wire`: from capture files, and from the network.
//!
//! Enters: pcap and pcapng files, plain or compressed; interfaces. Leaves: borrowed
//! [`wire::Frame`]s, numbered, with time. Refuses: to decode what a frame holds, to allocate per
//! frame, to write on a network. Source: `DESIGN.md` sections 3 and 4.
//!
//! The only crate where `unsafe` may exist, and there only in `live/ring.rs` and `live/sys.rs`.

pub mod fan;
pub mod file;
pub mod link;
pub mod live;
pub mod privilege;
pub mod ring;
