//! Bodies of HTTP/1: their length, their chunks, their end.
//!
//! Enters: octets after a head. Leaves: how many pass uncopied, what follows them. Refuses: chunk
//! sizes that are no number: the side is lost then. Source: RFC 9112 sections 6 and 7.

use super::*;

impl HttpSession {
    /// A message of `side` is whole.
    pub(super) fn body_over(&mut self, side: Side, cx: &mut Context<'_>) {
        self.body_ends(side);
        let state = self.side(side);
        state.state = State::Start;
        let current = state.current.take();
        if state.answers {
            self.finish(current, cx);
        }
    }

    /// A body begins, of so many octets if that is stated.
    pub(super) fn body_begins(&mut self, side: Side, length: Option<u64>, cx: &Context<'_>) {
        let current = self.side(side).current;
        if let Some(exchange) = self.exchange(current) {
            exchange.begin_body(side, length, cx);
        }
    }

    /// A body ends whole.
    pub(super) fn body_ends(&mut self, side: Side) {
        let (current, answers) = (self.side(side).current, self.side(side).answers);
        if let Some(exchange) = self.exchange(current) {
            exchange.close_body(answers);
        }
    }

    /// A part of a body: shown as far as somebody wants it, the rest passes uncopied.
    pub(super) fn pass(
        &mut self,
        side: Side,
        state: State,
        left: u64,
        rest: &[u8],
        cx: &mut Context<'_>,
    ) -> Option<(usize, Next)> {
        self.side(side).state = state;
        let (current, answers) = (self.side(side).current, self.side(side).answers);
        let exchange = self.exchange(current);
        let wants = exchange.map_or(0, |exchange| exchange.wants(answers));
        if wants == 0 {
            return Some((0, Next::Skip(left)));
        }
        let most = usize::try_from(wants.min(left)).unwrap_or(usize::MAX);
        let shown = rest.get(..most).unwrap_or(rest);
        let n = u64::try_from(shown.len()).unwrap_or(0);
        if let Some(exchange) = self.exchange(current) {
            exchange.body(answers, shown);
            exchange.count(answers, n);
        }
        self.body_moved(side, n, cx);
        Some((shown.len(), Next::Need(0)))
    }

    /// `n` octets of a body went by.
    pub(super) fn body_moved(&mut self, side: Side, n: u64, cx: &mut Context<'_>) {
        match self.side(side).state {
            State::Body(left) if left <= n => self.body_over(side, cx),
            State::Body(left) => self.side(side).state = State::Body(left - n),
            State::Chunk(left) if left <= n => self.side(side).state = State::ChunkEnd,
            State::Chunk(left) => self.side(side).state = State::Chunk(left - n),
            State::Start
            | State::Fields(_)
            | State::ChunkSize
            | State::ChunkEnd
            | State::Trailers
            | State::UntilClose
            | State::Lost => {}
        }
    }

    pub(super) fn chunk_line(
        &mut self,
        side: Side,
        rest: &[u8],
        cx: &mut Context<'_>,
    ) -> Option<(usize, Next)> {
        self.side(side).state = State::ChunkSize;
        let Some((line, used)) = split_line(rest) else {
            return self.unless_long(side, rest, cx);
        };
        let state = match chunk_size(line) {
            Some(0) => State::Trailers,
            Some(size) => State::Chunk(size),
            None => {
                cx.anomaly("http-bad-chunk");
                self.lose(side, cx);
                return Some((0, Next::Need(0)));
            }
        };
        self.side(side).state = state;
        Some((used, Next::Need(0)))
    }

    /// A body without length; a status line at the start of a segment ends it all the same.
    pub(super) fn until_close(
        &mut self,
        side: Side,
        rest: &[u8],
        cx: &mut Context<'_>,
    ) -> Option<(usize, Next)> {
        let line = split_line(rest).map(|(line, _)| line);
        if self.open.len() > 1 && line.is_some_and(is_start) {
            self.body_over(side, cx);
            return Some((0, Next::Need(0)));
        }
        self.side(side).state = State::UntilClose;
        let current = self.side(side).current;
        let answers = self.side(side).answers;
        if let Some(exchange) = self.exchange(current) {
            exchange.body(answers, rest);
            exchange.count(answers, u64::try_from(rest.len()).unwrap_or(0));
        }
        Some((rest.len(), Next::Need(0)))
    }
}
