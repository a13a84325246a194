//! The worker: one thread's share of the packet path, from frames to events.
//!
//! Enters: frames in the order of capture, ticks of a live clock, the end. Leaves: events.
//! Refuses: state beyond `budget_bytes`, of which at most five eighths are for the flow table: the
//! flow to go is half-open or idle for longest, its event says `evicted`. Time is the packets';
//! when it goes back by more than [`BACK_NS_MAX`], another capture begins and every flow ends.
//! Source: `DESIGN.md` sections 4 and 5.

mod emit;
mod feed;
mod life;
mod transport;
mod tunnel;

use model::class::Inventory;
use model::metric;
use model::port::EventSink;
use model::{Millis, Nanos};

use crate::config::{BUDGET_BYTES_MIN, WireConfig};
use crate::flow::record::Flow;
use crate::flow::table::{FLOW_COST, Flows};
use crate::flow::wheel::to_usize;
use crate::frame::Frame;
use crate::ip::fragment::{Fragments, Origin, Whole};
use crate::ip::{self, Packet};
use crate::link::arp::{self, Binding};
use crate::link::binding::Bindings;
use crate::link::discovery::{self, Neighbours};
use crate::link::{self, Layer3, Refusal};
use crate::stats::Stats;
use emit::Emitter;
use feed::Scratch;

/// How far packet time may go back within one capture.
const BACK_NS_MAX: u64 = 3_600_000_000_000;
/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;
/// Most link types counted apart.
const LINKS_MAX: usize = 64;

/// One thread's share of the packet path.
pub struct Worker {
    config: WireConfig,
    /// Bytes of state at which eviction begins: the budget less what one packet may add.
    limit: usize,
    flows_max: usize,
    flows: Flows,
    /// Heap bytes of all flows.
    heap: usize,
    fragments: Fragments,
    bindings: Bindings,
    neighbours: Neighbours,
    emitter: Emitter,
    scratch: Scratch,
    stats: Stats,
    published: Published,
    now: Nanos,
    due: Vec<u32>,
}

/// What was already added to the process-wide metrics.
#[derive(Default)]
struct Published {
    flows: u64,
    memory: u64,
    evicted: u64,
    events: u64,
    anomalies: u64,
}

/// The frame being worked on: what a packet inherits from it.
#[derive(Clone, Copy)]
struct Carrier {
    number: u64,
    origin: Origin,
}

impl Worker {
    /// A worker without flows.
    #[must_use]
    pub fn new(config: WireConfig) -> Self {
        let budget = config.budget_bytes.max(BUDGET_BYTES_MIN);
        // One packet may add a reassembly buffer that doubles, pending bytes and a session's
        // growth.
        let limit = budget - (budget / 8).max(1 << 20);
        Self {
            limit,
            flows_max: (budget / 8 * 5 / FLOW_COST).max(16),
            flows: Flows::new(config.hash_seed),
            heap: 0,
            fragments: Fragments::new(budget / 32),
            bindings: Bindings::default(),
            neighbours: Neighbours::default(),
            emitter: Emitter::new(&config),
            scratch: Scratch::new(config.files.clone()),
            stats: Stats::default(),
            published: Published::default(),
            now: Nanos(i64::MIN),
            due: Vec::new(),
            config,
        }
    }

