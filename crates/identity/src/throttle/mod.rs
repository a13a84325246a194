//! Delays after failed sign-ins: doubling per account name and per address.
//!
//! Enters: attempts with their time. Leaves: how long to wait. Refuses: nothing by itself.
//! Limits: `limit::THROTTLE_KEYS_MAX` keys of each kind; the one seen least recently goes first.
//! Source: OWASP ASVS 4 V2.2.1. The account delay is capped low, so that a stranger cannot lock a
//! person out; the address delay is capped high.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::limit::THROTTLE_KEYS_MAX;

/// The failures of one kind of key.
struct Table<K> {
    free: u32,
    delay_ms_max: i64,
    entries: BTreeMap<K, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    failures: u32,
    last: i64,
}

/// What is remembered of failed sign-ins.
pub(crate) struct Throttle {
    names: Table<String>,
    addresses: Table<IpAddr>,
}

impl Throttle {
    pub(crate) const fn new() -> Self {
        Self {
            names: Table::new(3, 60_000),
            addresses: Table::new(10, 15 * 60_000),
        }
    }

    /// Counts an attempt as failed beforehand, so that attempts side by side cannot slip through;
    /// `Err` says how many milliseconds to wait, and counts nothing.
    pub(crate) fn begin(&mut self, name: Option<&str>, from: IpAddr, now: i64) -> Result<(), u64> {
        let from = network(from);
        let wait_name = name.map_or(0, |name| self.names.wait(&name.to_owned(), now));
        let wait = wait_name.max(self.addresses.wait(&from, now));
        if wait > 0 {
            return Err(wait.unsigned_abs());
        }
        if let Some(name) = name {
            self.names.fail(name.to_owned(), now);
        }
        self.addresses.fail(from, now);
        Ok(())
    }

    /// Takes back the attempt that succeeded, and forgets the failures of its name.
    pub(crate) fn succeed(&mut self, name: Option<&str>, from: IpAddr) {
        if let Some(name) = name {
            self.names.entries.remove(name);
        }
        let from = network(from);
        if let Some(entry) = self.addresses.entries.get_mut(&from) {
            entry.failures = entry.failures.saturating_sub(1);
        }
    }
}

impl<K: Ord + Clone> Table<K> {
    const fn new(free: u32, delay_ms_max: i64) -> Self {
        Self {
            free,
            delay_ms_max,
            entries: BTreeMap::new(),
        }
    }

    fn wait(&self, key: &K, now: i64) -> i64 {
        let Some(entry) = self.entries.get(key) else {
            return 0;
        };
        let elapsed = now.saturating_sub(entry.last);
        if elapsed >= FORGET_MS || entry.failures < self.free {
            return 0;
        }
        let doublings = (entry.failures - self.free).min(DOUBLINGS_MAX);
        let delay = (1_000_i64 << doublings).min(self.delay_ms_max);
        // A clock set back must not lock anybody out for longer than the delay.
        delay.saturating_sub(elapsed.max(0)).max(0)
    }

    fn fail(&mut self, key: K, now: i64) {
        if !self.entries.contains_key(&key) && self.entries.len() >= THROTTLE_KEYS_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.entries.remove(&oldest);
            }
        }
        let entry = self.entries.entry(key).or_insert(Entry {
            failures: 0,
            last: now,
        });
        if now.saturating_sub(entry.last) >= FORGET_MS {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
    }
}

/// IPv6 hosts own their /64: it counts as one address.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// Failures older than this are forgotten.
const FORGET_MS: i64 = 60 * 60_000;
/// More doublings than the caps can show.
const DOUBLINGS_MAX: u32 = 20;

#[cfg(test)]
mod tests;
