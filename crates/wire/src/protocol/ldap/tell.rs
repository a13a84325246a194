//! Events of LDAP.
//!
//! Enters: requests and answers. Leaves: drafts. Refuses: values and passwords.
//! Source: OCSF 1.8.0; RFC 4511.

use model::class::{Authentication, Network};
use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::parser::{Answer, Bind};
use super::session::{Pending, result_word};
use crate::protocol::Draft;
use crate::protocol::logon::Logon;

const TRAFFIC: u16 = 6;
const LOGON: u16 = 1;
/// OCSF kinds of log-in: over the network, the same with the password in the clear.
const NETWORK: u16 = 3;
const NETWORK_CLEAR: u16 = 8;

/// A bind with its result.
pub(super) fn bind(time: Nanos, bind: &Bind, logon: &mut Logon, answer: Option<&Answer>) -> Draft {
    let outcome = answer.map(outcome);
    let mut facts = facts(answer);
    facts.add("version", bind.version);
    if let Some(mut draft) = logon.take(outcome.clone()) {
        if let model::Body::Authentication(body) = &mut draft.body {
            let inner = body.mechanism.take().unwrap_or_default();
            let around = bind.mechanism.clone().unwrap_or_default();
            body.mechanism = Some(Text::from(format!("{around} {inner}")));
            body.facts.extend(facts.take());
        }
        return Draft { time, ..draft };
    }
    let user = bind.plain_user.as_deref().unwrap_or(&bind.name);
    let anonymous = user.is_empty() && bind.mechanism.is_none();
    if anonymous {
        facts.add("anonymous", true);
    }
    let body = Authentication {
        user: (!user.is_empty()).then(|| Sensitive::text(user)),
        auth_protocol: Some(Text::Borrowed("LDAP")),
        is_cleartext: Some(bind.password),
        is_remote: Some(true),
        logon_type: Some(if bind.password {
            NETWORK_CLEAR
        } else {
            NETWORK
        }),
        mechanism: Some(match &bind.mechanism {
            None => Text::Borrowed("simple"),
            Some(mechanism) => Text::from(mechanism.clone()),
        }),
        facts: facts.take(),
        ..Authentication::default()
    };
    let (status, code) = outcome.map_or((0, None), |(status, code)| (status, Some(code)));
    Draft::new(time, LOGON, body).status(status, code)
}

/// Another operation with its result.
pub(super) fn exchange(pending: &Pending, answer: Option<&Answer>) -> Draft {
    let ask = &pending.ask;
    let mut facts = facts(answer);
    facts.maybe("scope", ask.scope);
    facts.maybe("size_limit", ask.size_limit);
    if ask.attribute_count > 0 {
        facts.add("attributes", ask.attribute_count);
    }
    for attribute in &ask.attributes {
        facts.add("attribute", attribute);
    }
    for control in &ask.controls {
        facts.add("control", control);
    }
    if pending.references > 0 {
        facts.add("references", pending.references);
    }
    facts.maybe("extension", ask.oid.as_deref().map(extension));
    let body = Network {
        about: Text::Borrowed("ldap"),
        operation: Some(Text::Borrowed(ask.operation)),
        object: (!ask.object.is_empty()).then(|| Sensitive::text(&ask.object)),
        object_count: (ask.operation == "search").then_some(pending.entries),
        facts: facts.take(),
        ..Network::default()
    };
    let (status, code) = answer.map_or((0, None), |answer| {
        let (status, code) = outcome(answer);
        (status, Some(code))
    });
    Draft::new(pending.time, TRAFFIC, body).status(status, code)
}

/// Messages that SASL wraps: how many, and how many of them could be read.
pub(super) fn wrapped(time: Nanos, messages: u64, readable: u64) -> Draft {
    let mut facts = Facts::of("ldap");
    facts.add("readable", readable);
    let body = Network {
        about: Text::Borrowed("ldap"),
        operation: Some(Text::Borrowed("sasl_wrapped")),
        object_count: Some(messages),
        facts: facts.take(),
        ..Network::default()
    };
    Draft::new(time, TRAFFIC, body)
}

fn facts(answer: Option<&Answer>) -> Facts {
    let mut facts = Facts::of("ldap");
    facts.maybe(
        "ad_code",
        answer.and_then(|answer| answer.detail.as_deref()),
    );
    facts
}

/// OCSF status and the protocol's own word.
fn outcome(answer: &Answer) -> (u16, Text) {
    let status = match answer.code {
        0 | 5 | 6 | 10 => 1,
        14 => 0,
        _ => 2,
    };
    (status, result_word(answer.code))
}

/// Name of an extended operation, or its object identifier.
fn extension(oid: &str) -> &str {
    match oid {
        "1.3.6.1.4.1.1466.20037" => "StartTLS",
        "1.3.6.1.4.1.4203.1.11.1" => "PasswordModify",
        "1.3.6.1.4.1.4203.1.11.3" => "WhoAmI",
        "1.3.6.1.1.8" => "Cancel",
        "1.3.6.1.4.1.1466.101.119.1" => "DynamicRefresh",
        "1.2.840.113556.1.4.1781" => "FastConcurrentBind",
        other => other,
    }
}
