//! The flows that a frame belongs to, by the names that events have for them.
//!
//! Enters: frames, one at a time. Leaves: [`Named`]: the conversation of the frame, and those of
//! the tunnels around it, outermost first. Refuses: frames without an IP packet (no name); more
//! than [`PARTS_MAX`] fragmented datagrams at once: the oldest is forgotten, and its later parts
//! are named without ports.
//! Source: Community ID Flow Hashing specification, version 1; `worker/` names flows alike.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use model::community::community_id;

use crate::flow::key::{icmp_is_answer, icmp_ports};
use crate::frame::Frame;
use crate::ip::{self, Addr, Packet};
use crate::link::{self, Layer3};
use crate::tunnel::{self, Content, DEPTH_MAX, Stack, UDP};

/// Most fragmented datagrams whose first part is remembered.
const PARTS_MAX: usize = 1024;
/// A conversation in tunnels of the most layers, and those tunnels.
const NAMES_MAX: usize = DEPTH_MAX + 1;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;

/// Addresses, ports and protocol: the same for both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conversation {
    low: Addr,
    high: Addr,
    low_port: u16,
    high_port: u16,
    protocol: u8,
    v6: bool,
}

impl Conversation {
    /// The Community ID that the flow's events have.
    #[must_use]
    pub fn community_id(&self) -> String {
        let [(low, low_port), (high, high_port)] = self.ends();
        community_id(low, high, self.protocol, low_port, high_port)
    }

    /// Both ends. For ICMP the ports are type and code of what asks.
    #[must_use]
    pub const fn ends(&self) -> [(IpAddr, u16); 2] {
        [
            (self.low.ip(self.v6), self.low_port),
            (self.high.ip(self.v6), self.high_port),
        ]
    }

    /// Its ports, when its protocol has any.
    #[must_use]
    pub const fn ports(&self) -> Option<[u16; 2]> {
        match self.protocol {
            TCP | UDP | SCTP => Some([self.low_port, self.high_port]),
            _ => None,
        }
    }

    fn new(packet: &Packet<'_>, (src_port, dst_port): (u16, u16)) -> Self {
        let (source, target) = ((packet.src, src_port), (packet.dst, dst_port));
        let icmp = matches!((packet.protocol, packet.v6), (ICMP, false) | (ICMP6, true));
        let (low, high) = if icmp || source <= target {
            (source, target)
        } else {
            (target, source)
        };
        Self {
            low: low.0,
            high: high.0,
            low_port: low.1,
            high_port: high.1,
            protocol: packet.protocol,
            v6: packet.v6,
        }
    }

    /// Of an ICMP message: as what asks would say it.
    fn icmp(packet: &Packet<'_>, kind: u8, code: u8) -> Self {
        let (kind_port, answer, one_way) = icmp_ports(packet.v6, kind, code);
        if one_way {
            return Self::new(packet, (kind_port, answer));
        }
        if icmp_is_answer(packet.v6, kind) {
            let asked = Packet {
                src: packet.dst,
                dst: packet.src,
                ..*packet
            };
            return Self::new(&asked, (answer, 0));
        }
        Self::new(packet, (kind_port, 0))
    }
}

/// The names of one frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named {
    list: [Conversation; NAMES_MAX],
    len: usize,
}

impl Named {
    /// Outermost first; empty for a frame without an IP packet.
    #[must_use]
    pub fn as_slice(&self) -> &[Conversation] {
        self.list.get(..self.len).unwrap_or(&[])
    }

    /// The innermost: what the tunnels carry.
    #[must_use]
    pub fn innermost(&self) -> Option<&Conversation> {
        self.as_slice().last()
    }

    fn push(&mut self, conversation: Conversation) {
        if let Some(place) = self.list.get_mut(self.len) {
            *place = conversation;
            self.len += 1;
        }
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Named {}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

/// What identifies a fragmented datagram.
type PartId = (Addr, Addr, u32, u8);

/// Names frames; remembers the first parts of fragmented datagrams, because the later ones have no
/// ports.
#[derive(Debug, Default)]
pub struct Namer {
    parts: BTreeMap<PartId, Named>,
    order: VecDeque<PartId>,
}

impl Namer {
    /// The flows of a frame.
    pub fn name(&mut self, frame: &Frame<'_>) -> Named {
        let mut named = Named::default();
        let Ok(mut layer) = link::decode(frame) else {
            return named;
        };
        let mut tunnels = layer.tunnels;
        let mut first_part = None;
        for _ in 0..NAMES_MAX {
            let Some(packet) = packet(&layer) else {
                break;
            };
            if let Some(part) = packet.part {
                let id = (packet.src, packet.dst, part.id, packet.protocol);
                if part.offset > 0 {
                    return self.later_part(&packet, &id, named);
                }
                first_part.get_or_insert(id);
            }
            match inside(&packet, &layer, &mut tunnels, &mut named) {
                Some(inner) => layer = inner,
                None => break,
            }
        }
        if let Some(id) = first_part {
            self.remember(id, named);
        }
        named
    }

    fn later_part(&self, packet: &Packet<'_>, id: &PartId, mut named: Named) -> Named {
        match self.parts.get(id) {
            Some(known) => *known,
            None => {
                named.push(Conversation::new(packet, (0, 0)));
                named
            }
        }
    }

    fn remember(&mut self, id: PartId, named: Named) {
        if self.parts.insert(id, named).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > PARTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.parts.remove(&oldest);
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

/// Names a packet; what it carries, when it is a tunnel's.
fn inside<'a>(
    packet: &Packet<'a>,
    layer: &Layer3<'a>,
    tunnels: &mut Stack,
    named: &mut Named,
) -> Option<Layer3<'a>> {
    let ports = match (packet.protocol, packet.payload) {
        (TCP | UDP | SCTP, &[a, b, c, d, ..]) => {
            (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        }
        (ICMP | ICMP6, &[kind, code, ..]) if (packet.protocol == ICMP6) == packet.v6 => {
            named.push(Conversation::icmp(packet, kind, code));
            return None;
        }
        _ => (0, 0),
    };
    let opened = tunnel::open(packet, ports);
    let Some(opened) = opened.ok().flatten().filter(|_| !tunnels.is_full()) else {
        named.push(Conversation::new(packet, ports));
        return None;
    };
    let service = tunnel::service(opened.layer.kind, ports);
    named.push(Conversation::new(packet, (service, service)));
    let inner = match opened.content {
        Content::Frame(frame) => link::decode_inner(frame).ok()?,
        Content::Network(kind, bytes) => {
            link::decode_network(kind, bytes, layer.src, layer.dst).ok()?
        }
        Content::Other => return None,
    };
    (tunnels.push(opened.layer) && tunnels.append(&inner.tunnels)).then_some(inner)
}

#[cfg(test)]
mod tests;
