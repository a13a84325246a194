//! Messages of both sides, from their header record to their end.
//!
//! Enters: items of both sides. Leaves: [`Medical`] drafts of activity 6. Refuses: records beyond
//! [`RECORD_BYTES_MAX`] (cut). A frame that is sent again replaces its first copy; a message counts
//! as accepted when its last frame was acknowledged. Source: CLSI LIS1-A2 section 6, LIS2-A2
//! sections 6 (header), 7 (patient), 15 (terminator).

use model::class::Medical;
use model::{Nanos, Sensitive, Text, limit};

use super::parser::{ACK, ENQ, EOT, Item, NAK, Scanner, is_header};
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Most bytes of one record that are looked at.
pub(super) const RECORD_BYTES_MAX: usize = 4 * 1024;
/// Bytes that are no part of the protocol, before any message, after which it is another's.
const JUNK_BYTES_MAX: u32 = 64;
/// OCSF activity of a message.
const ACTIVITY: u16 = 6;

/// The session of one flow.
#[derive(Default)]
pub(super) struct AstmSession {
    sides: [Half; 2],
    seen: bool,
    junk: u32,
}

#[derive(Default)]
struct Half {
    scanner: Scanner,
    /// The last frame: its number and its text, which another copy may replace.
    frame: Option<(u8, Vec<u8>)>,
    /// Number of the last frame whose text counts.
    last: Option<u8>,
    record: Vec<u8>,
    message: Option<Box<Message>>,
    /// When the last frame ended, until it is answered.
    waits: Option<Nanos>,
}

struct Message {
    start: Nanos,
    body: Medical,
    delimiters: [u8; 4],
    bytes: u64,
    results: u32,
    orders: u32,
    queries: u32,
    patients: u32,
    ended: bool,
    acknowledged: bool,
    refused: bool,
}

impl Session for AstmSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        for byte in bytes {
            let Some(item) = self.half(side).scanner.byte(*byte) else {
                continue;
            };
            match item {
                Item::Control(control) => self.control(side, control, cx),
                Item::Frame { number, sound, cut } => {
                    self.frame(side, number, cx);
                    if !sound {
                        self.note(side, "astm-checksum", cx);
                    }
                    if cut {
                        self.note(side, "astm-long-frame", cx);
                    }
                }
                Item::Bare => {
                    let text = self.half(side).scanner.take();
                    self.record_end(side, &text, cx);
                    self.bare_over(side, cx);
                }
                Item::Junk => {
                    self.junk = self.junk.saturating_add(1);
                    if self.junk == 1 {
                        cx.anomaly("astm-outside-frame");
                    }
                    if self.junk > JUNK_BYTES_MAX && !self.seen {
                        return Step::NOT_MINE;
                    }
                }
            }
        }
        Step::consumed(bytes.len())
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        self.half(side).scanner.lose();
        self.note(side, "astm-gap", cx);
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        for side in [Side::Client, Side::Server] {
            self.commit(side, cx);
            self.over(side, cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let held = self.sides.iter().map(|half| {
            let frame = half.frame.as_ref().map_or(0, |(_, text)| text.capacity());
            let message = half.message.as_ref().map_or(0, |_| size_of::<Message>());
            frame + message + half.record.capacity() + half.scanner.heap_bytes() + 512
        });
        held.sum()
    }
}

impl AstmSession {
    const fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn control(&mut self, side: Side, control: u8, cx: &mut Context<'_>) {
        match control {
            // The sender asks for the line, or gives it back: its message is over.
            ENQ | EOT => {
                self.commit(side, cx);
                self.over(side, cx);
                self.half(side).last = None;
            }
            ACK | NAK => {
                let Some(asked) = self.half(side.other()).waits.take() else {
                    return;
                };
                if control == ACK {
                    self.commit(side.other(), cx);
                }
                if let Some(message) = &mut self.half(side.other()).message {
                    let delay = cx.now.since(asked) / 1_000_000;
                    message.body.ack_delay_ms = i64::try_from(delay).ok();
                    message.acknowledged = control == ACK;
                    message.refused = control == NAK;
                }
            }
            _ => {}
        }
    }

    fn frame(&mut self, side: Side, number: u8, cx: &mut Context<'_>) {
        let half = self.half(side);
        let text = half.scanner.take();
        let waiting = half.frame.as_ref().map(|(known, _)| *known);
        half.waits = Some(cx.now);
        if waiting.is_none() && half.last == Some(number) {
            // It was acknowledged before, but the sender did not see that.
            return;
        }
        if waiting != Some(number) {
            self.commit(side, cx);
        }
        self.half(side).frame = Some((number, text));
    }

    /// The last frame will not be replaced any more: its text counts.
    fn commit(&mut self, side: Side, cx: &mut Context<'_>) {
        let Some((number, text)) = self.half(side).frame.take() else {
            return;
        };
        self.half(side).last = Some(number);
        if let Some(message) = &mut self.half(side).message {
            message.bytes += u64::try_from(text.len()).unwrap_or(0);
        }
        for piece in text.split_inclusive(|byte| *byte == b'\r') {
            let half = self.half(side);
            let room = RECORD_BYTES_MAX.saturating_sub(half.record.len());
            half.record
                .extend_from_slice(piece.get(..room).unwrap_or(piece));
            if piece.ends_with(b"\r") {
                let record = std::mem::take(&mut half.record);
                self.record_end(side, &record, cx);
            }
        }
    }

    fn bare_over(&mut self, side: Side, cx: &mut Context<'_>) {
        let ended = self.half(side).message.as_ref();
        if ended.is_some_and(|message| message.ended) {
            self.over(side, cx);
        }
    }

