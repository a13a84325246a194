//! Assets as values for others, as events, and back.
//!
//! Enters: one asset's record, or an event of ours. Leaves: [`Asset`], OCSF class 5001, or the
//! record again. Refuses: events that it did not make (counted). Peers are kept as a number only.
//! Source: `model::class::Inventory`, `model::port::Asset`.

use std::borrow::Cow;
use std::net::IpAddr;

use model::class::{Body, Inventory as Seen};
use model::event::{Event, Meta};
use model::limit::LIST_ITEMS_MAX;
use model::port::{Asset, AssetChange, Attribute as Told, RoleScore};
use model::zone::Zones;
use model::{EventUid, Mac, Millis, Text};

use super::behave;
use super::change::{keep, warn, warning};
use super::role::Roles;
use super::state::Kept;
use super::state::{Attribute, Fact, State};
use super::{Inventory, Key};

/// OCSF activity of whole inventories: Collect. What the wire sees is Log.
pub(super) const ACTIVITY: u16 = 2;
/// OCSF activity of changes: Other.
pub(super) const CHANGE_ACTIVITY: u16 = 99;

/// Bits of an event's sequence that count the assets of one export.
const INDEX_BITS: u32 = 20;

pub(super) fn id(key: Key) -> String {
    match key {
        Key::Mac(mac) => mac.to_string(),
        Key::Ip(ip) => ip.to_string(),
    }
}

/// Addresses, most recent first; those that only their own link knows come last.
fn recent_first(state: &State) -> Vec<IpAddr> {
    let mut ips: Vec<IpAddr> = state.ips.iter().rev().map(|(ip, _)| *ip).collect();
    ips.sort_by_key(|ip| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()));
    ips
}

fn zone(state: &State, zones: &Zones) -> Option<String> {
    let mut recent = state.ips.iter().rev();
    let found = recent.find_map(|(ip, _)| zones.name_of(*ip));
    found.map(str::to_owned)
}

/// Host names, best first, each once whatever its case.
fn names(state: &State) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for known in state.named("hostname") {
        if !names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&known.value))
        {
            names.push(known.value.to_string());
        }
    }
    names
}

fn owned<'s>(entries: impl IntoIterator<Item = &'s Box<str>>) -> Vec<String> {
    entries.into_iter().map(ToString::to_string).collect()
}

fn told(known: &Attribute) -> Told {
    Told {
        name: known.name.to_string(),
        value: known.value.to_string(),
        confidence: known.confidence,
        source: known.source.to_string(),
    }
}

/// Attributes by name, the most certain value of each first.
fn sorted(state: &State) -> Vec<&Attribute> {
    let mut sorted: Vec<&Attribute> = state.attributes.iter().collect();
    sorted.sort_by(|a, b| {
        let by_name = a.name.cmp(&b.name);
        by_name.then_with(|| (b.confidence, b.seen).cmp(&(a.confidence, a.seen)))
    });
    sorted
}

/// One asset for the port.
pub(super) fn asset(key: Key, state: &State, zones: &Zones, roles: &Roles) -> Asset {
    let best = |name: &str| state.best(name).map(str::to_owned);
    let roles = roles.of(state);
    Asset {
        id: id(key),
        ips: recent_first(state),
        mac: match key {
            Key::Mac(mac) => Some(mac.to_string()),
            Key::Ip(_) => None,
        },
        vendor: best("vendor"),
        names: names(state),
        zone: zone(state, zones),
        role: roles.first().map(|best| best.role.clone()),
        speaks: owned(&state.speaks),
        serves: owned(&state.serves),
        first_seen: state.first_seen,
        last_seen: state.last_seen,
        peers: state.peer_count(),
        bytes: state.bytes,
        attributes: sorted(state).into_iter().map(told).collect(),
        os: best("os"),
        os_version: best("os").and_then(|_| best("os_version")),
        model: best("model"),
        serial: best("serial"),
        firmware: best("firmware"),
        department: best("department"),
        roles,
        warnings: state.warnings.clone(),
        changes: state.changes.iter().rev().cloned().collect(),
    }
}

impl Inventory {
    /// Every asset as one event of class 5001, to keep and to export; `now` is their time. Events
    /// of two calls at the same millisecond have the same identities.
    #[must_use]
    pub fn to_events(&self, now: Millis) -> Vec<Event> {
        let assets = self.assets.iter().enumerate();
        assets
            .map(|(index, (key, state))| {
                let millis = u64::try_from(now.0).unwrap_or(0);
                Event {
                    meta: Meta {
                        uid: EventUid {
                            node: self.config.node,
                            seq: (millis << INDEX_BITS).wrapping_add(index as u64),
                        },
                        time: now,
                        logged_time: now,
                        site: self.config.site.clone(),
                        activity: ACTIVITY,
                        severity: 1,
                        status: 1,
                        ..Meta::default()
                    },
                    connection: None,
                    body: seen(*key, state, &self.config.zones, &self.tables.roles).into(),
                }
            })
            .collect()
    }

