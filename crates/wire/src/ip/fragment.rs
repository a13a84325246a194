//! Fragments put together.
//!
//! Enters: packets that are parts. Leaves: whole datagrams; at their timeout, what stands before
//! the first hole of those whose first part came. Policy on overlap: the first copy wins for IPv4;
//! for IPv6 an overlapping part that is no repetition discards the datagram. Refuses: more than
//! [`DATAGRAMS_MAX`] at once, more bytes than its share of the budget (the oldest goes first),
//! datagrams over [`LENGTH_MAX`]. Source: RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722.

use std::collections::{BTreeMap, VecDeque};

use model::{Mac, Nanos};

use super::{Addr, Packet, Part};
use crate::runs::Runs;
use crate::tunnel::Stack;

/// Most datagrams that wait for parts.
const DATAGRAMS_MAX: usize = 1024;
/// Longest datagram.
const LENGTH_MAX: u32 = 65_535;
/// How long a datagram waits for its parts (RFC 8200: 60 s; 30 s is what hosts do).
const WAIT_NS: u64 = 30_000_000_000;
/// What an entry costs besides its octets.
const ENTRY_COST: usize = 320;

/// What identifies a datagram; the protocol only for IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    src: Addr,
    dst: Addr,
    id: u32,
    protocol: u8,
    v6: bool,
    /// See [`Stack::space`].
    space: u16,
}

/// The frame that brought the first part: what the whole packet is attributed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Time of the latest part.
    pub(crate) time: Nanos,
    /// Hardware address of the sender.
    pub(crate) src: Mac,
    /// Hardware address of the receiver.
    pub(crate) dst: Mac,
    /// VLAN, 0 when none.
    pub(crate) vlan: u16,
    /// Tunnels around it.
    pub(crate) tunnels: Stack,
}

/// A datagram put together.
pub(crate) struct Whole {
    id: Id,
    protocol: u8,
    bytes: Vec<u8>,
    length: u32,
    ip_len: u32,
    frames: u32,
    hop_limit: u8,
    /// What it is attributed to.
    pub(crate) origin: Origin,
}

impl Whole {
    /// The packet; for IPv6 the rest of the extension headers is followed.
    pub(crate) fn packet(&self) -> Result<Packet<'_>, &'static str> {
        let (protocol, at, anomaly) = if self.id.v6 {
            let chain = super::follow(self.protocol, &self.bytes)?;
            if chain.part.is_some() {
                return Err("ip6-fragment-nested");
            }
            (chain.protocol, chain.at, chain.anomaly)
        } else {
            (self.protocol, 0, None)
        };
        Ok(Packet {
            src: self.id.src,
            dst: self.id.dst,
            v6: self.id.v6,
            protocol,
            hop_limit: self.hop_limit,
            payload: self.bytes.get(at..).unwrap_or(&[]),
            payload_len: self.length.saturating_sub(super::length(at)),
            ip_len: self.ip_len,
            frames: self.frames,
            part: None,
            anomaly,
        })
    }
}

struct Waiting {
    runs: Runs,
    cost: usize,
    /// Length of the datagram, known from its last part.
    length: Option<u32>,
    protocol: u8,
    ip_len: u32,
    frames: u32,
    hop_limit: u8,
    since: Nanos,
    origin: Origin,
}

/// Datagrams that wait for parts.
pub(crate) struct Fragments {
    waiting: BTreeMap<Id, Waiting>,
    order: VecDeque<(Id, Nanos)>,
    bytes: usize,
    bytes_max: usize,
}

impl Waiting {
    fn new(packet: &Packet<'_>, origin: Origin) -> Self {
        Self {
            runs: Runs::default(),
            cost: 0,
            length: None,
            protocol: packet.protocol,
            ip_len: 0,
            frames: 0,
            hop_limit: packet.hop_limit,
            since: origin.time,
            origin,
        }
    }

    /// Notes a part's frame, its bytes, and where the datagram ends.
    fn count(&mut self, packet: &Packet<'_>, part: Part, origin: Origin) {
        self.frames = self.frames.saturating_add(1);
        self.ip_len = self.ip_len.saturating_add(packet.ip_len);
        self.origin.time = origin.time;
        if part.offset == 0 {
            self.protocol = packet.protocol;
            self.hop_limit = packet.hop_limit;
            self.origin = origin;
        }
        if !part.more {
            let end = part.offset.saturating_add(packet.payload_len);
            self.length = Some(self.length.unwrap_or(0).max(end));
        }
    }
}

