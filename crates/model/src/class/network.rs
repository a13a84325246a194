//! Network Activity: flows, TLS handshakes, exchanges of protocols without a class of their own.
//!
//! Enters: flow counters, TLS facts. Leaves: OCSF class 4001. Refuses: nothing.
//! Source: OCSF 1.8.0 `network_activity`, `tls`; JA3 (Salesforce, BSD-3), JA4 (FoxIO, BSD-3).

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;
use crate::time::Millis;

record! {
    /// A flow's life, or a TLS handshake inside one. Traffic figures of a flow are those since its
    /// previous event, so that sums over events are right.
    pub struct Network {
        /// What this event is about: `flow`, `tls`, or the protocol of one exchange for which OCSF
        /// has no class of its own (`ldap`, `mqtt`, `modbus`).
        about: Text => "about", "unmapped.about";
        /// Milliseconds from the first to the last packet.
        duration_ms: Option<i64> => "duration_ms", "duration";
        /// Time of the flow's first packet.
        start: Option<Millis> => "start_time", "start_time";
        /// Time of the flow's last packet.
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
        /// TLS version agreed ("1.2", "1.3"); `unknown` when only one side was seen.
        tls_version: Option<Text> => "tls_version", "tls.version";
        /// Cipher suite agreed, IANA name, or hexadecimal when unassigned.
        tls_cipher: Option<Text> => "tls_cipher", "tls.cipher";
        /// Server name asked for.
        tls_sni: Option<Text> => "tls_sni", "tls.sni";
        /// JA3 of the client, MD5 in hexadecimal.
        tls_ja3: Option<Text> => "tls_ja3", "tls.ja3_hash.value";
        /// JA3S of the server, MD5 in hexadecimal.
        tls_ja3s: Option<Text> => "tls_ja3s", "tls.ja3s_hash.value";
        /// Subject of the server's certificate, RFC 4514 text.
        tls_subject: Option<Text> => "tls_subject", "tls.certificate.subject";
        /// Issuer of the server's certificate, RFC 4514 text.
        tls_issuer: Option<Text> => "tls_issuer", "tls.certificate.issuer";
        /// Serial number of the server's certificate, hexadecimal.
        tls_serial: Option<Text> => "tls_serial", "tls.certificate.serial_number";
        /// Begin of validity of the server's certificate.
        tls_not_before: Option<Millis> => "tls_not_before", "tls.certificate.created_time";
        /// End of validity of the server's certificate.
        tls_not_after: Option<Millis> => "tls_not_after", "tls.certificate.expiration_time";
        /// Names for which the server's certificate is valid.
        tls_san: Vec<Text> => "tls_san", "tls.certificate.sans[].name";
        /// SHA-256 of the server's certificate, hexadecimal.
        tls_cert_sha256: Option<Text> => "tls_cert_sha256", "tls.certificate.fingerprints[].value";
        /// Alert that ended the handshake, RFC 8446 number.
        tls_alert: Option<u16> => "tls_alert", "tls.alert";
        /// JA4 of the client.
        tls_ja4: Option<Text> => "tls_ja4", "unmapped.tls.ja4";
        /// Application protocol agreed (ALPN), or the client's first offer when the answer is
        /// hidden.
        tls_alpn: Option<Text> => "tls_alpn", "unmapped.tls.alpn";
        /// Application protocols offered by the client.
        tls_alpn_offered: Vec<Text> => "tls_alpn_offered", "unmapped.tls.alpn_offered";
        /// True when an earlier session was resumed.
        tls_resumed: Option<bool> => "tls_resumed", "unmapped.tls.resumed";
        /// True when the handshake completed, as far as the wire shows it.
        tls_established: Option<bool> => "tls_established", "unmapped.tls.established";
        /// How the flow ended: `closed`, `reset`, `timeout`, `evicted`, `end_of_capture`,
        /// `ongoing`.
        end_reason: Option<Text> => "end_reason", "unmapped.flow.end_reason";
        /// TCP flags seen, source side, as letters in the order FSRPAUEC.
        tcp_flags_out: Option<Text> => "tcp_flags_out", "unmapped.flow.tcp_flags_out";
        /// TCP flags seen, destination side.
        tcp_flags_in: Option<Text> => "tcp_flags_in", "unmapped.flow.tcp_flags_in";
        /// Bytes missing from the reassembled streams.
        gap_bytes: Option<u64> => "gap_bytes", "unmapped.flow.gap_bytes";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.flow.anomalies";
        /// Tunnels around the flow, outermost first, such as `gre` or `vxlan:42`.
        tunnels: Vec<Text> => "tunnels", "unmapped.flow.tunnels";
        /// What was asked, in the protocol's own word ("search", "publish", "read_coils").
        operation: Option<Text> => "operation", "unmapped.exchange.operation";
        /// On what: a directory's filter, a topic, a table. May name a person.
        object: Option<Sensitive> => "object", "unmapped.exchange.object";
        /// How many objects were answered.
        object_count: Option<u64> => "object_count", "unmapped.exchange.object_count";
        /// How the client names itself or its computer (MQTT, TDS). May name a person.
        client: Option<Sensitive> => "client_name", "unmapped.exchange.client";
        /// What else the protocol told, as `protocol.key=value`.
        facts: Vec<Text> => "facts", "unmapped.*";
    }
}

/// OCSF Network Activity.
pub(super) static CLASS: Class = Class {
    uid: 4001,
    name: "network_activity",
    caption: "Network Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Open"),
        (2, "Close"),
        (3, "Reset"),
        (4, "Fail"),
        (5, "Refuse"),
        (6, "Traffic"),
        (7, "Listen"),
    ],
    fields: Network::FIELDS,
};
