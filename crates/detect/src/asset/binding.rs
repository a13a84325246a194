//! Which hardware address has which IP address, and which hardware addresses stand for others.
//!
//! Enters: pairs stated by ARP, neighbour discovery and DHCP; outside addresses behind a frame's
//! sender. Leaves: the identity at an address. Refuses: group addresses. Limits:
//! `limit::FRONTS_MAX`, `limit::OUTSIDE_MAX`; bindings are as many as the addresses of assets.
//! Source: RFC 826, RFC 4861, RFC 2131, RFC 1027 (proxy ARP).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::Mac;

use super::change::Note;
use super::claim::How;
use super::limit::{ALIVE_MS, FRONTS_MAX, IPS_MAX, OUTSIDE_MAX};
use super::state::State;
use super::{Inventory, Key, export, is_device};

/// Bindings in force.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    /// Who has an address, and when that was last said, milliseconds.
    of_ip: BTreeMap<IpAddr, (Mac, i64)>,
    /// Hardware addresses that answer for others.
    shared: BTreeSet<Mac>,
}

impl Bindings {
    /// The identity at an address.
    pub(super) fn key_of(&self, ip: IpAddr) -> Key {
        self.of_ip
            .get(&ip)
            .map_or(Key::Ip(ip), |(mac, _)| Key::Mac(*mac))
    }

    /// Forgets a binding, if it is still this one's.
    pub(super) fn remove(&mut self, ip: IpAddr, key: Key) {
        if self.key_of(ip) == key {
            self.of_ip.remove(&ip);
        }
    }

    /// Keeps the bindings of these addresses.
    pub(super) fn retain(&mut self, keep: impl Fn(IpAddr) -> bool) {
        self.of_ip.retain(|ip, _| keep(*ip));
    }

    /// Binds without questions: when restoring.
    pub(super) fn set(&mut self, ip: IpAddr, mac: Mac, now: i64) {
        self.of_ip.insert(ip, (mac, now));
    }

    /// When it was last said who has an address.
    fn said(&self, ip: IpAddr) -> i64 {
        self.of_ip.get(&ip).map_or(i64::MIN, |(_, said)| *said)
    }
}

/// Outside addresses seen behind hardware addresses.
#[derive(Debug, Default)]
pub(super) struct Fronts {
    behind: BTreeMap<Mac, BTreeSet<IpAddr>>,
}

impl Fronts {
    /// Counts one outside address behind `mac`; true once they are so many that it is a router.
    pub(super) fn is_router(&mut self, mac: Mac, outside: IpAddr) -> bool {
        if !self.behind.contains_key(&mac) && self.behind.len() >= FRONTS_MAX {
            return false;
        }
        let behind = self.behind.entry(mac).or_default();
        if behind.len() < OUTSIDE_MAX {
            behind.insert(outside);
        }
        behind.len() >= OUTSIDE_MAX
    }

    /// True when it was found to be a router.
    pub(super) fn has(&self, mac: Mac) -> bool {
        self.behind
            .get(&mac)
            .is_some_and(|behind| behind.len() >= OUTSIDE_MAX)
    }
}

impl Inventory {
    /// `ip` is at `mac`, says a protocol that must know.
    pub(super) fn bind(&mut self, ip: IpAddr, mac: Mac, how: How, now: i64) {
        let is_host = !mac.is_group() && mac != Mac::default();
        if !is_host || !is_device(&self.config.zones, ip) {
            return;
        }
        if self.bindings.shared.contains(&mac) {
            self.key_of_seen(ip, now);
            return;
        }
        let key = Key::Mac(mac);
        let full = |state: &State| state.ips.len() >= IPS_MAX && !has(state, ip);
        if self.assets.get(&key).is_some_and(full) {
            self.split(mac, now);
            self.key_of_seen(ip, now);
            return;
        }
        match self.bindings.key_of(ip) {
            known if known == key => {}
            Key::Ip(_) => self.adopt(ip, mac, now),
            Key::Mac(owner) if how == How::Claimed && self.holds(owner, ip, now) => {
                self.state(key, now).touch(None, now);
                self.taken(ip, [owner, mac], now);
                return;
            }
            before @ Key::Mac(owner) => {
                self.counters.ips_moved += 1;
                if let Some(state) = self.assets.get_mut(&before) {
                    state.leave(ip);
                }
                self.state(key, now);
                let said = self.bindings.said(ip);
                self.moved(ip, [owner, mac], said, how, now);
            }
        }
        self.state(key, now).touch(Some(ip), now);
        self.bindings.set(ip, mac, now);
    }

