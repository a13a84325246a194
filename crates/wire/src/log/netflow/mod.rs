//! NetFlow version 5 and 9, and IPFIX: flows that routers count.
//!
//! Enters: datagrams with their exporter's address and time. Leaves: network activity about flows.
//! Refuses: datagrams that are none of the three, malformed sets (the rest of the datagram with
//! them), templates without length; options records (counted). Limits: [`TEMPLATES_MAX`] templates
//! (the oldest goes), [`EXPORTERS_MAX`] sequence counters, [`HELD_BYTES_MAX`] of records that came
//! before their template, for [`HELD_MS`]. Sampled figures are multiplied, and say so.
//! Source: Cisco NetFlow export version 5; RFC 3954; RFC 7011; RFC 5103 (two directions in one).

mod event;
mod record;
mod template;
mod v5;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use codec::bytes::Reader;
use model::Millis;
use model::port::EventSink;

use super::LogConfig;
use super::emit::Emitter;
use record::Flow;
use template::{Key, Templates};

/// Most templates of all exporters together.
pub const TEMPLATES_MAX: usize = 4096;
/// A template that was not repeated for so long is forgotten. RFC 7011 asks for at least three
/// times the interval of repetition, which is rarely over 30 minutes.
pub const TEMPLATE_MS: i64 = 3 * 60 * 60 * 1000;
/// Most pairs of exporter and domain whose sequence is followed; further ones are not.
pub const EXPORTERS_MAX: usize = 1024;
/// Most octets of records that wait for their template.
pub const HELD_BYTES_MAX: usize = 1024 * 1024;
/// Records wait so long for their template; exporters repeat templates every minute or so.
pub const HELD_MS: i64 = 10 * 60 * 1000;
/// A gap of more than this is an exporter that began anew.
const GAP_MAX: u32 = 1_000_000;

/// What a collector met so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams seen.
    pub datagrams: u64,
    /// Flows told.
    pub flows: u64,
    /// Datagrams that were not understood, wholly or from some place on.
    pub refused: u64,
    /// Flows that never arrived, by the counters of version 5 and IPFIX.
    pub lost_flows: u64,
    /// Datagrams that never arrived, by the counter of version 9.
    pub lost_datagrams: u64,
    /// Datagrams that came late or again, and exporters that began anew.
    pub out_of_order: u64,
    /// Records of options (how the exporter works), passed over.
    pub options: u64,
    /// Data sets given up because their template never came.
    pub without_template: u64,
    /// Records without addresses.
    pub without_addresses: u64,
    /// Templates given up because there were too many.
    pub evicted: u64,
    /// Templates known now.
    pub templates: u64,
    /// Octets of records that wait now.
    pub held_bytes: u64,
    /// Time of the latest datagram, 0 before the first.
    pub last: Millis,
}

/// Reads the datagrams of any number of exporters.
pub struct Collector {
    emit: Emitter,
    templates: Templates,
    sequences: BTreeMap<(IpAddr, u16, u32), u32>,
    held: VecDeque<Held>,
    sampling: u32,
    counts: Counts,
}

/// A data set whose template is not known.
struct Held {
    key: Key,
    since: Millis,
    head: Head,
    set: Box<[u8]>,
}

/// What a datagram's header says of all its records.
#[derive(Clone, Copy)]
struct Head {
    version: u16,
    exporter: IpAddr,
    domain: u32,
    sequence: u32,
    /// When it was sent, by the exporter's clock.
    sent: Millis,
    /// Milliseconds that the exporter had been up; `None` for IPFIX.
    uptime: Option<u32>,
    /// Packets of which one was counted; 0 or 1: all.
    sampling: u32,
}

impl Collector {
    /// A collector that knows no template. `sampling` above 1 multiplies the figures of exporters
    /// that do not say themselves that they sample.
    #[must_use]
    pub fn new(config: &LogConfig, sampling: u32) -> Self {
        Self {
            emit: Emitter::new(config),
            templates: Templates::default(),
            sequences: BTreeMap::new(),
            held: VecDeque::new(),
            sampling,
            counts: Counts::default(),
        }
    }

    /// Time of recording of the events to come.
    pub const fn set_logged_time(&mut self, now: Millis) {
        self.emit.logged = Some(now);
    }

