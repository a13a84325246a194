//! Queries and the responses that answer them.
//!
//! Enters: messages of both sides. Leaves: one event per question: with its response when that is
//! seen (activity 2), alone when the flow ends or the table is full (activity 1); for multicast one
//! event per question and per announced name (activity 6), since answers travel in other flows.
//! Refuses: more than [`PENDING_MAX`] open queries. A zone transfer is one event, however long.
//! Source: RFC 1035, RFC 5936 (AXFR), RFC 6762 section 18.

use std::collections::VecDeque;

use model::class::Dns;
use model::limit::LIST_ITEMS_MAX;
use model::{Nanos, Text};

use super::names::{class_name, rcode_name, type_name};
use super::netbios;
use super::parser::{HEADER_BYTES, Header, Message, Question, Record};
use crate::protocol::{Context, Draft, Session, Side, Step, Transport};

/// Most open queries of one flow.
pub(super) const PENDING_MAX: usize = 128;
/// Most octets of one framed message that are looked at; the rest passes.
const MESSAGE_BYTES_MAX: usize = 60_000;
/// Most names of one multicast announcement that get an event each.
const ANNOUNCED_MAX: usize = 32;

const QUERY: u16 = 1;
const RESPONSE: u16 = 2;
const TRAFFIC: u16 = 6;
const TYPE_IXFR: u16 = 251;
const TYPE_AXFR: u16 = 252;
/// The bit of a multicast class that asks for a unicast answer or a cache flush.
const CLASS_TOP_BIT: u16 = 0x8000;

/// Which rules a conversation follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// Unicast: a response answers a query of the same flow.
    Dns,
    /// mDNS and LLMNR: every message stands alone.
    Multicast,
    /// The NetBIOS name service: like multicast, with other names and types.
    Netbios,
}

/// One flow's DNS.
pub(super) struct DnsSession {
    flavour: Flavour,
    pending: VecDeque<Pending>,
    transfer: Option<Transfer>,
    /// Per side: true after a gap, until a message header makes sense again.
    lost: [bool; 2],
}

struct Pending {
    side: Side,
    id: u16,
    opcode: u16,
    question: Question,
    time: Nanos,
    anomalies: Vec<&'static str>,
}

/// A zone transfer under way.
struct Transfer {
    side: Side,
    id: u16,
    open_ended: bool,
    authorities: u32,
    draft: Draft,
    body: Dns,
}

