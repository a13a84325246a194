//! One flow's state.
//!
//! Enters: packets of both sides. Leaves: counters since the last event. Refuses: more than
//! [`CODES_MAX`] distinct anomaly codes. Rare state lives in a box of its own: a plain flow is
//! small.
//! Source: `DESIGN.md` section 4, wire.

use model::limit::LIST_ITEMS_MAX;
use model::{Mac, Nanos, Text};

use super::key::{Key, fold};
use super::sides::Sides;
use crate::config::Timeouts;
use crate::protocol::{Blank, Driver, Side};
use crate::tcp::Tcp;
use crate::tunnel;

/// Most distinct anomaly codes of one flow's event.
const CODES_MAX: usize = LIST_ITEMS_MAX;
/// Most keys, networks or sessions of one tunnel that its event names.
const NUMBERS_MAX: usize = 64;

/// What travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6.
    Icmp,
    /// A tunnel, over IP or UDP.
    Tunnel,
    /// Anything else.
    #[default]
    Other,
}

/// Packets and bytes of one side since the last event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Packets.
    pub(crate) packets: u64,
    /// Bytes, IP headers included.
    pub(crate) bytes: u64,
}

/// The application side of a flow.
#[derive(Default)]
pub(crate) enum App {
    /// No payload came yet.
    #[default]
    Fresh,
    /// Bytes came that nobody knew; nothing is held of them.
    Tried(Blank),
    /// Being recognised or parsed.
    Live(Box<Driver>),
    /// Nobody wants its bytes.
    Dead,
}

/// One conversation.
#[derive(Default)]
pub(crate) struct Flow {
    /// Its key.
    pub(crate) key: Key,
    /// Stable identity: of key, start and first packet.
    pub(crate) id: u64,
    /// First packet.
    pub(crate) start: Nanos,
    /// Last packet.
    pub(crate) last: Nanos,
    /// From when the counters count: start, or the last interim event.
    pub(crate) since: Nanos,
    /// Counters since the last event.
    pub(crate) counts: Sides<Count>,
    /// TCP state.
    pub(crate) tcp: Tcp,
    /// Application side.
    pub(crate) app: App,
    /// Protocol recognised; empty when none was.
    pub(crate) name: &'static str,
    /// What few flows have.
    pub(crate) rare: Option<Box<Rare>>,
    /// Heap bytes last accounted for.
    pub(crate) heap: u32,
    /// Hardware addresses.
    pub(crate) macs: Sides<Mac>,
    /// Outer VLAN identifier, 0 when untagged.
    pub(crate) vlan: u16,
    /// ICMP code of the first message.
    pub(crate) code: u8,
    /// What travels.
    pub(crate) kind: Kind,
    /// True when the client is the key's `high` endpoint.
    pub(crate) client_high: bool,
    /// True when the server's packets were ever seen.
    pub(crate) answered: bool,
    /// True when ICMP said that the server does not take it.
    pub(crate) unreachable: bool,
    /// False for a free place of the slab.
    pub(crate) alive: bool,
}

/// What few flows have, or only once they have events.
#[derive(Default)]
pub(crate) struct Rare {
    /// Bytes missing from the streams since the last event.
    pub(crate) gap_bytes: u64,
    /// Anomaly codes since the last event, in order of appearance.
    pub(crate) codes: Vec<&'static str>,
    /// Texts of the flow's events, made with the first one.
    pub(crate) texts: Option<Texts>,
    /// Tunnels around the flow, outermost first.
    pub(crate) tunnels: Vec<Text>,
    /// What the sessions told of the whole flow.
    pub(crate) told: Vec<Text>,
    /// For a tunnel: its kind, and the keys, networks or sessions seen in it.
    pub(crate) opened: Option<(tunnel::Kind, Vec<u32>)>,
}

/// Texts that every event of the flow repeats.
#[derive(Clone, Default)]
pub(crate) struct Texts {
    /// The identity, 16 hexadecimal digits.
    pub(crate) flow: Text,
    /// Community ID.
    pub(crate) community_id: Text,
}

