//! Email Activity: one mail on its way.
//!
//! Enters: envelopes and headers of SMTP, of POP3 and IMAP downloads. Leaves: OCSF class 4009.
//! Refuses: bodies, attachments' contents, credentials.
//! Source: OCSF 1.8.0 `email_activity`, `email`; RFC 5321, RFC 5322, RFC 2045.

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;

record! {
    /// One mail. OCSF wants bare addresses in `email.from` and `email.to`; they may name a person
    /// and stand masked in members that take any text.
    pub struct Email {
        /// Name that the client gave in HELO or EHLO.
        hello: Option<Text> => "smtp_hello", "unmapped.smtp.hello";
        /// Greeting of the server.
        banner: Option<Text> => "smtp_banner", "banner";
        /// From field of the header.
        from: Option<Sensitive> => "mail_from", "email.from_mailbox";
        /// Message-ID of the header.
        message_id: Option<Text> => "mail_id", "email.message_uid";
        /// Octets of the message as it crossed the wire, header included.
        bytes: Option<u64> => "mail_bytes", "email.size";
        /// Subject field of the header.
        subject: Option<Sensitive> => "mail_subject", "email.subject";
        /// To field of the header.
        to: Option<Sensitive> => "mail_to", "unmapped.email.to";
        /// Cc field of the header.
        cc: Option<Sensitive> => "mail_cc", "unmapped.email.cc";
        /// Sender of the envelope (MAIL FROM).
        envelope_from: Option<Sensitive> => "envelope_from", "unmapped.email.envelope_from";
        /// Recipients of the envelope (RCPT TO), with blanks between them.
        envelope_to: Option<Sensitive> => "envelope_to", "unmapped.email.envelope_to";
        /// How many recipients the envelope names.
        recipients: Option<u32> => "recipients", "unmapped.email.recipients";
        /// How many of them the server refused.
        recipients_refused: Option<u32> => "recipients_refused",
            "unmapped.email.recipients_refused";
        /// Domain of the From field, else of the envelope's sender.
        from_domain: Option<Text> => "from_domain", "unmapped.email.from_domain";
        /// Domains of all recipients.
        to_domains: Vec<Text> => "to_domains", "unmapped.email.to_domains";
        /// How many parts are attached.
        attachments: Option<u32> => "attachments", "unmapped.email.attachment_count";
        /// File names of the attached parts.
        attachment_names: Option<Sensitive> => "attachment_names",
            "unmapped.email.attachment_names";
        /// Media types of the attached parts.
        attachment_types: Vec<Text> => "attachment_types", "unmapped.email.attachments[].type";
        /// Octets of the attached parts, Base64 undone.
        attachment_bytes: Vec<u64> => "attachment_bytes", "unmapped.email.attachments[].bytes";
        /// Types of the attached parts, by their content.
        attachment_content: Vec<Text> => "attachment_content",
            "unmapped.email.attachments[].content";
        /// SHA-256 of the attached parts, decoded; empty where there is none.
        attachment_sha256: Vec<Text> => "attachment_sha256",
            "unmapped.email.attachments[].sha256";
        /// `complete`, `truncated`, or `incomplete: ` and why, of the attached parts.
        attachment_states: Vec<Text> => "attachment_states",
            "unmapped.email.attachments[].state";
        /// Media type of the message.
        content_type: Option<Text> => "mail_type", "unmapped.email.content_type";
        /// Date field of the header, as written.
        date: Option<Text> => "mail_date", "unmapped.email.date";
        /// Program that made the mail (X-Mailer, User-Agent).
        mailer: Option<Text> => "mail_client", "unmapped.email.mailer";
        /// How many servers passed it on, by its Received fields.
        hops: Option<u32> => "mail_hops", "unmapped.email.hops";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.email.anomalies";
    }
}

/// OCSF Email Activity.
pub(super) static CLASS: Class = Class {
    uid: 4009,
    name: "email_activity",
    caption: "Email Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Send"),
        (2, "Receive"),
        (3, "Scan"),
        (4, "Trace"),
        (5, "MTA Relay"),
    ],
    fields: Email::FIELDS,
};
