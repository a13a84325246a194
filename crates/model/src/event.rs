//! Event: the only record of Vigie.
//!
//! Enters: what was seen or decided. Leaves: an immutable OCSF record. Refuses: sensitive values in
//! the clear behind a door (see [`crate::sensitive`]). Source: OCSF 1.8.0, `DESIGN.md` section 5.

use std::net::IpAddr;

use crate::class::Body;
use crate::net::{Mac, NO_IP};
use crate::record::{Record, Text, record};
use crate::sensitive::{Sensitive, SiteKey};
use crate::time::Millis;
use crate::uid::EventUid;

/// What was seen or decided.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// When, by whom, how it went.
    pub meta: Meta,
    /// Between whom; `None` for events that are not about a conversation.
    pub connection: Option<Box<Connection>>,
    /// What, by OCSF class.
    pub body: Body,
}

/// Facts that every event has.
#[derive(Clone, Default, PartialEq)]
pub struct Meta {
    /// Identity; `metadata.uid`.
    pub uid: EventUid,
    /// When it happened.
    pub time: Millis,
    /// When Vigie recorded it; `metadata.logged_time`.
    pub logged_time: Millis,
    /// Site name; `metadata.tenant_uid`.
    pub site: Text,
    /// OCSF activity of the class; 0 unknown, 99 other.
    pub activity: u16,
    /// OCSF severity: 1 informational to 6 fatal.
    pub severity: u16,
    /// OCSF status: 0 unknown, 1 success, 2 failure.
    pub status: u16,
    /// Status in the protocol's own words ("NXDOMAIN", "0xa700").
    pub status_code: Option<Text>,
    /// Labels; `replay:ID` marks replayed events, `log:PRODUCT/NAME` those that another sensor saw.
    pub labels: Vec<Text>,
}

record! {
    /// A conversation between two endpoints: the shared part of OCSF network classes.
    pub struct Connection {
        /// Address of the endpoint that opened the conversation.
        src_ip: Option<IpAddr> => "src_ip", "src_endpoint.ip";
        /// Port of the endpoint that opened the conversation; ICMP type for ICMP.
        src_port: Option<u16> => "src_port", "src_endpoint.port";
        /// Hardware address of the frame's sender; a router's for addresses beyond it.
        src_mac: Option<Mac> => "src_mac", "src_endpoint.mac";
        /// Zone of the source from the site's configuration; absent when none matches.
        src_zone: Option<Text> => "src_zone", "src_endpoint.zone";
        /// Address of the endpoint that answers.
        dst_ip: Option<IpAddr> => "dst_ip", "dst_endpoint.ip";
        /// Port of the endpoint that answers; ICMP code for ICMP.
        dst_port: Option<u16> => "dst_port", "dst_endpoint.port";
        /// Hardware address of the frame's receiver; a router's for addresses beyond it.
        dst_mac: Option<Mac> => "dst_mac", "dst_endpoint.mac";
        /// Zone of the destination from the site's configuration; absent when none matches.
        dst_zone: Option<Text> => "dst_zone", "dst_endpoint.zone";
        /// Joins all events of one flow; 16 hexadecimal digits, unique within node and day. Of
        /// events from Zeek's logs, Zeek's own identifier.
        flow: Option<Text> => "flow", "connection_info.uid";
        /// Community ID version 1 with seed 0.
        community_id: Option<Text> => "community_id", "connection_info.community_uid";
        /// IP protocol number, as assigned by IANA.
        protocol: u16 => "ip_proto", "connection_info.protocol_num";
        /// 0 unknown, 1 inbound, 2 outbound, 3 lateral, by zones.
        direction: u16 => "direction", "connection_info.direction_id";
        /// Application protocol recognised by content, lower case; `unknown` when none was.
        app: Text => "proto", "app_protocol_name";
        /// Outer VLAN identifier, 1..4094; absent when untagged.
        vlan: Option<u16> => "vlan", "unmapped.vlan";
    }
}

impl Connection {
    /// Source address, or the unspecified one.
    #[must_use]
    pub fn src(&self) -> IpAddr {
        self.src_ip.unwrap_or(NO_IP)
    }

    /// Destination address, or the unspecified one.
    #[must_use]
    pub fn dst(&self) -> IpAddr {
        self.dst_ip.unwrap_or(NO_IP)
    }
}

/// The clear values that masking took out of an event: vault material, no `Debug`, never logged.
#[derive(Clone, Default, PartialEq)]
pub struct Clear(pub Vec<(&'static str, Box<str>)>);

impl Event {
    /// Masks every sensitive value with the site key and returns what stood there, by column.
    pub fn mask(&mut self, key: &SiteKey) -> Clear {
        let mut taken = Vec::new();
        let fields = self.body.class().fields;
        self.body.each_sensitive(&mut |index, value| {
            if let Some(clear) = value.mask(key) {
                let column = fields.get(index).map_or("", |field| field.column);
                taken.push((column, clear));
            }
        });
        Clear(taken)
    }

    /// True when no sensitive value stands in the clear any more.
    pub fn is_masked(&mut self) -> bool {
        let mut masked = true;
        self.body
            .each_sensitive(&mut |_, value: &mut Sensitive| masked &= value.is_masked());
        masked
    }

    /// Fields of the connection part.
    #[must_use]
    pub const fn connection_fields() -> &'static [crate::record::Field] {
        Connection::FIELDS
    }
}
