//! One conversation with a KDC: requests and their answers.
//!
//! Enters: messages. Leaves: one event per exchange. Refuses: more than [`PENDING_MAX`] requests
//! without answer: the oldest is told as it stands. Source: RFC 4120 section 3.

use std::collections::VecDeque;

use codec::kerberos::{
    Kind, Message, Principal, error_name, etype_name, option_names, padata_name,
};
use model::class::Authentication;
use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::parser::{LENGTH_BYTES, MESSAGE_BYTES_MAX, length};
use crate::protocol::{Context, Draft, Session, Side, Step, Transport};

/// Most requests without answer of one flow.
pub(super) const PENDING_MAX: usize = 16;
/// The KDC wants proof first; it wants more of it; the answer does not fit a datagram: the client
/// asks again.
const GOES_ON: [i32; 3] = [25, 91, 52];

const LOGON: u16 = 1;
const TICKET: u16 = 3;
const SERVICE: u16 = 4;
const RENEWAL: u16 = 5;
const PREAUTH: u16 = 6;

/// One flow's Kerberos.
#[derive(Default)]
pub(super) struct KerberosSession {
    pending: VecDeque<(Nanos, Box<Message>)>,
    /// Sides of which nothing can be read after a gap.
    lost: [bool; 2],
}

impl KerberosSession {
    fn message(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        let Some(message) = Message::read(bytes) else {
            cx.anomaly("kerberos-message-malformed");
            return;
        };
        match message.kind {
            Kind::AsReq | Kind::TgsReq | Kind::ApReq => self.request(message, cx),
            Kind::AsRep => self.answer(Kind::AsReq, message, cx),
            Kind::TgsRep => self.answer(Kind::TgsReq, message, cx),
            Kind::ApRep => self.answer(Kind::ApReq, message, cx),
            Kind::Error => {
                let oldest = self.pending.front().map(|(_, request)| request.kind);
                self.answer(oldest.unwrap_or(Kind::Error), message, cx);
            }
            Kind::Sealed => {}
        }
    }

    fn request(&mut self, message: Message, cx: &mut Context<'_>) {
        let repeated = |(_, known): &(Nanos, Box<Message>)| {
            message.nonce.is_some() && known.nonce == message.nonce && known.kind == message.kind
        };
        if self.pending.iter().any(repeated) {
            return;
        }
        if self.pending.len() >= PENDING_MAX {
            cx.anomaly("kerberos-pending-limit");
            if let Some((time, oldest)) = self.pending.pop_front() {
                cx.emit(draft(time, Some(&oldest), None));
            }
        }
        self.pending.push_back((cx.now, Box::new(message)));
    }

    fn answer(&mut self, to: Kind, message: Message, cx: &mut Context<'_>) {
        let at = self
            .pending
            .iter()
            .position(|(_, request)| request.kind == to);
        let request = at.and_then(|at| self.pending.remove(at));
        let time = request.as_ref().map_or(cx.now, |(time, _)| *time);
        let request = request.map(|(_, request)| request);
        cx.emit(draft(time, request.as_deref(), Some(&message)));
    }
}

impl Session for KerberosSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        if cx.transport == Transport::Udp {
            self.message(bytes, cx);
            return Step::consumed(bytes.len());
        }
        if self.lost.get(side.index()).copied().unwrap_or(true) {
            return Step::consumed(bytes.len());
        }
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let (Some(length), Some(message)) = (length(rest), rest.get(LENGTH_BYTES..)) else {
                return Step::need(at, LENGTH_BYTES);
            };
            let wanted = length.min(MESSAGE_BYTES_MAX);
            let Some(message) = message.get(..wanted) else {
                return Step::need(at, LENGTH_BYTES + wanted);
            };
            if wanted > 0 {
                self.message(message, cx);
            }
            at += LENGTH_BYTES + wanted;
            if length > wanted {
                cx.anomaly("kerberos-message-long");
                return Step::skip(at, u64::try_from(length - wanted).unwrap_or(0));
            }
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("kerberos-gap");
        if let Some(lost) = self.lost.get_mut(side.index()) {
            *lost = true;
        }
        self.lost.contains(&false)
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        for (time, request) in std::mem::take(&mut self.pending) {
            cx.emit(draft(time, Some(&request), None));
        }
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.pending.len() * (size_of::<Message>() + 512)
    }
}

