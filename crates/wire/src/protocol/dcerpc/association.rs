//! One association: what is bound, what was called, who logged in.
//!
//! Enters: fragments. Leaves: drafts. Refuses: more than [`CONTEXTS_MAX`] interfaces,
//! [`GROUPS_MAX`] kinds of calls, [`CALLS_MAX`] calls without answer. Source: C706 section 12.6.

use std::collections::BTreeMap;

use model::class::Network;
use model::fact::Facts;
use model::{Body, Nanos, Text};

use super::names::{EPMAPPER, Interface, interface, uuid};
use super::parser::{
    ALTER, ALTER_ACK, AUTH3, BIND, BIND_ACK, BIND_NAK, FAULT, Header, Offer, REQUEST, RESPONSE,
    fault, mapped, offers, request, results, verifier,
};
use crate::protocol::logon::Logon;
use crate::protocol::{Context, Draft, Side};

/// Most interfaces bound at once.
pub(super) const CONTEXTS_MAX: usize = 64;
/// Most kinds of calls (interface and operation) that are counted apart.
pub(super) const GROUPS_MAX: usize = 256;
/// Most calls without answer.
pub(super) const CALLS_MAX: usize = 256;
const TRAFFIC: u16 = 6;

/// Operation of the endpoint mapper that asks for an address.
const EPT_MAP: u16 = 3;

/// Interface and operation; for the endpoint mapper also the interface that is looked for.
type Key = ([u8; 16], u16, [u8; 16]);

/// One association.
#[derive(Default)]
pub(super) struct Association {
    offered: Vec<Offer>,
    bound: BTreeMap<u16, Offer>,
    calls: BTreeMap<u32, Key>,
    groups: BTreeMap<Key, Group>,
    logon: Logon,
    auth: Option<(u8, u8)>,
    /// The named pipe around it.
    pipe: Option<Text>,
    certain: bool,
}

#[derive(Clone, Copy)]
struct Group {
    time: Nanos,
    version: u16,
    untold: u64,
    told: bool,
    fault: Option<u32>,
}

impl Association {
    /// One inside a named pipe.
    pub(super) fn in_pipe(name: Text) -> Self {
        Self {
            pipe: Some(name),
            ..Self::default()
        }
    }

    /// True once a binding was seen.
    pub(super) const fn is_certain(&self) -> bool {
        self.certain
    }

    /// Takes a fragment that `side` sent, as far as it is wanted.
    pub(super) fn fragment(
        &mut self,
        side: Side,
        header: &Header,
        bytes: &[u8],
        cx: &mut Context<'_>,
    ) {
        self.certain |= matches!(header.kind, BIND..=ALTER_ACK);
        match header.kind {
            BIND | ALTER => {
                self.offered = offers(header, bytes);
                self.token(side, header, bytes, cx);
            }
            BIND_ACK | ALTER_ACK => {
                self.token(side, header, bytes, cx);
                self.answered(&results(header, bytes), cx);
            }
            BIND_NAK => {
                self.answered(&[], cx);
                self.end_logon(Some((2, Text::Borrowed("bind_nak"))), cx);
            }
            AUTH3 => self.token(side, header, bytes, cx),
            REQUEST if header.is_first() => self.called(header, bytes, cx),
            RESPONSE | FAULT if header.is_first() => self.returned(header, bytes, cx),
            _ => {}
        }
    }

    fn token(&mut self, side: Side, header: &Header, bytes: &[u8], cx: &Context<'_>) {
        if let Some((kind, level, token)) = verifier(header, bytes) {
            self.auth = Some((kind, level));
            self.logon.token(side, token, cx.now);
        }
    }

    fn end_logon(&mut self, outcome: Option<(u16, Text)>, cx: &mut Context<'_>) {
        let Some(mut draft) = self.logon.take(outcome) else {
            return;
        };
        if let (Body::Authentication(body), Some((_, level))) = (&mut draft.body, self.auth) {
            let mut facts = Facts::of("dcerpc");
            facts.add("auth_level", level_name(level));
            body.facts.extend(facts.take());
        }
        cx.emit(draft);
    }

    fn answered(&mut self, results: &[u16], cx: &mut Context<'_>) {
        let offered = std::mem::take(&mut self.offered);
        for (index, offer) in offered.into_iter().enumerate() {
            match results.get(index) {
                Some(0) if self.bound.len() < CONTEXTS_MAX => {
                    self.bound.insert(offer.context, offer);
                }
                Some(0) => cx.anomaly("dcerpc-contexts-limit"),
                // A feature negotiation, or another transfer syntax of an interface bound anyway.
                Some(2 | 3) => {}
                Some(_) | None => {
                    let mut facts = self.facts(&offer.interface, offer.version);
                    facts.add("call", "bind");
                    cx.emit(draft(cx.now, "bind", 1, facts).status(2, None));
                }
            }
        }
    }

