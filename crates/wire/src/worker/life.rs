//! The life of flows: begin, interim events, end.
//!
//! Enters: packets' keys, timers, the budget. Leaves: flow events. Refuses: flows beyond the
//! budget: another goes first.
//! Source: `DESIGN.md` section 4, wire.

use model::Nanos;
use model::port::EventSink;

use super::feed::Feed;
use super::{Carrier, SECOND, Worker};
use crate::flow::event::Reason;
use crate::flow::key::{Key, Tuple, icmp_is_answer};
use crate::flow::record::{App, Flow, Kind, identity};
use crate::flow::sides::Sides;
use crate::flow::table::FLOW_COST;
use crate::ip::Packet;
use crate::protocol::{Side, Transport};

impl Worker {
    /// The flow of a packet: the one it continues, or a new one. `from_client` is asked only for a
    /// new one.
    pub(super) fn flow_of(
        &mut self,
        tuple: &Tuple,
        kind: Kind,
        carrier: &Carrier,
        from_client: impl Fn() -> bool,
        begins: impl Fn(&Flow, Side) -> bool,
        sink: &mut dyn EventSink,
    ) -> (u32, Side) {
        let (key, from_high) = Key::of(tuple);
        let hash = self.flows.hash(&key);
        let now = carrier.origin.time;
        if let Some(number) = self.flows.find(hash, &key)
            && let Some(flow) = self.flows.flow(number)
        {
            let side = flow.side(from_high);
            let idle_ns = flow.timeout_ms(&self.config.timeouts) * 1_000_000;
            if now.since(flow.last) <= idle_ns && !begins(flow, side) {
                self.interim(number, now, sink);
                return (number, side);
            }
            self.end(number, Reason::Over, sink);
        }
        self.make_room(sink);
        let client = from_client();
        let macs = if client {
            (carrier.origin.src, carrier.origin.dst)
        } else {
            (carrier.origin.dst, carrier.origin.src)
        };
        let mut flow = Flow {
            key,
            id: identity(&key, now, carrier.number),
            start: now,
            last: now,
            since: now,
            macs: Sides {
                client: macs.0,
                server: macs.1,
            },
            vlan: carrier.origin.vlan,
            kind,
            client_high: from_high == client,
            alive: true,
            ..Flow::default()
        };
        if !carrier.origin.tunnels.is_empty() {
            let rare = flow.rare.get_or_insert_default();
            rare.tunnels = carrier.origin.tunnels.texts();
        }
        let side = flow.side(from_high);
        let deadline = self.deadline(&flow);
        let number = self.flows.insert(hash, flow);
        self.flows.wheel.add(number, deadline);
        self.stats.flows += 1;
        let flows = u64::try_from(self.flows.len()).unwrap_or(u64::MAX);
        self.stats.flows_peak = self.stats.flows_peak.max(flows);
        (number, side)
    }

    /// Puts a flow on the timer wheel again, after its timeout became shorter.
    pub(super) fn hasten(&mut self, number: u32) {
        if let Some(flow) = self.flows.flow(number) {
            let deadline = self.deadline(flow);
            self.flows.wheel.remove(number);
            self.flows.wheel.add(number, deadline);
        }
    }

    /// The timer wheel came to a flow.
    pub(super) fn look_at(&mut self, number: u32, sink: &mut dyn EventSink) {
        let Some(flow) = self.flows.flow(number) else {
            return;
        };
        let (start, id) = flow.place();
        sink.place(start.0, id);
        let idle_ns = flow.timeout_ms(&self.config.timeouts) * 1_000_000;
        if self.now.since(flow.last) > idle_ns {
            return self.end(number, Reason::Over, sink);
        }
        self.interim(number, self.now, sink);
        if let Some(flow) = self.flows.flow(number) {
            let deadline = self.deadline(flow);
            self.flows.wheel.add(number, deadline);
        }
    }

    /// Sends an interim event when the flow's counters are old.
    #[inline]
    fn interim(&mut self, number: u32, now: Nanos, sink: &mut dyn EventSink) {
        let interim_ns = self.config.interim_ms.saturating_mul(1_000_000);
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        let age = now.since(flow.since);
        if age < interim_ns || interim_ns == 0 {
            return;
        }
        // The intervals are counted from the start, whoever notices their end.
        let whole = i64::try_from(age / interim_ns * interim_ns).unwrap_or(0);
        flow.since = Nanos(flow.since.0.saturating_add(whole));
        if flow.packets() > 0 {
            self.tell(number, Reason::Ongoing, sink);
        }
    }

    /// Ends a flow: its session, its last event, its place in the table.
    pub(super) fn end(&mut self, number: u32, reason: Reason, sink: &mut dyn EventSink) {
        let registry = self.config.registry;
        let Some(flow) = self.flows.flow_mut(number).filter(|flow| flow.alive) else {
            return;
        };
        let mut feed = Feed {
            app: &mut flow.app,
            scratch: &mut self.scratch,
            registry,
            secrets: self.config.secrets.as_ref(),
            now: flow.last,
            transport: transport(flow.kind),
            key: &flow.key,
            client_high: flow.client_high,
            picked_up: true,
        };
        flow.tcp.finish(&mut feed);
        feed.end();
        self.settle(number, sink);
        self.count_protocol(number);
        self.tell(number, reason, sink);
        if let Some(flow) = self.flows.remove(number) {
            let heap = crate::flow::wheel::to_usize(flow.heap);
            self.heap = self.heap.saturating_sub(heap);
        }
    }

