//! Both sides of a conversation: requests, entries, results.
//!
//! Enters: bytes of both sides. Leaves: drafts, made by `tell`. Refuses: more than [`PENDING_MAX`]
//! requests without result: the one asked first is told as it stands. After a gap the next message
//! is looked for at the beginning of segments. Source: RFC 4511 sections 3.1 and 4.

use std::collections::BTreeMap;

use model::{Nanos, Text};

use super::parser::{
    Answer, Ask, BIND, Bind, ENTRY, ENTRY_BYTES, MESSAGE_BYTES_MAX, Operation, Outside, REFERENCE,
    START_TLS, each, outside, read, unwrapped,
};
use super::tell;
use crate::protocol::logon::Logon;
use crate::protocol::{Context, Next, Probe, Session, Side, Step, Transport};

/// Most requests without result of one flow.
pub(super) const PENDING_MAX: usize = 256;
/// Octets before a SASL-wrapped message.
const LENGTH_BYTES: usize = 4;
/// A bind goes on.
const IN_PROGRESS: i64 = 14;

/// One flow's LDAP.
#[derive(Default)]
pub(super) struct LdapSession {
    pending: BTreeMap<i64, Pending>,
    bind: Option<Box<(Nanos, i64, Bind)>>,
    logon: Logon,
    /// A SASL bind succeeded: what follows may be wrapped.
    sasl: bool,
    wrapped: u64,
    readable: u64,
    wrapped_since: Option<Nanos>,
    /// Sides where the next message must be found again after a gap.
    lost: [bool; 2],
}

/// A request without result.
pub(super) struct Pending {
    pub(super) time: Nanos,
    pub(super) ask: Ask,
    pub(super) entries: u64,
    pub(super) references: u64,
}

