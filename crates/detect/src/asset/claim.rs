//! Who uses which title, name and address, so that a second user of one is seen.
//!
//! Enters: titles that callers give, host names that DHCP clients give, addresses that hardware
//! addresses claim. Leaves: warnings on both devices, and devices without hardware address joined
//! under their name. Refuses: the titles that toolkits give themselves. Limits:
//! `limit::CLAIMS_MAX` of each, the first of the order goes.
//! Source: DICOM PS3.8 section 7.1.1 (calling AE title), RFC 2132 section 3.14, RFC 5227.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::Mac;

use super::change::{AE_TITLE_SHARED, DUPLICATE_ADDRESS, HOST_NAME_SHARED, Note};
use super::limit::{CLAIM_MS, CLAIMS_MAX, FLIP_MS, MOVE_MS, NAME_MS};
use super::{Inventory, Key, export};

/// Titles that toolkits call with unless told otherwise: many devices have them.
const TOOLKIT_TITLES: [&str; 10] = [
    "ANY-SCP",
    "ECHOSCU",
    "FINDSCU",
    "GETSCU",
    "MOVESCU",
    "STORESCU",
    "DCMSEND",
    "PYNETDICOM",
    "TERMSCU",
    "DCMECHO",
];

/// An address that went from one hardware address to another.
#[derive(Clone, Copy, Debug)]
struct Moved {
    from: Mac,
    at: i64,
}

/// First users of titles and names.
#[derive(Debug, Default)]
pub(super) struct Claims {
    titles: BTreeMap<Box<str>, Key>,
    /// Host names that DHCP clients give, lower case.
    hosts: BTreeMap<Box<str>, (Mac, i64)>,
    /// Names of devices without hardware address; `None` once two had one at the same time.
    anchors: BTreeMap<Box<str>, Option<Key>>,
    moved: BTreeMap<IpAddr, Moved>,
}

impl Claims {
    /// Takes note of a title that a device called with before a restart.
    pub(super) fn set_title(&mut self, title: &str, key: Key) {
        let free = !TOOLKIT_TITLES.contains(&title) && !self.titles.contains_key(title);
        if free {
            insert(&mut self.titles, title.into(), key);
        }
    }
}

fn insert<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) {
    if map.len() >= CLAIMS_MAX && !map.contains_key(&key) {
        map.pop_first();
    }
    map.insert(key, value);
}

impl Inventory {
    /// `key` called with this title.
    pub(super) fn claim_title(&mut self, title: &str, key: Key, now: i64) {
        let title = title.trim();
        if title.is_empty() || TOOLKIT_TITLES.contains(&title) {
            return;
        }
        let known = self
            .claims
            .titles
            .get(title)
            .map(|owner| self.resolve(*owner));
        match known.filter(|owner| self.assets.contains_key(owner)) {
            Some(owner) if owner == key => {}
            Some(owner) => self.shared(
                AE_TITLE_SHARED,
                title,
                [owner, key],
                "DICOM calling AE",
                now,
            ),
            None => insert(&mut self.claims.titles, title.into(), key),
        }
    }

    /// A DHCP client gave this host name.
    pub(super) fn claim_host(&mut self, name: &str, mac: Mac, now: i64) {
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() || name == "localhost" {
            return;
        }
        match self.claims.hosts.get(&*name).copied() {
            Some((owner, seen)) if owner != mac && now.saturating_sub(seen) <= NAME_MS => {
                let both = [Key::Mac(owner), Key::Mac(mac)];
                self.shared(HOST_NAME_SHARED, &name, both, "DHCP option 12", now);
            }
            _ => insert(&mut self.claims.hosts, name.into(), (mac, now)),
        }
    }

