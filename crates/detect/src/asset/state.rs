//! What is known of one asset.
//!
//! Enters: facts with provenance. Leaves: a bounded record of them. Refuses: more than the limits;
//! what is turned away is counted by the inventory. Source: `DESIGN.md` section 5, assets.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use model::limit::cut_to;
use model::port::{AssetChange, AssetWarning};

use super::limit::{
    ATTRIBUTES_MAX, DOERS_MAX, IPS_MAX, PROTOCOLS_MAX, SAME_NAME_MAX, VALUE_BYTES_MAX,
};
use super::peers::{self, Peers};

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

/// With whom something was done.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    /// Hashes of the other ends, ascending.
    with: Vec<u64>,
    /// How many there were before the last start: a floor.
    before: u64,
}

impl Done {
    /// Distinct other ends, at most `DOERS_MAX` of them.
    pub(super) fn count(&self) -> u64 {
        (self.with.len() as u64).max(self.before)
    }

    /// Counts another end; true when the number rose.
    fn add(&mut self, hash: u64) -> bool {
        let before = self.count();
        if let Err(at) = self.with.binary_search(&hash)
            && self.with.len() < DOERS_MAX
        {
            self.with.insert(at, hash);
        }
        self.count() > before
    }
}

/// What became of something that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It was there already.
    Known,
    /// It is there now.
    New,
    /// There is no room for it.
    Full,
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
    /// What it was seen doing.
    pub(super) does: BTreeMap<&'static str, Done>,
    /// History, oldest first.
    pub(super) changes: VecDeque<AssetChange>,
    pub(super) warnings: Vec<AssetWarning>,
    /// Since when its peers are followed, milliseconds; `None` until it is seen after a start.
    pub(super) peers_since: Option<i64>,
    /// When a frame of its own hardware address was last seen, milliseconds.
    pub(super) framed: Option<i64>,
    /// The role that was last told.
    pub(super) role: Option<Box<str>>,
}

impl State {
    /// A new asset.
    pub(super) fn new(now: i64) -> Self {
        Self {
            first_seen: now,
            last_seen: now,
            peers_since: Some(now),
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
        if self.knows(fact, now) {
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

    /// True when it is known already, which it is seen again at this time.
    pub(super) fn knows(&mut self, fact: &Fact<'_>, now: i64) -> bool {
        let value = cut_to(fact.value.trim(), VALUE_BYTES_MAX);
        let same = |known: &&mut Attribute| {
            *known.name == *fact.name && *known.value == *value && *known.source == *fact.source
        };
        let Some(known) = self.attributes.iter_mut().find(same) else {
            return value.is_empty();
        };
        known.confidence = known.confidence.max(fact.confidence.min(100));
        known.seen = known.seen.max(now);
        true
    }

    /// Was seen doing `what` with `ip`; true when that is news.
    pub(super) fn does(&mut self, what: &'static str, ip: IpAddr) -> bool {
        self.does.entry(what).or_default().add(peers::hash(ip))
    }

    /// Did `what` with this many devices before the last start.
    pub(super) fn did(&mut self, what: &'static str, times: u64) {
        let done = self.does.entry(what).or_default();
        done.before = done.before.max(times.min(DOERS_MAX as u64));
    }

    /// With how many devices it was seen doing this.
    pub(super) fn done(&self, what: &str) -> u64 {
        self.does.get(what).map_or(0, Done::count)
    }

    /// True when it offers something at this port.
    pub(super) fn answers_at(&self, port: u16) -> bool {
        let mut ports = self
            .serves
            .iter()
            .filter_map(|entry| entry.rsplit_once('/'));
        ports.any(|(_, at)| at.parse() == Ok(port))
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

    /// Speaks `protocol` as a client.
    pub(super) fn speak(&mut self, protocol: &str) -> Kept {
        insert(&mut self.speaks, protocol)
    }

    /// Offers `protocol/port`.
    pub(super) fn serve(&mut self, protocol: &str, port: u16) -> Kept {
        let known = |entry: &str| {
            let parts = entry.rsplit_once('/');
            parts.is_some_and(|(name, at)| name == protocol && at.parse() == Ok(port))
        };
        if self.serves.iter().any(|entry| known(entry)) {
            return Kept::Known;
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
        self.framed = self.framed.max(other.framed);
        self.peers.absorb(other.peers);
        let mut gone = 0;
        for entry in other.speaks {
            gone += u64::from(insert(&mut self.speaks, &entry) == Kept::Full);
        }
        for entry in other.serves {
            gone += u64::from(insert(&mut self.serves, &entry) == Kept::Full);
        }
        for (what, done) in other.does {
            let ours = self.does.entry(what).or_default();
            ours.before = ours.before.max(done.before);
            for hash in done.with {
                ours.add(hash);
            }
        }
        for warning in other.warnings {
            super::change::warn(self, warning);
        }
        for change in other.changes {
            gone += super::change::keep(self, change);
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

fn insert(set: &mut BTreeSet<Box<str>>, entry: &str) -> Kept {
    if set.contains(entry) {
        return Kept::Known;
    }
    if set.len() >= PROTOCOLS_MAX {
        return Kept::Full;
    }
    set.insert(entry.into());
    Kept::New
}
