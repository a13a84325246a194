//! One flow's application side: recognition, then a session, with its unconsumed bytes.
//!
//! Enters: contiguous bytes of a side, gaps, the end. Leaves: drafts and anomalies, through the
//! [`Context`]. Refuses: to keep more than [`PENDING_BYTES_MAX`] bytes of a side; then the flow is
//! given up and counted as `driver-pending-limit`. Source: `facts`: probe by content, Skip uncopied.

use super::{
    Context, First, Next, PENDING_BYTES_MAX, Probe, Protocol, Session, Side, Step, Transport,
};

/// Bytes of one side after which an unrecognised flow stays `unknown`.
const PROBE_BYTES_MAX: usize = 2048;
/// Most restarts (CONNECT, STARTTLS) and changes of mind of one flow.
const RESTARTS_MAX: u32 = 4;

/// Recognises and parses one flow.
pub struct Driver {
    registry: &'static [&'static dyn Protocol],
    state: State,
    sides: [Pending; 2],
    refused: u64,
    restarts: u32,
    name: Option<&'static str>,
}

enum State {
    Probing,
    Parsing(Box<dyn Session>),
    Ended(Box<dyn Session>),
    Unknown,
}

#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    need: usize,
    skip: u64,
}

impl Driver {
    /// A driver that recognises the protocols of `registry`.
    #[must_use]
    pub fn new(registry: &'static [&'static dyn Protocol]) -> Self {
        Self {
            registry,
            state: State::Probing,
            sides: [Pending::default(), Pending::default()],
            refused: 0,
            restarts: 0,
            name: None,
        }
    }

    /// The protocol recognised, if any.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// True when no byte of this flow is wanted any more.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Unknown | State::Ended(_))
    }

    /// Heap bytes held, session included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let pending: usize = self.sides.iter().map(|side| side.bytes.capacity()).sum();
        pending
            + match &self.state {
                State::Parsing(session) | State::Ended(session) => session.heap_bytes(),
                State::Probing | State::Unknown => 0,
            }
    }

    /// Bytes of a side that the session asked to skip and that have not come yet.
    #[must_use]
    pub fn skip_left(&self, side: Side) -> u64 {
        self.side(side).skip
    }

    /// Shows the next bytes of `side`: in order for a stream, whole for a datagram.
    pub fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        if self.is_done() || bytes.is_empty() {
            return;
        }
        if cx.transport == Transport::Udp {
            return self.datagram(side, bytes, cx);
        }
        let Some(bytes) = self.pass_skipped(side, bytes, cx) else {
            return;
        };
        let pending = self.side_mut(side);
        if pending.bytes.is_empty() {
            if bytes.len() < pending.need {
                return self.keep(side, bytes, cx);
            }
            let used = self.advance(side, bytes, cx);
            let rest = bytes.get(used..).unwrap_or(&[]);
            return self.keep(side, rest, cx);
        }
        pending.bytes.extend_from_slice(bytes);
        if pending.bytes.len() < pending.need {
            return self.enforce_limit(side, cx);
        }
        let mut owned = std::mem::take(&mut pending.bytes);
        let used = self.advance(side, &owned, cx);
        owned.drain(..used.min(owned.len()));
        if !self.is_done() {
            self.side_mut(side).bytes = owned;
        }
        self.enforce_limit(side, cx);
    }

    /// Tells that `missing` bytes of `side` were lost.
    pub fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) {
        let pending = self.side_mut(side);
        let skipped = pending.skip.min(missing);
        pending.skip -= skipped;
        let hole = missing - skipped;
        if hole > 0 {
            pending.bytes = Vec::new();
            pending.need = 0;
        }
        if let State::Parsing(session) = &mut self.state {
            if skipped > 0 {
                session.skipped(side, skipped, cx);
            }
            if hole > 0 && !session.gap(side, hole, cx) {
                self.finish_session();
            }
        }
    }

    /// The flow is over.
    pub fn end(&mut self, cx: &mut Context<'_>) {
        let state = std::mem::replace(&mut self.state, State::Unknown);
        if let State::Parsing(mut session) | State::Ended(mut session) = state {
            session.end(cx);
        }
        self.sides = [Pending::default(), Pending::default()];
    }

    fn datagram(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        if matches!(self.state, State::Probing) && !self.recognise(side, bytes, cx) {
            return;
        }
        if let State::Parsing(session) = &mut self.state {
            match session.bytes(side, bytes, cx).next {
                Next::Done => self.finish_session(),
                Next::NotMine => {
                    self.refuse();
                    if self.recognise(side, bytes, cx)
                        && let State::Parsing(session) = &mut self.state
                    {
                        session.bytes(side, bytes, cx);
                    }
                }
                Next::Need(_) | Next::Skip(_) | Next::Restart => {}
            }
        }
    }

    /// Runs recognition and the session over `bytes`; returns how many were used up.
    fn advance(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> usize {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or(&[]);
            if rest.is_empty() {
                return used;
            }
            if matches!(self.state, State::Probing) && !self.recognise(side, rest, cx) {
                return used;
            }
            let State::Parsing(session) = &mut self.state else {
                return bytes.len();
            };
            let step = session.bytes(side, rest, cx);
            used += step.consumed.min(rest.len());
            if !self.follow(side, step, &mut used, bytes.len(), cx) {
                return used;
            }
        }
    }

    /// Carries out what a step asks for; true when the session should see the rest at once.
    fn follow(
        &mut self,
        side: Side,
        step: Step,
        used: &mut usize,
        len: usize,
        cx: &mut Context<'_>,
    ) -> bool {
        self.side_mut(side).need = 0;
        match step.next {
            Next::Need(need) => {
                self.side_mut(side).need = need;
                false
            }
            Next::Skip(n) => {
                let here = u64::try_from(len - *used).unwrap_or(u64::MAX).min(n);
                *used += usize::try_from(here).unwrap_or(usize::MAX);
                self.side_mut(side).skip = n - here;
                if let State::Parsing(session) = &mut self.state
                    && here > 0
                {
                    session.skipped(side, here, cx);
                }
                *used < len
            }
            Next::Done => {
                self.finish_session();
                *used = len;
                false
            }
            Next::Restart => {
                self.restart(cx);
                *used < len
            }
            Next::NotMine => {
                self.refuse();
                true
            }
        }
    }

    fn restart(&mut self, cx: &mut Context<'_>) {
        self.restarts += 1;
        let state = std::mem::replace(&mut self.state, State::Probing);
        if let State::Parsing(mut session) = state {
            session.end(cx);
        }
        self.refused = 0;
        self.sides = [Pending::default(), Pending::default()];
        if self.restarts > RESTARTS_MAX {
            cx.anomaly("driver-restart-limit");
            self.state = State::Unknown;
        }
    }

    /// The session said "not mine": its protocol is not asked again for this flow.
    fn refuse(&mut self) {
        let at = self
            .registry
            .iter()
            .position(|protocol| Some(protocol.name()) == self.name);
        self.refused |= at.map_or(0, |at| 1u64 << (at % 64));
        self.name = None;
        self.restarts += 1;
        self.state = if self.restarts > RESTARTS_MAX {
            State::Unknown
        } else {
            State::Probing
        };
    }

    fn recognise(&mut self, side: Side, bytes: &[u8], cx: &Context<'_>) -> bool {
        let first = First {
            transport: cx.transport,
            side,
            client_port: cx.client_port,
            server_port: cx.server_port,
            bytes,
        };
        let mut best = None;
        let mut need_more = false;
        for (index, protocol) in self.registry.iter().enumerate() {
            if self.refused & (1u64 << (index % 64)) != 0 {
                continue;
            }
            match protocol.probe(&first) {
                Probe::Certain => {
                    best = Some(protocol);
                    need_more = false;
                    break;
                }
                Probe::Maybe => best = best.or(Some(protocol)),
                Probe::NeedMore => need_more = true,
                Probe::No => {}
            }
        }
        let wait = need_more && cx.transport == Transport::Tcp && bytes.len() < PROBE_BYTES_MAX;
        match best {
            Some(protocol) if !wait => {
                self.name = Some(protocol.name());
                self.state = State::Parsing(protocol.open());
                true
            }
            _ => {
                if !wait && cx.transport == Transport::Tcp {
                    self.state = State::Unknown;
                }
                false
            }
        }
    }

    fn finish_session(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Unknown);
        if let State::Parsing(session) = state {
            self.state = State::Ended(session);
        }
        self.sides = [Pending::default(), Pending::default()];
    }

    /// Lets bytes pass that the session asked to skip; `None` when all of them were.
    fn pass_skipped<'b>(
        &mut self,
        side: Side,
        bytes: &'b [u8],
        cx: &mut Context<'_>,
    ) -> Option<&'b [u8]> {
        let pending = self.side_mut(side);
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let here = pending.skip.min(len);
        if here == 0 {
            return Some(bytes);
        }
        pending.skip -= here;
        if let State::Parsing(session) = &mut self.state {
            session.skipped(side, here, cx);
        }
        let rest = bytes.get(usize::try_from(here).unwrap_or(usize::MAX)..)?;
        if rest.is_empty() { None } else { Some(rest) }
    }

    fn keep(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) {
        if self.is_done() || rest.is_empty() {
            return;
        }
        self.side_mut(side).bytes.extend_from_slice(rest);
        self.enforce_limit(side, cx);
    }

    fn enforce_limit(&mut self, side: Side, cx: &mut Context<'_>) {
        if self.side(side).bytes.len() > PENDING_BYTES_MAX {
            cx.anomaly("driver-pending-limit");
            self.finish_session();
        }
    }

    const fn side(&self, side: Side) -> &Pending {
        let [client, server] = &self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    const fn side_mut(&mut self, side: Side) -> &mut Pending {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }
}