    /// What was met so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Reads one datagram that arrived now.
    pub fn datagram(
        &mut self,
        now: Millis,
        exporter: IpAddr,
        bytes: &[u8],
        sink: &mut dyn EventSink,
    ) {
        self.counts.datagrams = self.counts.datagrams.saturating_add(1);
        self.counts.last = now;
        self.emit.begin(self.counts.datagrams);
        self.forget(now);
        let whole = match bytes.first_chunk().map(|two| u16::from_be_bytes(*two)) {
            Some(5) => self.version5(exporter, bytes, sink),
            Some(9) => self.version9(now, exporter, bytes, sink),
            Some(10) => self.ipfix(now, exporter, bytes, sink),
            _ => None,
        };
        if whole.is_none() {
            self.counts.refused = self.counts.refused.saturating_add(1);
        }
        self.counts.templates = self.templates.len() as u64;
        self.counts.evicted = self.templates.evicted();
        self.counts.held_bytes = self.held_bytes() as u64;
    }

    fn version5(&mut self, exporter: IpAddr, bytes: &[u8], sink: &mut dyn EventSink) -> Option<()> {
        let mut reader = Reader::new(bytes);
        let (mut head, count) = v5::head(&mut reader, exporter)?;
        self.sequence(&head, u32::from(count));
        self.sample(&mut head);
        for _ in 0..count {
            let flow = v5::record(&mut reader)?;
            self.tell(&head, &flow, sink);
        }
        Some(())
    }

    fn version9(
        &mut self,
        now: Millis,
        exporter: IpAddr,
        bytes: &[u8],
        sink: &mut dyn EventSink,
    ) -> Option<()> {
        let mut reader = Reader::new(bytes);
        reader.skip(4)?;
        let uptime = reader.u32_be()?;
        let head = Head {
            version: 9,
            exporter,
            uptime: Some(uptime),
            sent: Millis(i64::from(reader.u32_be()?) * 1000),
            sequence: reader.u32_be()?,
            domain: reader.u32_be()?,
            sampling: 0,
        };
        self.sequence(&head, 1);
        self.sets(now, head, reader.rest(), sink).map(|_| ())
    }

    fn ipfix(
        &mut self,
        now: Millis,
        exporter: IpAddr,
        bytes: &[u8],
        sink: &mut dyn EventSink,
    ) -> Option<()> {
        let mut reader = Reader::new(bytes);
        reader.skip(2)?;
        let length = usize::from(reader.u16_be()?);
        let head = Head {
            version: 10,
            exporter,
            uptime: None,
            sent: Millis(i64::from(reader.u32_be()?) * 1000),
            sequence: reader.u32_be()?,
            domain: reader.u32_be()?,
            sampling: 0,
        };
        let body = bytes.get(reader.position()..length)?;
        self.gap(&head);
        let records = self.sets(now, head, body, sink);
        let key = (exporter, head.version, head.domain);
        match records {
            // Records without a template cannot be counted: the next number is unknown.
            Some(Some(records)) => self.expect(key, head.sequence.wrapping_add(records)),
            Some(None) | None => {
                self.sequences.remove(&key);
            }
        }
        records.map(|_| ())
    }

    /// Reads the sets of a datagram. `None`: malformed; `Some(None)`: not every record is known.
    fn sets(
        &mut self,
        now: Millis,
        mut head: Head,
        body: &[u8],
        sink: &mut dyn EventSink,
    ) -> Option<Option<u32>> {
        self.sample(&mut head);
        let mut reader = Reader::new(body);
        let mut records = Some(0u32);
        // Less than a set's header is padding.
        while reader.remaining() >= SET_HEAD {
            let id = reader.u16_be()?;
            let length = usize::from(reader.u16_be()?).checked_sub(SET_HEAD)?;
            let set = reader.take(length)?;
            match (head.version, id) {
                (9, 0) | (10, 2) => self.learn(now, &head, set, false, sink)?,
                (9, 1) | (10, 3) => self.learn(now, &head, set, true, sink)?,
                (_, 256..) => {
                    let read = self.data(now, &head, id, set, sink);
                    records = records.zip(read).map(|(a, b)| a.saturating_add(b));
                }
                // Reserved numbers say nothing.
                _ => {}
            }
        }
        Some(records)
    }

