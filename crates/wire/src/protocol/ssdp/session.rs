//! One flow's messages, summed.
//!
//! Enters: messages. Leaves: a summary every [`SUMMARY_NS`] of packet time, and at the end.
//! Refuses: more than [`TYPES_MAX`] types, counted as an anomaly.
//! Source: UPnP Device Architecture 2.0, sections 1.2 and 1.3.

use std::collections::BTreeSet;

use model::fact::Facts;
use model::{Nanos, Text};

use crate::protocol::shared::exchange::{self, TRAFFIC};
use crate::protocol::shared::text::{after, short};
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Packet time between two summaries of one flow.
pub(super) const SUMMARY_NS: u64 = 300_000_000_000;
/// Most types of one summary.
pub(super) const TYPES_MAX: usize = 32;
/// Most fields of one message.
pub(super) const FIELDS_MAX: usize = 64;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A device announces itself, or leaves.
    Notify,
    /// A client searches.
    Search,
    /// A device answers a search.
    Response,
}

impl Kind {
    /// Reads the start line.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let starts: [(&[u8], Self); 3] = [
            (b"NOTIFY * HTTP/1.", Self::Notify),
            (b"M-SEARCH * HTTP/1.", Self::Search),
            (b"HTTP/1.1 200", Self::Response),
        ];
        let found = starts
            .iter()
            .find(|(start, _)| after(bytes, start).is_some());
        found.map(|(_, kind)| *kind)
    }
}

/// One flow's SSDP.
#[derive(Default)]
pub(super) struct SsdpSession {
    sum: Option<Box<Sum>>,
}

#[derive(Default)]
struct Sum {
    start: Nanos,
    notify: u64,
    leaving: u64,
    search: u64,
    response: u64,
    server: Option<Text>,
    location: Option<Text>,
    agent: Option<Text>,
    device: Option<Text>,
    types: BTreeSet<String>,
}

impl Session for SsdpSession {
    fn bytes(&mut self, _side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(kind) = Kind::of(bytes) else {
            cx.anomaly("ssdp-malformed");
            return Step::consumed(bytes.len());
        };
        let due = |sum: &Sum| cx.now.since(sum.start) >= SUMMARY_NS;
        if self.sum.as_deref().is_some_and(due) {
            self.end(cx);
        }
        let now = cx.now;
        let sum = self.sum.get_or_insert_with(|| {
            Box::new(Sum {
                start: now,
                ..Sum::default()
            })
        });
        match kind {
            Kind::Notify => sum.notify += 1,
            Kind::Search => sum.search += 1,
            Kind::Response => sum.response += 1,
        }
        let lines = bytes
            .split(|&octet| octet == b'\n')
            .skip(1)
            .take(FIELDS_MAX);
        for line in lines.take_while(|line| !line.trim_ascii().is_empty()) {
            if let Some((name, value)) = codec::http::field(line) {
                sum.field(name, value, cx);
            }
        }
        Step::consumed(bytes.len())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let Some(sum) = self.sum.take() else {
            return;
        };
        let mut facts = Facts::of("ssdp");
        facts.maybe("server", sum.server.as_deref());
        facts.maybe("location", sum.location.as_deref());
        facts.maybe("agent", sum.agent.as_deref());
        facts.maybe("device", sum.device.as_deref());
        for kind in &sum.types {
            facts.add("type", kind);
        }
        if sum.leaving > 0 {
            facts.add("leaving", sum.leaving);
        }
        let (word, count) = if sum.response > 0 {
            ("response", sum.response)
        } else if sum.notify > 0 {
            ("notify", sum.notify)
        } else {
            ("search", sum.search)
        };
        let mut body = exchange::body("ssdp", word, &mut facts);
        body.object_count = Some(count);
        cx.emit(Draft::new(sum.start, TRAFFIC, body));
    }

    fn heap_bytes(&self) -> usize {
        let types = self.sum.as_deref().map_or(0, |sum| sum.types.len());
        size_of::<Self>() + size_of::<Sum>() + types * 128 + 1024
    }
}

impl Sum {
    fn field(&mut self, name: &[u8], value: &[u8], cx: &mut Context<'_>) {
        match name.to_ascii_uppercase().as_slice() {
            b"SERVER" => self.server = short(value),
            b"LOCATION" => self.location = self.location.take().or_else(|| short(value)),
            b"USER-AGENT" => self.agent = short(value),
            b"USN" => {
                let device = after(value, b"uuid:").unwrap_or(value);
                let end = device.windows(2).position(|pair| pair == b"::");
                self.device = short(device.get(..end.unwrap_or(device.len())).unwrap_or(device));
            }
            b"NTS" if value.eq_ignore_ascii_case(b"ssdp:byebye") => self.leaving += 1,
            b"ST" | b"NT" => {
                // The device's own number is told once, as `device`.
                let Some(kind) = short(value).filter(|kind| !kind.starts_with("uuid:")) else {
                    return;
                };
                if self.types.contains(kind.as_ref()) {
                    return;
                }
                if self.types.len() < TYPES_MAX {
                    self.types.insert(kind.into_owned());
                } else {
                    cx.anomaly("ssdp-types-limit");
                }
            }
            _ => {}
        }
    }
}
