//! Requests and their answers, summed by unit and function.
//!
//! Enters: messages of both sides. Leaves: [`Network`] drafts of activity 6. Refuses: more than
//! [`PENDING_MAX`] requests without answer: the oldest counts as unanswered. After a gap the side
//! is read again from the next plausible header at the start of a segment.
//! Source: MODBUS Messaging V1.0b section 4.4.

use std::collections::VecDeque;

use model::class::Network;
use model::fact::Facts;
use model::{Nanos, Text};

use super::parser::{self, HEADER_BYTES, Header, Span};
use crate::protocol::tally::Tally;
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Most requests that wait for their answer.
pub(super) const PENDING_MAX: usize = 32;
/// Most exception codes told of one group.
const EXCEPTIONS_MAX: usize = 8;
/// OCSF activity "Traffic".
const TRAFFIC: u16 = 6;

/// Unit, function, and whether the device refused.
type Key = (u8, u8, bool);

/// The session of one flow.
pub(super) struct ModbusSession {
    pending: VecDeque<Request>,
    tally: Tally<Key, Sum>,
    /// Texts of device identifications told already, by unit.
    identity: Vec<(u8, Vec<(u8, String)>)>,
    seen: bool,
}

struct Request {
    time: Nanos,
    transaction: u16,
    unit: u8,
    function: u8,
    read: Option<Span>,
    written: Option<Span>,
}

#[derive(Default)]
struct Sum {
    requests: u64,
    answers: u64,
    read: Range,
    written: Range,
    exceptions: Vec<u8>,
}

#[derive(Default)]
struct Range {
    bounds: Option<(u16, u32)>,
    quantity: u64,
}

impl Range {
    fn add(&mut self, span: Option<Span>) {
        let Some(span) = span else {
            return;
        };
        let last = u32::from(span.first) + u32::from(span.quantity.max(1)) - 1;
        self.quantity += u64::from(span.quantity);
        self.bounds = Some(match self.bounds {
            None => (span.first, last),
            Some((first, known)) => (first.min(span.first), known.max(last)),
        });
    }
}

impl ModbusSession {
    pub(super) const fn new() -> Self {
        Self {
            pending: VecDeque::new(),
            // Function 0 is no function: it stands for those beyond the limit.
            tally: Tally::new((0, 0, false)),
            identity: Vec::new(),
            seen: false,
        }
    }

    fn request(&mut self, header: &Header, function: u8, message: &[u8], cx: &mut Context<'_>) {
        if self.pending.len() >= PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            self.count(&oldest, None, cx);
        }
        let (read, written) = parser::spans(function, message);
        self.pending.push_back(Request {
            time: cx.now,
            transaction: header.transaction,
            unit: header.unit,
            function,
            read,
            written,
        });
    }

    fn answer(&mut self, header: &Header, function: u8, message: &[u8], cx: &mut Context<'_>) {
        let plain = function & 0x7f;
        let same = |asked: &Request| {
            asked.transaction == header.transaction
                && asked.unit == header.unit
                && asked.function == plain
        };
        let at = self.pending.iter().position(same);
        let asked = at.and_then(|at| self.pending.remove(at));
        if asked.is_none() {
            cx.anomaly("modbus-answer-without-request");
        }
        let asked = asked.unwrap_or(Request {
            time: cx.now,
            transaction: header.transaction,
            unit: header.unit,
            function: plain,
            read: None,
            written: None,
        });
        let exception = (function & 0x80 != 0).then(|| message.first().copied().unwrap_or(0));
        self.count(&asked, Some(exception), cx);
        if exception.is_some() {
            return;
        }
        let objects = match plain {
            43 => parser::identification(message),
            17 => server_id(message),
            _ => None,
        };
        if let Some(objects) = objects.filter(|objects| !objects.is_empty()) {
            self.identify(&asked, objects, cx);
        }
    }

    /// Tells what a device says of itself, when it is new.
    fn identify(&mut self, asked: &Request, objects: Vec<(u8, String)>, cx: &mut Context<'_>) {
        let kind = |objects: &[(u8, String)]| objects.first().map(|object| object.0);
        let same = |entry: &&mut (u8, Vec<(u8, String)>)| {
            entry.0 == asked.unit && kind(&entry.1) == kind(&objects)
        };
        if let Some((_, known)) = self.identity.iter_mut().find(same) {
            if *known == objects {
                return;
            }
            known.clone_from(&objects);
        } else if self.identity.len() < PENDING_MAX {
            self.identity.push((asked.unit, objects.clone()));
        } else {
            return cx.anomaly("modbus-identity-limit");
        }
        let mut facts = Facts::of("modbus");
        facts
            .add("unit", asked.unit)
            .add("function", asked.function);
        for (id, value) in &objects {
            match parser::object(*id) {
                Some(key) => facts.add(key, value),
                None if *id == SERVER_ID => facts.add("server_id", value),
                None => facts.add("object", format!("{id}:{value}")),
            };
        }
        let body = Network {
            about: Text::Borrowed("modbus"),
            operation: Some(Text::Borrowed("device_identification")),
            object_count: Some(u64::try_from(objects.len()).unwrap_or(0)),
            facts: facts.take(),
            ..Network::default()
        };
        cx.emit(Draft::new(asked.time, TRAFFIC, body).status(1, None));
    }

    /// Counts an exchange; `answer` holds the exception if there was an answer.
    fn count(&mut self, asked: &Request, answer: Option<Option<u8>>, cx: &mut Context<'_>) {
        let refused = matches!(answer, Some(Some(_)));
        let key = (asked.unit, asked.function, refused);
        let first = self.tally.add(&key, asked.time, cx, |sum| {
            sum.requests += 1;
            sum.answers += u64::from(answer.is_some());
            sum.read.add(asked.read);
            sum.written.add(asked.written);
            if let Some(Some(code)) = answer
                && !sum.exceptions.contains(&code)
                && sum.exceptions.len() < EXCEPTIONS_MAX
            {
                sum.exceptions.push(code);
            }
        });
        if let Some((time, sum)) = first {
            emit(key, time, sum, cx);
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        for (key, time, sum) in self.tally.due(cx.now) {
            emit(key, time, sum, cx);
        }
    }
}

