//! Exchanges: requests and the responses that answer them, in order.
//!
//! Enters: lines and bodies of both sides. Leaves: an event per exchange when its answer ends, or
//! when the flow does. Refuses: more than [`EXCHANGES_MAX`] open exchanges: the oldest leaves
//! unanswered. After a gap, the next start line of that side is looked for.
//! Source: RFC 9112 sections 6 and 9.

mod body;

use std::collections::VecDeque;

use codec::http::{chunk_size, is_start, split_line};

use super::exchange::{After, Exchange, framed};
use super::h2::H2Session;
use super::logon::{self, Logons};
use super::parser::{Head, LINE_BYTES_MAX, Upgrade};
use super::state::{SideState, State};
use super::websocket::WebSocketSession;
use crate::protocol::{Context, Next, Session, Side, Step};

/// Most exchanges of one flow that wait for their answer.
pub(super) const EXCHANGES_MAX: usize = 128;

/// What the allocator adds to the session, its exchanges and its heads.
const ALLOCATIONS: usize = 64;

/// One flow's HTTP/1.
pub(super) struct HttpSession {
    sides: [SideState; 2],
    open: VecDeque<Exchange>,
    count: u32,
    /// What the connection was upgraded to.
    next: Option<Box<dyn Session>>,
    logons: Option<Box<Logons>>,
}

impl HttpSession {
    pub(super) const fn new() -> Self {
        const SIDE: SideState = SideState {
            state: State::Start,
            current: None,
            answers: false,
        };
        Self {
            sides: [SIDE, SIDE],
            open: VecDeque::new(),
            count: 0,
            next: None,
            logons: None,
        }
    }

