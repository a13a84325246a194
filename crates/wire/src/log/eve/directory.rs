//! `ldap` and `smtp`: directories and mail.
//!
//! Enters: requests with their responses, envelopes. Leaves: Authentication, network and email
//! activity. Refuses: passwords of binds, values of attributes, bodies.
//! Source: Suricata user guide, "Event type: LDAP", "SMTP".

use model::class::{Authentication, Email, Network};
use model::fact::Facts;
use model::{Sensitive, Text};
use serde_json::Value;

use super::super::fields::{Fields, owned};
use super::super::names::domain;
use super::super::said::{FAILURE, SUCCESS, Said, TRAFFIC};

pub(super) fn ldap(ldap: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let request = ldap.inner("request");
    let responses = ldap.items("responses");
    let operation = request.text("operation").unwrap_or("");
    let word = operation.trim_end_matches("_request");
    let result = responses.iter().rev().find_map(result);
    let good = result.map(|code| matches!(code, "success" | "Success" | "0"));
    let code = result.map(owned);
    let asked = request.inner(operation);
    if word == "bind" {
        return out.push(Said::new(LOGON, bind(asked)).outcome(good, code));
    }
    let entry =
        |value: &&Value| Fields::of_value(value).text("operation") == Some("search_result_entry");
    let mut facts = Facts::of("ldap");
    facts.maybe("scope", asked.number("scope").map(scope));
    facts.maybe(
        "size_limit",
        asked.number("size_limit").filter(|limit| *limit > 0),
    );
    for attribute in asked.words("attributes") {
        facts.add("attribute", attribute);
    }
    let object = asked.text("filter").or_else(|| asked.text("base_object"));
    let body = Network {
        about: Text::Borrowed("ldap"),
        operation: (!word.is_empty()).then(|| owned(word)),
        object: object.or_else(|| asked.text("entry")).map(Sensitive::text),
        object_count: (word == "search").then(|| responses.iter().filter(entry).count() as u64),
        facts: facts.take(),
        ..Network::default()
    };
    out.push(Said::new(TRAFFIC, body).outcome(good, code));
}

/// The result in the member that is named as the response's operation.
fn result(response: &Value) -> Option<&str> {
    let response = Fields::of_value(response);
    response
        .inner(response.text("operation")?)
        .text("result_code")
}

fn bind(asked: Fields<'_>) -> Authentication {
    let sasl = asked.inner("sasl").word("mechanism");
    let name = asked.text("name");
    // An empty name is an anonymous bind: no password passed.
    let cleartext = sasl.is_none() && name.is_some();
    Authentication {
        user: name.map(Sensitive::text),
        auth_protocol: Some(Text::Borrowed("LDAP")),
        is_cleartext: Some(cleartext),
        is_remote: Some(true),
        logon_type: Some(if cleartext { NETWORK_CLEAR } else { NETWORK }),
        mechanism: Some(sasl.unwrap_or(Text::Borrowed("simple"))),
        ..Authentication::default()
    }
}

/// Source: RFC 4511 section 4.5.1.2.
pub(in crate::log) const fn scope(number: u64) -> &'static str {
    match number {
        0 => "base",
        1 => "one",
        2 => "subtree",
        3 => "children",
        _ => "unknown",
    }
}

pub(super) fn smtp(smtp: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let mail = record.inner("email");
    let bare = |text: &str| text.trim_matches(['<', '>']).to_owned();
    let sender = smtp.text("mail_from").map(bare);
    let receivers: Vec<String> = smtp.words("rcpt_to").iter().map(|to| bare(to)).collect();
    let from_domain = mail.text("from").and_then(domain);
    let mut to_domains: Vec<Text> = receivers.iter().filter_map(|to| domain(to)).collect();
    to_domains.sort();
    to_domains.dedup();
    let body = Email {
        hello: smtp.word("helo"),
        from: mail.person("from"),
        message_id: mail.word("message_id"),
        subject: mail.person("subject"),
        to: mail.joined("to", ", ").as_deref().map(Sensitive::text),
        cc: mail.joined("cc", ", ").as_deref().map(Sensitive::text),
        from_domain: from_domain.or_else(|| sender.as_deref().and_then(domain)),
        envelope_from: sender.as_deref().map(Sensitive::text),
        recipients: u32::try_from(smtp.count("rcpt_to"))
            .ok()
            .filter(|count| *count > 0),
        envelope_to: (!receivers.is_empty()).then(|| Sensitive::text(&receivers.join(" "))),
        to_domains,
        attachments: u32::try_from(mail.count("attachment"))
            .ok()
            .filter(|count| *count > 0),
        attachment_names: mail
            .joined("attachment", "\n")
            .as_deref()
            .map(Sensitive::path),
        date: mail.word("date"),
        mailer: mail.word("x_mailer"),
        ..Email::default()
    };
    let status = match mail.text("status") {
        Some("PARSE_DONE") => SUCCESS,
        Some(_) => FAILURE,
        None => 0,
    };
    out.push(Said::new(SEND, body).status(status, mail.word("status")));
}

/// OCSF activities and kinds of log-in.
const LOGON: u16 = 1;
const SEND: u16 = 1;
const NETWORK: u16 = 3;
const NETWORK_CLEAR: u16 = 8;