    /// Takes one frame.
    pub fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn EventSink) {
        self.time(frame.time, frame.number, sink);
        self.frame_of(frame, true, sink);
    }

    /// Takes the time of a frame, which may be another worker's: what is over by then ends. Several
    /// workers of one capture are told of every second that begins and of time that goes back.
    pub fn time(&mut self, time: Nanos, number: u64, sink: &mut dyn EventSink) {
        self.emitter.begin(number);
        self.advance(time, sink);
    }

    /// Takes the part of a frame that [`crate::Share`] gives this worker; `owner` is true for one
    /// worker of each frame. [`Worker::time`] is called before.
    pub fn frame_of(&mut self, frame: &Frame<'_>, owner: bool, sink: &mut dyn EventSink) {
        if owner {
            self.stats.packets += 1;
            self.stats.bytes += u64::from(frame.wire_len);
        }
        self.emitter.begin(frame.number);
        self.now = self.now.max(frame.time);
        let layer = match link::decode(frame) {
            Ok(layer) => layer,
            Err(Refusal::Link) => return self.refuse_link(frame.link.0),
            Err(Refusal::Code(code)) => return self.stats.problem(code),
        };
        let carrier = Carrier {
            number: frame.number,
            origin: Origin {
                time: frame.time,
                src: layer.src,
                dst: layer.dst,
                vlan: layer.vlan,
                tunnels: layer.tunnels,
            },
        };
        self.network(&layer, &carrier, sink);
    }

    /// Takes a network layer, of a frame or from inside a tunnel.
    fn network(&mut self, layer: &Layer3<'_>, carrier: &Carrier, sink: &mut dyn EventSink) {
        let packet = match layer.ethertype {
            link::ETHERTYPE_IP4 => ip::decode_v4(layer.bytes),
            link::ETHERTYPE_IP6 => ip::decode_v6(layer.bytes),
            _ if !self.config.share.is_first() => return,
            link::ETHERTYPE_LLDP | link::ETHERTYPE_CDP => {
                return self.neighbour_of(layer, carrier.origin.time, sink);
            }
            _ => {
                self.stats.arp += 1;
                let binding = arp::of_arp(layer.bytes);
                return self.bind(binding.as_ref(), carrier.origin.time, sink);
            }
        };
        sink.place(carrier.origin.tunnels.depth(), 0);
        match packet {
            Ok(packet) => {
                if self.config.share.has(packet.src, packet.dst) {
                    let v6 = u64::from(packet.v6);
                    self.stats.ip6 += v6;
                    self.stats.ip4 += 1 - v6;
                }
                self.packet(&packet, carrier, sink);
            }
            Err(code) => self.problem_of(self.config.share.is_first(), code),
        }
    }

    /// Counts a problem that one worker alone is to count.
    fn problem_of(&mut self, mine: bool, code: &'static str) {
        if mine {
            self.stats.problem(code);
        }
    }

    /// Lets time pass without a packet: ends what was idle for too long.
    pub fn tick(&mut self, now: Nanos, sink: &mut dyn EventSink) {
        self.advance(now, sink);
        self.publish();
    }

    /// Ends every flow; the worker can go on with another capture. Its events belong to the packet
    /// after the last one.
    pub fn finish(&mut self, sink: &mut dyn EventSink) {
        self.finish_as(self.emitter.number().saturating_add(1), sink);
    }

    /// The same, its events as those of packet `number`. Several workers of one capture: [`tick`]
    /// each to the time of the last packet first, then give each a number of its own after the last
    /// one; so they send what one worker would send.
    ///
    /// [`tick`]: Self::tick
    pub fn finish_as(&mut self, number: u64, sink: &mut dyn EventSink) {
        self.emitter.begin(number);
        self.flush_fragments(self.now, true, sink);
        self.end_all(crate::flow::event::Reason::EndOfCapture, sink);
        self.bindings.clear();
        self.neighbours.clear();
        self.now = Nanos(i64::MIN);
        self.publish();
    }

    /// Sets the `logged_time` of the events to come; without effect for
    /// [`crate::Sequence::Packet`].
    pub const fn set_logged_time(&mut self, now: Millis) {
        self.emitter.set_logged_time(now);
    }

    /// Counters since the start.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Bytes of state: the one ledger.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let files = self.scratch.files.heap_bytes();
        self.flows.bytes() + self.heap + self.fragments.bytes() + self.links_bytes() + files
    }

    /// Moves the clock; ends flows whose time is over.
    fn advance(&mut self, time: Nanos, sink: &mut dyn EventSink) {
        if time <= self.now {
            if self.now.since(time) > BACK_NS_MAX {
                self.stats.problem("time-jump-back");
                self.flush_fragments(self.now, true, sink);
                self.end_all(crate::flow::event::Reason::Over, sink);
                self.bindings.clear();
                self.neighbours.clear();
                self.now = time;
                self.flows.wheel.set(time.0.div_euclid(SECOND));
            }
            return;
        }
        let first = self.now.0 == i64::MIN;
        self.now = time;
        let second = time.0.div_euclid(SECOND);
        if first {
            return self.flows.wheel.set(second);
        }
        if second == self.flows.wheel.now() {
            return;
        }
        let mut due = std::mem::take(&mut self.due);
        while self.flows.wheel.step(second, &mut due) {}
        // In the order in which they began, whatever the table's order is.
        due.sort_by_cached_key(|number| self.flows.flow(*number).map(Flow::place));
        for number in due.drain(..) {
            self.look_at(number, sink);
        }
        self.due = due;
        self.flush_fragments(time, false, sink);
        self.measure();
        self.publish();
    }

    fn packet(&mut self, packet: &Packet<'_>, carrier: &Carrier, sink: &mut dyn EventSink) {
        let Some(part) = packet.part else {
            return self.transport(packet, carrier, sink);
        };
        let mine = self.config.share.has(packet.src, packet.dst);
        self.stats.fragments += u64::from(mine);
        let stats = &mut self.stats;
        let whole = self
            .fragments
            .add(packet, part, carrier.origin, &mut |code| {
                stats.problem(code)
            });
        if let Some(whole) = whole {
            self.stats.defragmented += u64::from(mine);
            self.whole(&whole, carrier.number, sink);
        }
        self.flush_fragments(carrier.origin.time, false, sink);
    }

    fn whole(&mut self, whole: &Whole, number: u64, sink: &mut dyn EventSink) {
        let carrier = Carrier {
            number,
            origin: whole.origin,
        };
        match whole.packet() {
            Ok(packet) => self.transport(&packet, &carrier, sink),
            Err(code) => self.stats.problem(code),
        }
    }

    /// What is left of datagrams that waited too long still counts for their flows.
    fn flush_fragments(&mut self, now: Nanos, all: bool, sink: &mut dyn EventSink) {
        if self.fragments.is_empty() {
            return;
        }
        let number = self.emitter.number();
        sink.place(if all { i64::MIN } else { i64::MAX }, 0);
        loop {
            let stats = &mut self.stats;
            let expired = self
                .fragments
                .expire(now, all, &mut |code| stats.problem(code));
            match expired {
                None => return,
                Some(None) => {}
                Some(Some(whole)) => self.whole(&whole, number, sink),
            }
        }
    }

    fn bind(&mut self, binding: Option<&Binding>, time: Nanos, sink: &mut dyn EventSink) {
        let Some(binding) = binding else {
            return;
        };
        if let Some(body) = self.bindings.note(binding, time) {
            self.send_inventory(body, time, sink);
        }
    }

    /// Takes what a device says of itself on the link.
    fn neighbour_of(&mut self, layer: &Layer3<'_>, time: Nanos, sink: &mut dyn EventSink) {
        self.stats.discovery += 1;
        let found = if layer.ethertype == link::ETHERTYPE_LLDP {
            discovery::of_lldp(layer.bytes)
        } else {
            discovery::of_cdp(layer.bytes)
        };
        let Some(found) = found else {
            return self.stats.problem("discovery-malformed");
        };
        if let Some(body) = self.neighbours.note(layer.src, &found, time) {
            self.send_inventory(body, time, sink);
        }
    }

    fn links_bytes(&self) -> usize {
        self.bindings.bytes() + self.neighbours.bytes()
    }

    fn send_inventory(&mut self, body: Inventory, time: Nanos, sink: &mut dyn EventSink) {
        // What passed by told it; 2, collecting, is what the inventory says of itself.
        const LOG: u16 = 1;
        self.stats.events += 1;
        self.emitter.send(time, LOG, 0, None, body.into(), sink);
    }

    fn refuse_link(&mut self, number: u16) {
        let links = &mut self.stats.links_refused;
        if links.len() < LINKS_MAX || links.contains_key(&number) {
            *links.entry(number).or_default() += 1;
        }
    }

    /// Notes what the state costs now.
    fn measure(&mut self) {
        let bytes = u64::try_from(self.memory_bytes()).unwrap_or(u64::MAX);
        self.stats.memory_bytes = bytes;
        self.stats.memory_peak_bytes = self.stats.memory_peak_bytes.max(bytes);
        self.stats.flows_now = u64::try_from(self.flows.len()).unwrap_or(u64::MAX);
    }

    /// Brings the process-wide metrics up to date by what changed since the last time.
    fn publish(&mut self) {
        self.measure();
        let stats = &self.stats;
        let published = &mut self.published;
        // Gauges of several workers add up: a decrease is added modulo 2^64.
        let pairs = [
            (&metric::WIRE_FLOWS, stats.flows_now, &mut published.flows),
            (
                &metric::WIRE_MEMORY,
                stats.memory_bytes,
                &mut published.memory,
            ),
            (&metric::WIRE_EVICTED, stats.evicted, &mut published.evicted),
            (&metric::WIRE_EVENTS, stats.events, &mut published.events),
            (
                &metric::WIRE_ANOMALIES,
                stats.anomalies.values().sum(),
                &mut published.anomalies,
            ),
        ];
        for (metric, value, told) in pairs {
            metric.add(value.wrapping_sub(*told));
            *told = value;
        }
    }

    /// Accounts for the heap of a flow that just changed.
    fn account(&mut self, number: u32) {
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        let bytes = flow.heap_bytes();
        let before = to_usize(flow.heap);
        flow.heap = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.heap = (self.heap + to_usize(flow.heap)).saturating_sub(before);
    }

    /// Evicts flows that hold heap until the ledger is within its limit.
    fn keep_budget(&mut self, sink: &mut dyn EventSink) {
        if self.memory_bytes() <= self.limit {
            return;
        }
        let mut looks = self.flows.slots() / 16 + 2;
        while self.memory_bytes() > self.limit && looks > 0 && self.heap > 0 {
            looks -= 1;
            if let Some(number) = self.flows.victim(256, |flow: &Flow| flow.heap > 0) {
                self.evict(number, sink);
            }
        }
        self.measure();
    }
}

#[cfg(test)]
mod tests;