    fn learn(
        &mut self,
        now: Millis,
        head: &Head,
        set: &[u8],
        options: bool,
        sink: &mut dyn EventSink,
    ) -> Option<()> {
        let origin = (head.exporter, head.version, head.domain);
        let learnt = self.templates.learn(now, origin, set, options)?;
        for key in learnt {
            let (ready, rest) = std::mem::take(&mut self.held)
                .into_iter()
                .partition(|held| held.key == key);
            self.held = rest;
            let ready: VecDeque<Held> = ready;
            for held in ready {
                let _ = self.data(now, &held.head, key.3, &held.set, sink);
            }
        }
        Some(())
    }

    /// Reads a data set; returns how many records it held, if that is known.
    fn data(
        &mut self,
        now: Millis,
        head: &Head,
        id: u16,
        set: &[u8],
        sink: &mut dyn EventSink,
    ) -> Option<u32> {
        let key = (head.exporter, head.version, head.domain, id);
        let Some(template) = self.templates.find(&key) else {
            self.hold(now, key, *head, set);
            return None;
        };
        let mut reader = Reader::new(set);
        let mut records = 0u32;
        let mut flows = Vec::new();
        // Less than a record is padding.
        while reader.remaining() >= template.least() {
            let Some(flow) = record::read(&mut reader, template) else {
                break;
            };
            records = records.saturating_add(1);
            flows.push(flow);
        }
        if template.options {
            self.counts.options = self.counts.options.saturating_add(u64::from(records));
            return Some(records);
        }
        for flow in flows {
            self.tell(head, &flow, sink);
        }
        Some(records)
    }

    fn hold(&mut self, now: Millis, key: Key, head: Head, set: &[u8]) {
        if self.held_bytes().saturating_add(set.len()) > HELD_BYTES_MAX {
            self.counts.without_template = self.counts.without_template.saturating_add(1);
            return;
        }
        self.held.push_back(Held {
            key,
            since: now,
            head,
            set: set.into(),
        });
    }

    fn held_bytes(&self) -> usize {
        let sizes = self
            .held
            .iter()
            .map(|held| held.set.len() + size_of::<Held>());
        sizes.sum()
    }

    fn forget(&mut self, now: Millis) {
        self.templates.forget(now);
        while let Some(held) = self.held.front() {
            if now.0.saturating_sub(held.since.0) < HELD_MS {
                break;
            }
            self.held.pop_front();
            self.counts.without_template = self.counts.without_template.saturating_add(1);
        }
    }

    fn tell(&mut self, head: &Head, flow: &Flow, sink: &mut dyn EventSink) {
        match event::record(head, flow) {
            Some(record) => {
                let made = self.emit.send(record, sink);
                self.counts.flows = self.counts.flows.saturating_add(made);
            }
            None => {
                let missing = &mut self.counts.without_addresses;
                *missing = missing.saturating_add(1);
            }
        }
    }

    fn sample(&self, head: &mut Head) {
        if head.sampling <= 1 {
            head.sampling = self.sampling;
        }
    }

    /// Compares a datagram's number with the one expected, and expects the next.
    fn sequence(&mut self, head: &Head, step: u32) {
        self.gap(head);
        let key = (head.exporter, head.version, head.domain);
        self.expect(key, head.sequence.wrapping_add(step));
    }

    fn gap(&mut self, head: &Head) {
        let key = (head.exporter, head.version, head.domain);
        let Some(expected) = self.sequences.get(&key) else {
            return;
        };
        match head.sequence.wrapping_sub(*expected) {
            0 => {}
            gap @ 1..=GAP_MAX => {
                let lost = if head.version == 9 {
                    &mut self.counts.lost_datagrams
                } else {
                    &mut self.counts.lost_flows
                };
                *lost = lost.saturating_add(u64::from(gap));
            }
            _ => self.counts.out_of_order = self.counts.out_of_order.saturating_add(1),
        }
    }

    fn expect(&mut self, key: (IpAddr, u16, u32), next: u32) {
        if self.sequences.len() < EXPORTERS_MAX || self.sequences.contains_key(&key) {
            self.sequences.insert(key, next);
        }
    }
}

/// Octets of a set's identifier and length.
const SET_HEAD: usize = 4;

#[cfg(test)]
mod tests;