    const fn side(&mut self, side: Side) -> &mut SideState {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn exchange(&mut self, number: Option<u32>) -> Option<&mut Exchange> {
        let number = number?;
        self.open.iter_mut().find(|open| open.number == number)
    }

    /// Adds an exchange at the end; the oldest leaves when there are too many.
    fn begin(&mut self, cx: &mut Context<'_>) -> u32 {
        if self.open.len() >= EXCHANGES_MAX
            && let Some(oldest) = self.open.pop_front()
        {
            cx.anomaly("http-exchanges-limit");
            oldest.emit(cx);
        }
        self.count += 1;
        if self.open.is_empty() {
            // Exchanges are large and few clients pipeline: room for one, not for four.
            self.open.reserve_exact(1);
        }
        self.open.push_back(Exchange::new(self.count, cx.now));
        self.count
    }

    /// Emits an exchange and, before it, those that were never answered.
    fn finish(&mut self, number: Option<u32>, cx: &mut Context<'_>) {
        let Some(number) = number else {
            return;
        };
        if !self.open.iter().any(|open| open.number == number) {
            return;
        }
        while let Some(oldest) = self.open.pop_front() {
            let last = oldest.number == number;
            oldest.emit(cx);
            if last {
                break;
            }
        }
        if self.open.is_empty() {
            // An idle connection holds nothing.
            self.open = VecDeque::new();
        }
    }

    /// One step in the state of `side`; `None` when more bytes are needed.
    fn step(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> Option<(usize, Next)> {
        let state = std::mem::take(&mut self.side(side).state);
        match state {
            State::Start => self.start(side, rest, cx),
            State::Fields(head) => self.fields(side, head, rest, cx),
            State::Body(left) => self.pass(side, State::Body(left), left, rest, cx),
            State::Chunk(left) => self.pass(side, State::Chunk(left), left, rest, cx),
            State::ChunkSize => self.chunk_line(side, rest, cx),
            State::ChunkEnd => {
                let Some((line, used)) = split_line(rest) else {
                    self.side(side).state = State::ChunkEnd;
                    return self.unless_long(side, rest, cx);
                };
                if line.is_empty() {
                    self.side(side).state = State::ChunkSize;
                    return Some((used, Next::Need(0)));
                }
                cx.anomaly("http-bad-chunk");
                self.lose(side, cx);
                Some((0, Next::Need(0)))
            }
            State::Trailers => {
                self.side(side).state = State::Trailers;
                let Some((line, used)) = split_line(rest) else {
                    return self.unless_long(side, rest, cx);
                };
                if line.is_empty() {
                    self.body_over(side, cx);
                }
                Some((used, Next::Need(0)))
            }
            State::UntilClose => self.until_close(side, rest, cx),
            State::Lost => self.search(side, rest),
        }
    }

    /// A line that has no end yet: waits for it, or gives the side up as lost.
    fn unless_long(
        &mut self,
        side: Side,
        rest: &[u8],
        cx: &mut Context<'_>,
    ) -> Option<(usize, Next)> {
        if rest.len() <= LINE_BYTES_MAX {
            return None;
        }
        cx.anomaly("http-long-line");
        self.lose(side, cx);
        Some((rest.len(), Next::Need(0)))
    }

    fn start(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> Option<(usize, Next)> {
        let Some((line, used)) = split_line(rest) else {
            let simple = self.open.front().is_some_and(|open| open.is_simple);
            if simple && !b"HTTP/".iter().zip(rest).all(|(a, b)| a == b) {
                return Some(self.no_start(side, cx));
            }
            return self.unless_long(side, rest, cx);
        };
        if line.trim_ascii().is_empty() {
            return Some((used, Next::Need(0)));
        }
        let Some(head) = Head::start(line) else {
            return Some(self.no_start(side, cx));
        };
        let number = if head.is_request() {
            self.requests_after_loss(side, cx);
            let number = self.begin(cx);
            self.side(side).answers = false;
            number
        } else {
            self.side(side).answers = true;
            let waiting = self.open.front().map(|open| open.number);
            waiting.unwrap_or_else(|| self.begin(cx))
        };
        self.side(side).current = Some(number);
        let is_simple = head.is_simple;
        if let Some(exchange) = self.exchange(Some(number)) {
            exchange.first_line(&head, cx.now);
        }
        if is_simple {
            return Some(self.head_over(side, head, used, cx));
        }
        self.side(side).state = State::Fields(Box::new(head));
        Some((used, Next::Need(0)))
    }

    /// Bytes that start no message: the answer to an HTTP/0.9 request, or something else.
    fn no_start(&mut self, side: Side, cx: &mut Context<'_>) -> (usize, Next) {
        if self.count == 0 {
            return (0, Next::NotMine);
        }
        let simple = self.open.front().filter(|open| open.is_simple);
        if let Some(number) = simple.map(|open| open.number) {
            let state = self.side(side);
            state.current = Some(number);
            state.answers = true;
            state.state = State::UntilClose;
        } else {
            cx.anomaly("http-bad-start");
            self.lose(side, cx);
        }
        (0, Next::Need(0))
    }

    /// While the answers of the other side are lost, a new request means that the earlier ones are
    /// over: clients rarely pipeline.
    fn requests_after_loss(&mut self, side: Side, cx: &mut Context<'_>) {
        if matches!(self.side(side.other()).state, State::Lost) {
            while let Some(oldest) = self.open.pop_front() {
                oldest.emit(cx);
            }
        }
    }

    fn fields(
        &mut self,
        side: Side,
        mut head: Box<Head>,
        rest: &[u8],
        cx: &mut Context<'_>,
    ) -> Option<(usize, Next)> {
        let Some((line, used)) = split_line(rest) else {
            self.side(side).state = State::Fields(head);
            return self.unless_long(side, rest, cx);
        };
        if line.is_empty() {
            return Some(self.head_over(side, *head, used, cx));
        }
        if head.line(line) {
            self.side(side).state = State::Fields(head);
        } else {
            self.apply(side, *head, cx);
            self.lose(side, cx);
        }
        Some((used, Next::Need(0)))
    }

    fn apply(&mut self, side: Side, mut head: Head, cx: &mut Context<'_>) {
        for &anomaly in &head.anomalies {
            cx.anomaly(anomaly);
        }
        let current = self.side(side).current;
        logon::head(&mut self.logons, current, &mut head, cx);
        if let Some(exchange) = self.exchange(current) {
            exchange.head(head);
        }
    }

    fn head_over(
        &mut self,
        side: Side,
        head: Head,
        used: usize,
        cx: &mut Context<'_>,
    ) -> (usize, Next) {
        let (code, framing) = (head.code, head.framing.clone());
        self.apply(side, head, cx);
        let current = self.side(side).current;
        let after = match (code, self.exchange(current)) {
            (Some(code), Some(exchange)) => exchange.after_response(code, &framing),
            _ => framed(&framing).unwrap_or(After::Message),
        };
        let state = match after {
            After::Length(length) => {
                self.body_begins(side, Some(length), cx);
                State::Body(length)
            }
            After::Chunked => {
                self.body_begins(side, None, cx);
                State::ChunkSize
            }
            After::UntilClose => {
                self.body_begins(side, None, cx);
                State::UntilClose
            }
            After::Answer => State::Start,
            After::Message => {
                self.body_over(side, cx);
                return (used, Next::Need(0));
            }
            After::Leave(next) => {
                self.finish(current, cx);
                return (used, next);
            }
            After::Switch(upgrade) => {
                self.switch(current, upgrade, cx);
                return (used, Next::Need(0));
            }
        };
        self.side(side).state = state;
        (used, Next::Need(0))
    }

    /// The connection goes on with another protocol.
    fn switch(&mut self, number: Option<u32>, upgrade: Upgrade, cx: &mut Context<'_>) {
        let next: Box<dyn Session> = match upgrade {
            Upgrade::WebSocket {
                extensions,
                protocol,
            } => {
                let asked = self.exchange(number).map(|open| open.asked());
                let asked = asked.unwrap_or_default();
                self.finish(number, cx);
                let session = WebSocketSession::new(asked, &extensions, protocol, cx.now);
                Box::new(session)
            }
            Upgrade::Http2 | Upgrade::Tls => {
                let at = self
                    .open
                    .iter()
                    .position(|open| Some(open.number) == number);
                let exchange = at.and_then(|at| self.open.remove(at));
                Box::new(H2Session::upgraded(exchange))
            }
        };
        self.next = Some(next);
    }

    /// Looks for a start line at line starts.
    fn search(&mut self, side: Side, rest: &[u8]) -> Option<(usize, Next)> {
        let mut at = 0;
        while let Some((line, used)) = rest.get(at..).and_then(split_line) {
            if is_start(line) {
                self.side(side).state = State::Start;
                return Some((at, Next::Need(0)));
            }
            at += used;
        }
        self.side(side).state = State::Lost;
        let tail = rest.len() - at;
        // An unfinished line is kept for the next call, unless it can be no start.
        if at == 0 || tail > LINE_BYTES_MAX {
            let first = rest.get(at..).unwrap_or(&[]);
            if tail > LINE_BYTES_MAX || !may_start(first) {
                return Some((rest.len(), Next::Need(0)));
            }
            return None;
        }
        Some((at, Next::Need(0)))
    }

    /// The framing of `side` is lost: what it was sending ends here.
    fn lose(&mut self, side: Side, cx: &mut Context<'_>) {
        let state = std::mem::replace(&mut self.side(side).state, State::Lost);
        if let State::Fields(head) = state {
            self.apply(side, *head, cx);
        }
        let current = self.side(side).current.take();
        if self.side(side).answers {
            self.finish(current, cx);
        }
    }
}

/// True when an unfinished line may become a start line.
fn may_start(line: &[u8]) -> bool {
    line.iter()
        .take(codec::http::METHOD_BYTES_MAX)
        .take_while(|&&octet| octet != b' ')
        .all(|octet| octet.is_ascii_graphic())
}

impl Session for HttpSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            if let Some(next) = &mut self.next {
                let step = next.bytes(side, rest, cx);
                return Step {
                    consumed: at + step.consumed,
                    next: step.next,
                };
            }
            match self.step(side, rest, cx) {
                None => return Step::consumed(at),
                Some((used, Next::Need(_))) => at += used,
                Some((used, next)) => {
                    return Step {
                        consumed: at + used,
                        next,
                    };
                }
            }
        }
    }

