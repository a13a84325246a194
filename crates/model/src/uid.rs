//! Event identities: which node saw it, as its how-manieth.
//!
//! Enters: a node and a sequence. Leaves: `metadata.uid`, which sorts by time within a node.
//! Refuses: randomness; an identity is rebuilt, never drawn. Source: `DESIGN.md` section 5.

use std::fmt;
use std::str::FromStr;

/// The sensor, gate or source file that made an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The identity of one event: node and sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventUid {
    /// Who made it.
    pub node: NodeId,
    /// Increasing within the node: from a file, packet number and index; live, a counter that
    /// starts at the role's start time in microseconds.
    pub seq: u64,
}

/// Bits of a file sequence that count events within one packet.
pub const INDEX_BITS: u32 = 20;

impl EventUid {
    /// The identity of the `index`-th event of packet `packet` (from 1) of a file.
    #[must_use]
    pub const fn of_packet(node: NodeId, packet: u64, index: u32) -> Self {
        Self {
            node,
            seq: (packet << INDEX_BITS).wrapping_add(index as u64),
        }
    }
}

impl fmt::Display for EventUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:016x}", self.node.0, self.seq)
    }
}

/// A text that is not `NNNNNNNN-SSSSSSSSSSSSSSSS`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event identity")]
pub struct NotUid;

impl FromStr for EventUid {
    type Err = NotUid;

    fn from_str(text: &str) -> Result<Self, NotUid> {
        let (node, seq) = text.split_once('-').ok_or(NotUid)?;
        if node.len() != 8 || seq.len() != 16 {
            return Err(NotUid);
        }
        Ok(Self {
            node: NodeId(u32::from_str_radix(node, 16).map_err(|_| NotUid)?),
            seq: u64::from_str_radix(seq, 16).map_err(|_| NotUid)?,
        })
    }
}
