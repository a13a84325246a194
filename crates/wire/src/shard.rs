//! Which workers a frame belongs to, when several share the packets of one capture.
//!
//! Enters: a frame. Leaves: a symmetric hash, or the set of workers that have a part in it.
//! Refuses: nothing; what has no addresses belongs to worker 0, which alone tells who owns which
//! address. A pair of addresses belongs to one worker; a tunnel's packet to those of its ends and
//! of what is inside; an ICMP error also to that of the packet it quotes; a fragment to all.
//! Limits: [`WORKERS_MAX`], [`LAYERS_MAX`] layers are looked at. Source: `DESIGN.md` section 4,
//! wire.

use crate::flow::key::hash_addresses;
use crate::frame::Frame;
use crate::ip::{self, Addr, Packet};
use crate::link::{self, Layer3};
use crate::tunnel::{self, Content};

/// Most workers of one capture.
pub const WORKERS_MAX: u32 = 64;
/// Most network layers of a frame that are looked at: more than a worker follows.
const LAYERS_MAX: usize = 8;

/// One worker's part of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which worker it is, from 0.
    pub index: u32,
    /// How many there are, at least 1.
    pub of: u32,
}

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// True when the packets between these addresses belong to this worker.
    #[inline]
    pub(crate) fn has(self, a: Addr, b: Addr) -> bool {
        self.of <= 1 || hash_addresses(a, b) % self.of == self.index
    }

    /// True for the worker of what has no addresses.
    #[inline]
    pub(crate) const fn is_first(self) -> bool {
        self.index == 0
    }
}

/// The workers that have a part in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The one that counts the frame.
    pub owner: u32,
    /// All of them, one bit each.
    pub set: u64,
}

/// A symmetric hash of the frame's outermost addresses.
#[must_use]
pub fn shard_of(frame: &Frame<'_>) -> u32 {
    let Ok(layer) = link::decode(frame) else {
        return 0;
    };
    packet(&layer).map_or(0, |packet| hash_addresses(packet.src, packet.dst))
}

/// The workers, of so many, that have a part in a frame; at most [`WORKERS_MAX`] of them.
#[must_use]
pub fn parts_of(frame: &Frame<'_>, workers: u32) -> Parts {
    let mut split = Split {
        workers: workers.clamp(1, WORKERS_MAX),
        parts: Parts { owner: 0, set: 0 },
    };
    if let Ok(layer) = link::decode(frame) {
        split.layer(&layer);
    }
    if split.parts.set == 0 {
        split.parts.set = 1;
    }
    split.parts
}

struct Split {
    workers: u32,
    parts: Parts,
}

impl Split {
    fn add(&mut self, a: Addr, b: Addr) {
        let worker = hash_addresses(a, b) % self.workers;
        if self.parts.set == 0 {
            self.parts.owner = worker;
        }
        self.parts.set |= 1 << worker;
    }

    fn layer(&mut self, outermost: &Layer3<'_>) {
        let mut layer = *outermost;
        for _ in 0..LAYERS_MAX {
            let Some(packet) = packet(&layer) else {
                self.parts.set |= 1;
                return;
            };
            self.add(packet.src, packet.dst);
            if packet.part.is_some() {
                self.parts.set |= u64::MAX >> (64 - self.workers);
                return;
            }
            match inside(&packet) {
                Some(inner) => layer = inner,
                None => return self.quoted(&packet),
            }
        }
    }

    /// ICMP errors belong also to whom they are about, and neighbour discovery to worker 0.
    fn quoted(&mut self, packet: &Packet<'_>) {
        let (inner, kind) = match (packet.protocol, packet.payload) {
            (ICMP, [kind @ 3, ..]) if !packet.v6 => (packet.payload.get(8..), *kind),
            (ICMP6, [kind, ..]) if packet.v6 => (packet.payload.get(8..), *kind),
            _ => return,
        };
        if packet.v6 && matches!(kind, 133..=137) {
            self.parts.set |= 1;
        }
        if packet.v6 && kind != 1 {
            return;
        }
        let inner = inner.unwrap_or(&[]);
        let decoded = if packet.v6 {
            ip::decode_v6(inner)
        } else {
            ip::decode_v4(inner)
        };
        if let Ok(quoted) = decoded {
            self.add(quoted.src, quoted.dst);
        }
    }
}

fn packet<'a>(layer: &Layer3<'a>) -> Option<Packet<'a>> {
    match layer.ethertype {
        link::ETHERTYPE_IP4 => ip::decode_v4(layer.bytes).ok(),
        link::ETHERTYPE_IP6 => ip::decode_v6(layer.bytes).ok(),
        _ => None,
    }
}

/// What a tunnel's packet carries; `None` when it is none.
fn inside<'a>(packet: &Packet<'a>) -> Option<Layer3<'a>> {
    let ports = tunnel::ports(packet);
    let opened = tunnel::open(packet, ports).ok()??;
    match opened.content {
        Content::Frame(frame) => link::decode_inner(frame).ok(),
        Content::Network(kind, bytes) => {
            let none = model::Mac::default();
            link::decode_network(kind, bytes, none, none).ok()
        }
        Content::Other => None,
    }
}

const ICMP: u8 = 1;
const ICMP6: u8 = 58;