    /// Changes since the last call as events of class 5001, which happened when they say and are
    /// recorded `now`.
    #[must_use]
    pub fn take_changes(&mut self, now: Millis) -> Vec<Event> {
        self.review_roles(now.0);
        let waiting = std::mem::take(&mut self.journal.waiting);
        waiting
            .into_iter()
            .map(|(key, change)| self.change_event(key, change, now))
            .collect()
    }

    fn change_event(&mut self, key: Key, change: AssetChange, now: Millis) -> Event {
        let millis = u64::try_from(now.0).unwrap_or(0);
        // The upper half of the indices; the lower one is that of whole inventories.
        let index = (1 << (INDEX_BITS - 1)) | (self.journal.sent & ((1 << (INDEX_BITS - 1)) - 1));
        self.journal.sent = self.journal.sent.wrapping_add(1);
        let warns = warning(&change).is_some();
        let state = self.assets.get(&key);
        let text = |text: String| (!text.is_empty()).then_some(Text::Owned(text));
        let body = Seen {
            asset: Text::Owned(id(key)),
            ip: state.and_then(|state| recent_first(state).first().copied()),
            mac: match key {
                Key::Mac(mac) => Some(mac),
                Key::Ip(_) => None,
            },
            hostname: state.and_then(|state| names(state).into_iter().next().map(Text::Owned)),
            vendor: state.and_then(|state| state.best("vendor").map(|v| Text::Owned(v.to_owned()))),
            zone: state.and_then(|state| zone(state, &self.config.zones).map(Text::Owned)),
            change: Some(Text::Owned(change.kind)),
            change_attribute: text(change.attribute),
            change_before: text(change.before),
            change_after: text(change.after),
            change_source: text(change.source),
            ..Seen::default()
        };
        Event {
            meta: Meta {
                uid: EventUid {
                    node: self.config.node,
                    seq: (millis << INDEX_BITS).wrapping_add(index),
                },
                time: Millis(change.time),
                logged_time: now,
                site: self.config.site.clone(),
                activity: CHANGE_ACTIVITY,
                // OCSF: 1 informational, 3 medium.
                severity: if warns { 3 } else { 1 },
                status: 1,
                ..Meta::default()
            },
            connection: None,
            body: body.into(),
        }
    }

    /// Takes back one event of [`Inventory::take_changes`] into the history of an asset that is
    /// known; false for any other event.
    pub fn restore_change(&mut self, event: &Event) -> bool {
        let Body::Inventory(seen) = &event.body else {
            return false;
        };
        let (Some(kind), Some(key)) = (&seen.change, self.key_named(&seen.asset)) else {
            return false;
        };
        let Some(state) = self.assets.get_mut(&key) else {
            return false;
        };
        let text = |text: &Option<Text>| text.as_deref().unwrap_or_default().to_owned();
        let change = AssetChange {
            time: event.meta.time.0,
            kind: kind.to_string(),
            attribute: text(&seen.change_attribute),
            before: text(&seen.change_before),
            after: text(&seen.change_after),
            source: text(&seen.change_source),
        };
        if let Some(warning) = warning(&change) {
            warn(state, warning);
        }
        self.journal.forgotten += keep(state, change);
        true
    }

    /// The asset with this identity, by what is known of addresses now.
    fn key_named(&self, asset: &str) -> Option<Key> {
        match (asset.parse::<Mac>(), asset.parse::<IpAddr>()) {
            (Ok(mac), _) => Some(Key::Mac(mac)),
            // By now its device may be known.
            (_, Ok(ip)) if super::is_device(&self.config.zones, ip) => {
                Some(self.bindings.key_of(ip))
            }
            _ => None,
        }
    }

    /// Takes back one event of [`Inventory::to_events`]; later ones of the same asset add to it.
    /// False (and counted) for any other event.
    pub fn restore(&mut self, event: &Event) -> bool {
        let ours = event.meta.activity == ACTIVITY;
        let restored = if let (Body::Inventory(seen), true) = (&event.body, ours) {
            self.restore_seen(seen, event.meta.time.0)
        } else {
            false
        };
        self.counters.restore_refused += u64::from(!restored);
        restored
    }

