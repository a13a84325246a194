//! RDP Activity: the opening of one Remote Desktop connection.
//!
//! Enters: X.224 negotiation, the client's data where they are not encrypted. Leaves: OCSF class
//! 4005. Refuses: keystrokes, screens, clipboards, credentials.
//! Source: OCSF 1.8.0 `rdp_activity`; [MS-RDPBCGR].

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;

record! {
    /// One opening: what was asked for, what was agreed, and who the client says it is.
    pub struct Rdp {
        /// Version of the client ("10.7"), when it was not encrypted.
        version: Option<Text> => "rdp_version", "protocol_ver";
        /// What the client sends for load balancers: mostly the name of the user.
        cookie: Option<Sensitive> => "rdp_cookie", "identifier_cookie";
        /// User, as the cookie names it; clients cut it to nine characters.
        user: Option<Sensitive> => "user", "user.name";
        /// Keyboard layout, a Windows input locale in hexadecimal.
        keyboard_layout: Option<Text> => "rdp_keyboard_layout", "keyboard_info.keyboard_layout";
        /// Keyboard type, decimal.
        keyboard_type: Option<Text> => "rdp_keyboard_type", "keyboard_info.keyboard_type";
        /// Width of the screen in pixels.
        width: Option<u32> => "rdp_width", "remote_display.physical_width";
        /// Height of the screen in pixels.
        height: Option<u32> => "rdp_height", "remote_display.physical_height";
        /// Security protocols that the client offers: `rdp`, `tls`, `hybrid`, `rdstls`,
        /// `hybrid_ex`, `rdsaad`.
        requested: Vec<Text> => "rdp_requested", "unmapped.rdp.requested";
        /// Security protocol that the server chose.
        selected: Option<Text> => "rdp_selected", "unmapped.rdp.selected";
        /// Whether the user was let in: `unknown` where only sizes would tell.
        logon: Option<Text> => "rdp_logon", "unmapped.rdp.logon";
        /// Name of the client's computer, which may name a person.
        client_name: Option<Sensitive> => "rdp_client_name", "unmapped.rdp.client_name";
        /// Build of the client.
        client_build: Option<u32> => "rdp_client_build", "unmapped.rdp.client_build";
        /// Virtual channels asked for (`rdpdr`, `cliprdr`).
        channels: Vec<Text> => "rdp_channels", "unmapped.rdp.channels";
        /// Encryption chosen of standard security: `none`, `rc4-40`, `rc4-56`, `rc4-128`, `fips`.
        encryption: Option<Text> => "rdp_encryption", "unmapped.rdp.encryption";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.rdp.anomalies";
    }
}

/// OCSF RDP Activity.
pub(super) static CLASS: Class = Class {
    uid: 4005,
    name: "rdp_activity",
    caption: "RDP Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Initial Request"),
        (2, "Initial Response"),
        (3, "Connect Request"),
        (4, "Connect Response"),
        (5, "TLS Handshake"),
        (6, "Traffic"),
        (7, "Disconnect"),
        (8, "Reconnect"),
    ],
    fields: Rdp::FIELDS,
};
