//! What is known of one asset.
//!
//! Enters: facts with provenance. Leaves: a bounded record of them. Refuses: more than the limits;
//! what is turned away is counted by the inventory. Source: `DESIGN.md` section 5, assets.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;

use model::limit::cut_to;

use super::limit::{ATTRIBUTES_MAX, IPS_MAX, PROTOCOLS_MAX, SAME_NAME_MAX, VALUE_BYTES_MAX};
use super::peers::Peers;

/// Something that an event says about an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact<'a> {
    /// `hostname`, `os`, `ae_title`, ...
    pub(super) name: &'a str,
    pub(super) value: Cow<'a, str>,
    /// 0 to 100.
    pub(super) confidence: u8,
    /// Where it was read.
    pub(super) source: &'a str,
}

/// A fact that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: Box<str>,
    pub(super) value: Box<str>,
    pub(super) confidence: u8,
    pub(super) source: Box<str>,
    /// When it was last said, milliseconds.
    pub(super) seen: i64,
}

/// One asset.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Addresses and when each was last seen, most recent last.
    pub(super) ips: Vec<(IpAddr, i64)>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) speaks: BTreeSet<Box<str>>,
    /// `proto/port`.
    pub(super) serves: BTreeSet<Box<str>>,
    pub(super) first_seen: i64,
    pub(super) last_seen: i64,
    pub(super) peers: Peers,
    /// Peers counted before the last start: a floor, since who they were is not kept.
    pub(super) peers_before: u64,
    pub(super) bytes: u64,
    /// Outside addresses were seen behind its hardware address.
    pub(super) is_router: bool,
}

impl State {
    /// A new asset.
    pub(super) fn new(now: i64) -> Self {
        Self {
            first_seen: now,
            last_seen: now,
            ..Self::default()
        }
    }

    /// Seen now, at this address.
    pub(super) fn touch(&mut self, ip: Option<IpAddr>, now: i64) {
        self.first_seen = self.first_seen.min(now);
        self.last_seen = self.last_seen.max(now);
        let Some(ip) = ip else {
            return;
        };
        match self.ips.iter().position(|(known, _)| *known == ip) {
            Some(at) if at + 1 == self.ips.len() => {
                if let Some((_, seen)) = self.ips.last_mut() {
                    *seen = now.max(*seen);
                }
            }
            Some(at) => {
                let (ip, seen) = self.ips.remove(at);
                self.ips.push((ip, seen.max(now)));
            }
            None => {
                if self.ips.len() >= IPS_MAX {
                    self.ips.remove(0);
                }
                self.ips.push((ip, now));
            }
        }
    }

    /// No longer at this address.
    pub(super) fn leave(&mut self, ip: IpAddr) {
        self.ips.retain(|(known, _)| *known != ip);
    }

    /// Keeps a fact; returns how many facts had to go, this one included.
    pub(super) fn learn(&mut self, fact: &Fact<'_>, now: i64) -> u64 {
        let value = cut_to(fact.value.trim(), VALUE_BYTES_MAX);
        if value.is_empty() {
            return 0;
        }
        let same = |known: &&mut Attribute| {
            *known.name == *fact.name && *known.value == *value && *known.source == *fact.source
        };
        if let Some(known) = self.attributes.iter_mut().find(same) {
            known.confidence = known.confidence.max(fact.confidence);
            known.seen = known.seen.max(now);
            return 0;
        }
        self.attributes.push(Attribute {
            name: fact.name.into(),
            value: value.into(),
            confidence: fact.confidence.min(100),
            source: fact.source.into(),
            seen: now,
        });
        let mut gone = self.forget(SAME_NAME_MAX, |known| *known.name == *fact.name);
        gone += self.forget(ATTRIBUTES_MAX, |_| true);
        gone
    }

    /// Forgets the least certain of these attributes, the oldest among equals, when too many.
    fn forget(&mut self, max: usize, these: impl Fn(&Attribute) -> bool) -> u64 {
        let numbered = self.attributes.iter().enumerate();
        let concerned = numbered.filter(|(_, known)| these(known));
        if concerned.clone().count() <= max {
            return 0;
        }
        let worst = concerned.min_by_key(|(_, known)| (known.confidence, known.seen));
        if let Some((at, _)) = worst {
            self.attributes.remove(at);
        }
        1
    }

    /// Speaks `protocol` as a client; false when there is no room.
    pub(super) fn speak(&mut self, protocol: &str) -> bool {
        insert(&mut self.speaks, protocol)
    }

    /// Offers `protocol/port`; false when there is no room.
    pub(super) fn serve(&mut self, protocol: &str, port: u16) -> bool {
        let known = |entry: &str| {
            let parts = entry.rsplit_once('/');
            parts.is_some_and(|(name, at)| name == protocol && at.parse() == Ok(port))
        };
        if self.serves.iter().any(|entry| known(entry)) {
            return true;
        }
        insert(&mut self.serves, &format!("{protocol}/{port}"))
    }

    /// True when it offers this protocol on any port.
    pub(super) fn offers(&self, protocol: &str) -> bool {
        let mut names = self.serves.iter().map(|entry| entry.split('/').next());
        names.any(|name| name == Some(protocol))
    }

    /// Peers, including those known before the last start.
    pub(super) fn peer_count(&self) -> u64 {
        self.peers.count().max(self.peers_before)
    }

    /// Takes over what was known of the same device under another identity; returns how many facts
    /// had to go.
    pub(super) fn absorb(&mut self, other: Self) -> u64 {
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.peers_before = self.peers_before.max(other.peers_before);
        self.is_router |= other.is_router;
        self.peers.absorb(other.peers);
        let mut gone = 0;
        for entry in other.speaks {
            gone += u64::from(!insert(&mut self.speaks, &entry));
        }
        for entry in other.serves {
            gone += u64::from(!insert(&mut self.serves, &entry));
        }
        for known in &other.attributes {
            let fact = Fact {
                name: &known.name,
                value: Cow::Borrowed(&known.value),
                confidence: known.confidence,
                source: &known.source,
            };
            gone += self.learn(&fact, known.seen);
        }
        gone
    }

    /// Attributes of one name, most certain first, most recent among equals.
    pub(super) fn named<'a>(&'a self, name: &str) -> Vec<&'a Attribute> {
        let of_name = self.attributes.iter().filter(|known| *known.name == *name);
        let mut found: Vec<_> = of_name.collect();
        found.sort_by_key(|known| std::cmp::Reverse((known.confidence, known.seen)));
        found
    }

    /// The most certain value of one name.
    pub(super) fn best<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.named(name).first().map(|known| &*known.value)
    }
}

fn insert(set: &mut BTreeSet<Box<str>>, entry: &str) -> bool {
    if set.contains(entry) {
        return true;
    }
    let room = set.len() < PROTOCOLS_MAX;
    if room {
        set.insert(entry.into());
    }
    room
}