    fn called(&mut self, header: &Header, bytes: &[u8], cx: &mut Context<'_>) {
        let Some((context, operation)) = request(header, bytes) else {
            cx.anomaly("dcerpc-request-malformed");
            return;
        };
        // One whose acceptance was not seen is called all the same; one whose binding was not seen
        // counts under the empty identifier.
        let offered = || self.offered.iter().find(|offer| offer.context == context);
        let offer = self.bound.get(&context).or_else(offered).copied();
        let interface = offer.map_or([0; 16], |offer| offer.interface);
        let asks = operation == EPT_MAP && u128::from_be_bytes(interface) == EPMAPPER;
        let wanted = asks.then(|| mapped(bytes)).flatten();
        let key = (interface, operation, wanted.unwrap_or([0; 16]));
        if self.calls.len() >= CALLS_MAX {
            cx.anomaly("dcerpc-calls-limit");
            self.calls.pop_first();
        }
        self.calls.insert(header.call, key);
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&key) {
            cx.anomaly("dcerpc-groups-limit");
            return;
        }
        let group = self.groups.entry(key).or_insert(Group {
            time: cx.now,
            version: offer.map_or(0, |offer| offer.version),
            untold: 0,
            told: false,
            fault: None,
        });
        if group.untold == 0 {
            group.time = cx.now;
        }
        group.untold += 1;
    }

    fn returned(&mut self, header: &Header, bytes: &[u8], cx: &mut Context<'_>) {
        let failed = (header.kind == FAULT).then(|| fault(header, bytes).unwrap_or(0));
        // Nothing answers AUTH3: a call that is answered is the answer.
        if self.logon.is_whole() {
            let denied = failed == Some(5);
            let word = if denied { "0x00000005" } else { "" };
            self.end_logon(Some((if denied { 2 } else { 1 }, Text::Borrowed(word))), cx);
        }
        let Some(key) = self.calls.remove(&header.call) else {
            return;
        };
        let Some(group) = self.groups.get_mut(&key) else {
            return;
        };
        group.fault = failed.or(group.fault);
        if !group.told {
            group.told = true;
            let told = *group;
            (group.untold, group.fault) = (0, None);
            cx.emit(self.tell(&key, &told, 1));
        }
    }

    /// The conversation is over: tells what was not told.
    pub(super) fn end(&mut self, cx: &mut Context<'_>) {
        self.end_logon(None, cx);
        let mut groups: Vec<_> = std::mem::take(&mut self.groups).into_iter().collect();
        groups.sort_by_key(|(_, group)| group.time);
        for (key, group) in groups.iter().filter(|(_, group)| group.untold > 0) {
            let status = u16::from(group.told);
            cx.emit(self.tell(key, group, status));
        }
    }

    /// Heap bytes held; an estimate that errs high.
    pub(super) fn heap_bytes(&self) -> usize {
        let each = |count: usize, bytes: usize| count * 2 * bytes;
        each(self.offered.capacity(), size_of::<Offer>())
            + each(self.bound.len(), size_of::<Offer>() + 2)
            + each(self.calls.len(), size_of::<Key>() + 4)
            + each(self.groups.len(), size_of::<(Key, Group)>())
            + self.logon.heap_bytes()
    }

    fn tell(&self, key: &Key, group: &Group, status: u16) -> Draft {
        let (uuid_octets, operation, wanted) = key;
        let mut facts = self.facts(uuid_octets, group.version);
        facts.add("opnum", operation);
        if *wanted != [0; 16] {
            let name = interface(wanted).map(|known| known.name.to_owned());
            facts.add("mapped", name.unwrap_or_else(|| uuid(wanted)));
        }
        if let Some((kind, level)) = self.auth {
            facts.add("auth", auth_name(kind));
            facts.add("auth_level", level_name(level));
        }
        let known = interface(uuid_octets);
        let name = known.and_then(|known| known.operation(*operation));
        let word = match (known, name) {
            (Some(known), Some(name)) => format!("{}.{name}", known.name),
            (Some(known), None) => format!("{}.{operation}", known.name),
            (None, _) => operation.to_string(),
        };
        let code = group.fault.map(|code| Text::from(format!("0x{code:08x}")));
        let status = if code.is_some() { 2 } else { status };
        draft(group.time, &word, group.untold, facts).status(status, code)
    }

    fn facts(&self, interface_uuid: &[u8; 16], version: u16) -> Facts {
        let mut facts = Facts::of("dcerpc");
        facts.maybe("pipe", self.pipe.as_ref());
        if *interface_uuid != [0; 16] {
            facts.add("interface_uuid", uuid(interface_uuid));
            facts.add("interface_version", version);
            let known = interface(interface_uuid);
            facts.maybe("interface", known.map(|known: &Interface| known.name));
        }
        facts
    }
}

fn draft(time: Nanos, operation: &str, count: u64, mut facts: Facts) -> Draft {
    let body = Network {
        about: Text::Borrowed("dcerpc"),
        operation: Some(Text::from(operation.to_owned())),
        object_count: Some(count),
        facts: facts.take(),
        ..Network::default()
    };
    Draft::new(time, TRAFFIC, body)
}

/// [MS-RPCE] section 2.2.1.1.7.
const fn auth_name(kind: u8) -> &'static str {
    match kind {
        9 => "SPNEGO",
        10 => "NTLM",
        14 => "Schannel",
        16 => "Kerberos",
        68 => "Netlogon",
        _ => "other",
    }
}

/// [MS-RPCE] section 2.2.1.1.8.
const fn level_name(level: u8) -> &'static str {
    match level {
        1 => "none",
        2 => "connect",
        3 => "call",
        4 => "packet",
        5 => "integrity",
        6 => "privacy",
        _ => "default",
    }
}