/// The event of a request, an answer, or both.
fn draft(time: Nanos, request: Option<&Message>, answer: Option<&Message>) -> Draft {
    let kind = request
        .or(answer)
        .map_or(Kind::Error, |message| message.kind);
    let error = answer.and_then(|answer| answer.error);
    let renewed = request.is_some_and(|request| request.options & 2 != 0);
    let activity = match kind {
        Kind::AsReq if error.is_some_and(|code| GOES_ON.contains(&code)) => PREAUTH,
        Kind::AsReq | Kind::AsRep => TICKET,
        Kind::TgsReq | Kind::TgsRep if renewed => RENEWAL,
        Kind::TgsReq | Kind::TgsRep => SERVICE,
        Kind::ApReq | Kind::ApRep => LOGON,
        Kind::Error | Kind::Sealed => 0,
    };
    let body = body(kind, request, answer);
    let status = match (answer, error) {
        (None, _) => 0,
        (_, Some(code)) if GOES_ON.contains(&code) => 0,
        (_, Some(_)) => 2,
        (Some(_), None) => 1,
    };
    Draft::new(time, activity, body).status(status, error.map(|code| Text::from(error_name(code))))
}

fn body(kind: Kind, request: Option<&Message>, answer: Option<&Message>) -> Authentication {
    // What the answer says is what holds: aliases are canonicalised there.
    let both = || answer.into_iter().chain(request);
    let shown = request.and_then(|request| request.ticket.as_ref());
    let granted = answer.and_then(|answer| answer.ticket.as_ref());
    let realm = both().find_map(|message| message.client_realm.clone());
    // That of an error is the KDC's own.
    let mut asked = request.into_iter().chain(answer);
    let asked_realm = asked.find_map(|message| message.realm.clone());
    let service = granted
        .map(|ticket| &ticket.service)
        .filter(|_| request.is_none())
        .or_else(|| request.and_then(|request| request.service.as_ref()))
        .or_else(|| answer.and_then(|answer| answer.service.as_ref()))
        .or_else(|| {
            shown
                .filter(|_| kind == Kind::ApReq)
                .map(|ticket| &ticket.service)
        });
    let mut out = Authentication {
        user: both()
            .find_map(|message| message.client.as_ref())
            .and_then(named),
        domain: realm.or_else(|| asked_realm.clone()).map(Text::from),
        auth_protocol: Some(Text::Borrowed("Kerberos")),
        is_remote: Some(true),
        mechanism: Some(Text::Borrowed(word(kind))),
        ..Authentication::default()
    };
    if let Some(service) = service {
        place(service, &mut out);
    }
    if let Some(user) = request.and_then(|request| request.for_user.as_ref()) {
        out.target = named(user);
    }
    let mut facts = Facts::of("kerberos");
    facts.maybe("realm", asked_realm);
    facts.maybe("service_realm", granted.map(|ticket| ticket.realm.as_str()));
    if let Some(request) = request {
        request.etypes.iter().for_each(|etype| {
            facts.add("etype_asked", etype_name(*etype));
        });
        request.padata.iter().for_each(|kind| {
            facts.add("padata", padata_name(*kind));
        });
        if matches!(kind, Kind::AsReq | Kind::TgsReq) {
            option_names(request.options).for_each(|name| {
                facts.add("option", name);
            });
        }
    }
    let name = |etype: Option<i32>| etype.map(etype_name);
    facts.maybe("etype_shown", shown.and_then(|ticket| name(ticket.etype)));
    facts.maybe(
        "etype_ticket",
        granted.and_then(|ticket| name(ticket.etype)),
    );
    facts.maybe(
        "etype_reply",
        answer.and_then(|answer| name(answer.reply_etype)),
    );
    out.facts = facts.take();
    out
}

/// A ticket shown to a service, by SPNEGO or alone: the service, and the encryption of the ticket.
pub(in crate::protocol) fn shown(message: &Message) -> Authentication {
    body(Kind::ApReq, Some(message), None)
}

/// A service by name, or the account that stands for one.
fn place(service: &Principal, out: &mut Authentication) {
    let name = service.name.as_str();
    let account = !name.contains('/') && !name.ends_with('$') || name.contains('@');
    if account {
        out.target = named(service);
    } else {
        out.service = Some(Text::from(name.to_owned()));
    }
}

fn named(principal: &Principal) -> Option<Sensitive> {
    (!principal.name.is_empty()).then(|| Sensitive::text(&principal.name))
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::AsReq | Kind::AsRep => "AS-REQ",
        Kind::TgsReq | Kind::TgsRep => "TGS-REQ",
        Kind::ApReq | Kind::ApRep => "AP-REQ",
        Kind::Error => "KRB-ERROR",
        Kind::Sealed => "KRB-PRIV",
    }
}
