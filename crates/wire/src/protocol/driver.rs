//! One flow's application side: recognition, then a session, with its unconsumed bytes.
//!
//! Enters: contiguous bytes of a side, gaps, the end. Leaves: drafts and anomalies, through the
//! [`Context`]. Refuses: to keep more than [`PENDING_BYTES_MAX`] bytes of a side; then the session
//! is given up and counted as `driver-pending-limit`; the name stays.
//!
//! A stream seen from its start is recognised by the first bytes of either side. One picked up
//! later, or after a gap, is tried segment by segment: at least 4 segments and 2 KiB a side. A
//! server that speaks first is kept waiting (2 KiB) for the client's first bytes when nobody knows
//! its greeting.
//! Source: `facts`: probe by content, skip uncopied.

mod blank;
mod datagram;
mod view;

use std::sync::Arc;

use model::Text;
use model::limit::LIST_ITEMS_MAX;

use super::recognise::{Answer, Candidates, PROBE_BYTES_MAX, PROBE_SEGMENTS_MIN};
use super::{Context, Next, PENDING_BYTES_MAX, Protocol, Session, Side, Step, Transport};
use crate::secrets::Secrets;
pub(crate) use blank::Blank;

/// Most restarts (CONNECT, STARTTLS) and changes of mind of one flow.
const RESTARTS_MAX: u8 = 4;

/// Recognises and parses one flow.
pub struct Driver {
    candidates: Candidates,
    state: State,
    sides: [Pending; 2],
    name: Option<&'static str>,
    first: Option<Side>,
    restarts: u8,
    refusals: u8,
    datagrams: u8,
    picked_up: bool,
    gave_up: bool,
    /// What its sessions tell of the whole flow.
    told: Vec<Text>,
    secrets: Option<Arc<dyn Secrets>>,
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
    /// True while `bytes` were never shown to a session.
    fresh: bool,
    /// True when recognition expects nothing more of this side.
    closed: bool,
    tried_segments: u8,
    tried_bytes: u16,
}

/// What recognition did with bytes.
enum Recognised {
    Opened,
    Wait,
    Dropped,
}

