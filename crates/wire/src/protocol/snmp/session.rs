//! One flow's messages, summed.
//!
//! Enters: messages of both sides. Leaves: a summary every [`SUMMARY_NS`] of packet time, and at
//! the end. Refuses: more than [`GROUPS_MAX`] groups of objects and [`USERS_MAX`] users, counted as
//! an anomaly. Source: RFC 3416 section 4, RFC 3418.

use std::collections::{BTreeMap, BTreeSet};

use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::ber::{arcs, dotted};
use super::parser::{Message, Pdu, Security, identity, operation};
use crate::protocol::shared::exchange::{self, FAILURE, SUCCESS, TRAFFIC};
use crate::protocol::shared::text::{TEXT_BYTES_MAX, readable};
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Packet time between two summaries of one flow.
pub(super) const SUMMARY_NS: u64 = 300_000_000_000;
/// Most groups of objects of one summary.
pub(super) const GROUPS_MAX: usize = 24;
/// Most users of one summary.
const USERS_MAX: usize = 8;
/// Arcs of a group: `1.3.6.1.2.1.1`, and one more below `enterprises`.
const GROUP_ARCS: usize = 7;
/// Longest engine identifier that is told; RFC 3411 says 32 octets.
const ENGINE_BYTES_MAX: usize = 32;
/// Kinds of operation.
const KINDS: usize = 9;
const RESPONSE: u8 = 2;
const SET: u8 = 3;

/// One flow's SNMP.
#[derive(Default)]
pub(super) struct SnmpSession {
    sum: Option<Box<Sum>>,
}

#[derive(Default)]
struct Sum {
    start: Nanos,
    version: &'static str,
    default_community: Option<bool>,
    security: Option<&'static str>,
    engine: Option<String>,
    users: BTreeSet<String>,
    kinds: [u64; KINDS],
    encrypted: u64,
    errors: BTreeMap<i64, u64>,
    groups: BTreeSet<String>,
    enterprise: Option<String>,
    identity: BTreeMap<&'static str, String>,
    messages: u64,
}

