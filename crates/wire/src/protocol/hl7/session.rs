//! Messages of both sides, paired with their acknowledgements.
//!
//! Enters: segments of both sides. Leaves: [`Medical`] drafts of activity 6. Refuses: to hold more
//! than [`PENDING_MAX`] messages a side, or one longer than [`ACK_WAIT_MS`] of packet time, without
//! an answer: they are emitted unanswered. Source: HL7 v2.5.1 section 2.9 (acknowledgement modes).

use std::collections::VecDeque;

use codec::hl7::{Charset, Field, Segment, Separators};
use model::class::Medical;
use model::{Nanos, Sensitive, Text, limit};

use super::parser::{Item, SEGMENT_BYTES_MAX, Scanner};
use crate::file::{Carver, Coding, Meta, kind};
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Most messages of one side that wait for an acknowledgement.
const PENDING_MAX: usize = 64;
/// Longest wait for an acknowledgement, checked when the next message comes.
const ACK_WAIT_MS: i64 = 120_000;
/// Bytes that are not HL7, before any message, after which the flow is somebody else's.
const JUNK_BYTES_MAX: usize = 16 * 1024;
/// OCSF activity of a message.
const ACTIVITY: u16 = 6;

/// The session of one flow.
#[derive(Default)]
pub(super) struct Hl7Session {
    sides: [Half; 2],
    seen: bool,
}

#[derive(Default)]
struct Half {
    scanner: Scanner,
    current: Option<Message>,
    pending: VecDeque<Message>,
    /// The current block was emitted before its end, because its answer came.
    early: bool,
    junk_bytes: usize,
}

struct Message {
    start: Nanos,
    end: Nanos,
    separators: Separators,
    charset: Charset,
    body: Medical,
    bytes: u64,
    answer: Option<Answer>,
    /// An application acknowledgement follows the commit one (MSH-16).
    two_answers: bool,
    damaged: bool,
    /// True when its block was ended.
    closed: bool,
    /// The message as a file: from MSH to the end of the block.
    carver: Option<Box<Carver>>,
}

struct Answer {
    code: String,
    to: String,
    time: Nanos,
}

