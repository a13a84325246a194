//! DHCP Activity: one message.
//!
//! Enters: DHCPv4 messages. Leaves: OCSF class 4004. Refuses: nothing.
//! Source: OCSF 1.8.0 `dhcp_activity`; RFC 2131, RFC 2132.

use std::net::IpAddr;

use super::Class;
use crate::net::Mac;
use crate::record::{Record, Text, record};

record! {
    /// One DHCP message.
    pub struct Dhcp {
        /// Transaction identifier, eight hexadecimal digits.
        transaction: Option<Text> => "dhcp_xid", "transaction_uid";
        /// Lease time in seconds.
        lease_s: Option<u64> => "lease_s", "lease_dur";
        /// True when the client renews an address that it has.
        renewal: Option<bool> => "dhcp_renewal", "is_renewal";
        /// Relay agent that passed the message on.
        relay: Option<IpAddr> => "dhcp_relay", "relay.ip";
        /// Hardware address of the client.
        client_mac: Option<Mac> => "client_mac", "unmapped.dhcp.client_mac";
        /// Address given or confirmed (`yiaddr`), else the client's own (`ciaddr`).
        client_ip: Option<IpAddr> => "client_ip", "unmapped.dhcp.client_ip";
        /// Address asked for, option 50.
        requested_ip: Option<IpAddr> => "requested_ip", "unmapped.dhcp.requested_ip";
        /// Server identifier, option 54.
        server_ip: Option<IpAddr> => "server_ip", "unmapped.dhcp.server_ip";
        /// Host name of the client, options 12 and 81.
        host_name: Option<Text> => "host_name", "unmapped.dhcp.host_name";
        /// Domain name given to the client, option 15.
        domain: Option<Text> => "domain", "unmapped.dhcp.domain";
        /// Vendor class of the client, option 60.
        vendor_class: Option<Text> => "vendor_class", "unmapped.dhcp.vendor_class";
        /// Options asked for, option 55, in the client's order: a fingerprint of its system.
        parameters: Vec<u64> => "dhcp_parameters", "unmapped.dhcp.parameters";
        /// Routers given, option 3.
        routers: Vec<IpAddr> => "routers", "unmapped.dhcp.routers";
        /// Name servers given, option 6.
        name_servers: Vec<IpAddr> => "name_servers", "unmapped.dhcp.name_servers";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.dhcp.anomalies";
    }
}

/// OCSF DHCP Activity.
pub(super) static CLASS: Class = Class {
    uid: 4004,
    name: "dhcp_activity",
    caption: "DHCP Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Discover"),
        (2, "Offer"),
        (3, "Request"),
        (4, "Decline"),
        (5, "Ack"),
        (6, "Nak"),
        (7, "Release"),
        (8, "Inform"),
        (9, "Expire"),
    ],
    fields: Dhcp::FIELDS,
};
