//! HTTP/2: with prior knowledge, after an upgrade, or inside decrypted TLS.
//!
//! Enters: the stream from its preface on. Leaves: one event per exchange, as for HTTP/1, with
//! version 2. Refuses: bodies (they pass uncopied), credentials, cookies. Limits: [`STREAMS_MAX`]
//! open streams (the oldest leaves unanswered), [`BLOCK_BYTES_MAX`] octets and
//! [`CONTINUATIONS_MAX`] continuations of a header block, [`SETTINGS_BYTES_MAX`] octets of
//! settings; what exceeds them is counted and passed over. After a gap a side is not understood
//! any more: frames have no mark. More than [`RESETS_MAX`] streams taken back before their answer
//! are noted once as `http2-rapid-reset`.
//! Source: RFC 9113, RFC 7541; RFC 7540 section 3.2 (upgrade); CVE-2023-44487 (rapid reset).

mod frame;
mod show;
mod stream;

use std::collections::BTreeMap;

use codec::hpack;

use self::frame::{Frame, HEADER_BYTES, Kind};
use self::stream::Stream;
use super::exchange::Exchange;
use super::logon::{self, Logons};
use super::parser::Head;
use crate::protocol::{Context, Next, Session, Side, Step};

/// Most streams of one connection that wait for the end of their answer.
pub(super) const STREAMS_MAX: usize = 256;
/// Longest header block, and longest frame that is put together.
pub(super) const BLOCK_BYTES_MAX: usize = 60 * 1024;
/// Most CONTINUATION frames of one header block.
pub(super) const CONTINUATIONS_MAX: u32 = 32;
/// Longest SETTINGS frame that is read.
pub(super) const SETTINGS_BYTES_MAX: usize = 6 * 64;
/// Streams that a client may take back before it is noted.
pub(super) const RESETS_MAX: u32 = 100;

/// What a client's side starts with.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One connection's HTTP/2.
#[derive(Default)]
pub(super) struct H2Session {
    sides: [SideState; 2],
    streams: BTreeMap<u32, Stream>,
    /// The highest stream that was opened, by its initiator.
    highest: [u32; 2],
    count: u32,
    resets: u32,
    started: bool,
    logons: Option<Box<Logons>>,
}

#[derive(Default)]
struct SideState {
    /// True after the preface, which only a client has.
    greeted: bool,
    passing: Option<Passing>,
    block: Option<Block>,
    decoder: hpack::Decoder,
    lost: bool,
}

/// A payload that passes uncopied.
#[derive(Clone, Copy)]
struct Passing {
    stream: u32,
    /// Octets of a body; what follows is padding, or no body at all.
    body: u64,
    left: u64,
    ends: bool,
}

/// A header block under way.
struct Block {
    stream: u32,
    ends: bool,
    bytes: Vec<u8>,
    continuations: u32,
}

impl H2Session {
    /// A connection whose first request came with HTTP/1: it is stream 1, sent whole.
    pub(super) fn upgraded(exchange: Option<Exchange>) -> Self {
        let mut session = Self {
            started: true,
            count: 1,
            ..Self::default()
        };
        if let Some(exchange) = exchange {
            session.highest = [1, 0];
            session.streams.insert(1, Stream::of(exchange));
        }
        session
    }