impl Fragments {
    /// An empty table that may hold `bytes_max` bytes.
    pub(crate) const fn new(bytes_max: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Bytes of state.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// True when a datagram waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a part. `problem` is told of every oddity.
    pub(crate) fn add(
        &mut self,
        packet: &Packet<'_>,
        part: Part,
        origin: Origin,
        problem: &mut dyn FnMut(&'static str),
    ) -> Option<Box<Whole>> {
        let end = part.offset.saturating_add(packet.payload_len);
        if end > LENGTH_MAX {
            problem("ip-fragment-too-long");
            return None;
        }
        let id = Id {
            src: packet.src,
            dst: packet.dst,
            id: part.id,
            protocol: if packet.v6 { 0 } else { packet.protocol },
            v6: packet.v6,
            space: origin.tunnels.space(),
        };
        if !self.waiting.contains_key(&id) {
            self.enqueue(id, origin.time);
        }
        let entry = self.waiting.entry(id).or_insert_with(|| {
            self.bytes += ENTRY_COST;
            Waiting::new(packet, origin)
        });
        entry.count(packet, part, origin);
        let done = entry.runs.insert(0, part.offset, packet.payload);
        let cost = entry.runs.cost();
        self.bytes = self.bytes.saturating_sub(entry.cost) + cost;
        entry.cost = cost;
        if done.refused {
            problem("ip-fragment-runs-limit");
        }
        if done.overlap > 0 {
            problem(if done.differs {
                "ip-fragment-overlap-differs"
            } else {
                "ip-fragment-overlap"
            });
            if packet.v6 && (done.differs || done.overlap != packet.payload.len()) {
                self.remove(&id);
                return None;
            }
        }
        self.complete(&id)
    }

    /// Takes the oldest datagram that waited too long, or over a limit: `None` when there is none.
    /// With `all`, whatever waits.
    pub(crate) fn expire(
        &mut self,
        now: Nanos,
        all: bool,
        problem: &mut dyn FnMut(&'static str),
    ) -> Option<Option<Box<Whole>>> {
        loop {
            let &(id, since) = self.order.front()?;
            let known = self.waiting.get(&id).is_some_and(|one| one.since == since);
            if !known {
                self.order.pop_front();
                continue;
            }
            let over = self.bytes > self.bytes_max || self.waiting.len() > DATAGRAMS_MAX;
            if !all && !over && now.since(since) < WAIT_NS {
                return None;
            }
            self.order.pop_front();
            problem(if over {
                "ip-fragment-table-limit"
            } else {
                "ip-fragment-incomplete"
            });
            let length = self.waiting.get(&id)?.runs.contiguous(0);
            return Some(if length == 0 {
                self.remove(&id);
                None
            } else {
                self.take(&id, length)
            });
        }
    }

    /// Queues a new datagram by age; the queue is cleared of those that are gone when it grows
    /// long.
    fn enqueue(&mut self, id: Id, since: Nanos) {
        if self.order.len() >= 4 * DATAGRAMS_MAX {
            let waiting = &self.waiting;
            self.order
                .retain(|(id, since)| waiting.get(id).is_some_and(|one| one.since == *since));
        }
        self.order.push_back((id, since));
    }

    fn complete(&mut self, id: &Id) -> Option<Box<Whole>> {
        let entry = self.waiting.get(id)?;
        let length = entry.length?;
        if entry.runs.contiguous(0) < length {
            return None;
        }
        self.take(id, length)
    }

    fn take(&mut self, id: &Id, length: u32) -> Option<Box<Whole>> {
        let mut entry = self.remove(id)?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        let mut at = 0;
        while let Some(run) = entry.runs.pop_at(at) {
            at += super::length(run.len());
            bytes.extend_from_slice(&run);
        }
        bytes.truncate(usize::try_from(length).unwrap_or(0));
        let stated = entry.length.unwrap_or(length);
        Some(Box::new(Whole {
            id: *id,
            protocol: entry.protocol,
            bytes,
            length: stated,
            ip_len: entry.ip_len,
            frames: entry.frames,
            hop_limit: entry.hop_limit,
            origin: entry.origin,
        }))
    }

    fn remove(&mut self, id: &Id) -> Option<Waiting> {
        let entry = self.waiting.remove(id)?;
        self.bytes = self.bytes.saturating_sub(ENTRY_COST + entry.cost);
        Some(entry)
    }
}