    fn restore_seen(&mut self, seen: &Seen, now: i64) -> bool {
        let Some(key) = self.key_named(&seen.asset) else {
            return false;
        };
        let first = seen.first_seen.map_or(now, |time| time.0);
        let last = seen.last_seen.map_or(now, |time| time.0);
        let zones = &self.config.zones;
        let ips = seen.ips.iter().rev().copied();
        let ips: Vec<IpAddr> = ips.filter(|ip| super::is_device(zones, *ip)).collect();
        for ip in &ips {
            if let Key::Mac(mac) = key {
                self.readopt(*ip, mac, first);
                self.bindings.set(*ip, mac, i64::MIN);
            }
        }
        let mut back = State::new(first);
        ips.iter().for_each(|ip| back.touch(Some(*ip), last));
        back.touch(None, last);
        back.peers_since = None;
        // Only who stands in front of others has this role for that reason.
        back.is_router = seen.role.as_deref() == Some("router");
        back.role = seen.role.as_deref().map(Into::into);
        back.peers_before = seen.peers.unwrap_or(0);
        back.bytes = seen.bytes.unwrap_or(0);
        let mut gone = 0;
        for protocol in &seen.speaks {
            gone += u64::from(back.speak(protocol) == Kept::Full);
        }
        for (protocol, port) in parts(&seen.serves, '/') {
            let port = port.parse().ok();
            gone += port.map_or(1, |port| {
                u64::from(back.serve(protocol, port) == Kept::Full)
            });
        }
        for (what, times) in parts(&seen.behaviours, '=') {
            match (behave::known(what), times.parse()) {
                (Some(what), Ok(times)) => back.did(what, times),
                _ => gone += 1,
            }
        }
        let values = seen.provenance_attribute.iter().zip(&seen.provenance_value);
        let rest = seen
            .provenance_confidence
            .iter()
            .zip(&seen.provenance_source);
        for ((name, value), (confidence, source)) in values.zip(rest) {
            // Roles are inferred again from what they were inferred from.
            if *name == ROLE {
                continue;
            }
            if *name == "ae_title" && source.ends_with("calling AE") {
                self.claims.set_title(value, key);
            }
            let fact = Fact {
                name,
                value: Cow::Borrowed(value),
                confidence: u8::try_from(*confidence).unwrap_or(100),
                source,
            };
            gone += back.learn(&fact, last);
        }
        let role = back.role.clone();
        let state = self.quiet_state(key, first);
        state.peers_since = None;
        state.role = role;
        ips.iter().for_each(|ip| state.touch(Some(*ip), last));
        gone += state.absorb(back);
        self.counters.facts_dropped += gone;
        true
    }
}

/// Pairs written as `a/b` or `a=b`.
fn parts(entries: &[Text], sign: char) -> impl Iterator<Item = (&str, &str)> {
    let pairs = entries.iter().map(move |entry| entry.rsplit_once(sign));
    pairs.flatten()
}

/// One attribute with its provenance.
type Row = (Text, Text, u64, Text);

/// Attributes, then the evidence of the roles under the attribute `role`.
fn provenance(state: &State, roles: &[RoleScore]) -> Vec<Row> {
    let own = |text: &str| Text::Owned(text.to_owned());
    let known = sorted(state);
    let known = known.into_iter().map(|known| {
        let confidence = u64::from(known.confidence);
        (
            own(&known.name),
            own(&known.value),
            confidence,
            own(&known.source),
        )
    });
    let inferred = roles.iter().flat_map(|score| {
        score.reasons.iter().map(move |reason| {
            let source = Text::Owned(format!("{} ({:+})", reason.text, reason.weight));
            let confidence = u64::from(score.score);
            (Text::Borrowed(ROLE), own(&score.role), confidence, source)
        })
    });
    known.chain(inferred).take(LIST_ITEMS_MAX).collect()
}

fn seen(key: Key, state: &State, zones: &Zones, roles: &Roles) -> Seen {
    let texts = |entries: Vec<String>| entries.into_iter().map(Text::Owned).collect::<Vec<_>>();
    let best = |name: &str| state.best(name).map(|value| Text::Owned(value.to_owned()));
    let roles = roles.of(state);
    let rows = provenance(state, &roles);
    let does = state.does.iter();
    let does = does.map(|(what, done)| Text::Owned(format!("{what}={}", done.count())));
    let ips = recent_first(state);
    Seen {
        asset: Text::Owned(id(key)),
        ip: ips.first().copied(),
        mac: match key {
            Key::Mac(mac) => Some(mac),
            Key::Ip(_) => None,
        },
        hostname: names(state).into_iter().next().map(Text::Owned),
        vendor: best("vendor"),
        model: best("model"),
        first_seen: Some(Millis(state.first_seen)),
        last_seen: Some(Millis(state.last_seen)),
        zone: zone(state, zones).map(Text::Owned),
        ips,
        role: roles.first().map(|best| Text::Owned(best.role.clone())),
        speaks: texts(owned(&state.speaks)),
        serves: texts(owned(&state.serves)),
        peers: Some(state.peer_count()),
        bytes: Some(state.bytes),
        provenance_attribute: rows.iter().map(|row| row.0.clone()).collect(),
        provenance_value: rows.iter().map(|row| row.1.clone()).collect(),
        provenance_confidence: rows.iter().map(|row| row.2).collect(),
        provenance_source: rows.iter().map(|row| row.3.clone()).collect(),
        os: best("os"),
        os_version: best("os").and_then(|_| best("os_version")),
        serial: best("serial"),
        firmware: best("firmware"),
        department: best("department"),
        behaviours: does.take(LIST_ITEMS_MAX).collect(),
        ..Seen::default()
    }
}

/// Attribute under which the evidence of roles stands.
const ROLE: &str = "role";
