//! DNS Activity: one question, its answer when it was seen.
//!
//! Enters: DNS messages over UDP and TCP. Leaves: OCSF class 4003. Refuses: nothing.
//! Source: OCSF 1.8.0 `dns_activity`; RFC 1035, RFC 6891.

use super::Class;
use crate::record::{Record, Text, record};
use crate::time::Millis;

record! {
    /// One DNS exchange: a query, or a response with the query that it answers.
    pub struct Dns {
        /// Name asked for, lower case, without the final dot; escapes as in RFC 4343.
        query: Option<Text> => "query", "query.hostname";
        /// Type asked for ("A", "TXT", "TYPE65280").
        query_type: Option<Text> => "query_type", "query.type";
        /// Class asked for ("IN").
        query_class: Option<Text> => "query_class", "query.class";
        /// Message identifier.
        packet_uid: Option<u16> => "dns_id", "query.packet_uid";
        /// Operation code, RFC 6895.
        opcode: Option<u16> => "dns_opcode", "query.opcode_id";
        /// Answers: data in presentation form.
        answer_data: Vec<Text> => "answers", "answers[].rdata";
        /// Answers: types.
        answer_type: Vec<Text> => "answer_types", "answers[].type";
        /// Answers: times to live in seconds.
        answer_ttl: Vec<u64> => "answer_ttls", "answers[].ttl";
        /// Response code number, extended ones of EDNS included.
        rcode: Option<u16> => "rcode_id", "rcode_id";
        /// Response code name ("NOERROR", "NXDOMAIN").
        rcode_name: Option<Text> => "rcode", "rcode";
        /// When the query was seen.
        query_time: Option<Millis> => "query_time", "query_time";
        /// When the response was seen.
        response_time: Option<Millis> => "response_time", "response_time";
        /// Flags set in the response: AA, TC, RD, RA, AD, CD.
        flags: Vec<Text> => "dns_flags", "unmapped.dns.flags";
        /// Answers beyond those listed, and records of other sections.
        records_omitted: Option<u32> => "dns_omitted", "unmapped.dns.records_omitted";
        /// Bytes of the response message.
        response_bytes: Option<u32> => "response_bytes", "unmapped.dns.response_bytes";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.dns.anomalies";
    }
}

/// OCSF DNS Activity.
pub(super) static CLASS: Class = Class {
    uid: 4003,
    name: "dns_activity",
    caption: "DNS Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[(1, "Query"), (2, "Response"), (6, "Traffic")],
    fields: Dns::FIELDS,
};