impl Session for Hl7Session {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut consumed = 0;
        while let Some(rest) = bytes.get(consumed..).filter(|rest| !rest.is_empty()) {
            let scan = self.half(side).scanner.next(rest);
            consumed += scan.used;
            let octets = rest.get(..scan.used).unwrap_or(&[]);
            match scan.item {
                Some(Item::Open) => self.open(side, cx),
                Some(Item::Segment { bytes, whole }) => self.segment(side, bytes, whole, cx),
                Some(Item::Close) => self.close(side, cx),
                Some(Item::Junk(n)) => {
                    let half = self.half(side);
                    if half.junk_bytes == 0 {
                        cx.anomaly("hl7-outside-message");
                    }
                    half.junk_bytes = half.junk_bytes.saturating_add(n);
                    if half.junk_bytes > JUNK_BYTES_MAX && !self.seen {
                        return Step::NOT_MINE;
                    }
                }
                None if scan.used == 0 => break,
                None => {}
            }
            if let Some(current) = &mut self.half(side).current {
                current.bytes += u64::try_from(scan.used).unwrap_or(0);
                if let Some(carver) = &mut current.carver {
                    carver.bytes(octets);
                }
            }
        }
        Step::consumed(consumed)
    }

    fn gap(&mut self, side: Side, _missing: u64, _cx: &mut Context<'_>) -> bool {
        let half = self.half(side);
        half.scanner.lose();
        if let Some(current) = &mut half.current {
            current.damaged = true;
            anomaly(&mut current.body, "hl7-gap");
            if let Some(carver) = &mut current.carver {
                carver.lose(0, "gap");
            }
        }
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        // The message before the answer that may stand, unfinished, on the other side.
        for side in [Side::Client, Side::Server] {
            if self.current_is_plain(side) {
                self.finish(side, cx);
            }
        }
        for side in [Side::Client, Side::Server] {
            self.finish(side, cx);
        }
        for side in [Side::Client, Side::Server] {
            while let Some(message) = self.half(side).pending.pop_front() {
                emit(message, cx);
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        let messages: usize = self.sides.iter().map(|half| half.pending.len() + 1).sum();
        // A message holds about a dozen short texts.
        let files = self
            .sides
            .iter()
            .filter_map(|half| half.current.as_ref()?.carver.as_ref());
        let files: usize = files.map(|carver| carver.heap_bytes()).sum();
        files + messages * (size_of::<Message>() + size_of::<Medical>() + 512)
    }
}

impl Hl7Session {
    const fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn open(&mut self, side: Side, cx: &mut Context<'_>) {
        if self.half(side).current.is_some() {
            cx.anomaly("hl7-block-unfinished");
        }
        self.finish(side, cx);
        self.half(side).early = false;
    }

    fn close(&mut self, side: Side, cx: &mut Context<'_>) {
        let half = self.half(side);
        if half.current.is_none() && !half.early {
            cx.anomaly("hl7-no-header");
        }
        if let Some(current) = &mut half.current {
            current.closed = true;
        }
        self.finish(side, cx);
    }

    fn segment(&mut self, side: Side, bytes: &[u8], whole: bool, cx: &mut Context<'_>) {
        if !whole {
            cx.anomaly("hl7-segment-long");
        }
        if bytes.starts_with(b"MSH") {
            self.finish(side, cx);
            self.half(side).early = false;
            let Some(mut message) = header(bytes, cx.now) else {
                return cx.anomaly("hl7-header-malformed");
            };
            message.body.sender = Some(Text::Borrowed(match side {
                Side::Client => "client",
                Side::Server => "server",
            }));
            message.carver = Some(file(side, &message.body, cx));
            self.seen = true;
            self.flush_old(side, cx);
            self.half(side).current = Some(message);
            return;
        }
        let Some(current) = &mut self.half(side).current else {
            return;
        };
        if current.damaged {
            return;
        }
        let segment = Segment::new(bytes, current.separators);
        match segment.name() {
            b"PID" => patient(current, &segment),
            b"PV1" => visit(current, &segment),
            b"MSA" => {
                let text = |field: Field<'_>| {
                    let first = field.component(1);
                    current.charset.text(first, current.separators)
                };
                current.answer = Some(Answer {
                    code: text(segment.field(1)).to_ascii_uppercase(),
                    to: text(segment.field(2)),
                    time: cx.now,
                });
            }
            _ => {}
        }
    }

    fn current_is_plain(&mut self, side: Side) -> bool {
        let current = self.half(side).current.as_ref();
        current.is_some_and(|message| message.answer.is_none())
    }

    /// The current message of `side` is over: it answers, or waits for an answer.
    fn finish(&mut self, side: Side, cx: &mut Context<'_>) {
        let Some(mut message) = self.half(side).current.take() else {
            return;
        };
        message.end = cx.now;
        message.end_file(cx);
        let Some(answer) = message.answer.take() else {
            return self.wait(side, message, cx);
        };
        let only_answer = matches!(message.body.message_type.as_deref(), Some("ACK" | "MCF"));
        let paired = self.answered(side.other(), &answer, cx);
        if only_answer && paired {
            return;
        }
        if !paired {
            cx.anomaly("hl7-answer-without-message");
            message.body.ack_code = Some(Text::from(answer.code));
        }
        emit(message, cx);
    }

    fn wait(&mut self, side: Side, message: Message, cx: &mut Context<'_>) {
        let pending = &mut self.half(side).pending;
        pending.push_back(message);
        if pending.len() > PENDING_MAX
            && let Some(oldest) = pending.pop_front()
        {
            cx.anomaly("hl7-pending-limit");
            emit(oldest, cx);
        }
    }

    fn flush_old(&mut self, side: Side, cx: &mut Context<'_>) {
        let pending = &mut self.half(side).pending;
        while let Some(oldest) = pending.front()
            && oldest.end.plus_ms(ACK_WAIT_MS) < cx.now
        {
            if let Some(oldest) = pending.pop_front() {
                emit(oldest, cx);
            }
        }
    }

    /// Gives `answer` to the message of `side` that it names; false when there is none.
    fn answered(&mut self, side: Side, answer: &Answer, cx: &mut Context<'_>) -> bool {
        let half = self.half(side);
        let named = |message: &Message| {
            message.body.control_id.as_deref().unwrap_or("") == answer.to.as_str()
        };
        let mut at = half.pending.iter().position(named);
        if at.is_none() && answer.to.is_empty() && half.pending.len() == 1 {
            at = Some(0);
        }
        let message = match at {
            Some(at) => half.pending.remove(at),
            None => {
                // The answer came although the end of the block was not seen.
                let current = half.current.take_if(|current| named(current));
                half.early |= current.is_some();
                current.map(|mut message| {
                    message.end = answer.time;
                    message.end_file(cx);
                    message
                })
            }
        };
        let Some(mut message) = message else {
            return false;
        };
        message.body.ack_code = Some(Text::from(limit::cut_to(&answer.code, 16).to_owned()));
        message.body.ack_delay_ms = Some(delay_ms(message.end, answer.time));
        if answer.code == "CA" && message.two_answers {
            half.pending.push_back(message);
        } else {
            emit(message, cx);
        }
        true
    }
}

/// The file that a message is.
fn file(sender: Side, body: &Medical, cx: &Context<'_>) -> Box<Carver> {
    let meta = Meta {
        time: cx.now,
        protocol: "mllp",
        sender,
        hosts: cx.hosts,
        ports: [cx.client_port, cx.server_port],
        name: body.control_id.as_deref(),
        mime: Some(kind::HL7.mime),
        bytes: None,
    };
    Box::new(Carver::begin(&cx.files.policy, Coding::Plain, &meta).of(kind::HL7))
}

