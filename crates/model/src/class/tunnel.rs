//! Tunnel Activity: packets carried in packets between two ends.
//!
//! Enters: a tunnel's kind and counters. Leaves: OCSF class 4014. Refuses: what is inside: the
//! flows of inner packets have events of their own, which name the tunnels around them.
//! Source: OCSF 1.8.0 `tunnel_activity`.

use super::Class;
use crate::record::{Record, Text, record};
use crate::time::Millis;

record! {
    /// A tunnel's life between two ends, or its figures since the previous event.
    pub struct Tunnel {
        /// Kind of the tunnel: `gre`, `gretap`, `nvgre`, `erspan1`, `erspan2`, `erspan3`, `ipip`,
        /// `vxlan`, `geneve`, `gtp`, `teredo`, `pptp`, `mpls`.
        kind: Option<Text> => "tunnel_type", "tunnel_type";
        /// OCSF number of the kind: 99, for OCSF numbers only tunnels of remote access.
        kind_id: Option<u16> => "tunnel_type_id", "tunnel_type_id";
        /// Milliseconds from the first to the last packet.
        duration_ms: Option<i64> => "duration_ms", "duration";
        /// Time of the tunnel's first packet.
        start: Option<Millis> => "start_time", "start_time";
        /// Time of the tunnel's last packet.
        end: Option<Millis> => "end_time", "end_time";
        /// Bytes on the wire (IP length) in both directions.
        bytes: Option<u64> => "bytes", "traffic.bytes";
        /// Bytes from destination to source.
        bytes_in: Option<u64> => "bytes_in", "traffic.bytes_in";
        /// Bytes from source to destination.
        bytes_out: Option<u64> => "bytes_out", "traffic.bytes_out";
        /// Packets in both directions.
        packets: Option<u64> => "packets", "traffic.packets";
        /// Packets from destination to source.
        packets_in: Option<u64> => "packets_in", "traffic.packets_in";
        /// Packets from source to destination.
        packets_out: Option<u64> => "packets_out", "traffic.packets_out";
        /// How it ended: `timeout`, `evicted`, `end_of_capture`, `ongoing`.
        end_reason: Option<Text> => "end_reason", "unmapped.flow.end_reason";
        /// Tunnels around this one, outermost first.
        tunnels: Vec<Text> => "tunnels", "unmapped.flow.tunnels";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.flow.anomalies";
        /// Keys, networks or sessions seen in it, as `vxlan.vni=42`.
        facts: Vec<Text> => "facts", "unmapped.*";
    }
}

/// OCSF Tunnel Activity.
pub(super) static CLASS: Class = Class {
    uid: 4014,
    name: "tunnel_activity",
    caption: "Tunnel Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[(1, "Open"), (2, "Close"), (3, "Renew")],
    fields: Tunnel::FIELDS,
};
