//! One exchange: what its request and its answer said.
//!
//! Enters: heads and counts. Leaves: an event; how the body of an answer is framed. Refuses:
//! nothing.
//! Source: RFC 9112 section 6.3 (message body length), RFC 9110 section 15 (status codes).

use model::class::Http;
use model::{Nanos, Text};

use super::file::Bodies;
use super::medical::Observer;
use super::parser::{Framing, Head, Upgrade};
use crate::protocol::{Context, Draft, Next, Side};

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
    /// Watches for FHIR and DICOMweb, when the heads give reason to.
    medical: Option<Box<Observer>>,
    /// Its bodies as files.
    pub(super) files: Bodies,
}

impl Exchange {
    pub(super) fn new(number: u32, time: Nanos) -> Self {
        Self {
            number,
            is_simple: false,
            time,
            medical: None,
            files: Bodies::default(),
            http: Http {
                transaction: Some(number),
                ..Http::default()
            },
        }
    }

    /// Octets that it holds beside itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let http = &self.http;
        let texts = [
            &http.host,
            &http.user_agent,
            &http.server,
            &http.content_type,
            &http.request_type,
            &http.reason,
            &http.method,
            &http.auth_scheme,
        ];
        let texts = texts.iter().filter_map(|text| text.as_ref());
        let texts: usize = texts.map(|text| text.len() + ALLOCATION).sum();
        let values = [&http.path, &http.query, &http.referrer];
        let values = values.iter().filter_map(|value| value.as_ref()?.reveal());
        let values: usize = values.map(|(_, clear)| clear.len() + ALLOCATION).sum();
        let codes = http.anomalies.capacity() * size_of::<Text>();
        let medical = self.medical.as_ref().map_or(0, |seen| seen.heap_bytes());
        texts + values + codes + medical + self.files.heap_bytes()
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
            None => {
                self.merge_request(head.http);
                self.files.head(false, head.file);
                self.medical = Observer::of_request(&self.http, &head.hints);
            }
            Some(code) if is_interim(code) => {}
            Some(_) => {
                self.http.content_type = head.http.content_type;
                self.http.server = head.http.server;
                self.files.head(true, head.file);
                if self.medical.is_none() {
                    self.medical = Observer::of_answer(&self.http, &head.hints);
                }
                if let Some(medical) = &mut self.medical {
                    medical.head(true, &head.hints);
                }
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

    /// Octets of a body that should be shown before the rest passes uncopied.
    pub(super) fn wants(&self, of_answer: bool) -> u64 {
        let medical = self.medical.as_ref();
        let medical = medical.map_or(0, |medical| medical.wants(of_answer));
        medical.max(self.files.wants(of_answer))
    }

    /// A body begins, of so many octets if that is stated.
    pub(super) fn begin_body(&mut self, side: Side, length: Option<u64>, cx: &Context<'_>) {
        let of_answer = side == Side::Server;
        self.files.begin(of_answer, length, &self.http, (side, cx));
    }

    /// Octets of a body were lost.
    pub(super) fn lose_body(&mut self, of_answer: bool, n: u64) {
        if let Some(carver) = self.files.carver(of_answer) {
            carver.lose(n, "gap");
        }
        self.count(of_answer, n);
        if let Some(medical) = &mut self.medical {
            medical.passed(of_answer);
        }
    }

    /// A body is over.
    pub(super) fn close_body(&mut self, of_answer: bool) {
        if let Some(carver) = self.files.carver(of_answer) {
            carver.close();
        }
    }

    /// Shows octets of a body; they are counted apart.
    pub(super) fn body(&mut self, of_answer: bool, bytes: &[u8]) {
        if let Some(carver) = self.files.carver(of_answer) {
            carver.bytes(bytes);
        }
        let Some(medical) = &mut self.medical else {
            return;
        };
        let wants = usize::try_from(medical.wants(of_answer)).unwrap_or(usize::MAX);
        if wants > 0 {
            medical.body(of_answer, bytes.get(..wants).unwrap_or(bytes));
        }
        if bytes.len() > wants {
            medical.passed(of_answer);
        }
    }

    /// Counts octets of a body that passed unseen.
    pub(super) fn pass(&mut self, of_answer: bool, n: u64) {
        self.count(of_answer, n);
        if let Some(carver) = self.files.carver(of_answer) {
            carver.pass(n);
        }
        if let Some(medical) = &mut self.medical {
            medical.passed(of_answer);
        }
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
            Some(code) => (if code < 400 { 1 } else { 2 }, Some(digits(code))),
        };
        if self.http.code.is_some() && self.http.response_bytes.is_none() {
            self.http.response_bytes = Some(0);
        }
        if self.http.method.is_some() && self.http.request_bytes.is_none() {
            self.http.request_bytes = Some(0);
        }
        let mut files = std::mem::take(&mut self.files);
        files.end(&mut self.http, cx);
        let medical = self
            .medical
            .take()
            .map(|medical| (medical, self.http.clone()));
        cx.emit(Draft::new(self.time, activity, self.http).status(status, code));
        if let Some((medical, http)) = medical {
            medical.emit(self.time, &http, cx);
        }
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

/// A status code as text.
fn digits(code: u16) -> Text {
    Text::Borrowed(match code {
        200 => "200",
        201 => "201",
        204 => "204",
        206 => "206",
        301 => "301",
        302 => "302",
        304 => "304",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        500 => "500",
        _ => return code.to_string().into(),
    })
}

fn activity(method: Option<&str>) -> u16 {
    let Some(method) = method else {
        return 0;
    };
    let known = METHODS
        .iter()
        .find(|(_, name)| method.eq_ignore_ascii_case(name));
    known.map_or(99, |(activity, _)| *activity)
}

/// OCSF activities by method, the most frequent first.
const METHODS: &[(u16, &str)] = &[
    (3, "GET"),
    (6, "POST"),
    (4, "HEAD"),
    (7, "PUT"),
    (5, "OPTIONS"),
    (2, "DELETE"),
    (1, "CONNECT"),
    (9, "PATCH"),
    (8, "TRACE"),
];

/// What the allocator adds to a text, at most.
const ALLOCATION: usize = 24;
