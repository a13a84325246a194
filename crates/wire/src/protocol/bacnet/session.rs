//! Announcements, requests and their answers.
//!
//! Enters: datagrams of both sides. Leaves: [`Network`] drafts of activity 6. Refuses: more than
//! [`PENDING_MAX`] requests without answer (the oldest counts as unanswered), more than
//! [`DEVICES_MAX`] devices told of one flow. Source: ANSI/ASHRAE 135-2020, clauses 13 to 17.

use std::collections::VecDeque;

use model::class::Network as Body;
use model::fact::Facts;
use model::{Nanos, Text};

use super::names;
use super::parser::{self, Apdu, IAm, Link, Network, Object, Property};
use crate::protocol::tally::Tally;
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Most requests that wait for their answer.
pub(super) const PENDING_MAX: usize = 32;
/// Most devices of one flow that are told.
pub(super) const DEVICES_MAX: usize = 256;
/// Most things told of devices that are remembered.
const TOLD_MAX: usize = 128;
/// OCSF activity "Traffic".
const TRAFFIC: u16 = 6;
/// Object type of a device.
const DEVICE: u16 = 8;

/// Service, object type, property, and whether it was refused.
type Key = (&'static str, u16, u32, bool);
/// No object type, no property.
const NONE: (u16, u32) = (u16::MAX, u32::MAX);

/// The session of one flow.
pub(super) struct BacnetSession {
    pending: VecDeque<Request>,
    tally: Tally<Key, Sum>,
    devices: Vec<u32>,
    told: Vec<(u32, u32, String)>,
}

struct Request {
    side: Side,
    time: Nanos,
    invoke: u8,
    service: u8,
    /// Objects and properties, without values.
    about: Vec<(Object, u32)>,
    facts: Vec<(&'static str, String)>,
}

#[derive(Default)]
struct Sum {
    requests: u64,
    answers: u64,
    instances: Option<(u32, u32)>,
    error: Option<String>,
    facts: Vec<(&'static str, String)>,
}

impl BacnetSession {
    pub(super) const fn new() -> Self {
        Self {
            pending: VecDeque::new(),
            tally: Tally::new(("other", NONE.0, NONE.1, false)),
            devices: Vec::new(),
            told: Vec::new(),
        }
    }

    fn link(&mut self, side: Side, link: &Link<'_>, cx: &mut Context<'_>) {
        let Some(npdu) = link.npdu else {
            return self.link_function(link, cx);
        };
        let Some(network) = Network::read(npdu) else {
            return cx.anomaly("bacnet-bad-network-layer");
        };
        if let Some(message) = network.message {
            let name = names::network_message(message);
            return self.once(name, Vec::new(), cx);
        }
        match Apdu::read(network.apdu) {
            None => cx.anomaly("bacnet-bad-message"),
            Some(apdu) => self.apdu(side, &network, apdu, cx),
        }
    }

    /// A function of the link layer itself: tables of broadcasts and foreign devices.
    fn link_function(&mut self, link: &Link<'_>, cx: &mut Context<'_>) {
        let name = names::link_function(link.function);
        let parameter = match *link.parameters {
            [high, low, ..] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        };
        let facts = match (link.function, parameter) {
            (5, Some(seconds)) => vec![("ttl_seconds", seconds.to_string())],
            _ => Vec::new(),
        };
        if let (0, Some(code)) = (link.function, parameter) {
            let key = (name, NONE.0, u32::from(code), code != 0);
            return self.count(key, cx.now, cx, |sum| {
                sum.answers += 1;
                sum.error = (code != 0).then(|| format!("0x{code:04x}"));
            });
        }
        self.once(name, facts, cx);
    }

    /// Counts something that has no answer.
    fn once(
        &mut self,
        name: &'static str,
        facts: Vec<(&'static str, String)>,
        cx: &mut Context<'_>,
    ) {
        let key = (name, NONE.0, NONE.1, false);
        self.count(key, cx.now, cx, |sum| {
            sum.requests += 1;
            sum.facts = facts;
        });
    }

    fn count(&mut self, key: Key, time: Nanos, cx: &mut Context<'_>, add: impl FnOnce(&mut Sum)) {
        if let Some((time, sum)) = self.tally.add(&key, time, cx, add) {
            emit_sum(key, time, sum, cx);
        }
    }

    fn apdu(&mut self, side: Side, network: &Network<'_>, apdu: Apdu<'_>, cx: &mut Context<'_>) {
        match apdu {
            Apdu::Confirmed {
                invoke,
                service,
                body,
            } => self.request(side, invoke, service, body, cx),
            Apdu::Unconfirmed { service: 0, body } => match parser::i_am(body) {
                Some(said) => self.announced(side, network, &said, cx),
                None => cx.anomaly("bacnet-bad-i-am"),
            },
            Apdu::Unconfirmed { service, .. } => {
                self.once(names::unconfirmed(service), Vec::new(), cx);
            }
            Apdu::Done { invoke } => self.answered(side, invoke, None, cx),
            Apdu::Answer {
                invoke,
                service,
                body,
            } => {
                let said = parser::properties(service, true, body);
                self.answered(side, invoke, None, cx);
                self.identify(side, &said, cx);
            }
            Apdu::Error { invoke, body } => {
                let error = parser::error(body);
                let text = error.map_or("error".to_owned(), |(class, code)| {
                    format!("{}/{}", names::error_class(class), names::error_code(code))
                });
                self.answered(side, invoke, Some(text), cx);
            }
            Apdu::Reject { invoke, reason } => {
                self.answered(side, invoke, Some(format!("reject/{reason}")), cx);
            }
            Apdu::Abort { invoke, reason } => {
                self.answered(side, invoke, Some(format!("abort/{reason}")), cx);
            }
            Apdu::Segment => {}
        }
    }

    /// A device announces itself.
    fn announced(&mut self, side: Side, network: &Network<'_>, said: &IAm, cx: &mut Context<'_>) {
        if self.devices.contains(&said.device) {
            let key = ("i_am", DEVICE, NONE.1, false);
            return self.count(key, cx.now, cx, |sum| sum.requests += 1);
        }
        if self.devices.len() >= DEVICES_MAX {
            return cx.anomaly("bacnet-devices-limit");
        }
        self.devices.push(said.device);
        let mut facts = Facts::of("bacnet");
        facts
            .add("device", end(side))
            .add("device_instance", said.device)
            .add("vendor_id", said.vendor)
            .maybe("vendor", names::vendor(said.vendor))
            .add("apdu_max", said.apdu_max)
            .add("segmentation", names::segmentation(said.segmentation))
            .maybe("network", network.source);
        emit("i_am", cx.now, 1, Some(1), facts, cx);
    }

    fn request(&mut self, side: Side, invoke: u8, service: u8, body: &[u8], cx: &mut Context<'_>) {
        if self.pending.len() >= PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            self.settle(oldest, false, None, cx);
        }
        let about = parser::properties(service, false, body);
        let mut facts = Vec::new();
        let state = |wanted| parser::context(body, wanted).and_then(parser::number);
        match service {
            // Device communication control: what is switched, and whether a password was sent.
            17 => {
                facts.push(("switch", names::switch(state(1).unwrap_or(0)).to_owned()));
                facts.push(("password", parser::context(body, 2).is_some().to_string()));
            }
            // Reinitialize device.
            20 => {
                facts.push(("restart", names::restart(state(0).unwrap_or(99)).to_owned()));
                facts.push(("password", parser::context(body, 1).is_some().to_string()));
            }
            _ => {}
        }
        self.pending.push_back(Request {
            side,
            time: cx.now,
            invoke,
            service,
            about: about.iter().map(|one| (one.object, one.id)).collect(),
            facts,
        });
    }

    fn answered(&mut self, side: Side, invoke: u8, error: Option<String>, cx: &mut Context<'_>) {
        let asked = |request: &Request| request.invoke == invoke && request.side != side;
        match self.pending.iter().position(asked) {
            Some(at) => {
                if let Some(request) = self.pending.remove(at) {
                    self.settle(request, true, error, cx);
                }
            }
            // Either side may abort.
            None if error.is_some() => {}
            None => cx.anomaly("bacnet-answer-without-request"),
        }
    }

    fn settle(
        &mut self,
        mut request: Request,
        answered: bool,
        error: Option<String>,
        cx: &mut Context<'_>,
    ) {
        let name = names::confirmed(request.service);
        if request.about.is_empty() {
            let nothing = Object {
                kind: NONE.0,
                instance: NONE.1,
            };
            request.about.push((nothing, NONE.1));
        }
        let mut counted: Vec<Key> = Vec::new();
        for (object, property) in &request.about {
            let key = (name, object.kind, *property, error.is_some());
            let again = counted.contains(&key);
            counted.push(key);
            self.count(key, request.time, cx, |sum| {
                sum.requests += u64::from(!again);
                sum.answers += u64::from(!again && answered);
                if object.instance != NONE.1 {
                    let (first, last) = sum.instances.unwrap_or((object.instance, object.instance));
                    sum.instances = Some((first.min(object.instance), last.max(object.instance)));
                }
                if sum.error.is_none() {
                    sum.error.clone_from(&error);
                }
                sum.facts.clone_from(&request.facts);
            });
        }
    }

    /// Tells what the device object says of the device, when it is new.
    fn identify(&mut self, side: Side, said: &[Property<'_>], cx: &mut Context<'_>) {
        let mut facts = Facts::of("bacnet");
        let mut fresh = 0;
        let mut device = None;
        for property in said.iter().filter(|one| one.object.kind == DEVICE) {
            let (Some(key), Some((kind, value))) = (names::identity(property.id), property.value)
            else {
                continue;
            };
            let value = match kind {
                7 => parser::text(value),
                2 => parser::number(value).map(|number| number.to_string()),
                _ => None,
            };
            let Some(value) = value else {
                continue;
            };
            let instance = property.object.instance;
            let known = (instance, property.id, value);
            if device.is_some_and(|device| device != instance) || self.told.contains(&known) {
                continue;
            }
            if self.told.len() >= TOLD_MAX {
                self.told.remove(0);
            }
            device = Some(instance);
            fresh += 1;
            facts.add(key, &known.2);
            self.told.push(known);
        }
        let Some(device) = device else {
            return;
        };
        facts
            .add("device", end(side))
            .add("device_instance", device);
        emit("identification", cx.now, 1, Some(fresh), facts, cx);
    }
}

/// Which end of the conversation a device is.
const fn end(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

fn emit(
    operation: &'static str,
    time: Nanos,
    status: u16,
    count: Option<u64>,
    mut facts: Facts,
    cx: &mut Context<'_>,
) {
    let body = Body {
        about: Text::Borrowed("bacnet"),
        operation: Some(Text::Borrowed(operation)),
        object_count: count,
        facts: facts.take(),
        ..Body::default()
    };
    cx.emit(Draft::new(time, TRAFFIC, body).status(status, None));
}

fn emit_sum((name, kind, property, refused): Key, time: Nanos, sum: Sum, cx: &mut Context<'_>) {
    let mut facts = Facts::of("bacnet");
    facts
        .add("requests", sum.requests)
        .add("answers", sum.answers);
    if kind != NONE.0 {
        facts.add("object_type", names::object(kind));
    }
    if kind != NONE.0 && property != NONE.1 {
        facts.add("property", names::property(property));
    }
    if let Some((first, last)) = sum.instances {
        facts
            .add("instance_first", first)
            .add("instance_last", last);
    }
    facts.maybe("error", sum.error);
    for (key, value) in sum.facts {
        facts.add(key, value);
    }
    let status = match (refused, sum.answers) {
        (true, _) => 2,
        (false, 0) => 0,
        (false, _) => 1,
    };
    emit(name, time, status, Some(sum.requests), facts, cx);
}

impl Session for BacnetSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        for (key, time, sum) in self.tally.due(cx.now) {
            emit_sum(key, time, sum, cx);
        }
        match Link::read(bytes) {
            Some(link) => self.link(side, &link, cx),
            None => cx.anomaly("bacnet-bad-link-layer"),
        }
        Step::consumed(bytes.len())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        while let Some(request) = self.pending.pop_front() {
            self.settle(request, false, None, cx);
        }
        for (key, time, sum) in self.tally.take() {
            emit_sum(key, time, sum, cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let pending = self.pending.iter().map(|request| {
            size_of::<Request>() + request.about.capacity() * size_of::<(Object, u32)>()
        });
        let told: usize = self.told.iter().map(|(_, _, text)| 40 + text.len()).sum();
        size_of::<Self>()
            + pending.sum::<usize>()
            + told
            + self.devices.capacity() * 4
            + self.tally.heap_bytes()
    }
}
