//! What each kind of event teaches the inventory.
//!
//! Enters: one event, by its kind. Leaves: assets, bindings, facts, behaviours and changes.
//! Refuses: what the other side merely claims (`facts.rs`), and what no limit has room for
//! (counted). Source: `DESIGN.md` section 5.

use std::borrow::Cow;
use std::net::IpAddr;

use model::class::{Body, Dhcp, Dns, Inventory as Seen};
use model::event::Connection;

use super::change::Note;
use super::claim::How;
use super::facts::{self, End};
use super::limit::SETTLE_MS;
use super::state::{Fact, Kept, State};
use super::{Inventory, Key, behave, flow, is_unicast, service};

impl Inventory {
    /// A binding, or attributes that a device states of itself (discovery protocols).
    pub(super) fn observe_seen(&mut self, seen: &Seen, now: i64) {
        let sources = seen.provenance_source.iter();
        let says = |word: &str| {
            let mut sources = sources.clone();
            sources.any(|source| source.to_ascii_uppercase().starts_with(word))
        };
        let binds = ["ARP", "ND", "DHCP"].into_iter().find(|word| says(word));
        if let (Some(ip), Some(mac), Some(word)) = (seen.ip, seen.mac, binds) {
            let how = if word == "DHCP" {
                How::Leased
            } else {
                How::Claimed
            };
            self.bind(ip, mac, how, now);
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

    pub(super) fn observe_dhcp(&mut self, dhcp: &Dhcp, activity: u16, now: i64) {
        const ACK: u16 = 5;
        const RELEASE: u16 = 7;
        if let (Some(ip), Some(mac)) = (dhcp.client_ip, dhcp.client_mac) {
            match activity {
                ACK => self.bind(ip, mac, How::Leased, now),
                RELEASE => self.unbind(ip, mac),
                _ => {}
            }
        }
        let client = dhcp.client_mac.map(Key::Mac);
        if let Some(key) = client.filter(|key| self.assets.contains_key(key)) {
            let mut told = Vec::new();
            facts::of_dhcp(dhcp, &mut |fact| told.push(fact));
            told.iter().for_each(|fact| self.learn(key, fact, now));
            if activity == ACK
                && let Some(ip) = dhcp.server_ip
            {
                self.did(key, "dhcp_client", ip);
            }
        }
        if let (Some(name), Some(mac)) = (&dhcp.host_name, dhcp.client_mac) {
            self.claim_host(name, mac, now);
        }
        let Some(server) = dhcp.server_ip else { return };
        if let Some(key) = self.key_of_seen(server, now) {
            self.offers(key, "dhcp", 67, None, now);
            let client = dhcp.client_ip.unwrap_or(server);
            self.did(key, "dhcp_server", client);
        }
        let named = [
            ("named_router", &dhcp.routers),
            ("named_dns", &dhcp.name_servers),
        ];
        for (what, addresses) in named {
            for ip in addresses {
                if let Some(key) = self.key_of(*ip) {
                    self.did(key, what, server);
                }
            }
        }
    }

    /// A DNS answer names a device that is known already.
    pub(super) fn observe_names(&mut self, dns: &Dns, now: i64) {
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
                let source = if name.ends_with(".local") {
                    "mDNS answer"
                } else {
                    "DNS answer"
                };
                let fact = Fact {
                    name: "hostname",
                    value: Cow::Borrowed(name),
                    confidence: 65,
                    source,
                };
                self.learn(key, &fact, now);
            }
        }
    }