    /// `ip` went from one hardware address to another: a move, or two that both have it.
    /// `claimed` is when the former one last said that it has it.
    pub(super) fn moved(&mut self, ip: IpAddr, macs: [Mac; 2], claimed: i64, how: How, now: i64) {
        let [from, to] = macs;
        let flips = self
            .claims
            .moved
            .get(&ip)
            .is_some_and(|moved| moved.from == to && now.saturating_sub(moved.at) <= FLIP_MS);
        insert(&mut self.claims.moved, ip, Moved { from, at: now });
        let at_once = now.saturating_sub(claimed) <= CLAIM_MS;
        let (value, keys) = (ip.to_string(), [Key::Mac(from), Key::Mac(to)]);
        if how == How::Claimed && (flips || at_once) {
            self.shared(
                DUPLICATE_ADDRESS,
                &value,
                keys,
                "ARP, neighbour discovery",
                now,
            );
            return;
        }
        let [before, after] = keys.map(export::id);
        for key in keys {
            let note = Note {
                kind: "address_moved",
                attribute: &value,
                before: &before,
                after: &after,
                source: if how == How::Leased {
                    "DHCP"
                } else {
                    "ARP, neighbour discovery"
                },
            };
            self.note(key, note, now);
        }
    }

    /// `ip` was claimed by the second hardware address; the first one, which has it, is there.
    pub(super) fn taken(&mut self, ip: IpAddr, macs: [Mac; 2], now: i64) {
        let keys = macs.map(Key::Mac);
        let source = "ARP, neighbour discovery";
        self.shared(DUPLICATE_ADDRESS, &ip.to_string(), keys, source, now);
    }

    /// A device without hardware address has this name: the one that had it at another address of
    /// the same network before, and was silent since, is the same device.
    pub(super) fn anchor(&mut self, name: &str, key: Key, now: i64) {
        let Key::Ip(ip) = key else { return };
        let name = name.trim().to_ascii_lowercase();
        let known = match self.claims.anchors.get(&*name) {
            Some(None) => return,
            Some(Some(known)) if *known == key => return,
            Some(Some(known)) => self
                .assets
                .get(known)
                .map(|state| (*known, state.last_seen)),
            None => None,
        };
        let Some((before, last)) = known else {
            insert(&mut self.claims.anchors, name.into(), Some(key));
            return;
        };
        let first = self.assets.get(&key).map_or(now, |state| state.first_seen);
        if last >= first {
            insert(&mut self.claims.anchors, name.into(), None);
            return;
        }
        let near = matches!(before, Key::Ip(other) if same_network(other, ip));
        insert(&mut self.claims.anchors, name.clone().into(), Some(key));
        if near && first.saturating_sub(last) <= MOVE_MS {
            self.join(before, key, &name, now);
        }
    }

    /// `before` is the same device as `key`.
    fn join(&mut self, before: Key, key: Key, name: &str, now: i64) {
        let Some(mut gone) = self.assets.remove(&before) else {
            return;
        };
        self.journal.dirty.remove(&before);
        // It is not at its former address any more.
        gone.ips.clear();
        let Some(state) = self.assets.get_mut(&key) else {
            return;
        };
        self.counters.facts_dropped += state.absorb(gone);
        let (before, after) = (export::id(before), export::id(key));
        let note = Note {
            kind: "merged",
            attribute: name,
            before: &before,
            after: &after,
            source: "host name",
        };
        self.note(key, note, now);
    }

    /// Both devices use one title, name or address.
    fn shared(&mut self, kind: &'static str, value: &str, keys: [Key; 2], source: &str, now: i64) {
        let [first, second] = keys;
        for (key, other) in [(first, second), (second, first)] {
            let (before, after) = (export::id(key), export::id(other));
            let note = Note {
                kind,
                attribute: value,
                before: &before,
                after: &after,
                source,
            };
            self.note(key, note, now);
        }
    }

    /// Notes a change of an asset that is known.
    pub(super) fn note(&mut self, key: Key, note: Note<'_>, now: i64) {
        if let Some(state) = self.assets.get_mut(&key) {
            self.journal.note(key, state, note, now);
        }
    }

    /// The identity that an identity has now: its hardware address may be known by now.
    fn resolve(&self, key: Key) -> Key {
        match key {
            Key::Mac(_) => key,
            Key::Ip(ip) => self.bindings.key_of(ip),
        }
    }
}

/// How a hardware address came to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It says so itself.
    Claimed,
    /// A DHCP server gave it.
    Leased,
}

/// True for addresses of one /24, or of one /64.
fn same_network(a: IpAddr, b: IpAddr) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.to_bits() >> 8 == b.to_bits() >> 8,
        (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() >> 64 == b.to_bits() >> 64,
        _ => false,
    }
}