impl LdapSession {
    /// Takes a message; true when the connection changes to TLS.
    fn message(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> bool {
        let Some(message) = read(bytes) else {
            cx.anomaly("ldap-message-malformed");
            return false;
        };
        let id = message.id;
        match message.operation {
            Operation::Bind(bind) => self.bound(id, *bind, cx),
            Operation::Unbind | Operation::Other => {}
            Operation::Abandon(other) => {
                if let Some(pending) = self.pending.remove(&other) {
                    cx.emit(tell::exchange(&pending, None));
                }
            }
            Operation::Ask(ask) => self.asked(id, *ask, cx),
            Operation::Entry | Operation::Reference => {
                let is_entry = matches!(message.operation, Operation::Entry);
                if let Some(pending) = self.pending.get_mut(&id) {
                    let count = if is_entry {
                        &mut pending.entries
                    } else {
                        &mut pending.references
                    };
                    *count += 1;
                }
            }
            Operation::Answer(answer) => return self.answered(id, &answer, cx),
        }
        false
    }

    fn asked(&mut self, id: i64, ask: Ask, cx: &mut Context<'_>) {
        let pending = Pending {
            time: cx.now,
            ask,
            entries: 0,
            references: 0,
        };
        let mut told = self.pending.insert(id, pending);
        if self.pending.len() > PENDING_MAX {
            cx.anomaly("ldap-pending-limit");
            let oldest = self.pending.iter().min_by_key(|(_, pending)| pending.time);
            let oldest = oldest.map(|(id, _)| *id);
            told = oldest.and_then(|id| self.pending.remove(&id));
        }
        if let Some(pending) = told {
            cx.emit(tell::exchange(&pending, None));
        }
    }

    fn bound(&mut self, id: i64, bind: Bind, cx: &mut Context<'_>) {
        self.logon.token(Side::Client, &bind.token, cx.now);
        let goes_on = self.bind.as_ref().is_some_and(|known| {
            known.2.mechanism.is_some() && known.2.mechanism == bind.mechanism
        });
        let time = match &self.bind {
            Some(known) if goes_on => known.0,
            _ => {
                self.end_bind(None, cx);
                cx.now
            }
        };
        self.bind = Some(Box::new((
            time,
            id,
            Bind {
                token: Vec::new(),
                ..bind
            },
        )));
    }

    fn end_bind(&mut self, answer: Option<&Answer>, cx: &mut Context<'_>) {
        if let Some(bind) = self.bind.take() {
            let (time, _, bind) = *bind;
            cx.emit(tell::bind(time, &bind, &mut self.logon, answer));
        }
    }

    fn answered(&mut self, id: i64, answer: &Answer, cx: &mut Context<'_>) -> bool {
        if answer.tag == BIND + 1 {
            self.logon.token(Side::Server, &answer.token, cx.now);
            if answer.code == IN_PROGRESS {
                return false;
            }
            let sasl = self
                .bind
                .as_ref()
                .is_some_and(|bind| bind.2.mechanism.is_some());
            self.sasl = answer.code == 0 && sasl;
            self.end_bind(Some(answer), cx);
            return false;
        }
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        cx.emit(tell::exchange(&pending, Some(answer)));
        answer.code == 0 && pending.ask.oid.as_deref() == Some(START_TLS)
    }

    /// A SASL-wrapped message at the start of `bytes`.
    fn frame(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> Option<(usize, u64, bool)> {
        let length = codec::bytes::Reader::new(bytes).u32_be()?;
        let length = usize::try_from(length).ok()?;
        let wanted = length.min(MESSAGE_BYTES_MAX);
        let frame = bytes.get(LENGTH_BYTES..LENGTH_BYTES + wanted)?;
        self.wrapped += 1;
        self.wrapped_since.get_or_insert(cx.now);
        let mut restart = false;
        if let Some(inside) = unwrapped(frame) {
            self.readable += 1;
            for message in each(inside) {
                restart |= self.message(message, cx);
            }
        }
        let skip = u64::try_from(length - wanted).unwrap_or(0);
        Some((LENGTH_BYTES + wanted, skip, restart))
    }

    fn step(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> Found {
        if self.sasl && rest.first() == Some(&0) {
            return match self.frame(rest, cx) {
                Some((used, skip, _)) => Found::Message(used, skip, false),
                None => Found::Need(wrapped_need(rest)),
            };
        }
        match outside(rest) {
            Ok(Outside { total, operation }) => {
                let wanted = match operation {
                    ENTRY | REFERENCE => ENTRY_BYTES,
                    _ => MESSAGE_BYTES_MAX,
                };
                let wanted = total.min(wanted);
                let Some(message) = rest.get(..wanted) else {
                    return Found::Need(wanted);
                };
                self.set_lost(side, false);
                let restart = self.message(message, cx);
                Found::Message(wanted, u64::try_from(total - wanted).unwrap_or(0), restart)
            }
            Err(Probe::NeedMore) => Found::Need(0),
            Err(Probe::Certain | Probe::Maybe | Probe::No) => Found::Odd,
        }
    }

    fn set_lost(&mut self, side: Side, value: bool) {
        if let Some(lost) = self.lost.get_mut(side.index()) {
            *lost = value;
        }
    }
}

/// What stands at the start of bytes.
enum Found {
    /// A message: octets used, octets to skip, whether TLS follows.
    Message(usize, u64, bool),
    Need(usize),
    Odd,
}

fn wrapped_need(rest: &[u8]) -> usize {
    let length = codec::bytes::Reader::new(rest).u32_be().unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(0);
    LENGTH_BYTES + length.min(MESSAGE_BYTES_MAX)
}

impl Session for LdapSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        if cx.transport == Transport::Udp {
            for message in each(bytes) {
                self.message(message, cx);
            }
            return Step::consumed(bytes.len());
        }
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            match self.step(side, rest, cx) {
                Found::Message(used, skip, restart) => {
                    at += used;
                    if restart {
                        return Step {
                            consumed: at,
                            next: Next::Restart,
                        };
                    }
                    if skip > 0 {
                        return Step::skip(at, skip);
                    }
                }
                Found::Need(need) => return Step::need(at, need),
                Found::Odd => {
                    if !self.lost.get(side.index()).copied().unwrap_or(false) {
                        cx.anomaly("ldap-message-odd");
                        self.set_lost(side, true);
                    }
                    return Step::consumed(bytes.len());
                }
            }
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("ldap-gap");
        self.set_lost(side, true);
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.end_bind(None, cx);
        let mut left: Vec<Pending> = std::mem::take(&mut self.pending).into_values().collect();
        left.sort_by_key(|pending| pending.time);
        for pending in &left {
            cx.emit(tell::exchange(pending, None));
        }
        if let Some(time) = self.wrapped_since.take() {
            cx.emit(tell::wrapped(time, self.wrapped, self.readable));
        }
    }

    fn heap_bytes(&self) -> usize {
        let pending: usize = self
            .pending
            .values()
            .map(|pending| {
                let ask = &pending.ask;
                let names = ask.attributes.iter().chain(&ask.controls);
                2 * size_of::<Pending>()
                    + ask.object.capacity()
                    + names.map(|n| n.capacity() + 24).sum::<usize>()
            })
            .sum();
        let bind = self.bind.as_ref().map_or(0, |_| 1024);
        size_of::<Self>() + pending + bind + self.logon.heap_bytes()
    }
}

/// The protocol's own word for a result.
pub(super) fn result_word(code: i64) -> Text {
    Text::Borrowed(match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        5 => "compareFalse",
        6 => "compareTrue",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        19 => "constraintViolation",
        20 => "attributeOrValueExists",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        36 => "aliasDereferencingProblem",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        64 => "namingViolation",
        65 => "objectClassViolation",
        66 => "notAllowedOnNonLeaf",
        67 => "notAllowedOnRDN",
        68 => "entryAlreadyExists",
        69 => "objectClassModsProhibited",
        71 => "affectsMultipleDSAs",
        80 => "other",
        _ => return Text::from(code.to_string()),
    })
}