impl Session for SnmpSession {
    fn bytes(&mut self, _side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(message) = Message::parse(bytes) else {
            cx.anomaly("snmp-malformed");
            return Step::consumed(bytes.len());
        };
        let due = |sum: &Sum| cx.now.since(sum.start) >= SUMMARY_NS;
        if self.sum.as_deref().is_some_and(due) {
            self.end(cx);
        }
        let now = cx.now;
        let sum = self.sum.get_or_insert_with(|| {
            Box::new(Sum {
                start: now,
                ..Sum::default()
            })
        });
        sum.messages += 1;
        sum.version = message.version;
        sum.default_community = match (sum.default_community, message.default_community) {
            (Some(true), _) => Some(true),
            (_, found) => found,
        };
        if let Some(security) = &message.security {
            sum.secure(security, cx);
        }
        match &message.pdu {
            Some(pdu) => sum.operate(pdu, cx),
            None => sum.encrypted += 1,
        }
        Step::consumed(bytes.len())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if let Some(sum) = self.sum.take() {
            sum.tell(cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let of = |sum: &Sum| {
            let texts: usize = sum.identity.values().map(String::len).sum();
            let sets = sum.groups.len() + sum.users.len() + sum.errors.len();
            size_of::<Sum>() + texts + sets * 96
        };
        size_of::<Self>() + self.sum.as_deref().map_or(0, of)
    }
}

impl Sum {
    fn secure(&mut self, security: &Security<'_>, cx: &mut Context<'_>) {
        self.security = Some(match security.flags & 3 {
            0 => "none",
            1 => "authenticated",
            _ => "encrypted",
        });
        if (1..=ENGINE_BYTES_MAX).contains(&security.engine.len()) {
            let hex = security.engine.iter().map(|octet| format!("{octet:02x}"));
            self.engine = Some(hex.collect());
        }
        let user = readable(security.user);
        if user.is_empty() || self.users.contains(&user) {
            return;
        }
        if self.users.len() < USERS_MAX {
            self.users.insert(user);
        } else {
            cx.anomaly("snmp-users-limit");
        }
    }

    fn operate(&mut self, pdu: &Pdu<'_>, cx: &mut Context<'_>) {
        if let Some(count) = self.kinds.get_mut(usize::from(pdu.kind)) {
            *count += 1;
        }
        // In a GetBulk request the field is a number of repetitions.
        if pdu.kind == RESPONSE && pdu.error != 0 {
            let code = pdu.error.clamp(1, 19);
            *self.errors.entry(code).or_default() += 1;
        }
        if let Some(enterprise) = pdu.enterprise {
            self.enterprise = Some(dotted(&arcs(enterprise)));
        }
        for (name, tag, value) in &pdu.bindings {
            let arcs = arcs(name);
            let group = dotted(arcs.get(..GROUP_ARCS).unwrap_or(&arcs));
            if !self.groups.contains(&group) {
                if self.groups.len() < GROUPS_MAX {
                    self.groups.insert(group);
                } else {
                    cx.anomaly("snmp-groups-limit");
                }
            }
            if pdu.kind == RESPONSE
                && let Some((key, text)) = identity(name, *tag, value)
            {
                let text = model::limit::cut_to(&text, TEXT_BYTES_MAX).to_owned();
                self.identity.insert(key, text);
            }
        }
    }

    fn tell(self, cx: &mut Context<'_>) {
        let mut facts = Facts::of("snmp");
        facts.add("version", self.version);
        let community = |default| if default { "default" } else { "custom" };
        facts.maybe("community", self.default_community.map(community));
        facts.maybe("security", self.security);
        facts.maybe("engine", self.engine.as_deref());
        facts.maybe("enterprise", self.enterprise.as_deref());
        for (key, text) in &self.identity {
            facts.add(key, text);
        }
        for (kind, count) in (0u8..).zip(self.kinds).filter(|(_, count)| *count > 0) {
            facts.add("pdu", format_args!("{}:{count}", operation(kind)));
        }
        if self.encrypted > 0 {
            facts.add("pdu", format_args!("encrypted:{}", self.encrypted));
        }
        for (code, count) in &self.errors {
            facts.add("error", format_args!("{}:{count}", error(*code)));
        }
        for group in &self.groups {
            facts.add("group", group);
        }
        let count = |kind: u8| self.kinds.get(usize::from(kind)).copied().unwrap_or(0);
        let word = if count(SET) > 0 {
            "set"
        } else if count(4) + count(6) + count(7) > 0 {
            "notify"
        } else {
            "query"
        };
        let mut body = exchange::body("snmp", word, &mut facts);
        body.object_count = Some(self.messages);
        if !self.users.is_empty() {
            let users: Vec<&str> = self.users.iter().map(String::as_str).collect();
            body.object = Some(Sensitive::text(&users.join(" ")));
        }
        let answered = count(RESPONSE);
        let failed: u64 = self.errors.values().sum();
        let status = match (answered, failed) {
            (0, _) => 0,
            (answered, failed) if failed >= answered => FAILURE,
            _ => SUCCESS,
        };
        let code = self
            .errors
            .keys()
            .next()
            .map(|code| Text::Borrowed(error(*code)));
        cx.emit(Draft::new(self.start, TRAFFIC, body).status(status, code));
    }
}

/// Name of an error status.
const fn error(code: i64) -> &'static str {
    match code {
        1 => "too_big",
        2 => "no_such_name",
        3 => "bad_value",
        4 => "read_only",
        6 => "no_access",
        11 => "no_creation",
        13 => "resource_unavailable",
        14 => "commit_failed",
        16 => "authorization_error",
        17 => "not_writable",
        _ => "other",
    }
}
