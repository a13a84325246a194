//! One exchange: what its request and its answer said.
//!
//! Enters: heads and counts. Leaves: an event; how the body of an answer is framed. Refuses:
//! nothing.
//! Source: RFC 9112 section 6.3 (message body length), RFC 9110 section 15 (status codes).

use model::class::Http;
use model::{Nanos, Text};

use super::parser::{Framing, Head, Upgrade};
use crate::protocol::{Context, Draft, Next};

/// What follows a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Another message.
    Message,
    /// The real answer: this one was informational.
    Answer,
    /// A body of so many octets, at least one.
    Length(u64),
    /// A chunked body.
    Chunked,
    /// A body that ends with the connection.
    UntilClose,
    /// Something that is not HTTP/1.
    Leave(Next),
    /// Another protocol that this folder knows.
    Switch(Upgrade),
}

/// A request and its answer.
pub(super) struct Exchange {
    /// Position in the flow, from 1.
    pub(super) number: u32,
    /// True for a request of HTTP/0.9.
    pub(super) is_simple: bool,
    time: Nanos,
    http: Http,
}

impl Exchange {
    pub(super) fn new(number: u32, time: Nanos) -> Self {
        Self {
            number,
            is_simple: false,
            time,
            http: Http {
                transaction: Some(number),
                ..Http::default()
            },
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts = [&self.http.host, &self.http.user_agent, &self.http.server];
        let texts: usize = texts
            .iter()
            .map(|t| t.as_ref().map_or(0, |t| t.len()))
            .sum();
        size_of::<Self>() + texts + 512
    }

    /// Takes what a first line says, in case that the rest never comes.
    pub(super) fn first_line(&mut self, head: &Head, now: Nanos) {
        if head.is_request() {
            self.is_simple = head.is_simple;
            self.merge_request(head.http.clone());
        } else if let Some(code) = head.code.filter(|&code| !is_interim(code)) {
            self.http.code = Some(code);
            self.http.reason.clone_from(&head.http.reason);
            if self.http.method.is_some() {
                self.http.latency_ms = i64::try_from(now.since(self.time) / 1_000_000).ok();
            }
        }
    }

    /// Takes a head.
    pub(super) fn head(&mut self, head: Head) {
        for anomaly in head.anomalies {
            self.note(anomaly);
        }
        match head.code {
            None => self.merge_request(head.http),
            Some(code) if is_interim(code) => {}
            Some(_) => {
                self.http.content_type = head.http.content_type;
                self.http.server = head.http.server;
            }
        }
    }

    fn merge_request(&mut self, said: Http) {
        let known = std::mem::take(&mut self.http);
        self.http = Http {
            code: known.code,
            reason: known.reason,
            content_type: known.content_type,
            response_bytes: known.response_bytes,
            latency_ms: known.latency_ms,
            server: known.server,
            request_bytes: known.request_bytes,
            transaction: known.transaction,
            anomalies: known.anomalies,
            ..said
        };
    }

    /// What its request asked for.
    pub(super) fn asked(&self) -> Http {
        self.http.clone()
    }

    /// Notes an anomaly once.
    pub(super) fn note(&mut self, code: &'static str) {
        if !self.http.anomalies.iter().any(|known| known == code) {
            self.http.anomalies.push(code.into());
        }
    }

    /// Counts octets of a body.
    pub(super) fn count(&mut self, of_answer: bool, n: u64) {
        let total = if of_answer {
            &mut self.http.response_bytes
        } else {
            &mut self.http.request_bytes
        };
        *total = Some(total.unwrap_or(0).saturating_add(n));
    }

    /// What follows the head of a response of this exchange.
    pub(super) fn after_response(&self, code: u16, framing: &Framing) -> After {
        let method = self.http.method.as_deref().unwrap_or("");
        if code == 101 {
            return match &framing.upgrade {
                Some(Upgrade::Tls) => After::Leave(Next::Restart),
                Some(other) => After::Switch(other.clone()),
                None => After::Leave(Next::Done),
            };
        }
        if is_interim(code) {
            return After::Answer;
        }
        if method.eq_ignore_ascii_case("CONNECT") && (200..300).contains(&code) {
            return After::Leave(Next::Restart);
        }
        if method.eq_ignore_ascii_case("HEAD") || matches!(code, 204 | 304) {
            return After::Message;
        }
        framed(framing).unwrap_or(After::UntilClose)
    }

    /// The event.
    pub(super) fn emit(mut self, cx: &mut Context<'_>) {
        let activity = activity(self.http.method.as_deref());
        let (status, code): (u16, Option<Text>) = match self.http.code {
            None => (0, None),
            Some(code) if code < 400 => (1, Some(code.to_string().into())),
            Some(code) => (2, Some(code.to_string().into())),
        };
        if self.http.code.is_some() && self.http.response_bytes.is_none() {
            self.http.response_bytes = Some(0);
        }
        if self.http.method.is_some() && self.http.request_bytes.is_none() {
            self.http.request_bytes = Some(0);
        }
        cx.emit(Draft::new(self.time, activity, self.http).status(status, code));
    }
}

/// What the fields say about a body; `None` when they say nothing.
pub(super) fn framed(framing: &Framing) -> Option<After> {
    if framing.chunked {
        return Some(After::Chunked);
    }
    framing.length.map(|length| match length {
        0 => After::Message,
        length => After::Length(length),
    })
}

const fn is_interim(code: u16) -> bool {
    100 <= code && code < 200 && code != 101
}

fn activity(method: Option<&str>) -> u16 {
    match method.map(str::to_ascii_uppercase).as_deref() {
        None => 0,
        Some("CONNECT") => 1,
        Some("DELETE") => 2,
        Some("GET") => 3,
        Some("HEAD") => 4,
        Some("OPTIONS") => 5,
        Some("POST") => 6,
        Some("PUT") => 7,
        Some("TRACE") => 8,
        Some("PATCH") => 9,
        Some(_) => 99,
    }
}