impl DnsSession {
    pub(super) const fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            pending: VecDeque::new(),
            transfer: None,
            lost: [false; 2],
        }
    }

    fn message(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        let Some(message) = Message::parse(bytes) else {
            return cx.anomaly("dns-header-truncated");
        };
        if self.flavour == Flavour::Netbios {
            return netbios::emit(&message, bytes, cx);
        }
        for &anomaly in &message.anomalies {
            cx.anomaly(anomaly);
        }
        match (self.flavour, message.header.is_response()) {
            (Flavour::Dns, false) => self.query(side, message, cx),
            (Flavour::Dns, true) => self.response(side, &message, bytes.len(), cx),
            (_, false) => multicast_query(&message, cx),
            (_, true) => multicast_response(&message, bytes.len(), cx),
        }
    }

    fn query(&mut self, side: Side, message: Message, cx: &mut Context<'_>) {
        let (id, opcode) = (message.header.id, message.header.opcode());
        for question in message.questions {
            let again = self
                .pending
                .iter()
                .any(|p| p.id == id && p.side == side && p.question == question);
            if again {
                continue;
            }
            if self.pending.len() >= PENDING_MAX
                && let Some(oldest) = self.pending.pop_front()
            {
                cx.anomaly("dns-pending-limit");
                oldest.emit_alone(cx);
            }
            self.pending.push_back(Pending {
                side,
                id,
                opcode,
                question,
                time: cx.now,
                anomalies: message.anomalies.clone(),
            });
        }
    }

    /// Takes the open query that a response answers; without a question, the message id decides.
    fn answered(&mut self, side: Side, id: u16, question: Option<&Question>) -> Option<Pending> {
        let at = self.pending.iter().position(|p| {
            p.id == id && p.side != side && question.is_none_or(|asked| p.question == *asked)
        })?;
        self.pending.remove(at)
    }

    fn response(&mut self, side: Side, message: &Message, len: usize, cx: &mut Context<'_>) {
        if self.continues_transfer(side, message, len, cx) {
            return;
        }
        let id = message.header.id;
        if message.questions.is_empty() {
            let pending = self.answered(side, id, None);
            let question = pending.as_ref().map(|p| p.question.clone());
            let (draft, body) = answer(message, question.as_ref(), pending.as_ref(), len, cx.now);
            return cx.emit(finish(draft, body));
        }
        for (index, question) in message.questions.iter().enumerate() {
            let pending = self.answered(side, id, Some(question));
            let (draft, mut body) = answer(message, Some(question), pending.as_ref(), len, cx.now);
            if index > 0 {
                body.answer_data.clear();
                body.answer_type.clear();
                body.answer_ttl.clear();
            } else if self.starts_transfer(message, question, cx.transport) {
                self.end_transfer(cx);
                self.transfer = Some(Transfer {
                    side,
                    id,
                    open_ended: question.kind == TYPE_IXFR,
                    authorities: message.soa_answers,
                    draft,
                    body,
                });
                continue;
            }
            cx.emit(finish(draft, body));
        }
    }

    fn starts_transfer(&self, message: &Message, question: &Question, via: Transport) -> bool {
        let open = question.kind == TYPE_IXFR || message.soa_answers < 2;
        matches!(question.kind, TYPE_IXFR | TYPE_AXFR)
            && via == Transport::Tcp
            && message.soa_answers > 0
            && open
    }

    fn continues_transfer(
        &mut self,
        side: Side,
        message: &Message,
        len: usize,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(transfer) = &mut self.transfer else {
            return false;
        };
        if transfer.side != side || transfer.id != message.header.id {
            return false;
        }
        let more = u32::from(message.header.answers);
        let body = &mut transfer.body;
        body.records_omitted = Some(body.records_omitted.unwrap_or(0).saturating_add(more));
        let bytes = u32::try_from(len).unwrap_or(u32::MAX);
        body.response_bytes = Some(body.response_bytes.unwrap_or(0).saturating_add(bytes));
        transfer.authorities += message.soa_answers;
        if transfer.authorities >= 2 && !transfer.open_ended {
            self.end_transfer(cx);
        }
        true
    }

    fn end_transfer(&mut self, cx: &mut Context<'_>) {
        if let Some(transfer) = self.transfer.take() {
            cx.emit(finish(transfer.draft, transfer.body));
        }
    }

    fn stream(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let Some((prefix, body)) = rest.split_first_chunk::<2>() else {
                return Step::need(at, 2);
            };
            let len = usize::from(u16::from_be_bytes(*prefix));
            if self.is_lost(side, len, body) {
                return Step::consumed(bytes.len());
            }
            let shown = len.min(MESSAGE_BYTES_MAX);
            let Some(message) = body.get(..shown) else {
                return Step::need(at, 2 + shown);
            };
            if len < HEADER_BYTES {
                cx.anomaly("dns-short-frame");
            } else {
                self.message(side, message, cx);
            }
            at += 2 + shown;
            if shown < len {
                cx.anomaly("dns-long-message");
                return Step::skip(at, u64::try_from(len - shown).unwrap_or(0));
            }
        }
    }

    /// After a gap the framing is found again at a segment that starts with a sensible message.
    fn is_lost(&mut self, side: Side, len: usize, body: &[u8]) -> bool {
        let [client, server] = &mut self.lost;
        let lost = match side {
            Side::Client => client,
            Side::Server => server,
        };
        if *lost {
            let header = Header::parse(body).is_some_and(Header::is_plausible);
            *lost = !(header && len >= HEADER_BYTES && len <= body.len());
        }
        *lost
    }
}