impl Message {
    /// No more of the message comes.
    fn end_file(&mut self, cx: &mut Context<'_>) {
        if let Some(mut carver) = self.carver.take() {
            if self.closed {
                carver.close();
            }
            let name = self.body.control_id.clone();
            carver
                .end(name.as_deref(), cx.drafts)
                .medical(&mut self.body);
        }
    }
}

fn delay_ms(from: Nanos, to: Nanos) -> i64 {
    i64::try_from(to.since(from) / 1_000_000).unwrap_or(i64::MAX)
}

fn emit(mut message: Message, cx: &mut Context<'_>) {
    message.body.bytes = Some(message.bytes);
    let code = message.body.ack_code.clone();
    let status = match code.as_deref() {
        Some("AA" | "CA") => 1,
        Some("AE" | "AR" | "CE" | "CR") => 2,
        _ => 0,
    };
    cx.emit(Draft::new(message.start, ACTIVITY, message.body).status(status, code));
}

fn anomaly(body: &mut Medical, code: &'static str) {
    if body.anomalies.len() < limit::LIST_ITEMS_MAX {
        body.anomalies.push(Text::Borrowed(code));
    }
}

/// The message that an MSH segment starts.
fn header(bytes: &[u8], now: Nanos) -> Option<Message> {
    let separators = Separators::of_header(bytes)?;
    let msh = Segment::new(bytes, separators);
    let charset = Charset::of_name(msh.field(18).component(1));
    let text = |bytes: &[u8]| Some(charset.text(bytes, separators)).filter(|t| !t.is_empty());
    let first = |number: usize| text(msh.field(number).component(1)).map(Text::from);
    // HD: the namespace, or the universal identifier when there is none.
    let name = |number: usize| {
        let field = msh.field(number);
        text(field.component(1))
            .or_else(|| text(field.component(2)))
            .map(Text::from)
    };
    let mut body = Medical {
        standard: Text::Borrowed("hl7v2"),
        operation: Some(Text::Borrowed("MESSAGE")),
        sending_app: name(3),
        sending_facility: name(4),
        receiving_app: name(5),
        receiving_facility: name(6),
        message_type: first(9),
        trigger: text(msh.field(9).component(2)).map(Text::from),
        control_id: text(msh.field(10).bytes()).map(Text::from),
        processing_id: first(11),
        version: first(12),
        ..Medical::default()
    };
    if bytes.len() >= SEGMENT_BYTES_MAX {
        anomaly(&mut body, "hl7-segment-long");
    }
    Some(Message {
        start: now,
        end: now,
        separators,
        charset,
        body,
        bytes: 0,
        answer: None,
        two_answers: matches!(msh.field(16).bytes(), b"AL" | b"SU"),
        damaged: false,
        closed: false,
        carver: None,
    })
}

/// Patient class (PV1-2) and point of care (PV1-3.1); the first PV1 counts.
fn visit(message: &mut Message, pv1: &Segment<'_>) {
    if message.body.patient_class.is_some() || message.body.point_of_care.is_some() {
        return;
    }
    let text = |bytes: &[u8]| {
        let text = message.charset.text(bytes, message.separators);
        let text = limit::cut_to(&text, 64).to_owned();
        Some(Text::from(text)).filter(|text| !text.is_empty() && text != "\"\"")
    };
    let class = text(pv1.field(2).component(1));
    let place = text(pv1.field(3).component(1));
    message.body.patient_class = class;
    message.body.point_of_care = place;
}

/// Patient identifier (PID-3, or PID-2 of old versions) and name (PID-5); the first PID counts.
fn patient(message: &mut Message, pid: &Segment<'_>) {
    if message.body.patient.is_some() || message.body.patient_name.is_some() {
        return;
    }
    let text = |bytes: &[u8]| message.charset.text(bytes, message.separators);
    let mut field = pid.field(3);
    if field.is_empty() {
        field = pid.field(2);
    }
    let filled = |cx: &Field<'_>| !cx.component(1).is_empty();
    let preferred = |cx: &Field<'_>| matches!(cx.component(5), b"PI" | b"MR");
    let mut repetitions = field.repetitions().take(limit::LIST_ITEMS_MAX);
    let chosen = repetitions
        .find(|cx| filled(cx) && preferred(cx))
        .or_else(|| field.repetitions().find(filled));
    if let Some(chosen) = chosen {
        let namespace = text(chosen.subcomponent(4, 1));
        let assigner = if namespace.is_empty() {
            text(chosen.subcomponent(4, 2))
        } else {
            namespace
        };
        let identifier = text(chosen.component(1));
        message.body.patient = Some(Sensitive::patient(&assigner, &identifier));
    }
    let name = pid.field(5);
    let words = [
        name.subcomponent(1, 1),
        name.component(2),
        name.component(3),
    ];
    let words: Vec<String> = words.iter().map(|word| text(word)).collect();
    let name = words
        .iter()
        .filter(|word| !word.is_empty() && word.as_str() != "\"\"")
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    if !name.is_empty() {
        message.body.patient_name = Some(Sensitive::text(&name));
    }
}
