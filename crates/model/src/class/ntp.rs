//! NTP Activity: one exchange of time between two hosts.
//!
//! Enters: NTP datagrams. Leaves: OCSF class 4013. Refuses: nothing.
//! Source: OCSF 1.8.0 `ntp_activity`; RFC 5905, RFC 9327.

use super::Class;
use crate::record::{Record, Text, record};

record! {
    /// What a host said about its clock, and how often it was asked within the flow.
    pub struct Ntp {
        /// Version of the protocol ("4").
        version: Text => "ntp_version", "version";
        /// Stratum of the host that answers as OCSF groups it: 1 primary, 2 secondary, 16
        /// unsynchronised, 17 reserved.
        stratum_id: Option<u16> => "ntp_stratum_id", "stratum_id";
        /// Precision of its clock as a power of two, in seconds.
        precision: Option<i64> => "ntp_precision", "precision";
        /// Round trip to its reference clock, milliseconds.
        delay: Option<i64> => "ntp_delay", "delay";
        /// Dispersion to its reference clock, milliseconds.
        dispersion: Option<i64> => "ntp_dispersion", "dispersion";
        /// Stratum of the host that answers, as written.
        stratum: Option<u16> => "ntp_stratum", "unmapped.ntp.stratum";
        /// Where it takes its time from: an address, or a name such as `GPS`, `LOCL`.
        reference: Option<Text> => "ntp_reference", "unmapped.ntp.reference";
        /// Leap indicator: 0 none, 1 and 2 a leap second, 3 unsynchronised.
        leap: Option<u16> => "ntp_leap", "unmapped.ntp.leap";
        /// Poll interval as a power of two, in seconds.
        poll: Option<i64> => "ntp_poll", "unmapped.ntp.poll";
        /// Questions seen.
        requests: Option<u64> => "ntp_requests", "unmapped.ntp.requests";
        /// Answers seen.
        responses: Option<u64> => "ntp_responses", "unmapped.ntp.responses";
        /// Clock of the answering host minus ours, milliseconds, at its first answer.
        offset_ms: Option<i64> => "ntp_offset_ms", "unmapped.ntp.offset_ms";
        /// What a control or private message asks ("readvar", "monlist").
        operation: Option<Text> => "ntp_operation", "unmapped.ntp.operation";
        /// System variables that a control answer told, without those that change.
        system: Option<Text> => "ntp_system", "unmapped.ntp.system";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.ntp.anomalies";
    }
}

/// OCSF NTP Activity.
pub(super) static CLASS: Class = Class {
    uid: 4013,
    name: "ntp_activity",
    caption: "NTP Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Symmetric Active Exchange"),
        (2, "Symmetric Passive Response"),
        (3, "Client Synchronization"),
        (4, "Server Response"),
        (5, "Broadcast"),
        (6, "Control"),
        (7, "Private Use Case"),
    ],
    fields: Ntp::FIELDS,
};