    const fn side(&mut self, side: Side) -> &mut SideState {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    /// The preface of the client; `None` when it is over.
    fn greet(&mut self, side: Side, bytes: &[u8]) -> Option<Step> {
        if side == Side::Server || self.side(side).greeted {
            return None;
        }
        if bytes.starts_with(PREFACE) {
            self.side(side).greeted = true;
            self.started = true;
            return Some(Step::consumed(PREFACE.len()));
        }
        if PREFACE.starts_with(bytes) {
            return Some(Step::need(0, PREFACE.len()));
        }
        self.side(side).greeted = self.started;
        (!self.started).then_some(Step::NOT_MINE)
    }

    /// One frame at the start of `rest`.
    fn step(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(frame) = Frame::parse(rest) else {
            return Step::need(0, HEADER_BYTES);
        };
        let body = rest.get(HEADER_BYTES..).unwrap_or(&[]);
        if self.side(side).block.is_some() && frame.kind != Kind::Continuation {
            cx.anomaly("http2-bad-sequence");
            let state = self.side(side);
            state.block = None;
            state.decoder.lose();
        }
        let wanted = match frame.kind {
            Kind::Data => return self.data(side, frame, body, cx),
            Kind::Headers | Kind::Push | Kind::Continuation => frame.len,
            Kind::Settings if frame.len <= SETTINGS_BYTES_MAX => frame.len,
            Kind::Settings => {
                cx.anomaly("http2-settings-limit");
                0
            }
            Kind::Reset => frame.len.min(4),
            Kind::GoAway => frame.len.min(8),
            Kind::Other => 0,
        };
        if wanted > BLOCK_BYTES_MAX {
            cx.anomaly("http2-headers-limit");
            let state = self.side(side);
            state.block = None;
            state.decoder.lose();
            return self.pass(side, frame.stream, 0, frame.len, false);
        }
        let Some(payload) = body.get(..wanted) else {
            return Step::need(0, HEADER_BYTES + wanted);
        };
        self.control(side, frame, payload, cx);
        if wanted < frame.len {
            return self.pass(side, frame.stream, 0, frame.len, false);
        }
        Step::consumed(HEADER_BYTES + frame.len)
    }

    /// Lets a payload pass, of which `body` octets are a body.
    fn pass(&mut self, side: Side, stream: u32, body: usize, len: usize, ends: bool) -> Step {
        let left = u64::try_from(len).unwrap_or(0);
        self.side(side).passing = Some(Passing {
            stream,
            body: u64::try_from(body).unwrap_or(0),
            left,
            ends,
        });
        if self.wants(side) > 0 {
            return Step::consumed(HEADER_BYTES);
        }
        Step::skip(HEADER_BYTES, left)
    }

    fn data(&mut self, side: Side, frame: Frame, body: &[u8], cx: &mut Context<'_>) -> Step {
        let padding = if frame.is_padded() && frame.len > 0 {
            match body.first() {
                Some(&padding) => usize::from(padding) + 1,
                None => return Step::need(0, HEADER_BYTES + 1),
            }
        } else {
            0
        };
        if frame.len == 0 {
            if frame.ends_stream() {
                self.over(side, frame.stream, cx);
            }
            return Step::consumed(HEADER_BYTES);
        }
        let octets = frame.len.saturating_sub(padding);
        if let Some(known) = self.streams.get_mut(&frame.stream) {
            known.exchange.begin_body(side, None, cx);
        }
        // The length of the padding stands before the body.
        let lead = usize::from(padding > 0);
        let left = frame.len - lead;
        if left == 0 {
            if frame.ends_stream() {
                self.over(side, frame.stream, cx);
            }
            return Step::consumed(HEADER_BYTES + lead);
        }
        let step = self.pass(side, frame.stream, octets, left, frame.ends_stream());
        Step {
            consumed: step.consumed + lead,
            ..step
        }
    }

    /// A frame that is there whole, or as much of it as is wanted.
    fn control(&mut self, side: Side, frame: Frame, payload: &[u8], cx: &mut Context<'_>) {
        match frame.kind {
            Kind::Headers | Kind::Push => {
                let Some((stream, fragment)) = frame.fragment(payload) else {
                    return cx.anomaly("http2-bad-frame");
                };
                let ends = frame.kind == Kind::Headers && frame.ends_stream();
                self.side(side).block = Some(Block {
                    stream,
                    ends,
                    bytes: fragment.to_vec(),
                    continuations: 0,
                });
                if frame.ends_headers() {
                    self.block(side, cx);
                }
            }
            Kind::Continuation => self.continuation(side, frame, payload, cx),
            Kind::Reset => self.reset(side, frame.stream, cx),
            Kind::Settings if frame.flags & 1 == 0 => {
                // What a side announces is for what the other one sends.
                let decoder = &mut self.side(side.other()).decoder;
                for setting in payload.as_chunks::<6>().0 {
                    if let [0, 1, value @ ..] = setting {
                        let value = u32::from_be_bytes(*value);
                        decoder.allow(usize::try_from(value).unwrap_or(usize::MAX));
                    }
                }
            }
            Kind::GoAway => {
                if payload.get(4..8).is_some_and(|code| code != [0; 4]) {
                    cx.anomaly("http2-goaway-error");
                }
            }
            Kind::Settings | Kind::Data | Kind::Other => {}
        }
    }

    fn continuation(&mut self, side: Side, frame: Frame, more: &[u8], cx: &mut Context<'_>) {
        let state = self.side(side);
        let Some(block) = state.block.as_mut().filter(|b| b.stream == frame.stream) else {
            state.block = None;
            state.decoder.lose();
            return cx.anomaly("http2-bad-sequence");
        };
        block.continuations += 1;
        let long = block.bytes.len() + more.len() > BLOCK_BYTES_MAX;
        if long || block.continuations > CONTINUATIONS_MAX {
            state.block = None;
            state.decoder.lose();
            return cx.anomaly("http2-continuation-limit");
        }
        block.bytes.extend_from_slice(more);
        if frame.ends_headers() {
            self.block(side, cx);
        }
    }

    /// A header block is whole.
    fn block(&mut self, side: Side, cx: &mut Context<'_>) {
        let state = self.side(side);
        let Some(block) = state.block.take() else {
            return;
        };
        // A server's block describes an answer, unless it promises a request.
        let promised = side == Side::Server && block.stream % 2 == 0 && {
            let known = self.streams.contains_key(&block.stream);
            let [_, highest] = self.highest;
            !known && block.stream > highest
        };
        let request = side == Side::Client || promised;
        let mut head = Head::second(request);
        let state = self.side(side);
        let result = state.decoder.decode(&block.bytes, &mut |name, value| {
            head.second_field(name, value);
        });
        if result.is_err() {
            state.decoder.lose();
            head.note("http2-bad-header-block");
        }
        for &code in &head.anomalies {
            cx.anomaly(code);
        }
        self.head(side, &block, request, head, cx);
        if block.ends {
            self.over(side, block.stream, cx);
        }
    }

    /// Takes a head to its stream; one without its pseudo-fields is a trailer.
    fn head(
        &mut self,
        side: Side,
        block: &Block,
        request: bool,
        mut head: Head,
        cx: &mut Context<'_>,
    ) {
        let stream = block.stream;
        let initiator = usize::from(stream.is_multiple_of(2));
        let highest = self.highest.get(initiator).copied().unwrap_or(0);
        if !self.streams.contains_key(&stream) {
            if stream == 0 || stream <= highest {
                return;
            }
            if let Some(place) = self.highest.get_mut(initiator) {
                *place = stream;
            }
            self.begin(stream, cx);
        }
        if let Some(known) = self.streams.get_mut(&stream) {
            logon::head(&mut self.logons, Some(stream), &mut head, cx);
            known.head(side, request, head, cx.now);
        }
    }

    /// Opens a stream; the oldest leaves when there are too many.
    fn begin(&mut self, stream: u32, cx: &mut Context<'_>) {
        if self.streams.len() >= STREAMS_MAX
            && let Some((_, oldest)) = self.streams.pop_first()
        {
            cx.anomaly("http2-streams-limit");
            oldest.exchange.emit(cx);
        }
        self.count += 1;
        let exchange = Exchange::new(self.count, cx.now);
        self.streams.insert(stream, Stream::of(exchange));
    }

    /// A side has sent all of a stream; with the answer's end, the exchange is over.
    fn over(&mut self, side: Side, stream: u32, cx: &mut Context<'_>) {
        if let Some(known) = self.streams.get_mut(&stream) {
            known.exchange.close_body(side == Side::Server);
        }
        if side == Side::Server
            && let Some(known) = self.streams.remove(&stream)
        {
            known.exchange.emit(cx);
        }
    }

    fn reset(&mut self, side: Side, stream: u32, cx: &mut Context<'_>) {
        let Some(mut known) = self.streams.remove(&stream) else {
            return;
        };
        known.exchange.note("http2-stream-reset");
        if side == Side::Client && !known.answered {
            self.resets = self.resets.saturating_add(1);
            if self.resets == RESETS_MAX + 1 {
                cx.anomaly("http2-rapid-reset");
                known.exchange.note("http2-rapid-reset");
            }
        }
        known.exchange.emit(cx);
    }
}

impl Session for H2Session {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            if self.side(side).lost {
                return Step::consumed(bytes.len());
            }
            let step = match (self.greet(side, rest), self.side(side).passing) {
                (Some(step), _) => step,
                (None, Some(passing)) => self.show(side, passing, rest, cx),
                (None, None) => self.step(side, rest, cx),
            };
            at += step.consumed;
            if step.next != Next::Need(0) {
                return Step {
                    consumed: at,
                    next: step.next,
                };
            }
        }
    }

    fn skipped(&mut self, side: Side, n: u64, cx: &mut Context<'_>) {
        let Some(mut passing) = self.side(side).passing.take() else {
            return;
        };
        let body = passing.body.min(n);
        if body > 0
            && let Some(known) = self.streams.get_mut(&passing.stream)
        {
            known.exchange.pass(side == Side::Server, body);
        }
        passing.body -= body;
        self.moved(side, passing, n, cx);
    }

    fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        if let Some(mut passing) = self.side(side).passing
            && missing <= passing.left
        {
            // Within a frame whose end is known.
            let body = passing.body.min(missing);
            passing.body -= body;
            if let Some(known) = self.streams.get_mut(&passing.stream) {
                known.exchange.lose_body(side == Side::Server, body);
            }
            self.moved(side, passing, missing, cx);
            return true;
        }
        cx.anomaly("http2-gap");
        self.side(side).lost = true;
        self.sides.iter().any(|side| !side.lost)
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        while let Some((_, stream)) = self.streams.pop_first() {
            stream.exchange.emit(cx);
        }
        if let Some(mut logons) = self.logons.take() {
            logons.end(cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let sides: usize = self
            .sides
            .iter()
            .map(|side| {
                let block = side.block.as_ref().map_or(0, |b| b.bytes.capacity());
                block + side.decoder.heap_bytes()
            })
            .sum();
        let streams = self.streams.values().map(|s| s.exchange.heap_bytes() + 64);
        let logons = self.logons.as_ref().map_or(0, |logons| logons.heap_bytes());
        size_of::<Self>() + sides + logons + streams.sum::<usize>()
    }

    fn renamed(&self) -> Option<&'static str> {
        Some("http2")
    }
}

#[cfg(test)]
mod tests;