    /// Ends a flow because of the budget.
    pub(super) fn evict(&mut self, number: u32, sink: &mut dyn EventSink) {
        self.stats.evicted += 1;
        self.end(number, Reason::Evicted, sink);
    }

    /// Ends every flow.
    pub(super) fn end_all(&mut self, reason: Reason, sink: &mut dyn EventSink) {
        let alive = |number: u32| {
            let flow = self.flows.flow(number).filter(|flow| flow.alive)?;
            Some((flow.place(), number))
        };
        let mut all: Vec<_> = (0..self.flows.slots()).filter_map(alive).collect();
        all.sort_unstable();
        for ((start, id), number) in all {
            sink.place(start.0, id);
            self.end(number, reason, sink);
        }
    }

    /// Sends a flow's event.
    fn tell(&mut self, number: u32, reason: Reason, sink: &mut dyn EventSink) {
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        let connection = flow.connection(reason != Reason::Ongoing);
        let summary = flow.summary(reason);
        self.stats.events += 1;
        self.emitter.send(
            summary.time,
            summary.activity,
            summary.status,
            Some(connection),
            summary.body,
            sink,
        );
        if reason == Reason::Ongoing {
            self.account(number);
        }
    }

    /// Sends what the scratch holds for a flow.
    pub(super) fn settle(&mut self, number: u32, sink: &mut dyn EventSink) {
        if self.scratch.touched {
            self.scratch.touched = false;
            self.name(number);
        }
        if self.scratch.is_empty() {
            return;
        }
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        for code in self.scratch.anomalies.drain(..) {
            self.stats.anomaly(code);
            flow.note(code);
        }
        self.stats.tcp_repeated_bytes += std::mem::take(&mut self.scratch.repeated);
        let lost = std::mem::take(&mut self.scratch.lost);
        if lost > 0 {
            self.stats.tcp_gap_bytes += lost;
            flow.lost(lost);
        }
        for draft in self.scratch.drafts.drain(..) {
            self.stats.events += 1;
            self.emitter.draft(draft, flow.connection(false), sink);
        }
    }

    /// Takes over the name that the driver found; lets a driver go that is of no use any more.
    fn name(&mut self, number: u32) {
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        if let App::Live(driver) = &mut flow.app {
            let mut told = driver.take_told();
            if !told.is_empty() {
                flow.rare.get_or_insert_default().told.append(&mut told);
            }
            flow.name = driver.name().unwrap_or("");
            if driver.is_done() && !driver.has_session() && !driver.gave_up() {
                if driver.refusals() > 0 {
                    let refused = u64::from(driver.refusals());
                    self.stats.sessions_refused += refused;
                }
                flow.app = App::Dead;
            }
        }
    }

    /// Counts how parsing went, by protocol.
    fn count_protocol(&mut self, number: u32) {
        let Some(flow) = self.flows.flow(number).filter(|flow| !flow.name.is_empty()) else {
            return;
        };
        let gave_up = matches!(&flow.app, App::Live(driver) if driver.gave_up());
        let counts = self.stats.protocols.entry(flow.name).or_default();
        if gave_up {
            counts.gave_up += 1;
        } else {
            counts.parsed += 1;
        }
    }

    /// Evicts until one more flow fits.
    fn make_room(&mut self, sink: &mut dyn EventSink) {
        while self.flows.len() >= self.flows_max
            || (self.flows.len() == crate::flow::wheel::to_usize(self.flows.slots())
                && self.memory_bytes() + FLOW_COST > self.limit)
        {
            match self.flows.victim(256, |_| true) {
                Some(number) => self.evict(number, sink),
                None => return,
            }
        }
    }

    /// The second in which the wheel should look at a flow.
    fn deadline(&self, flow: &Flow) -> i64 {
        let timeout = i64::try_from(flow.timeout_ms(&self.config.timeouts)).unwrap_or(i64::MAX);
        let idle = flow.last.plus_ms(timeout);
        let interim = match i64::try_from(self.config.interim_ms) {
            Ok(0) | Err(_) => Nanos(i64::MAX),
            Ok(ms) => flow.since.plus_ms(ms),
        };
        idle.min(interim).0.div_euclid(SECOND).saturating_add(1)
    }
}

/// How a driver sees a kind of flow.
pub(super) const fn transport(kind: Kind) -> Transport {
    match kind {
        Kind::Tcp => Transport::Tcp,
        Kind::Udp | Kind::Icmp | Kind::Tunnel | Kind::Other => Transport::Udp,
    }
}

/// True when an ICMP message comes from the side that asked.
pub(super) fn icmp_from_client(packet: &Packet<'_>, kind: u8) -> bool {
    !icmp_is_answer(packet.v6, kind)
}