impl Driver {
    /// A driver that recognises the protocols of `registry`, from the start of the flow.
    #[must_use]
    pub fn new(registry: &'static [&'static dyn Protocol]) -> Self {
        Self {
            candidates: Candidates::new(registry),
            state: State::Probing,
            sides: [Pending::default(), Pending::default()],
            name: None,
            first: None,
            restarts: 0,
            refusals: 0,
            datagrams: 0,
            picked_up: false,
            gave_up: false,
            told: Vec::new(),
            secrets: None,
        }
    }

    /// The same with secrets that its sessions may use.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Option<&Arc<dyn Secrets>>) -> Self {
        self.secrets = secrets.cloned();
        self
    }

    /// The same for a stream whose start was not seen.
    #[must_use]
    pub const fn picked_up(mut self) -> Self {
        self.picked_up = true;
        self
    }

    /// What the sessions told of the whole flow; complete after [`Driver::end`].
    #[must_use]
    pub fn take_told(&mut self) -> Vec<Text> {
        std::mem::take(&mut self.told)
    }

    /// Shows the next bytes of `side`: in order for a stream, whole for a datagram.
    pub fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        if self.is_done() || bytes.is_empty() {
            return;
        }
        if cx.transport == Transport::Udp {
            return self.datagram(side, bytes, cx);
        }
        self.first.get_or_insert(side);
        let Some(bytes) = self.pass_skipped(side, bytes, cx) else {
            return;
        };
        if matches!(self.state, State::Probing) {
            let pending = self.side_mut(side);
            if pending.closed && pending.bytes.is_empty() {
                return;
            }
            pending.tried_segments = pending.tried_segments.saturating_add(1);
            let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            pending.tried_bytes = pending.tried_bytes.saturating_add(len);
        }
        self.stream(side, bytes, cx);
        self.show_fresh(side.other(), cx);
    }

    /// Tells that `missing` bytes of `side` were lost.
    pub fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) {
        let pending = self.side_mut(side);
        let skipped = pending.skip.min(missing);
        pending.skip -= skipped;
        let hole = missing - skipped;
        if hole > 0 && matches!(self.state, State::Probing) {
            self.decide(side, cx);
        }
        if hole > 0 {
            self.picked_up = true;
            let pending = self.side_mut(side);
            pending.bytes = Vec::new();
            pending.need = 0;
            pending.closed = false;
        }
        if let State::Parsing(session) = &mut self.state {
            if skipped > 0 {
                session.skipped(side, skipped, cx);
            }
            if hole > 0 && !session.gap(side, hole, cx) {
                self.give_up(cx, "session-gave-up-at-gap");
            }
        }
    }

    /// The flow is over.
    pub fn end(&mut self, cx: &mut Context<'_>) {
        if cx.transport == Transport::Tcp {
            let first = self.first.unwrap_or(Side::Client);
            for side in [first, first.other()] {
                if matches!(self.state, State::Probing) {
                    self.decide(side, cx);
                }
            }
        }
        let state = std::mem::replace(&mut self.state, State::Unknown);
        if let State::Parsing(session) | State::Ended(session) = state {
            self.part(session, cx);
        }
        self.sides = [Pending::default(), Pending::default()];
    }

    /// Ends a session and notes what it tells of the flow.
    fn part(&mut self, mut session: Box<dyn Session>, cx: &mut Context<'_>) {
        session.end(cx);
        self.told.append(&mut session.of_flow());
        self.told.truncate(LIST_ITEMS_MAX);
    }

    /// Joins bytes with those that wait, shows them, keeps what is left.
    fn stream(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
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
        self.reshow(side, cx);
    }

    /// Shows the bytes that wait.
    fn reshow(&mut self, side: Side, cx: &mut Context<'_>) {
        let mut owned = std::mem::take(&mut self.side_mut(side).bytes);
        let used = self.advance(side, &owned, cx);
        if self.is_done() || used >= owned.len() {
            return;
        }
        owned.drain(..used);
        self.side_mut(side).bytes = owned;
        self.enforce_limit(side, cx);
    }

    /// Shows bytes of `side` that came while the other side was being recognised.
    fn show_fresh(&mut self, side: Side, cx: &mut Context<'_>) {
        let parsing = matches!(self.state, State::Parsing(_));
        let pending = self.side_mut(side);
        if parsing && pending.fresh && !pending.bytes.is_empty() {
            pending.fresh = false;
            self.reshow(side, cx);
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
            if matches!(self.state, State::Probing) {
                match self.recognise(side, rest, cx) {
                    Recognised::Opened => {}
                    Recognised::Wait => return used,
                    Recognised::Dropped => return bytes.len(),
                }
                continue;
            }
            let State::Parsing(session) = &mut self.state else {
                return bytes.len();
            };
            let step = session.bytes(side, rest, cx);
            self.name = session.renamed().or(self.name);
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
                // A step that neither consumes nor skips would come back for ever.
                *used < len && (here > 0 || step.consumed > 0)
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

    /// Asks who knows these bytes, and opens its session.
    fn recognise(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Recognised {
        if self.open_announced(bytes, cx) {
            return Recognised::Opened;
        }
        match self.candidates.ask(side, bytes, false, cx) {
            Answer::Open(protocol) => {
                self.open(protocol);
                self.side_mut(side).fresh = false;
                if self.first == Some(side.other()) {
                    self.show_fresh(side.other(), cx);
                }
                Recognised::Opened
            }
            Answer::Wait => {
                self.side_mut(side).fresh = true;
                Recognised::Wait
            }
            Answer::Nobody => self.nobody(side, bytes),
        }
    }

    /// Nobody knows these first bytes of `side`.
    fn nobody(&mut self, side: Side, bytes: &[u8]) -> Recognised {
        let picked_up = self.picked_up;
        let client_silent = self.side(Side::Client).tried_segments == 0;
        let pending = self.side_mut(side);
        let greets = pending.fresh && pending.closed || side == Side::Server && client_silent;
        if greets && !picked_up && bytes.len() < PROBE_BYTES_MAX {
            pending.fresh = true;
            pending.closed = true;
            return Recognised::Wait;
        }
        let enough = pending.tried_segments >= PROBE_SEGMENTS_MIN
            && usize::from(pending.tried_bytes) >= PROBE_BYTES_MAX;
        pending.fresh = false;
        pending.closed = !picked_up || enough;
        if self.sides.iter().all(|pending| pending.closed) {
            self.forget();
        }
        Recognised::Dropped
    }

    /// No more bytes of `side` come before a gap or the end: takes the best guess.
    fn decide(&mut self, side: Side, cx: &mut Context<'_>) {
        let pending = self.side_mut(side);
        if !pending.fresh || pending.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut pending.bytes);
        if let Answer::Open(protocol) = self.candidates.ask(side, &bytes, true, cx) {
            self.open(protocol);
            if self.first == Some(side.other()) {
                self.show_fresh(side.other(), cx);
            }
            self.side_mut(side).fresh = false;
            self.stream(side, &bytes, cx);
            self.show_fresh(side.other(), cx);
        }
    }

    fn open(&mut self, protocol: &dyn Protocol) {
        self.name = Some(protocol.name());
        let mut session = protocol.open();
        if let Some(secrets) = &self.secrets {
            session.secrets(secrets);
        }
        self.state = State::Parsing(session);
    }

    fn restart(&mut self, cx: &mut Context<'_>) {
        self.restarts += 1;
        let state = std::mem::replace(&mut self.state, State::Probing);
        if let State::Parsing(session) = state {
            self.part(session, cx);
        }
        self.candidates.forgive();
        self.sides = [Pending::default(), Pending::default()];
        self.first = None;
        if self.restarts > RESTARTS_MAX {
            cx.anomaly("driver-restart-limit");
            self.forget();
        }
    }

    /// The session said "not mine": its protocol is not asked again for this flow.
    fn refuse(&mut self) {
        self.candidates.refuse(self.name);
        self.name = None;
        self.restarts += 1;
        self.refusals += 1;
        self.state = State::Probing;
        for pending in &mut self.sides {
            pending.closed = false;
        }
        if self.restarts > RESTARTS_MAX {
            self.forget();
        }
    }

    /// The flow stays unknown, or known by name only.
    fn forget(&mut self) {
        self.state = State::Unknown;
        self.sides = [Pending::default(), Pending::default()];
    }

    fn give_up(&mut self, cx: &mut Context<'_>, code: &'static str) {
        cx.anomaly(code);
        self.gave_up = true;
        self.finish_session();
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
            self.give_up(cx, "driver-pending-limit");
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

#[cfg(test)]
mod tests;
