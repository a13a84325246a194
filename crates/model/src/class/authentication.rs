//! Authentication: one log-in, or one step of it, as a protocol shows it on the wire.
//!
//! Enters: log-ins of any protocol, Kerberos exchanges. Leaves: OCSF class 3002. Refuses:
//! passwords, hashes, tickets, communities, challenges: that they passed in the clear is told, they
//! are not. Source: OCSF 1.8.0 `authentication`.

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;

record! {
    /// Who asked to be let in where, how, and with which result (the status of the event).
    pub struct Authentication {
        /// Who logs in; absent when the protocol hides it, or for an anonymous log-in.
        user: Option<Sensitive> => "user", "user.name";
        /// Domain or realm of the user.
        domain: Option<Text> => "user_domain", "user.domain";
        /// Protocol that proves who it is: `NTLM`, `Kerberos`, `Basic Authentication`, `LDAP`,
        /// `RADIUS`, `PAP`, `CHAP`, `EAP`, or another protocol's name.
        auth_protocol: Option<Text> => "auth_protocol", "auth_protocol";
        /// True when the password itself passed in the clear.
        is_cleartext: Option<bool> => "is_cleartext", "is_cleartext";
        /// True when the log-in crossed the network to another host.
        is_remote: Option<bool> => "is_remote", "is_remote";
        /// OCSF kind of log-in: 2 interactive, 3 network, 5 service, 8 network in the clear, 10
        /// remote interactive.
        logon_type: Option<u16> => "logon_type_id", "logon_type_id";
        /// Identifier of the session that it opens, in the protocol's own form.
        session: Option<Text> => "session_uid", "session.uid";
        /// To what: a Kerberos service principal, a protocol or server by name.
        service: Option<Text> => "service", "service.name";
        /// Mechanism in the protocol's own words (`SCRAM-SHA-256`, `GSS-SPNEGO`, `AS-REQ`).
        mechanism: Option<Text> => "mechanism", "unmapped.authentication.mechanism";
        /// To whom, when the service is an account that may name a person.
        target: Option<Sensitive> => "auth_target", "unmapped.authentication.target";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.authentication.anomalies";
        /// What else the protocol told, as `protocol.key=value`.
        facts: Vec<Text> => "facts", "unmapped.*";
    }
}

/// OCSF Authentication.
pub(super) static CLASS: Class = Class {
    uid: 3002,
    name: "authentication",
    caption: "Authentication",
    category_uid: 3,
    category: "Identity & Access Management",
    network: true,
    activities: &[
        (1, "Logon"),
        (2, "Logoff"),
        (3, "Authentication Ticket"),
        (4, "Service Ticket Request"),
        (5, "Service Ticket Renew"),
        (6, "Preauth"),
        (7, "Account Switch"),
    ],
    fields: Authentication::FIELDS,
};
