//! The inventory: which devices are on the site, from what they do.
//!
//! Enters: events, in the order of their arrival. Leaves: assets with the provenance of each
//! attribute, and events of class 5001 that keep them over a restart. Refuses: addresses outside
//! the site (they are destinations), replayed events. Limits: `limit.rs`, each counted in
//! [`Counters`]. Source: `DESIGN.md` section 5.
//!
//! A device is its hardware address where ARP, neighbour discovery or DHCP bound that to an IP
//! address, else its IP address. The hardware addresses of frames bind nothing: in front of other
//! networks they are a router's.

mod behave;
mod binding;
mod change;
mod claim;
pub mod compare;
mod export;
mod facts;
mod hint;
pub mod limit;
mod observe;
mod peers;
mod role;
mod shared;
mod state;
mod vendor;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use model::class::{Body, Network};
use model::event::{Connection, Event};
use model::port::{Asset, AssetView};
use model::zone::Zones;
use model::{Mac, NodeId, Text};

use binding::{Bindings, Fronts};
use change::{Journal, Note, Tables};
use claim::Claims;
use limit::{ASSETS_MAX_DEFAULT, EPHEMERAL_PORT, EVICTED_PART};
use state::{Fact, State};

pub use shared::SharedInventory;
pub use vendor::Vendors;

/// What the inventory of one site needs to know.
#[derive(Clone, Debug)]
pub struct InventoryConfig {
    /// The zones of the site: what is inside becomes an asset.
    pub zones: Zones,
    /// Vendors by hardware address.
    pub vendors: Vendors,
    /// Most assets; at least [`EVICTED_PART`].
    pub assets_max: usize,
    /// Who makes the events of [`Inventory::to_events`]; no other source of events has it.
    pub node: NodeId,
    /// Site name of those events.
    pub site: Text,
}

impl Default for InventoryConfig {
    fn default() -> Self {
        Self {
            zones: Zones::default(),
            vendors: Vendors::built_in(),
            assets_max: ASSETS_MAX_DEFAULT,
            node: NodeId::default(),
            site: Text::default(),
        }
    }
}

/// What the limits turned away, since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Assets forgotten because there were too many: those seen longest ago.
    pub assets_evicted: u64,
    /// Attributes, protocols and services for which an asset had no room.
    pub facts_dropped: u64,
    /// Hardware addresses that answered for more than [`limit::IPS_MAX`] addresses.
    pub macs_shared: u64,
    /// Times that an address went to another hardware address.
    pub ips_moved: u64,
    /// Events that restored nothing because they are not of [`Inventory::to_events`].
    pub restore_refused: u64,
    /// Entries of histories that had to go for newer ones.
    pub changes_forgotten: u64,
    /// Changes that became no event because too many waited.
    pub changes_unsent: u64,
}

/// The identity of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Mac(Mac),
    Ip(IpAddr),
}

/// The assets of one site.
#[derive(Debug, Default)]
pub struct Inventory {
    config: InventoryConfig,
    assets: BTreeMap<Key, State>,
    bindings: Bindings,
    fronts: Fronts,
    claims: Claims,
    journal: Journal,
    tables: Tables,
    counters: Counters,
}

impl Inventory {
    /// An empty inventory.
    #[must_use]
    pub fn new(config: InventoryConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// What the limits turned away.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        let mut counters = self.counters;
        counters.changes_forgotten = self.journal.forgotten;
        counters.changes_unsent = self.journal.unsent;
        counters
    }

