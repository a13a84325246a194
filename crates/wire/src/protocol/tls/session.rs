//! One handshake.
//!
//! Enters: records of both sides. Leaves: one event when application data start, an alert ends the
//! handshake, or the flow ends; none for a stream joined after its handshake; sizes of records for
//! the flow's own event.
//! Refuses: more than [`RECORDS_MAX`] encrypted records before the handshake shows its end.
//! Source: RFC 5246 section 7.3, RFC 8446 section 2 and appendix D.4 (compatibility mode).

use std::sync::Arc;

use codec::tls::{ClientHello, ServerHello, is_client_hello_v2, is_tls13};
use model::class::Network;
use model::{Nanos, Text};

use super::facts::{CERTIFICATE, CLIENT_HELLO, Facts, SERVER_HELLO};
use super::half::Sealed;
use super::open::Opener;
use super::parser::{Content, Messages, RECORD_HEADER_BYTES, RecordHeader};
use super::report::{Outcome, describe};
use crate::protocol::encrypted::{self, Profile};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};
use crate::secrets::Secrets;

/// Most encrypted records of a handshake whose end cannot be told, and chunks tried after a gap.
pub(super) const RECORDS_MAX: u32 = 64;
/// An encrypted alert of TLS 1.3 is not longer; a Finished is.
const ALERT_BYTES_MAX: usize = 24;

const OPEN: u16 = 1;
const FATAL: u8 = 2;

/// One flow's TLS.
#[derive(Default)]
pub(super) struct TlsSession {
    sides: [SideState; 2],
    facts: Facts,
    alert: Option<u8>,
    encrypted_records: u32,
    established: bool,
    emitted: bool,
    any_record: bool,
    secrets: Option<Arc<dyn Secrets>>,
    opener: Option<Box<Opener>>,
    profile: Profile,
    /// Time of the handshake, once told.
    opened: Nanos,
}

#[derive(Default)]
struct SideState {
    messages: Messages,
    /// Content and octets left of the record under way; `None` content is passed over.
    record: Option<(Option<Content>, usize)>,
    changed_cipher: bool,
    finished: bool,
    lost: bool,
}

/// What a record asks for.
enum Record {
    /// Its body follows and was noted.
    Open,
    /// So many octets must be there first.
    Need(usize),
    /// The body is of no interest.
    Skip(usize),
    /// The handshake is over.
    Over,
}

impl TlsSession {
    pub(super) fn new() -> Self {
        Self::default()
    }

