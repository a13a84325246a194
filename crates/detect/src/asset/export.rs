//! Assets as values for others, as events, and back.
//!
//! Enters: one asset's record, or an event of ours. Leaves: [`Asset`], OCSF class 5001, or the
//! record again. Refuses: events that it did not make (counted). Peers are kept as a number only.
//! Source: `model::class::Inventory`, `model::port::Asset`.

use std::borrow::Cow;
use std::net::IpAddr;

use model::class::{Body, Inventory as Seen};
use model::event::{Event, Meta};
use model::port::{Asset, Attribute as Told};
use model::zone::Zones;
use model::{EventUid, Mac, Millis, Text};

use super::state::{Attribute, Fact, State};
use super::{Inventory, Key, role};

/// OCSF activity of the events made here: Collect. What the wire sees is Log.
pub(super) const ACTIVITY: u16 = 2;

/// Bits of an event's sequence that count the assets of one export.
const INDEX_BITS: u32 = 20;

fn id(key: Key) -> String {
    match key {
        Key::Mac(mac) => mac.to_string(),
        Key::Ip(ip) => ip.to_string(),
    }
}

fn recent_first(state: &State) -> Vec<IpAddr> {
    state.ips.iter().rev().map(|(ip, _)| *ip).collect()
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

/// One asset for the port.
pub(super) fn asset(key: Key, state: &State, zones: &Zones) -> Asset {
    Asset {
        id: id(key),
        ips: recent_first(state),
        mac: match key {
            Key::Mac(mac) => Some(mac.to_string()),
            Key::Ip(_) => None,
        },
        vendor: state.best("vendor").map(str::to_owned),
        names: names(state),
        zone: zone(state, zones),
        role: role::of(state).map(str::to_owned),
        speaks: owned(&state.speaks),
        serves: owned(&state.serves),
        first_seen: state.first_seen,
        last_seen: state.last_seen,
        peers: state.peer_count(),
        bytes: state.bytes,
        attributes: state.attributes.iter().map(told).collect(),
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
                    body: seen(*key, state, &self.config.zones).into(),
                }
            })
            .collect()
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
        let key = match (seen.asset.parse::<Mac>(), seen.asset.parse::<IpAddr>()) {
            (Ok(mac), _) => Key::Mac(mac),
            // By now its device may be known.
            (_, Ok(ip)) if super::is_device(&self.config.zones, ip) => self.bindings.key_of(ip),
            _ => return false,
        };
        let first = seen.first_seen.map_or(now, |time| time.0);
        let last = seen.last_seen.map_or(now, |time| time.0);
        let zones = &self.config.zones;
        let ips = seen.ips.iter().rev().copied();
        let ips: Vec<IpAddr> = ips.filter(|ip| super::is_device(zones, *ip)).collect();
        for ip in &ips {
            if let Key::Mac(mac) = key {
                self.adopt(*ip, mac, first);
                self.bindings.set(*ip, mac);
            }
        }
        let mut back = State::new(first);
        ips.iter().for_each(|ip| back.touch(Some(*ip), last));
        back.touch(None, last);
        back.is_router = seen.role.as_deref() == Some("router");
        back.peers_before = seen.peers.unwrap_or(0);
        back.bytes = seen.bytes.unwrap_or(0);
        let mut gone = 0;
        for protocol in &seen.speaks {
            gone += u64::from(!back.speak(protocol));
        }
        for (protocol, port) in seen
            .serves
            .iter()
            .filter_map(|entry| entry.rsplit_once('/'))
        {
            let port = port.parse().ok();
            gone += port.map_or(1, |port| u64::from(!back.serve(protocol, port)));
        }
        let values = seen.provenance_attribute.iter().zip(&seen.provenance_value);
        let rest = seen
            .provenance_confidence
            .iter()
            .zip(&seen.provenance_source);
        for ((name, value), (confidence, source)) in values.zip(rest) {
            let fact = Fact {
                name,
                value: Cow::Borrowed(value),
                confidence: u8::try_from(*confidence).unwrap_or(100),
                source,
            };
            gone += back.learn(&fact, last);
        }
        let state = self.state(key, first);
        ips.iter().for_each(|ip| state.touch(Some(*ip), last));
        gone += state.absorb(back);
        self.counters.facts_dropped += gone;
        true
    }
}

fn seen(key: Key, state: &State, zones: &Zones) -> Seen {
    let texts = |entries: Vec<String>| entries.into_iter().map(Text::Owned).collect::<Vec<_>>();
    let best = |name: &str| state.best(name).map(|value| Text::Owned(value.to_owned()));
    let each = |part: fn(&Attribute) -> &str| {
        let known = state.attributes.iter();
        known
            .map(|known| Text::Owned(part(known).to_owned()))
            .collect::<Vec<_>>()
    };
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
        role: role::of(state).map(Text::Borrowed),
        speaks: texts(owned(&state.speaks)),
        serves: texts(owned(&state.serves)),
        peers: Some(state.peer_count()),
        bytes: Some(state.bytes),
        provenance_attribute: each(|known| &known.name),
        provenance_value: each(|known| &known.value),
        provenance_confidence: state
            .attributes
            .iter()
            .map(|known| known.confidence.into())
            .collect(),
        provenance_source: each(|known| &known.source),
    }
}
