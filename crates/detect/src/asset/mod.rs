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

mod binding;
mod export;
mod facts;
pub mod limit;
mod peers;
mod role;
mod shared;
mod state;
mod vendor;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use model::class::{Body, Dhcp, Dns, Inventory as Seen, Network};
use model::event::{Connection, Event};
use model::port::{Asset, AssetView};
use model::zone::Zones;
use model::{Mac, NodeId, Text};

use binding::{Bindings, Fronts};
use facts::End;
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
        self.counters
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
            // Our own exports say nothing new.
            if event.meta.activity != export::ACTIVITY {
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

    /// A binding, or attributes that a device states of itself (discovery protocols).
    fn observe_seen(&mut self, seen: &Seen, now: i64) {
        let sources = seen.provenance_source.iter();
        let binds = sources.clone().any(|source| {
            let source = source.to_ascii_uppercase();
            ["ARP", "ND", "DHCP"]
                .iter()
                .any(|word| source.starts_with(word))
        });
        if let (Some(ip), Some(mac), true) = (seen.ip, seen.mac, binds) {
            self.bind(ip, mac, now);
        }
        let key = match (seen.mac, seen.ip) {
            (_, Some(ip)) => self.key_of(ip),
            (Some(mac), None) => self
                .assets
                .contains_key(&Key::Mac(mac))
                .then_some(Key::Mac(mac)),
            (None, None) => None,
        };
        let Some(key) = key else {
            return;
        };
        let values = seen.provenance_attribute.iter().zip(&seen.provenance_value);
        let rest = seen.provenance_confidence.iter().zip(sources);
        for ((name, value), (confidence, source)) in values.zip(rest) {
            if matches!(name.as_ref(), "ip" | "mac") {
                continue;
            }
            let fact = Fact {
                name,
                value: Cow::Borrowed(value),
                confidence: u8::try_from(*confidence).unwrap_or(100),
                source,
            };
            self.learn(key, &fact, now);
        }
    }

    fn observe_dhcp(&mut self, dhcp: &Dhcp, activity: u16, now: i64) {
        const ACK: u16 = 5;
        const RELEASE: u16 = 7;
        if let (Some(ip), Some(mac)) = (dhcp.client_ip, dhcp.client_mac) {
            match activity {
                ACK => self.bind(ip, mac, now),
                RELEASE => self.unbind(ip, mac),
                _ => {}
            }
        }
        if let Some(mac) = dhcp
            .client_mac
            .filter(|mac| self.assets.contains_key(&Key::Mac(*mac)))
        {
            let mut gone = 0;
            if let Some(state) = self.assets.get_mut(&Key::Mac(mac)) {
                facts::of_dhcp(dhcp, &mut |fact| gone += state.learn(&fact, now));
            }
            self.counters.facts_dropped += gone;
        }
        if let Some(state) = dhcp.server_ip.and_then(|ip| self.state_of(ip, now)) {
            let kept = state.serve("dhcp", 67);
            self.counters.facts_dropped += u64::from(!kept);
        }
    }

    /// A DNS answer names a device that is known already.
    fn observe_names(&mut self, dns: &Dns, now: i64) {
        let asks_address = matches!(dns.query_type.as_deref(), Some("A" | "AAAA"));
        let Some(name) = dns
            .query
            .as_deref()
            .filter(|name| asks_address && facts::is_name(name))
        else {
            return;
        };
        for data in &dns.answer_data {
            let ip = data.parse::<IpAddr>().ok();
            let key = ip.map(|ip| self.bindings.key_of(ip));
            if let Some(key) = key.filter(|key| self.assets.contains_key(key)) {
                let fact = Fact {
                    name: "hostname",
                    value: Cow::Borrowed(name),
                    confidence: 65,
                    source: "DNS answer",
                };
                self.learn(key, &fact, now);
            }
        }
    }

    fn observe_connection(&mut self, connection: &Connection, body: &Body, now: i64) {
        let ends = [connection.src_ip, connection.dst_ip];
        let [source, destination] = ends.map(|ip| ip.and_then(|ip| self.key_of_seen(ip, now)));
        self.observe_fronts(connection);
        let bytes = flow(body).and_then(|flow| flow.bytes).unwrap_or(0);
        let named = !connection.app.is_empty() && connection.app != "unknown";
        let answered = facts::answered(body);
        for (key, peer) in [
            (source, connection.dst_ip),
            (destination, connection.src_ip),
        ] {
            if let Some(state) = key.and_then(|key| self.assets.get_mut(&key)) {
                state.bytes = state.bytes.saturating_add(bytes);
                if let Some(peer) = peer.filter(|ip| is_unicast(*ip)) {
                    state.peers.add(peer);
                }
            }
        }
        let mut kept = true;
        if let Some(state) = source
            .and_then(|key| self.assets.get_mut(&key))
            .filter(|_| named)
        {
            kept &= state.speak(&connection.app);
        }
        let service = service(connection, named).filter(|_| answered);
        if let Some(state) = destination.and_then(|key| self.assets.get_mut(&key))
            && let Some((protocol, port)) = service
        {
            kept &= state.serve(protocol, port);
        }
        self.counters.facts_dropped += u64::from(!kept);
        let (assets, mut gone) = (&mut self.assets, 0);
        facts::each(body, &mut |end, fact| {
            let key = match end {
                End::Source => source,
                End::Destination => destination,
            };
            if let Some(state) = key.and_then(|key| assets.get_mut(&key)) {
                gone += state.learn(&fact, now);
            }
        });
        self.counters.facts_dropped += gone;
    }

    /// A hardware address in front of many outside addresses is a router's.
    fn observe_fronts(&mut self, connection: &Connection) {
        let sides = [
            (connection.src_mac, connection.src_ip),
            (connection.dst_mac, connection.dst_ip),
        ];
        for (mac, ip) in sides {
            let (Some(mac), Some(ip)) = (mac, ip) else {
                continue;
            };
            let outside = is_unicast(ip) && !self.config.zones.is_inside(ip);
            if outside
                && self.fronts.is_router(mac, ip)
                && let Some(state) = self.assets.get_mut(&Key::Mac(mac))
            {
                state.is_router = true;
            }
        }
    }

    fn learn(&mut self, key: Key, fact: &Fact<'_>, now: i64) {
        if let Some(state) = self.assets.get_mut(&key) {
            self.counters.facts_dropped += state.learn(fact, now);
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

    fn state_of(&mut self, ip: IpAddr, now: i64) -> Option<&mut State> {
        let key = self.key_of_seen(ip, now)?;
        self.assets.get_mut(&key)
    }

    fn state(&mut self, key: Key, now: i64) -> &mut State {
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
                self.counters.assets_evicted += 1;
            }
        }
    }
}

impl AssetView for Inventory {
    fn assets(&self) -> Vec<Asset> {
        let known = self.assets.iter();
        known
            .map(|(key, state)| export::asset(*key, state, &self.config.zones))
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
