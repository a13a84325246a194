//! Which worker a frame belongs to.
//!
//! Enters: a frame. Leaves: a hash, the same for both directions of every conversation of a pair of
//! addresses: fragments, ICMP errors and related flows meet in one worker. Refuses: nothing; frames
//! without addresses hash to 0.
//! Source: `DESIGN.md` section 4, wire.

use crate::flow::key::hash_addresses;
use crate::frame::Frame;
use crate::{ip, link};

/// A symmetric hash of the frame's addresses; take it modulo the number of workers.
#[must_use]
pub fn shard_of(frame: &Frame<'_>) -> u32 {
    let Ok(layer) = link::decode(frame) else {
        return 0;
    };
    let packet = match layer.ethertype {
        link::ETHERTYPE_IP4 => ip::decode_v4(layer.bytes),
        link::ETHERTYPE_IP6 => ip::decode_v6(layer.bytes),
        _ => return 0,
    };
    packet.map_or(0, |packet| hash_addresses(packet.src, packet.dst))
}