    /// True when the device that has an address is there, and has no other of its kind: then it
    /// did not move, and who else claims the address takes it.
    fn holds(&self, owner: Mac, ip: IpAddr, now: i64) -> bool {
        let Some(state) = self.assets.get(&Key::Mac(owner)) else {
            return false;
        };
        let alive = state
            .framed
            .is_some_and(|at| now.saturating_sub(at) <= ALIVE_MS);
        let mut others = state.ips.iter().filter(|(other, _)| *other != ip);
        alive && ip.is_ipv4() && !others.any(|(other, _)| other.is_ipv4())
    }

    /// What was known by address alone is known of the device from now on.
    pub(super) fn adopt(&mut self, ip: IpAddr, mac: Mac, now: i64) {
        let (by_address, key) = (Key::Ip(ip), Key::Mac(mac));
        let Some(mut known) = self.assets.remove(&by_address) else {
            self.state(key, now);
            return;
        };
        self.journal.dirty.remove(&by_address);
        known.changes.retain(|change| change.kind != "new_device");
        let state = self.quiet_state(key, now);
        self.counters.facts_dropped += state.absorb(known);
        let (before, after) = (export::id(by_address), export::id(key));
        let note = Note {
            kind: "merged",
            attribute: "mac",
            before: &before,
            after: &after,
            source: "ARP, neighbour discovery, DHCP",
        };
        self.note(key, note, now);
    }

    /// As [`Self::adopt`], without a word: it was told before the last start.
    pub(super) fn readopt(&mut self, ip: IpAddr, mac: Mac, now: i64) {
        let known = self.assets.remove(&Key::Ip(ip));
        let state = self.quiet_state(Key::Mac(mac), now);
        if let Some(known) = known {
            let gone = state.absorb(known);
            self.counters.facts_dropped += gone;
        }
    }

    /// A hardware address that answers for too many stands for none: each address becomes an asset
    /// of its own, and what was learned of the mixture is kept with the hardware address only.
    fn split(&mut self, mac: Mac, now: i64) {
        self.counters.macs_shared += 1;
        // One entry per device that proxies; a flood of made-up ones is limited by the assets.
        if self.bindings.shared.len() < FRONTS_MAX {
            self.bindings.shared.insert(mac);
        }
        let Some(state) = self.assets.get_mut(&Key::Mac(mac)) else {
            return;
        };
        let ips = std::mem::take(&mut state.ips);
        state.is_router = true;
        for (ip, seen) in ips {
            self.bindings.remove(ip, Key::Mac(mac));
            self.state(Key::Ip(ip), now).touch(Some(ip), seen);
        }
        let note = Note {
            kind: "split",
            attribute: "ip",
            before: "",
            after: "",
            source: "answers for too many addresses",
        };
        self.note(Key::Mac(mac), note, now);
    }

    /// `mac` gave `ip` back.
    pub(super) fn unbind(&mut self, ip: IpAddr, mac: Mac) {
        let key = Key::Mac(mac);
        if self.bindings.key_of(ip) == key {
            self.bindings.remove(ip, key);
            if let Some(state) = self.assets.get_mut(&key) {
                state.leave(ip);
            }
        }
    }
}

fn has(state: &State, ip: IpAddr) -> bool {
    state.ips.iter().any(|(known, _)| *known == ip)
}