impl Session for DnsSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        if cx.transport == Transport::Udp {
            self.message(side, bytes, cx);
            return Step::consumed(bytes.len());
        }
        self.stream(side, bytes, cx)
    }

    fn gap(&mut self, side: Side, _missing: u64, _cx: &mut Context<'_>) -> bool {
        let [client, server] = &mut self.lost;
        match side {
            Side::Client => *client = true,
            Side::Server => *server = true,
        }
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.end_transfer(cx);
        while let Some(pending) = self.pending.pop_front() {
            pending.emit_alone(cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let pending: usize = self
            .pending
            .iter()
            .map(|p| p.question.name.capacity())
            .sum();
        let table = self.pending.capacity() * size_of::<Pending>();
        let transfer = if self.transfer.is_some() { 8192 } else { 0 };
        pending + table + transfer + size_of::<Self>()
    }
}

impl Pending {
    fn emit_alone(self, cx: &mut Context<'_>) {
        let body = Dns {
            packet_uid: Some(self.id),
            opcode: Some(self.opcode),
            query_time: Some(self.time.millis()),
            anomalies: self.anomalies.iter().map(|&a| Text::from(a)).collect(),
            ..asked(&self.question)
        };
        cx.emit(Draft::new(self.time, QUERY, body));
    }
}

fn finish(mut draft: Draft, body: Dns) -> Draft {
    draft.body = body.into();
    draft
}

fn asked(question: &Question) -> Dns {
    Dns {
        query: Some(question.name.clone().into()),
        query_type: Some(type_name(question.kind)),
        query_class: Some(class_name(question.class)),
        ..Dns::default()
    }
}

/// The event of a response, without its body inside so that a transfer can still change it.
fn answer(
    message: &Message,
    question: Option<&Question>,
    pending: Option<&Pending>,
    len: usize,
    now: Nanos,
) -> (Draft, Dns) {
    let rcode = message.rcode();
    let name = rcode_name(rcode);
    let mut body = Dns {
        packet_uid: Some(message.header.id),
        opcode: Some(message.header.opcode()),
        rcode: Some(rcode),
        rcode_name: Some(name.clone()),
        query_time: pending.map(|p| p.time.millis()),
        response_time: Some(now.millis()),
        flags: flags(message.header.flags),
        records_omitted: (message.omitted > 0).then_some(message.omitted),
        response_bytes: u32::try_from(len).ok(),
        anomalies: message.anomalies.iter().map(|&a| Text::from(a)).collect(),
        ..question.map(asked).unwrap_or_default()
    };
    list(&mut body, &message.answers);
    let status = if rcode == 0 { 1 } else { 2 };
    let time = pending.map_or(now, |p| p.time);
    let draft = Draft::new(time, RESPONSE, Dns::default()).status(status, Some(name));
    (draft, body)
}

fn list<'a>(body: &mut Dns, records: impl IntoIterator<Item = &'a Record>) {
    for record in records.into_iter().take(LIST_ITEMS_MAX) {
        body.answer_data.push(record.data.clone().into());
        body.answer_type.push(type_name(record.kind));
        body.answer_ttl.push(u64::from(record.ttl));
    }
}

fn flags(bits: u16) -> Vec<Text> {
    const NAMES: [(u16, &str); 6] = [
        (0x0400, "AA"),
        (0x0200, "TC"),
        (0x0100, "RD"),
        (0x0080, "RA"),
        (0x0020, "AD"),
        (0x0010, "CD"),
    ];
    let set = NAMES.iter().filter(|(bit, _)| bits & bit != 0);
    set.map(|(_, name)| Text::from(*name)).collect()
}

fn multicast_query(message: &Message, cx: &mut Context<'_>) {
    for question in &message.questions {
        let body = Dns {
            packet_uid: Some(message.header.id),
            opcode: Some(message.header.opcode()),
            query_time: Some(cx.now.millis()),
            anomalies: message.anomalies.iter().map(|&a| Text::from(a)).collect(),
            ..asked(&plain(question))
        };
        cx.emit(Draft::new(cx.now, QUERY, body));
    }
}

fn plain(question: &Question) -> Question {
    Question {
        class: question.class & !CLASS_TOP_BIT,
        ..question.clone()
    }
}

fn multicast_response(message: &Message, len: usize, cx: &mut Context<'_>) {
    for (index, question) in message.questions.iter().enumerate() {
        let (draft, mut body) = answer(message, Some(&plain(question)), None, len, cx.now);
        if index > 0 {
            body.answer_data.clear();
            body.answer_type.clear();
            body.answer_ttl.clear();
        }
        cx.emit(finish(draft, body));
    }
    if message.questions.is_empty() {
        announce(message, len, cx);
    }
}

/// An announcement names its owners in its records: one event each.
fn announce(message: &Message, len: usize, cx: &mut Context<'_>) {
    let mut owners: Vec<&Record> = Vec::new();
    let records = || message.answers.iter().chain(&message.additionals);
    for record in records() {
        if owners.iter().any(|owner| owner.name == record.name) {
            continue;
        }
        if owners.len() >= ANNOUNCED_MAX {
            cx.anomaly("mdns-many-names");
            break;
        }
        owners.push(record);
    }
    for owner in owners {
        let (mut draft, mut body) = answer(message, None, None, len, cx.now);
        draft.activity = TRAFFIC;
        body.query = Some(owner.name.clone().into());
        body.query_type = Some(type_name(owner.kind));
        body.query_class = Some(class_name(1));
        body.records_omitted = None;
        body.answer_data.clear();
        body.answer_type.clear();
        body.answer_ttl.clear();
        list(
            &mut body,
            records().filter(|record| record.name == owner.name),
        );
        cx.emit(finish(draft, body));
    }
}