impl Flow {
    /// The side of a packet, by the endpoint that sent it.
    #[inline]
    pub(crate) const fn side(&self, from_high: bool) -> Side {
        if from_high == self.client_high {
            Side::Client
        } else {
            Side::Server
        }
    }

    /// Milliseconds of silence after which it ends.
    #[inline]
    pub(crate) fn timeout_ms(&self, timeouts: &Timeouts) -> u64 {
        match self.kind {
            Kind::Tcp if self.tcp.is_closed() => timeouts.tcp_closed_ms,
            Kind::Tcp if self.tcp.is_half_open() => timeouts.tcp_half_open_ms,
            Kind::Tcp => timeouts.tcp_idle_ms,
            Kind::Udp => timeouts.udp_ms,
            Kind::Icmp => timeouts.icmp_ms,
            Kind::Tunnel | Kind::Other => timeouts.other_ms,
        }
    }

    /// True for TCP whose handshake is not complete.
    pub(crate) fn is_half_open(&self) -> bool {
        self.kind == Kind::Tcp && self.tcp.is_half_open()
    }

    /// Its place among flows that end together: by its start.
    pub(crate) const fn place(&self) -> (Nanos, u64) {
        (self.start, self.id)
    }

    /// Packets since the last event.
    pub(crate) const fn packets(&self) -> u64 {
        self.counts.client.packets + self.counts.server.packets
    }

    /// Counts one packet of a side.
    #[inline]
    pub(crate) fn count(&mut self, side: Side, frames: u32, bytes: u32, now: Nanos) {
        let count = self.counts.of_mut(side);
        count.packets += u64::from(frames);
        count.bytes += u64::from(bytes);
        self.answered |= matches!(side, Side::Server);
        if now > self.last {
            self.last = now;
        }
    }

    /// Notes an anomaly for the next event.
    pub(crate) fn note(&mut self, code: &'static str) {
        let rare = self.rare.get_or_insert_default();
        if rare.codes.len() < CODES_MAX && !rare.codes.contains(&code) {
            rare.codes.push(code);
        }
    }

    /// Notes the header of a tunnel's packet; true when the list of numbers is full.
    pub(crate) fn open(&mut self, layer: tunnel::Layer) -> bool {
        self.name = layer.kind.name();
        let rare = self.rare.get_or_insert_default();
        let (kind, numbers) = rare.opened.get_or_insert_with(|| (layer.kind, Vec::new()));
        *kind = layer.kind;
        let Some(number) = layer.number.filter(|number| !numbers.contains(number)) else {
            return false;
        };
        if numbers.len() >= NUMBERS_MAX {
            return true;
        }
        numbers.push(number);
        false
    }

    /// Notes missing bytes for the next event.
    pub(crate) fn lost(&mut self, missing: u64) {
        let rare = self.rare.get_or_insert_default();
        rare.gap_bytes = rare.gap_bytes.saturating_add(missing);
    }

    /// Heap bytes that it holds.
    pub(crate) fn heap_bytes(&self) -> usize {
        let app = match &self.app {
            App::Live(driver) => size_of::<Driver>() + 16 + driver.heap_bytes(),
            App::Fresh | App::Tried(_) | App::Dead => 0,
        };
        let rare = self.rare.as_ref().map_or(0, |rare| {
            let numbers = rare.opened.as_ref().map_or(0, |(_, all)| all.capacity());
            RARE_COST
                + rare.codes.capacity() * size_of::<&'static str>()
                + rare.tunnels.capacity() * (size_of::<Text>() + 32)
                + numbers * size_of::<u32>()
        });
        app + rare + self.tcp.heap_bytes()
    }
}

/// The identity of a flow: the same for the same packets, whatever the table's seed.
pub(crate) fn identity(key: &Key, start: Nanos, packet: u64) -> u64 {
    let start = start.0.cast_unsigned();
    fold(
        key.hash(0x5645_4749_4531) ^ start.rotate_left(17),
        packet.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd6e8_feb8_6659_fd93,
    ) ^ key.hash(start)
}

/// [`Rare`] with its texts and what the allocator adds.
const RARE_COST: usize = size_of::<Rare>() + 16 + 96;