fn emit((unit, function, refused): Key, time: Nanos, sum: Sum, cx: &mut Context<'_>) {
    let mut facts = Facts::of("modbus");
    facts
        .add("unit", unit)
        .add("function", function)
        .add("access", parser::access(function))
        .add("requests", sum.requests)
        .add("answers", sum.answers);
    for (keys, range) in [
        (["read_first", "read_last", "read_quantity"], &sum.read),
        (
            ["write_first", "write_last", "write_quantity"],
            &sum.written,
        ),
    ] {
        let [first, last, quantity] = keys;
        if let Some(bounds) = range.bounds {
            facts
                .add(first, bounds.0)
                .add(last, bounds.1)
                .add(quantity, range.quantity);
        }
    }
    for code in &sum.exceptions {
        facts.add("exception", parser::exception(*code));
    }
    let body = Network {
        about: Text::Borrowed("modbus"),
        operation: Some(Text::Borrowed(parser::name(function))),
        object_count: Some(sum.read.quantity + sum.written.quantity),
        facts: facts.take(),
        ..Network::default()
    };
    let status = match (refused, sum.answers) {
        (true, _) => 2,
        (false, 0) => 0,
        (false, _) => 1,
    };
    let code = sum.exceptions.first().map(|code| parser::exception(*code));
    cx.emit(Draft::new(time, TRAFFIC, body).status(status, code.map(Text::Borrowed)));
}

/// Stands for the text of "report server id", which has no object number.
const SERVER_ID: u8 = 0xff;

/// The printable part of an answer to "report server id".
fn server_id(message: &[u8]) -> Option<Vec<(u8, String)>> {
    let (len, rest) = message.split_first()?;
    let text = rest.get(..usize::from(*len)).unwrap_or(rest);
    let printable = |byte: &&u8| (0x20..0x7f).contains(*byte);
    let text: Vec<u8> = text.iter().filter(printable).copied().collect();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    (text.len() > 1).then(|| vec![(SERVER_ID, text)])
}

impl Session for ModbusSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.flush(cx);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.len() < HEADER_BYTES + 1 {
                return Step::need(at, HEADER_BYTES + 1);
            }
            let Some(header) = Header::read(rest) else {
                if !self.seen {
                    return Step::NOT_MINE;
                }
                // What is left of this segment cannot be cut into messages.
                cx.anomaly("modbus-bad-header");
                return Step::consumed(bytes.len());
            };
            let Some(message) = rest.get(HEADER_BYTES..header.total()) else {
                return Step::need(at, header.total());
            };
            at += header.total();
            let Some((function, message)) = message.split_first() else {
                continue;
            };
            self.seen = true;
            match side {
                Side::Client => self.request(&header, *function, message, cx),
                Side::Server => self.answer(&header, *function, message, cx),
            }
        }
    }

    fn gap(&mut self, _side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("modbus-gap");
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        while let Some(asked) = self.pending.pop_front() {
            self.count(&asked, None, cx);
        }
        for (key, time, sum) in self.tally.take() {
            emit(key, time, sum, cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let identity: usize = self
            .identity
            .iter()
            .map(|(_, texts)| texts.len() * 64)
            .sum();
        size_of::<Self>()
            + self.pending.capacity() * size_of::<Request>()
            + self.tally.heap_bytes()
            + identity
    }
}
