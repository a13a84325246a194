//! SSH Activity: one connection's banners and key exchange.
//!
//! Enters: SSH identification and KEXINIT. Leaves: OCSF class 4007. Refuses: nothing.
//! Source: OCSF 1.8.0 `ssh_activity`; RFC 4253; HASSH (Salesforce, BSD-3).

use super::Class;
use crate::record::{Record, Text, record};

record! {
    /// One SSH connection.
    pub struct Ssh {
        /// Protocol version ("2.0").
        version: Option<Text> => "ssh_version", "protocol_ver";
        /// HASSH of the client, MD5 in hexadecimal.
        hassh: Option<Text> => "hassh", "client_hassh.fingerprint.value";
        /// HASSH of the server, MD5 in hexadecimal.
        hassh_server: Option<Text> => "hassh_server", "server_hassh.fingerprint.value";
        /// Identification string of the client, after the version.
        client_software: Option<Text> => "ssh_client", "unmapped.ssh.client_software";
        /// Identification string of the server, after the version.
        server_software: Option<Text> => "ssh_server", "unmapped.ssh.server_software";
        /// Algorithms that HASSH covers, client.
        algorithms: Option<Text> => "ssh_algorithms", "unmapped.ssh.client_algorithms";
        /// True when both sides switched to encryption.
        encrypted: Option<bool> => "ssh_encrypted", "unmapped.ssh.encrypted";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.ssh.anomalies";
    }
}

/// OCSF SSH Activity.
pub(super) static CLASS: Class = Class {
    uid: 4007,
    name: "ssh_activity",
    caption: "SSH Activity",
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
    fields: Ssh::FIELDS,
};
