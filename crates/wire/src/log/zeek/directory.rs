//! `ldap`, `ldap_search`, `smtp`: directories and mail.
//!
//! Enters: operations with their results, envelopes. Leaves: Authentication, network and email
//! activity. Refuses: `argument` of binds, which may be a password.
//! Source: Zeek documentation, "ldap.log", "ldap_search.log", "smtp.log".

use model::class::{Authentication, Email, Network};
use model::fact::Facts;
use model::{Sensitive, Text};

use super::super::fields::{Fields, owned};
use super::super::names::domain;
use super::super::said::{FAILURE, SUCCESS, Said, TRAFFIC};

pub(super) fn ldap(ldap: Fields<'_>, out: &mut Vec<Said>) {
    let opcode = ldap.text("opcode").unwrap_or("");
    let good = ldap.text("result").map(|result| result == "success");
    let code = ldap.word("result");
    if let Some(mechanism) = opcode.strip_prefix("bind").map(str::trim) {
        let simple = !mechanism.eq_ignore_ascii_case("sasl");
        let name = ldap.text("object");
        let cleartext = simple && name.is_some();
        let login = Authentication {
            user: name.map(Sensitive::text),
            auth_protocol: Some(Text::Borrowed("LDAP")),
            is_cleartext: Some(cleartext),
            is_remote: Some(true),
            logon_type: Some(if cleartext { NETWORK_CLEAR } else { NETWORK }),
            mechanism: Some(Text::Borrowed(if simple { "simple" } else { "SASL" })),
            ..Authentication::default()
        };
        return out.push(Said::new(LOGON, login).outcome(good, code));
    }
    let body = Network {
        about: Text::Borrowed("ldap"),
        operation: (!opcode.is_empty()).then(|| owned(&opcode.replace(' ', "_"))),
        object: ldap.person("object"),
        ..Network::default()
    };
    out.push(Said::new(TRAFFIC, body).outcome(good, code));
}

pub(super) fn search(ldap: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("ldap");
    facts.maybe(
        "scope",
        ldap.word("scope")
            .map(|scope| scope.replace("single", "one")),
    );
    for attribute in ldap.words("attributes") {
        facts.add("attribute", attribute);
    }
    let body = Network {
        about: Text::Borrowed("ldap"),
        operation: Some(Text::Borrowed("search")),
        object: ldap.person("filter").or_else(|| ldap.person("base_object")),
        object_count: ldap.number("result_count"),
        facts: facts.take(),
        ..Network::default()
    };
    let good = ldap.text("result").map(|result| result == "success");
    out.push(Said::new(TRAFFIC, body).outcome(good, ldap.word("result")));
}

pub(super) fn smtp(smtp: Fields<'_>, out: &mut Vec<Said>) {
    let receivers = smtp.words("rcptto");
    let mut to_domains: Vec<Text> = receivers.iter().filter_map(|to| domain(to)).collect();
    to_domains.sort();
    to_domains.dedup();
    let sender = smtp.text("mailfrom");
    let reply = smtp.text("last_reply").unwrap_or("");
    let code: Option<u16> = reply.get(..3).and_then(|digits| digits.parse().ok());
    let body = Email {
        hello: smtp.word("helo"),
        from: smtp.person("from"),
        message_id: smtp.word("msg_id"),
        subject: smtp.person("subject"),
        to: smtp.joined("to", ", ").as_deref().map(Sensitive::text),
        cc: smtp.joined("cc", ", ").as_deref().map(Sensitive::text),
        envelope_from: sender.map(Sensitive::text),
        envelope_to: smtp.joined("rcptto", " ").as_deref().map(Sensitive::text),
        recipients: u32::try_from(smtp.count("rcptto"))
            .ok()
            .filter(|count| *count > 0),
        from_domain: smtp
            .text("from")
            .and_then(domain)
            .or_else(|| sender.and_then(domain)),
        to_domains,
        date: smtp.word("date"),
        mailer: smtp.word("user_agent"),
        hops: u32::try_from(smtp.count("path"))
            .ok()
            .filter(|hops| *hops > 0),
        ..Email::default()
    };
    let status = match code {
        Some(200..=399) => SUCCESS,
        Some(_) => FAILURE,
        None => 0,
    };
    let code = code.map(|code| Text::Owned(code.to_string()));
    out.push(Said::new(SEND, body).status(status, code));
}

/// OCSF activities and kinds of log-in.
const LOGON: u16 = 1;
const SEND: u16 = 1;
const NETWORK: u16 = 3;
const NETWORK_CLEAR: u16 = 8;