    pub(super) fn observe_connection(&mut self, connection: &Connection, body: &Body, now: i64) {
        let ends = [connection.src_ip, connection.dst_ip];
        let [source, destination] = ends.map(|ip| ip.and_then(|ip| self.key_of_seen(ip, now)));
        let bytes = flow(body).and_then(|flow| flow.bytes).unwrap_or(0);
        let named = !connection.app.is_empty() && connection.app != "unknown";
        let answered = facts::answered(body);
        self.observe_frames(connection, answered, now);
        for (key, peer) in [
            (source, connection.dst_ip),
            (destination, connection.src_ip),
        ] {
            let Some(key) = key else { continue };
            if let Some(state) = self.assets.get_mut(&key) {
                state.bytes = state.bytes.saturating_add(bytes);
            }
            if let Some(peer) = peer.filter(|ip| is_unicast(*ip)) {
                let met = answered.then_some(&*connection.app);
                self.meets(key, peer, met, now);
            }
        }
        if let Some(key) = source.filter(|_| named)
            && let Some(state) = self.assets.get_mut(&key)
        {
            match state.speak(&connection.app) {
                Kept::Known => {}
                Kept::New => {
                    self.journal.dirty.insert(key);
                }
                Kept::Full => self.counters.facts_dropped += 1,
            }
        }
        let offered = service(connection, named).filter(|_| answered);
        if let (Some(key), Some((protocol, port))) = (destination, offered) {
            self.offers(key, protocol, port, connection.src_ip, now);
        }
        self.observe_body([source, destination], connection, body, now);
    }

    /// Facts and behaviours of both ends.
    fn observe_body(
        &mut self,
        [source, destination]: [Option<Key>; 2],
        connection: &Connection,
        body: &Body,
        now: i64,
    ) {
        let key_of = |end: End| match end {
            End::Source => source,
            End::Destination => destination,
        };
        let mut news = Vec::new();
        let assets = &mut self.assets;
        facts::each(body, &mut |end, fact| {
            let state = key_of(end).and_then(|key| assets.get_mut(&key).map(|state| (key, state)));
            // Nearly every fact is known: only news costs more than a look.
            if let Some((key, state)) = state
                && !state.knows(&fact, now)
            {
                news.push((key, fact));
            }
        });
        for (key, fact) in &news {
            self.learn(*key, fact, now);
        }
        let mut done = Vec::new();
        behave::each(body, &mut |end, what| done.push((end, what)));
        for (end, what) in done {
            let other = match end {
                End::Source => connection.dst_ip,
                End::Destination => connection.src_ip,
            };
            if let (Some(key), Some(other)) = (key_of(end), other) {
                self.did(key, what, other);
            }
        }
        if let (Body::Medical(medical), Some(key)) = (body, source)
            && let Some(title) = medical
                .calling_ae
                .as_deref()
                .filter(|_| medical.standard == "dicom")
        {
            self.claim_title(title, key, now);
        }
        if let (Body::Dns(dns), Some(key)) = (body, source)
            && connection.app == "mdns"
        {
            self.observe_announced(key, dns, now);
        }
    }

    /// A device announces its services over multicast DNS (RFC 6763).
    fn observe_announced(&mut self, key: Key, dns: &Dns, now: i64) {
        if dns.query_type.as_deref() != Some("PTR") || dns.answer_data.is_empty() {
            return;
        }
        let name = dns.query.as_deref().unwrap_or_default();
        let service = name
            .split('.')
            .next()
            .filter(|label| label.starts_with('_'));
        if let Some(service) = service {
            let fact = Fact {
                name: "announces",
                value: Cow::Borrowed(service),
                confidence: 60,
                source: "mDNS",
            };
            self.learn(key, &fact, now);
        }
    }

    /// Counts a peer; a new one inside, once the device is known well, is a change.
    fn meets(&mut self, key: Key, peer: IpAddr, met: Option<&str>, now: i64) {
        let inside = self.config.zones.is_inside(peer);
        let Some(state) = self.assets.get_mut(&key) else {
            return;
        };
        let since = *state.peers_since.get_or_insert(now);
        let settled = now.saturating_sub(since) > SETTLE_MS;
        // Whom nobody answered is no peer yet, but it is counted: a scanner meets many.
        if state.peers.add(peer)
            && inside
            && settled
            && let Some(app) = met
        {
            let peer = peer.to_string();
            let note = Note {
                kind: "new_peer",
                attribute: "peer",
                before: "",
                after: &peer,
                source: app,
            };
            self.journal.note(key, state, note, now);
        }
    }