    fn record_end(&mut self, side: Side, record: &[u8], cx: &mut Context<'_>) {
        let record = record.trim_ascii();
        if is_header(record) {
            self.over(side, cx);
            self.seen = true;
            let mut message = header(record, cx.now);
            let word = if side == Side::Client {
                "client"
            } else {
                "server"
            };
            message.body.sender = Some(Text::Borrowed(word));
            message.bytes = u64::try_from(record.len()).unwrap_or(0);
            self.half(side).message = Some(Box::new(message));
            return;
        }
        let Some(message) = &mut self.half(side).message else {
            return;
        };
        match record.first().map(u8::to_ascii_uppercase) {
            Some(b'P') => patient(message, record),
            Some(b'O') => message.orders = message.orders.saturating_add(1),
            Some(b'R') => message.results = message.results.saturating_add(1),
            Some(b'Q') => message.queries = message.queries.saturating_add(1),
            Some(b'L') => message.ended = true,
            _ => {}
        }
    }

    /// The message of `side` is over.
    fn over(&mut self, side: Side, cx: &mut Context<'_>) {
        let half = self.half(side);
        half.record.clear();
        half.waits = None;
        let Some(message) = half.message.take() else {
            return;
        };
        let mut message = *message;
        let (kind, count) = if message.results > 0 {
            ("result", message.results)
        } else if message.queries > 0 {
            ("query", message.queries)
        } else if message.orders > 0 {
            ("order", message.orders)
        } else {
            ("other", 0)
        };
        if !message.ended {
            anomaly(&mut message.body, "astm-unfinished");
        }
        if kind == "result" || kind == "query" {
            // Analysers send results and ask for orders: they are the device that the header names.
            message.body.model = message.body.sending_app.clone();
        } else {
            message.body.serial = None;
            message.body.software = None;
        }
        if message.patients > 1 {
            message.body.patient = None;
            message.body.patient_name = None;
        }
        message.body.resource_type = Some(Text::Borrowed(kind));
        message.body.object_count = Some(count);
        message.body.bytes = Some(message.bytes);
        let (status, code) = match (message.refused, message.acknowledged) {
            (true, _) => (2, Some("NAK")),
            (_, true) => (1, Some("ACK")),
            _ => (0, None),
        };
        let code = code.map(Text::Borrowed);
        message.body.ack_code.clone_from(&code);
        cx.emit(Draft::new(message.start, ACTIVITY, message.body).status(status, code));
    }

    fn note(&mut self, side: Side, code: &'static str, cx: &mut Context<'_>) {
        cx.anomaly(code);
        if let Some(message) = &mut self.half(side).message {
            anomaly(&mut message.body, code);
        }
    }
}

fn anomaly(body: &mut Medical, code: &'static str) {
    if !body.anomalies.iter().any(|known| known == code) {
        body.anomalies.push(Text::Borrowed(code));
    }
}

/// Field `number` of a record, counted from 1 as the standard does.
fn field(record: &[u8], delimiters: [u8; 4], number: usize) -> &[u8] {
    let [separator, ..] = delimiters;
    let mut fields = record.split(|byte| *byte == separator);
    fields.nth(number - 1).unwrap_or(&[])
}

/// Component `number` of a field, its first repetition.
fn component(field: &[u8], delimiters: [u8; 4], number: usize) -> &[u8] {
    let [_, repeat, component, _] = delimiters;
    let first = field.split(|byte| *byte == repeat).next().unwrap_or(&[]);
    let mut components = first.split(|byte| *byte == component);
    components.nth(number - 1).unwrap_or(&[])
}

/// Text of a field: UTF-8, or Latin-1 when it is not.
fn text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.trim_ascii();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    Some(limit::cut_to(&text, 256).to_owned()).filter(|text| !text.is_empty())
}

/// The message that a header record starts.
fn header(record: &[u8], now: Nanos) -> Message {
    let mut delimiters = [b'|', b'\\', b'^', b'&'];
    if let Some(stated) = record
        .get(1..5)
        .and_then(|stated| stated.first_chunk::<4>())
    {
        delimiters = *stated;
    }
    let whole = |number| text(field(record, delimiters, number)).map(Text::from);
    let part = |number, at| {
        let field = field(record, delimiters, number);
        text(component(field, delimiters, at)).map(Text::from)
    };
    let mut body = Medical {
        standard: Text::Borrowed("astm"),
        operation: Some(Text::Borrowed("MESSAGE")),
        control_id: whole(3),
        // Name, software version and serial number: what vendors write here.
        sending_app: part(5, 1),
        software: part(5, 2),
        serial: part(5, 3),
        receiving_app: part(10, 1),
        processing_id: whole(12),
        version: whole(13),
        ..Medical::default()
    };
    if whole(4).is_some() {
        anomaly(&mut body, "astm-password");
    }
    Message {
        start: now,
        body,
        delimiters,
        bytes: 0,
        results: 0,
        orders: 0,
        queries: 0,
        patients: 0,
        ended: false,
        acknowledged: false,
        refused: false,
    }
}

/// Identifier (the practice's, else the laboratory's, else the third) and name of a patient.
fn patient(message: &mut Message, record: &[u8]) {
    message.patients = message.patients.saturating_add(1);
    let delimiters = message.delimiters;
    let identifier = [3, 4, 5].into_iter().find_map(|number| {
        let field = field(record, delimiters, number);
        text(component(field, delimiters, 1))
    });
    let name = field(record, delimiters, 6);
    let words: Vec<String> = (1..=3)
        .filter_map(|at| text(component(name, delimiters, at)))
        .collect();
    if let Some(identifier) = identifier {
        message.body.patient = Some(Sensitive::patient("", &identifier));
    }
    if !words.is_empty() {
        message.body.patient_name = Some(Sensitive::text(&words.join(" ")));
    }
}
