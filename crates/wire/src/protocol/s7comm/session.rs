//! Jobs and their answers.
//!
//! Enters: TPKTs of both sides. Leaves: [`Network`] drafts of activity 6. Refuses: more than
//! [`PENDING_MAX`] jobs without answer (the oldest counts as unanswered), messages longer than
//! [`MESSAGE_BYTES_MAX`]. Source: RFC 1006; Wireshark's description of S7comm.

use std::collections::VecDeque;

use model::class::Network;
use model::fact::Facts;
use model::{Nanos, Text};

use super::parser::{self, Frame, Item, Message, S7_PLUS, TPKT_BYTES, UserData};
use super::{names, szl};
use crate::protocol::tally::Tally;
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most jobs that wait for their answer.
pub(super) const PENDING_MAX: usize = 32;
/// Most bytes of one system status list.
pub(super) const SZL_BYTES_MAX: usize = 8 * 1024;
/// Most bytes of a message that came in several units.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// OCSF activity "Traffic".
const TRAFFIC: u16 = 6;

/// Operation, area, block, and whether the controller refused.
type Key = (&'static str, u8, u16, bool);

/// The session of one flow.
pub(super) struct S7Session {
    selectors: [Vec<u8>; 2],
    time: Option<Nanos>,
    pending: VecDeque<Job>,
    tally: Tally<Key, Sum>,
    parts: [Vec<u8>; 2],
    szl: Vec<u8>,
    /// What the controller said of itself and was told.
    told: Vec<(&'static str, String)>,
    seen: bool,
}

struct Job {
    time: Nanos,
    reference: u16,
    function: u8,
    operation: &'static str,
    /// Number of the system status list asked for.
    list: u16,
    items: Vec<Item>,
    /// Block, service or argument, for jobs that are told one by one.
    facts: Facts,
}

#[derive(Default)]
struct Sum {
    requests: u64,
    answers: u64,
    items: u64,
    bounds: Option<(u32, u32)>,
    error: Option<u16>,
}

impl S7Session {
    pub(super) const fn new() -> Self {
        Self {
            selectors: [Vec::new(), Vec::new()],
            time: None,
            pending: VecDeque::new(),
            tally: Tally::new(("other", 0, 0, false)),
            parts: [Vec::new(), Vec::new()],
            szl: Vec::new(),
            told: Vec::new(),
            seen: false,
        }
    }

    /// One unit; false when the flow is not S7's.
    fn unit(&mut self, side: Side, frame: &Frame<'_>, cx: &mut Context<'_>) -> Unit {
        match frame.kind {
            parser::CONNECT => {
                let selectors = frame.selectors();
                let owned = |part: Option<&[u8]>| part.unwrap_or(&[]).to_vec();
                self.selectors = [owned(selectors.source), owned(selectors.destination)];
                self.time.get_or_insert(cx.now);
            }
            parser::DISCONNECT if !self.seen && side == Side::Server => {
                self.connection("connect", 2, Facts::of("s7comm"), cx);
            }
            parser::DATA => return self.data(side, frame, cx),
            _ => {}
        }
        Unit::Mine
    }

    fn data(&mut self, side: Side, frame: &Frame<'_>, cx: &mut Context<'_>) -> Unit {
        let [client, server] = &mut self.parts;
        let parts = match side {
            Side::Client => client,
            Side::Server => server,
        };
        if !frame.last || !parts.is_empty() {
            let room = MESSAGE_BYTES_MAX.saturating_sub(parts.len());
            parts.extend_from_slice(frame.payload.get(..room).unwrap_or(frame.payload));
            if !frame.last {
                return Unit::Mine;
            }
            let whole = std::mem::take(parts);
            return self.message(&whole, cx);
        }
        self.message(frame.payload, cx)
    }

    fn message(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> Unit {
        match bytes.first() {
            None => return Unit::Mine,
            Some(&S7_PLUS) => {
                self.seen = true;
                let mut facts = Facts::of("s7comm");
                facts
                    .add("variant", "s7comm-plus")
                    .maybe("plus_version", bytes.get(1));
                self.connection("connect", 1, facts, cx);
                return Unit::Done;
            }
            Some(_) => {}
        }
        let Some(message) = Message::read(bytes) else {
            if !self.seen {
                return Unit::Foreign;
            }
            cx.anomaly("s7comm-bad-message");
            return Unit::Mine;
        };
        self.seen = true;
        match message.kind {
            parser::JOB => self.job(&message, cx),
            parser::ACK | parser::ACK_DATA => self.answer(&message, cx),
            parser::USERDATA => self.user_data(&message, cx),
            _ => cx.anomaly("s7comm-unknown-kind"),
        }
        Unit::Mine
    }

    /// An event about the connection as a whole.
    fn connection(
        &mut self,
        operation: &'static str,
        status: u16,
        mut facts: Facts,
        cx: &mut Context<'_>,
    ) {
        let [source, destination] = &self.selectors;
        let hex = |selector: &[u8]| {
            let printable = selector.len() > 2 && selector.iter().all(u8::is_ascii_graphic);
            if printable {
                return String::from_utf8_lossy(selector).into_owned();
            }
            selector
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect()
        };
        facts
            .add("source_tsap", hex(source))
            .add("destination_tsap", hex(destination));
        if let [kind, place] = destination.as_slice() {
            let kind = match kind {
                1 => "pg",
                2 => "op",
                3 => "s7_basic",
                _ => "other",
            };
            facts
                .add("connection_type", kind)
                .add("rack", place >> 5)
                .add("slot", place & 0x1f);
        }
        let time = self.time.unwrap_or(cx.now);
        emit(operation, time, status, facts, None, cx);
    }

    fn job(&mut self, message: &Message<'_>, cx: &mut Context<'_>) {
        let Some((function, parameters)) = message.parameters.split_first() else {
            return;
        };
        let mut facts = Facts::of("s7comm");
        match function {
            0x1a | 0x1d => {
                let file = parser::file_name(message.parameters);
                facts.maybe("block", file.and_then(names::block));
            }
            0x28 => {
                if let Some((name, argument)) = parser::service(message.parameters) {
                    let name = String::from_utf8_lossy(name).into_owned();
                    facts.add("action", names::service(&name, argument));
                    facts.add("service", name);
                    facts.maybe("block", names::block(&[b"_", argument].concat()));
                }
            }
            _ => {}
        }
        let items = match function {
            4 | 5 => parser::items(parameters),
            _ => Vec::new(),
        };
        let job = Job {
            time: cx.now,
            reference: message.reference,
            function: *function,
            operation: names::function(*function),
            list: 0,
            items,
            facts,
        };
        self.wait(job, cx);
    }

    fn wait(&mut self, job: Job, cx: &mut Context<'_>) {
        if self.pending.len() >= PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            self.settle(oldest, None, cx);
        }
        self.pending.push_back(job);
    }

    fn answer(&mut self, message: &Message<'_>, cx: &mut Context<'_>) {
        let same = |job: &Job| job.reference == message.reference;
        let at = self.pending.iter().position(same);
        let Some(mut job) = at.and_then(|at| self.pending.remove(at)) else {
            return cx.anomaly("s7comm-answer-without-job");
        };
        if job.function == 0xf0
            && let Some(length) = message.parameters.get(6..8)
            && let [high, low] = *length
        {
            job.facts.add("pdu_length", u16::from_be_bytes([high, low]));
        }
        self.settle(job, Some(message.error), cx);
    }

    /// A job is over: told at once when it changes or reveals the program, else summed.
    fn settle(&mut self, mut job: Job, error: Option<u16>, cx: &mut Context<'_>) {
        let operation = job.operation;
        let refused = error.is_some_and(|error| error != 0);
        let status = match error {
            None => 0,
            Some(0) => 1,
            Some(_) => 2,
        };
        match job.function {
            0xf0 => {
                self.time = Some(job.time);
                return self.connection(operation, status, job.facts, cx);
            }
            0x1a | 0x1d | 0x28 | 0x29 => {
                if let Some(error) = error.filter(|error| *error != 0) {
                    job.facts.add("error", format!("0x{error:04x}"));
                }
                return emit(operation, job.time, status, job.facts, None, cx);
            }
            _ => {}
        }
        let answered = error.is_some();
        let error = error.filter(|error| *error != 0);
        if job.items.is_empty() {
            job.items.push(Item::default());
        }
        let listed = !(job.items.len() == 1 && job.items.first() == Some(&Item::default()));
        for (at, item) in job.items.iter().enumerate() {
            let block = if listed { item.block } else { job.list };
            let key = (operation, item.area, block, refused);
            self.count(key, job.time, cx, |sum| {
                // One request may concern several areas: each counts it once.
                sum.requests += u64::from(at == 0);
                sum.answers += u64::from(at == 0 && answered);
                sum.error = sum.error.or(error);
                if listed {
                    sum.items += 1;
                    let last = item.first + u32::from(item.count.max(1)) - 1;
                    let (first, known) = sum.bounds.unwrap_or((item.first, last));
                    sum.bounds = Some((first.min(item.first), known.max(last)));
                }
            });
        }
    }

    fn count(&mut self, key: Key, time: Nanos, cx: &mut Context<'_>, add: impl FnOnce(&mut Sum)) {
        if let Some((time, sum)) = self.tally.add(&key, time, cx, add) {
            emit_sum(key, time, &sum, cx);
        }
    }

    fn user_data(&mut self, message: &Message<'_>, cx: &mut Context<'_>) {
        let Some(parameters) = UserData::read(message.parameters) else {
            return cx.anomaly("s7comm-bad-userdata");
        };
        let operation = names::user_data(parameters.group, parameters.function);
        let is_szl = (parameters.group, parameters.function) == (4, 1);
        // Return code, kind of transport, length.
        let body = message.data.get(4..).unwrap_or(&[]);
        if parameters.request {
            let list = szl::List::read(body).filter(|_| is_szl);
            // Later units of an answer are asked for without a list.
            if is_szl && list.is_none() {
                return;
            }
            let job = Job {
                time: cx.now,
                reference: message.reference,
                function: 0,
                operation,
                list: list.map_or(0, |list| list.id),
                items: Vec::new(),
                facts: Facts::of("s7comm"),
            };
            return self.wait(job, cx);
        }
        let same = |job: &Job| job.reference == message.reference && job.operation == operation;
        let at = self.pending.iter().position(same);
        if let Some(job) = at.and_then(|at| self.pending.remove(at)) {
            self.settle(job, Some(parameters.error), cx);
        }
        if !is_szl {
            return;
        }
        let room = SZL_BYTES_MAX.saturating_sub(self.szl.len());
        if body.len() > room {
            cx.anomaly("s7comm-long-list");
        }
        self.szl.extend_from_slice(body.get(..room).unwrap_or(body));
        if !parameters.more {
            let list = std::mem::take(&mut self.szl);
            self.list(&list, cx);
        }
    }

    /// A whole system status list was answered.
    fn list(&mut self, data: &[u8], cx: &mut Context<'_>) {
        let Some(list) = szl::List::read(data) else {
            return;
        };
        let said = list.facts();
        let fresh = said.iter().any(|fact| !self.told.contains(fact));
        if said.is_empty() || !fresh {
            return;
        }
        let mut facts = Facts::of("s7comm");
        facts.add("vendor", "Siemens");
        facts.add("szl", format!("0x{:04x}", list.id));
        facts.add("szl_index", list.index);
        for (key, value) in &said {
            facts.add(key, value);
        }
        if self.told.len() < PENDING_MAX {
            self.told.extend(said);
        }
        emit("identification", cx.now, 1, facts, None, cx);
    }
}

/// What became of a unit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Mine,
    Foreign,
    Done,
}

fn emit(
    operation: &'static str,
    time: Nanos,
    status: u16,
    mut facts: Facts,
    count: Option<u64>,
    cx: &mut Context<'_>,
) {
    let body = Network {
        about: Text::Borrowed("s7comm"),
        operation: Some(Text::Borrowed(operation)),
        object_count: count,
        facts: facts.take(),
        ..Network::default()
    };
    cx.emit(Draft::new(time, TRAFFIC, body).status(status, None));
}

fn emit_sum((operation, area, block, refused): Key, time: Nanos, sum: &Sum, cx: &mut Context<'_>) {
    let mut facts = Facts::of("s7comm");
    facts
        .add("requests", sum.requests)
        .add("answers", sum.answers);
    if let Some((first, last)) = sum.bounds {
        facts
            .add("area", names::area(area))
            .add("first_byte", first)
            .add("last_byte", last);
        if matches!(area, 0x84 | 0x85) {
            facts.add("db", block);
        }
    }
    if operation == "read_szl" {
        facts.add("szl", format!("0x{block:04x}"));
    }
    facts.maybe("error", sum.error.map(|error| format!("0x{error:04x}")));
    let status = match (refused, sum.answers) {
        (true, _) => 2,
        (false, 0) => 0,
        (false, _) => 1,
    };
    let count = Some(sum.items).filter(|items| *items > 0);
    emit(operation, time, status, facts, count, cx);
}

impl Session for S7Session {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        for (key, time, sum) in self.tally.due(cx.now) {
            emit_sum(key, time, &sum, cx);
        }
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.len() < TPKT_BYTES {
                return Step::need(at, TPKT_BYTES);
            }
            let Some(total) = parser::total(rest) else {
                if !self.seen {
                    return Step::NOT_MINE;
                }
                cx.anomaly("s7comm-bad-header");
                return Step::consumed(bytes.len());
            };
            let Some(whole) = rest.get(..total) else {
                return Step::need(at, total);
            };
            at += total;
            let unit = match Frame::read(whole) {
                Some(frame) => self.unit(side, &frame, cx),
                None => {
                    cx.anomaly("s7comm-bad-unit");
                    Unit::Mine
                }
            };
            match unit {
                Unit::Mine => {}
                Unit::Foreign => return Step::NOT_MINE,
                Unit::Done => {
                    return Step {
                        consumed: at,
                        next: Next::Done,
                    };
                }
            }
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("s7comm-gap");
        let [client, server] = &mut self.parts;
        match side {
            Side::Client => client.clear(),
            Side::Server => server.clear(),
        }
        self.szl.clear();
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        while let Some(job) = self.pending.pop_front() {
            self.settle(job, None, cx);
        }
        for (key, time, sum) in self.tally.take() {
            emit_sum(key, time, &sum, cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let parts: usize = self.parts.iter().map(Vec::capacity).sum();
        let jobs = self
            .pending
            .iter()
            .map(|job| size_of::<Job>() + job.items.capacity() * size_of::<Item>() + 128);
        size_of::<Self>()
            + parts
            + jobs.sum::<usize>()
            + self.szl.capacity()
            + self.told.len() * 64
            + self.tally.heap_bytes()
    }
}