    /// It answered at a service.
    fn offers(&mut self, key: Key, protocol: &str, port: u16, to: Option<IpAddr>, now: i64) {
        let Some(state) = self.assets.get_mut(&key) else {
            return;
        };
        match state.serve(protocol, port) {
            Kept::Known => {}
            Kept::Full => self.counters.facts_dropped += 1,
            Kept::New => {
                self.journal.dirty.insert(key);
                let service = format!("{protocol}/{port}");
                let source = to.map_or_else(String::new, |ip| format!("answered {ip}"));
                let note = Note {
                    kind: "new_service",
                    attribute: "service",
                    before: "",
                    after: &service,
                    source: &source,
                };
                self.journal.note(key, state, note, now);
            }
        }
    }

    /// It was seen doing something with a device.
    fn did(&mut self, key: Key, what: &'static str, with: IpAddr) {
        if let Some(state) = self.assets.get_mut(&key)
            && state.does(what, with)
        {
            self.journal.dirty.insert(key);
        }
    }

    /// Hardware addresses of frames: their devices are there, and one in front of many outside
    /// addresses is a router's.
    fn observe_frames(&mut self, connection: &Connection, answered: bool, now: i64) {
        let sides = [
            (connection.src_mac, connection.src_ip, true),
            (connection.dst_mac, connection.dst_ip, answered),
        ];
        for (mac, ip, sent) in sides {
            let (Some(mac), Some(ip)) = (mac, ip) else {
                continue;
            };
            let key = Key::Mac(mac);
            if sent && let Some(state) = self.assets.get_mut(&key) {
                state.framed = state.framed.max(Some(now));
            }
            if !is_unicast(ip) || self.config.zones.is_inside(ip) {
                continue;
            }
            let is_router = self.fronts.is_router(mac, ip);
            self.did(key, "fronts_outside", ip);
            if let Some(state) = self.assets.get_mut(&key)
                && is_router
                && !state.is_router
            {
                state.is_router = true;
                self.journal.dirty.insert(key);
            }
        }
    }

    /// Takes a fact in, what it means, and whom it makes the same device.
    fn learn(&mut self, key: Key, fact: &Fact<'_>, now: i64) {
        let hints = &self.tables.hints;
        let Some(state) = self.assets.get_mut(&key) else {
            return;
        };
        let gone = self.journal.tell(key, state, fact, now, hints);
        self.counters.facts_dropped += gone;
        if fact.name == "hostname" && ANCHORS.contains(&fact.source) {
            self.anchor(&fact.value, key, now);
        }
    }

    /// Looks again at the roles of assets about which something is new.
    pub(super) fn review_roles(&mut self, now: i64) {
        let roles = &self.tables.roles;
        for key in std::mem::take(&mut self.journal.dirty) {
            let Some(state) = self.assets.get_mut(&key) else {
                continue;
            };
            let role = roles.best(state).map(Box::<str>::from);
            if role == state.role {
                continue;
            }
            let before = std::mem::replace(&mut state.role, role.clone());
            // What is still being learned changes nothing.
            if let (Some(before), Some(after), true) = (before, role, is_settled(state)) {
                let note = Note {
                    kind: "changed_identity",
                    attribute: "role",
                    before: &before,
                    after: &after,
                    source: "",
                };
                let at = state.last_seen.max(state.first_seen).min(now);
                self.journal.note(key, state, note, at);
            }
        }
    }
}

fn is_settled(state: &State) -> bool {
    state.last_seen.saturating_sub(state.first_seen) > SETTLE_MS
}

/// Sources of host names that a device gives itself.
const ANCHORS: [&str; 2] = ["DHCP option 12", "NTLMSSP workstation"];