    const fn state(&mut self, side: Side) -> &mut SideState {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    /// Feeds the record under way; returns octets used.
    fn body(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> usize {
        let state = self.state(side);
        let Some((content, left)) = state.record else {
            return 0;
        };
        let n = left.min(rest.len());
        state.record = (left > n).then_some((content, left - n));
        let bytes = rest.get(..n).unwrap_or(&[]);
        if content == Some(Content::Handshake) {
            let [client, server] = &mut self.sides;
            let messages = match side {
                Side::Client => &mut client.messages,
                Side::Server => &mut server.messages,
            };
            let facts = &mut self.facts;
            // A Certificate of the client is never put together: it may name a person.
            let is_server = facts.client.is_some_and(|client| client != side);
            let wanted = |kind| {
                matches!(kind, CLIENT_HELLO | SERVER_HELLO) || (kind == CERTIFICATE && is_server)
            };
            let overflow = messages.overflow;
            messages.feed(bytes, wanted, &mut |kind, body| {
                facts.message(side, kind, body, cx.now);
            });
            if messages.overflow && !overflow {
                cx.anomaly("tls-long-message");
            }
        }
        n
    }

    fn header(
        &mut self,
        side: Side,
        header: RecordHeader,
        body: &[u8],
        cx: &mut Context<'_>,
    ) -> Record {
        let hidden = self.state(side).changed_cipher;
        match header.content {
            Content::Data => {
                if self.data(side, header.len) {
                    Record::Over
                } else {
                    Record::Skip(header.len)
                }
            }
            Content::Heartbeat => Record::Skip(header.len),
            Content::ChangeCipher => {
                // A server that asked for another hello has changed nothing yet.
                let real = self
                    .facts
                    .server
                    .as_ref()
                    .is_none_or(|hello| !hello.is_retry);
                self.state(side).changed_cipher = real;
                Record::Skip(header.len)
            }
            Content::Handshake if hidden => {
                self.state(side).finished = true;
                self.established |= self.sides.iter().all(|side| side.finished);
                Record::Skip(header.len)
            }
            Content::Handshake => {
                self.state(side).record = Some((Some(Content::Handshake), header.len));
                Record::Open
            }
            Content::Alert if hidden || header.len != 2 => Record::Skip(header.len),
            Content::Alert => match body.first_chunk::<2>() {
                None => Record::Need(RECORD_HEADER_BYTES + 2),
                Some(&[level, description]) => {
                    if !self.established {
                        self.alert = Some(description);
                        self.facts.time.get_or_insert(cx.now);
                    }
                    if level == FATAL {
                        Record::Over
                    } else {
                        Record::Skip(2)
                    }
                }
            },
        }
    }

    /// An application data record was announced; true when the handshake is over.
    fn data(&mut self, side: Side, len: usize) -> bool {
        self.encrypted_records = self.encrypted_records.saturating_add(1);
        let many = self.encrypted_records > RECORDS_MAX;
        if self.facts.hello.is_none() && self.facts.server.is_none() {
            return true;
        }
        match &self.facts.server {
            Some(hello) if is_tls13(hello.version()) => {
                let from_client = self.facts.client == Some(side) && !hello.is_retry;
                self.established |= many || (from_client && len > ALERT_BYTES_MAX);
                many || from_client
            }
            Some(_) => {
                self.established = true;
                true
            }
            None => {
                self.established |= many;
                many
            }
        }
    }

    fn emit(&mut self, cx: &mut Context<'_>) {
        if std::mem::replace(&mut self.emitted, true) {
            return;
        }
        for state in &mut self.sides {
            state.messages.reset();
        }
        let facts = std::mem::take(&mut self.facts);
        if facts.hello.is_none() && facts.server.is_none() {
            return;
        }
        let changed = facts.client.is_some_and(|client| {
            match client.other() {
                Side::Client => self.sides.first(),
                Side::Server => self.sides.last(),
            }
            .is_some_and(|server| server.changed_cipher)
        });
        let resumed = match facts.server.as_deref() {
            Some(hello) if is_tls13(hello.version()) => Some(hello.accepts_key()),
            Some(_) if changed && !facts.damaged => Some(!facts.server_done),
            _ => None,
        };
        let alpn = facts.alpn;
        let outcome = Outcome {
            hello: facts.hello.as_deref(),
            hello_is_v2: facts.hello_is_v2,
            server: facts.server.as_deref(),
            leaf: facts.leaf.map(|leaf| *leaf),
            alert: self.alert.filter(|_| !self.established),
            established: self.established,
            resumed,
        };
        let (mut body, status, code): (Network, u16, _) = describe(outcome);
        if let Some(name) = alpn {
            body.tls_alpn = Some(name.escape_ascii().to_string().into());
        }
        let time = facts.time.unwrap_or(cx.now);
        self.opened = time;
        body.facts = encrypted::certificate(&body, time);
        body.facts.extend(encrypted::dns(&body, cx));
        cx.emit(Draft::new(time, OPEN, body).status(status, code));
    }

    /// A record after the handshake: only its size is of interest. `None` before.
    fn sized(
        &mut self,
        side: Side,
        header: RecordHeader,
        at: usize,
        cx: &Context<'_>,
    ) -> Option<Step> {
        if !self.emitted || self.opener.is_some() {
            return None;
        }
        let data = header.content == Content::Data;
        if data && !self.profile.record(side, header.len, cx.now) {
            return Some(Step {
                consumed: at,
                next: Next::Done,
            });
        }
        let len = u64::try_from(header.len).unwrap_or(0);
        Some(Step::skip(at + RECORD_HEADER_BYTES, len))
    }

    /// Makes ready to open records, once both hellos are known and their secrets are at hand.
    fn arm(&mut self) {
        let facts = &self.facts;
        if let (Some(secrets), Some(hello), Some(server), Some(client)) =
            (&self.secrets, &facts.hello, &facts.server, facts.client)
            && !server.is_retry
        {
            self.opener = Opener::new(secrets.as_ref(), hello, server, client).map(Box::new);
            self.secrets = None;
        }
    }

    /// Opens the record at the start of `rest`, when it is sealed and its keys are known.
    fn open(&mut self, side: Side, header: RecordHeader, rest: &[u8], cx: &mut Context<'_>) {
        let changed = self.state(side).changed_cipher;
        let Some(opener) = &mut self.opener else {
            return;
        };
        let Some((head, body)) = rest.split_first_chunk::<RECORD_HEADER_BYTES>() else {
            return;
        };
        let [content, ..] = *head;
        let Some(body) = body
            .get(..header.len)
            .filter(|_| opener.is_sealed(content, changed))
        else {
            return;
        };
        let sealed = Sealed {
            content,
            header: *head,
            body,
        };
        let facts = &mut self.facts;
        opener.record(side, sealed, &mut |kind, body| facts.hidden(kind, body), cx);
    }

    /// A hello of SSL 2 at the start of a side; `None` when there is none.
    fn version_two(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> Option<Step> {
        let [first, second, kind] = *rest.first_chunk::<3>()?;
        if first & 0x80 == 0 {
            return None;
        }
        let len = usize::from(u16::from_be_bytes([first & 0x7f, second]));
        if self.facts.hello.is_none() && is_client_hello_v2(rest) {
            let Some(message) = rest.get(2..2 + len) else {
                return Some(Step::need(0, 2 + len));
            };
            self.facts.hello = ClientHello::parse_v2(message).map(Box::new);
            self.facts.hello_is_v2 = true;
            self.facts.client = Some(side);
            self.facts.time.get_or_insert(cx.now);
            return Some(Step::consumed(2 + len));
        }
        if self.facts.hello_is_v2 && self.facts.client == Some(side.other()) && kind == 4 {
            self.facts.server = Some(Box::new(ServerHello {
                legacy_version: 2,
                ..ServerHello::default()
            }));
            return Some(self.over(0, cx));
        }
        None
    }

    fn over(&mut self, consumed: usize, cx: &mut Context<'_>) -> Step {
        self.emit(cx);
        Step {
            consumed,
            next: Next::Done,
        }
    }

    /// Bytes that are no record: not TLS at all, or the end of what can be understood.
    fn not_a_record(&mut self, at: usize, cx: &mut Context<'_>) -> Step {
        if !self.any_record && self.facts.hello.is_none() {
            return Step::NOT_MINE;
        }
        if self.emitted {
            return self.over(at, cx);
        }
        cx.anomaly("tls-bad-record");
        self.over(at, cx)
    }

    /// After a gap: true when a record seems to start here.
    fn found_again(&mut self, side: Side, rest: &[u8]) -> bool {
        let Some(header) = RecordHeader::parse(rest) else {
            return false;
        };
        let after = rest.get(RECORD_HEADER_BYTES + header.len..);
        let follows = after.is_none_or(|after| {
            RecordHeader::parse(after).map_or(after.len() < RECORD_HEADER_BYTES, |next| {
                next.is_plausible()
            })
        });
        let found = header.is_plausible() && follows;
        self.state(side).lost = !found;
        found
    }
}

impl Session for TlsSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            at += self.body(side, bytes.get(at..).unwrap_or(&[]), cx);
            self.arm();
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            if self.state(side).lost && !self.found_again(side, rest) {
                self.encrypted_records += 1;
                if self.encrypted_records > RECORDS_MAX {
                    return self.over(bytes.len(), cx);
                }
                return Step::consumed(bytes.len());
            }
            if at == 0
                && let Some(step) = self.version_two(side, rest, cx)
            {
                return step;
            }
            let Some(header) = RecordHeader::parse(rest) else {
                if RecordHeader::may_start(rest) {
                    return Step::need(at, RECORD_HEADER_BYTES);
                }
                return self.not_a_record(at, cx);
            };
            if !header.is_plausible() {
                return self.not_a_record(at, cx);
            }
            let body = rest.get(RECORD_HEADER_BYTES..).unwrap_or(&[]);
            if let Some(step) = self.sized(side, header, at, cx) {
                return step;
            }
            if self.opener.is_some() && body.len() < header.len {
                return Step::need(at, RECORD_HEADER_BYTES + header.len);
            }
            self.open(side, header, rest, cx);
            let asked = self.header(side, header, body, cx);
            self.any_record = true;
            if let Some(mut done) = self.opener.take_if(|opener| opener.is_done()) {
                done.end(cx);
            }
            let opens = self.opener.is_some();
            match asked {
                // The whole record is there.
                Record::Skip(len) if opens => at += RECORD_HEADER_BYTES + len,
                Record::Over if opens => {
                    self.emit(cx);
                    at += RECORD_HEADER_BYTES + header.len;
                }
                Record::Open => at += RECORD_HEADER_BYTES,
                Record::Need(need) => return Step::need(at, need),
                Record::Skip(len) => {
                    let len = u64::try_from(len).unwrap_or(0);
                    return Step::skip(at + RECORD_HEADER_BYTES, len);
                }
                Record::Over if self.established && header.content == Content::Data => {
                    self.emit(cx);
                }
                Record::Over => return self.over(at + RECORD_HEADER_BYTES, cx),
            }
        }
    }

    fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        self.facts.damaged = true;
        if let Some(opener) = &mut self.opener {
            opener.gap(side, missing, cx);
        }
        let state = self.state(side);
        state.messages.reset();
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        state.record = match state.record {
            Some((_, left)) if left > missing => Some((None, left - missing)),
            Some((_, left)) if left == missing => None,
            _ => {
                state.lost = true;
                None
            }
        };
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        // A hello that the capture cut is still worth its head.
        if self.facts.hello.is_none() && !self.emitted {
            for (state, side) in self.sides.iter().zip([Side::Client, Side::Server]) {
                if let Some((kind @ CLIENT_HELLO, body)) = state.messages.partial() {
                    self.facts.message(side, kind, body, cx.now);
                }
            }
        }
        self.emit(cx);
        if let Some(mut opener) = self.opener.take() {
            opener.end(cx);
        }
    }

    fn of_flow(&mut self) -> Vec<Text> {
        std::mem::take(&mut self.profile).tell(self.opened)
    }

    fn secrets(&mut self, secrets: &Arc<dyn Secrets>) {
        self.secrets = Some(Arc::clone(secrets));
    }

    fn heap_bytes(&self) -> usize {
        let messages: usize = self
            .sides
            .iter()
            .map(|side| side.messages.heap_bytes())
            .sum();
        let facts = if self.facts.hello.is_some() { 4096 } else { 0 };
        let opener = self.opener.as_ref().map_or(0, |opener| opener.heap_bytes());
        messages + facts + opener + self.profile.heap_bytes() + size_of::<Self>()
    }
}
