//! What a worker counts.
//!
//! Enters: increments of the packet path. Leaves: [`Stats`], read at any time. Refuses: keys made
//! from input: every code is a literal of the program, so that the maps are bounded.
//! Source: `DESIGN.md` section 4, wire.

use std::collections::BTreeMap;

/// Counters of one worker since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames taken.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// IPv4 packets decoded.
    pub ip4: u64,
    /// IPv6 packets decoded.
    pub ip6: u64,
    /// ARP frames.
    pub arp: u64,
    /// Frames of LLDP and CDP.
    pub discovery: u64,
    /// TCP segments.
    pub tcp: u64,
    /// UDP datagrams.
    pub udp: u64,
    /// Fragments taken.
    pub fragments: u64,
    /// Datagrams put together from fragments.
    pub defragmented: u64,
    /// Flows begun.
    pub flows: u64,
    /// Flows now in the table.
    pub flows_now: u64,
    /// Most flows in the table at one time.
    pub flows_peak: u64,
    /// Flows ended early because the budget was reached.
    pub evicted: u64,
    /// Events sent.
    pub events: u64,
    /// Bytes of state now accounted for.
    pub memory_bytes: u64,
    /// Most bytes of state accounted for at one time.
    pub memory_peak_bytes: u64,
    /// Sessions that said "not mine".
    pub sessions_refused: u64,
    /// TCP payload bytes that came again.
    pub tcp_repeated_bytes: u64,
    /// TCP payload bytes that never came.
    pub tcp_gap_bytes: u64,
    /// Frames of link types that are not decoded, by number.
    pub links_refused: BTreeMap<u16, u64>,
    /// Frames that could not be followed to a flow, by reason.
    pub problems: BTreeMap<&'static str, u64>,
    /// Anomalies of flows and sessions, by code.
    pub anomalies: BTreeMap<&'static str, u64>,
    /// Application protocols, by name.
    pub protocols: BTreeMap<&'static str, ProtocolStats>,
}

/// Counters of one application protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtocolStats {
    /// Flows recognised whose session lived to its end.
    pub parsed: u64,
    /// Flows recognised whose session gave up: recognised but not parsed to the end.
    pub gave_up: u64,
}

impl Stats {
    pub(crate) fn problem(&mut self, code: &'static str) {
        *self.problems.entry(code).or_default() += 1;
    }

    pub(crate) fn anomaly(&mut self, code: &'static str) {
        *self.anomalies.entry(code).or_default() += 1;
    }
}