    fn skipped(&mut self, side: Side, n: u64, cx: &mut Context<'_>) {
        if let Some(next) = &mut self.next {
            return next.skipped(side, n, cx);
        }
        let (current, answers) = (self.side(side).current, self.side(side).answers);
        if let Some(exchange) = self.exchange(current) {
            exchange.pass(answers, n);
        }
        self.body_moved(side, n, cx);
    }

    fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        if let Some(next) = &mut self.next {
            return next.gap(side, missing, cx);
        }
        if matches!(self.side(side).state, State::UntilClose) {
            let (current, answers) = (self.side(side).current, self.side(side).answers);
            if let Some(exchange) = self.exchange(current) {
                exchange.lose_body(answers, 0);
            }
            return true;
        }
        if let State::Body(left) | State::Chunk(left) = self.side(side).state
            && missing <= left
        {
            // Part of a body that was being shown.
            let (current, answers) = (self.side(side).current, self.side(side).answers);
            if let Some(exchange) = self.exchange(current) {
                exchange.lose_body(answers, missing);
            }
            self.body_moved(side, missing, cx);
            return true;
        }
        cx.anomaly("http-gap");
        self.lose(side, cx);
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        for side in [Side::Client, Side::Server] {
            let state = std::mem::replace(&mut self.side(side).state, State::Lost);
            match state {
                State::Fields(head) => self.apply(side, *head, cx),
                // The end of the connection is the end of the body.
                State::UntilClose => self.body_ends(side),
                State::Start
                | State::Body(_)
                | State::ChunkSize
                | State::Chunk(_)
                | State::ChunkEnd
                | State::Trailers
                | State::Lost => {}
            }
        }
        while let Some(oldest) = self.open.pop_front() {
            oldest.emit(cx);
        }
        if let Some(mut logons) = self.logons.take() {
            logons.end(cx);
        }
        if let Some(mut next) = self.next.take() {
            next.end(cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        let open: usize = self.open.iter().map(Exchange::heap_bytes).sum();
        let heads = self.sides.iter().map(|side| match &side.state {
            State::Fields(head) => size_of::<Head>() + head.heap_bytes(),
            State::Start
            | State::Body(_)
            | State::ChunkSize
            | State::Chunk(_)
            | State::ChunkEnd
            | State::Trailers
            | State::UntilClose
            | State::Lost => 0,
        });
        let heads: usize = heads.sum();
        let places = self.open.capacity() * size_of::<Exchange>();
        let next = self.next.as_ref().map_or(0, |next| next.heap_bytes());
        let logons = self.logons.as_ref().map_or(0, |logons| logons.heap_bytes());
        size_of::<Self>() + open + places + heads + next + logons + ALLOCATIONS
    }

    fn renamed(&self) -> Option<&'static str> {
        self.next.as_ref()?.renamed()
    }
}