    /// Assets known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.assets.len()
    }

    /// True when no asset is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.assets.is_empty()
    }

    /// Puts other zones in force. Assets that are now outside are forgotten.
    pub fn set_zones(&mut self, zones: Zones) {
        self.config.zones = zones;
        let zones = &self.config.zones;
        for state in self.assets.values_mut() {
            state.ips.retain(|(ip, _)| is_device(zones, *ip));
        }
        self.assets.retain(|key, state| match key {
            Key::Mac(_) => !state.ips.is_empty(),
            Key::Ip(ip) => is_device(zones, *ip),
        });
        self.bindings.retain(|ip| is_device(zones, ip));
    }

    /// Learns from one event.
    pub fn observe(&mut self, event: &Event) {
        if event
            .meta
            .labels
            .iter()
            .any(|label| label.starts_with("replay:"))
        {
            return;
        }
        let now = event.meta.time.0;
        if let Body::Inventory(seen) = &event.body {
            // Our own events say nothing new.
            let ours = [export::ACTIVITY, export::CHANGE_ACTIVITY].contains(&event.meta.activity);
            if !ours {
                self.observe_seen(seen, now);
            }
        } else if let Body::Dhcp(dhcp) = &event.body {
            self.observe_dhcp(dhcp, event.meta.activity, now);
        } else if let Body::Dns(dns) = &event.body {
            self.observe_names(dns, now);
        }
        if let Some(connection) = &event.connection {
            self.observe_connection(connection, &event.body, now);
        }
    }

    /// The asset at an inside address.
    fn key_of(&self, ip: IpAddr) -> Option<Key> {
        is_device(&self.config.zones, ip).then(|| self.bindings.key_of(ip))
    }

    /// The asset at an inside address, made when it is new, and seen now.
    fn key_of_seen(&mut self, ip: IpAddr, now: i64) -> Option<Key> {
        let key = self.key_of(ip)?;
        self.state(key, now).touch(Some(ip), now);
        Some(key)
    }

    fn state(&mut self, key: Key, now: i64) -> &mut State {
        if !self.assets.contains_key(&key) {
            self.quiet_state(key, now);
            let id = export::id(key);
            let note = Note {
                kind: "new_device",
                attribute: "id",
                before: "",
                after: &id,
                source: "",
            };
            self.note(key, note, now);
        }
        self.quiet_state(key, now)
    }

    /// The asset, made without a word when it is new.
    fn quiet_state(&mut self, key: Key, now: i64) -> &mut State {
        if !self.assets.contains_key(&key) {
            self.make_room();
        }
        let mac = match key {
            Key::Mac(mac) => Some(mac),
            Key::Ip(_) => None,
        };
        let (vendors, fronts) = (&self.config.vendors, &self.fronts);
        self.assets.entry(key).or_insert_with(|| {
            let mut state = State::new(now);
            state.is_router = mac.is_some_and(|mac| fronts.has(mac));
            if let Some(vendor) = mac.and_then(|mac| vendors.name_of(mac)) {
                let fact = Fact {
                    name: "vendor",
                    value: Cow::Borrowed(vendor),
                    confidence: 80,
                    source: "hardware address prefix",
                };
                state.learn(&fact, now);
            }
            state
        })
    }

    /// Forgets those seen longest ago when there are too many.
    fn make_room(&mut self) {
        let max = self.config.assets_max.max(EVICTED_PART);
        if self.assets.len() < max {
            return;
        }
        let mut ages: Vec<(i64, Key)> = self
            .assets
            .iter()
            .map(|(key, state)| (state.last_seen, *key))
            .collect();
        ages.sort_unstable();
        let surplus = self.assets.len() - max;
        for (_, key) in ages.into_iter().take(surplus + max / EVICTED_PART) {
            if let Some(gone) = self.assets.remove(&key) {
                gone.ips
                    .iter()
                    .for_each(|(ip, _)| self.bindings.remove(*ip, key));
                self.journal.dirty.remove(&key);
                self.counters.assets_evicted += 1;
            }
        }
    }
}

impl AssetView for Inventory {
    fn assets(&self) -> Vec<Asset> {
        let known = self.assets.iter();
        known
            .map(|(key, state)| export::asset(*key, state, &self.config.zones, &self.tables.roles))
            .collect()
    }
}

fn flow(body: &Body) -> Option<&Network> {
    if let Body::Network(network) = body {
        (network.about == "flow").then_some(&**network)
    } else {
        None
    }
}

/// The service that a conversation asked for: what was recognised, else the transport, at ports
/// that are not ephemeral.
fn service(connection: &Connection, named: bool) -> Option<(&str, u16)> {
    let port = connection.dst_port.unwrap_or(0);
    if named {
        return (port > 0).then_some((connection.app.as_ref(), port));
    }
    let transport = match connection.protocol {
        6 => "tcp",
        17 => "udp",
        _ => return None,
    };
    (port > 0 && port < EPHEMERAL_PORT).then_some((transport, port))
}

/// True for one host's address.
fn is_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !(v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unspecified()),
    }
}

/// True for an address that a device of the site can have.
fn is_device(zones: &Zones, ip: IpAddr) -> bool {
    is_unicast(ip) && !ip.is_loopback() && zones.is_inside(ip)
}

#[cfg(test)]
mod tests;
