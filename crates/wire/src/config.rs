//! What a worker is told at its start.
//!
//! Enters: the role's configuration. Leaves: [`WireConfig`]. Refuses: nothing; limits are clamped
//! where they are used. Source: `facts`: timeouts of the peers, hard budget 512 MiB.

use std::sync::Arc;

use model::{NodeId, Text};

use crate::file::Policy;
use crate::protocol::{Protocol, REGISTRY};
use crate::secrets::Secrets;
use crate::shard::Share;

/// Default of [`WireConfig::budget_bytes`].
pub const BUDGET_BYTES: usize = 512 << 20;
/// Smallest budget that is taken as asked; less is raised to this.
pub const BUDGET_BYTES_MIN: usize = 4 << 20;

/// How events get their identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// From a file: packet number and index within it; `logged_time` is the event's time.
    Packet,
    /// Live: a counter from this value on; `logged_time` is what the caller last set.
    Counter(u64),
}

/// After how many idle milliseconds of packet time a flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP, established.
    pub tcp_idle_ms: u64,
    /// TCP, after FIN of both sides or RST: late packets still belong to the flow.
    pub tcp_closed_ms: u64,
    /// TCP, handshake not completed.
    pub tcp_half_open_ms: u64,
    /// UDP.
    pub udp_ms: u64,
    /// ICMP and ICMPv6.
    pub icmp_ms: u64,
    /// Any other IP protocol.
    pub other_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp_idle_ms: 600_000,
            tcp_closed_ms: 5_000,
            tcp_half_open_ms: 30_000,
            udp_ms: 60_000,
            icmp_ms: 30_000,
            other_ms: 60_000,
        }
    }
}

/// What a [`crate::Worker`] is told at its start.
#[derive(Clone)]
pub struct WireConfig {
    /// Who makes the events.
    pub node: NodeId,
    /// Site name of the events.
    pub site: Text,
    /// How events get their identity.
    pub sequence: Sequence,
    /// Most bytes of state: flows, reassembly, fragments, sessions. At least [`BUDGET_BYTES_MIN`].
    pub budget_bytes: usize,
    /// When idle flows end.
    pub timeouts: Timeouts,
    /// A flow that lives longer gets an event every so many milliseconds; 0 means never.
    pub interim_ms: u64,
    /// Seed of the flow table's hash; drawn by the caller when live, so that nobody can aim at one
    /// bucket. It changes no event.
    pub hash_seed: u64,
    /// Application protocols to recognise.
    pub registry: &'static [&'static dyn Protocol],
    /// Which of the packets are this worker's; budget and counters are its own.
    pub share: Share,
    /// Secrets of encrypted connections, given with a capture; `None` leaves them closed.
    pub secrets: Option<Arc<dyn Secrets>>,
    /// What is done with the files that pass.
    pub files: Policy,
}

impl Default for WireConfig {
    fn default() -> Self {
        Self {
            node: NodeId::default(),
            site: Text::Borrowed("default"),
            sequence: Sequence::Packet,
            budget_bytes: BUDGET_BYTES,
            timeouts: Timeouts::default(),
            interim_ms: 300_000,
            hash_seed: 0,
            registry: REGISTRY,
            share: Share::WHOLE,
            secrets: None,
            files: Policy::default(),
        }
    }
}
