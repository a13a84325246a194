//! Log-ins inside HTTP: Basic, Digest, NTLM and Negotiate, to servers and to proxies.
//!
//! Enters: fields of heads, codes of answers. Leaves: one Authentication event per log-in. Refuses:
//! passwords, responses, tickets and bearer tokens; a name and password that are repeated with
//! every request of a connection are told once, and again when the answer changes. Limits:
//! [`PENDING_MAX`] requests without answer, [`SHOWN_MAX`] log-ins of one head, [`TOKEN_BYTES_MAX`].
//! Source: RFC 7617, RFC 7616, RFC 4559, [MS-NTHT], RFC 9110 section 11.

use std::collections::BTreeMap;

use model::class::{Authentication, Body};
use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::parser::Head;
use crate::protocol::logon::Logon;
use crate::protocol::shared::exchange::{FAILURE, SUCCESS};
use crate::protocol::shared::text::{after, base64, base64_up_to, readable, short, word};
use crate::protocol::{Context, Draft, Side};

/// Most requests with a log-in that wait for their answer.
const PENDING_MAX: usize = 32;
/// Most log-ins of one head: to a proxy and to a server.
const SHOWN_MAX: usize = 2;
/// Longest security token that is read: a line of a head holds no more.
const TOKEN_BYTES_MAX: usize = 24 * 1024;
/// OCSF activity, and kinds of log-in: over the network, in the clear.
const LOGON: u16 = 1;
const NETWORK: u16 = 3;
const NETWORK_CLEARTEXT: u16 = 8;

/// What a head shows of a log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    proxy: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Basic {
        user: String,
    },
    Digest {
        user: String,
        realm: Option<Text>,
        algorithm: Option<Text>,
    },
    Token {
        scheme: &'static str,
        octets: Vec<u8>,
    },
}

/// Reads an Authorization or Proxy-Authorization field, or the answer's field to it.
pub(super) fn shown(name: &[u8], value: &[u8]) -> Option<Shown> {
    let proxy = name.starts_with(b"proxy-");
    let (scheme, rest) = word(value);
    let scheme = scheme.to_ascii_lowercase();
    let what = match (scheme.as_slice(), name.ends_with(b"authorization")) {
        (b"basic", true) => {
            let pair = base64(rest);
            let end = pair.iter().position(|octet| *octet == b':')?;
            let user = readable(pair.get(..end)?);
            What::Basic { user }
        }
        (b"digest", true) => What::Digest {
            user: readable(parameter(rest, b"username").filter(|user| !user.is_empty())?),
            realm: parameter(rest, b"realm").and_then(short),
            algorithm: parameter(rest, b"algorithm").and_then(short),
        },
        (b"ntlm", _) => token("NTLM", rest)?,
        (b"negotiate", _) => token("Negotiate", rest)?,
        _ => return None,
    };
    Some(Shown { proxy, what })
}

fn token(scheme: &'static str, rest: &[u8]) -> Option<What> {
    let octets = base64_up_to(rest, TOKEN_BYTES_MAX);
    (!octets.is_empty()).then_some(What::Token { scheme, octets })
}

/// The value of one of `name=value, name="value"`.
fn parameter<'a>(list: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = list;
    while !rest.is_empty() {
        rest = rest.trim_ascii_start();
        let equals = rest.iter().position(|octet| *octet == b'=')?;
        let (key, value) = (rest.get(..equals)?.trim_ascii(), rest.get(equals + 1..)?);
        let quoted = value.strip_prefix(b"\"");
        let (end, value) = match quoted {
            Some(value) => (value.iter().position(|octet| *octet == b'"')?, value),
            None => {
                let end = value.iter().position(|octet| *octet == b',');
                (end.unwrap_or(value.len()), value)
            }
        };
        if key.eq_ignore_ascii_case(name) {
            return value.get(..end);
        }
        let after = value.get(end..).unwrap_or(&[]);
        let comma = after.iter().position(|octet| *octet == b',');
        rest = comma.and_then(|at| after.get(at + 1..)).unwrap_or(&[]);
    }
    None
}

/// The log-ins of one connection.
#[derive(Default)]
pub(super) struct Logons {
    pending: BTreeMap<u32, Asked>,
    /// NTLM and Negotiate: their tokens pass over several exchanges.
    tokens: Logon,
    /// The last log-in that succeeded and was told.
    told: Option<Shown>,
}

struct Asked {
    time: Nanos,
    host: Option<Text>,
    shown: Vec<Shown>,
}

impl Logons {
    /// The head of a request.
    pub(super) fn request(&mut self, number: u32, head: &mut Head, cx: &mut Context<'_>) {
        let mut shown = std::mem::take(&mut head.logons);
        for one in &mut shown {
            let What::Token { octets, .. } = &mut one.what else {
                continue;
            };
            let octets = std::mem::take(octets);
            if self.tokens.is_whole() {
                self.end_tokens(None, one, None, cx);
            }
            self.tokens.token(Side::Client, &octets, cx.now);
        }
        if self.pending.len() >= PENDING_MAX {
            cx.anomaly("http-logons-limit");
            self.pending.pop_first();
        }
        let host = head.http.host.clone();
        let time = cx.now;
        self.pending.insert(number, Asked { time, host, shown });
    }

    /// The head of an answer.
    pub(super) fn answer(&mut self, number: u32, head: &Head, cx: &mut Context<'_>) {
        let code = head.code.unwrap_or(0);
        if (100..200).contains(&code) {
            return;
        }
        let Some(asked) = self.pending.remove(&number) else {
            return;
        };
        for one in &head.logons {
            if let What::Token { octets, .. } = &one.what {
                self.tokens.token(Side::Server, octets, cx.now);
            }
        }
        for shown in asked.shown {
            let status = outcome(code, shown.proxy);
            let word = Text::from(code.to_string());
            if matches!(shown.what, What::Token { .. }) {
                if self.tokens.is_whole() {
                    let outcome = Some((status, word));
                    self.end_tokens(outcome, &shown, asked.host.as_ref(), cx);
                }
                continue;
            }
            if status == SUCCESS && self.told.as_ref() == Some(&shown) {
                continue;
            }
            let draft = shown.draft(asked.time, asked.host.as_ref());
            cx.emit(draft.status(status, Some(word)));
            self.told = (status == SUCCESS).then_some(shown);
        }
    }

    fn end_tokens(
        &mut self,
        outcome: Option<(u16, Text)>,
        shown: &Shown,
        host: Option<&Text>,
        cx: &mut Context<'_>,
    ) {
        let Some(mut draft) = self.tokens.take(outcome) else {
            return;
        };
        if let Body::Authentication(body) = &mut draft.body {
            body.facts.extend(shown.facts(host));
            if body.service.is_none() {
                body.service = Some(Text::Borrowed("http"));
            }
        }
        cx.emit(draft);
    }

    /// The connection is over: log-ins without answer are told without outcome.
    pub(super) fn end(&mut self, cx: &mut Context<'_>) {
        for (_, asked) in std::mem::take(&mut self.pending) {
            for shown in asked.shown {
                if matches!(shown.what, What::Token { .. }) {
                    self.end_tokens(None, &shown, asked.host.as_ref(), cx);
                } else if self.told.as_ref() != Some(&shown) {
                    cx.emit(shown.draft(asked.time, asked.host.as_ref()));
                }
            }
        }
    }

    /// Heap bytes held; an estimate that errs high.
    pub(super) fn heap_bytes(&self) -> usize {
        let shown = |shown: &Shown| {
            size_of::<Shown>()
                + match &shown.what {
                    What::Basic { user } | What::Digest { user, .. } => user.len() + 512,
                    What::Token { octets, .. } => octets.len(),
                }
        };
        let pending = self.pending.values();
        let pending = pending.map(|asked| 512 + asked.shown.iter().map(shown).sum::<usize>());
        size_of::<Self>() + pending.sum::<usize>() + self.tokens.heap_bytes()
    }
}

impl Shown {
    fn facts(&self, host: Option<&Text>) -> Vec<Text> {
        let mut facts = Facts::of("http");
        facts.maybe("host", host);
        if self.proxy {
            facts.add("proxy", true);
        }
        if let What::Digest {
            realm, algorithm, ..
        } = &self.what
        {
            facts.maybe("realm", realm.as_ref());
            facts.maybe("algorithm", algorithm.as_ref());
        }
        if let What::Token { scheme, .. } = &self.what {
            facts.add("scheme", scheme);
        }
        facts.take()
    }

    fn draft(&self, time: Nanos, host: Option<&Text>) -> Draft {
        let (user, protocol, word, clear) = match &self.what {
            What::Basic { user } => (user.as_str(), "Basic Authentication", "Basic", true),
            What::Digest { user, .. } => (user.as_str(), "Digest", "Digest", false),
            What::Token { scheme, .. } => ("", *scheme, *scheme, false),
        };
        let (domain, user) = match user.split_once('\\') {
            Some((domain, user)) if !user.contains('\\') => (short(domain.as_bytes()), user),
            _ => (None, user),
        };
        let body = Authentication {
            user: (!user.is_empty()).then(|| Sensitive::text(user)),
            domain,
            auth_protocol: Some(Text::Borrowed(protocol)),
            is_cleartext: Some(clear),
            is_remote: Some(true),
            logon_type: Some(if clear { NETWORK_CLEARTEXT } else { NETWORK }),
            service: Some(Text::Borrowed("http")),
            mechanism: Some(Text::Borrowed(word)),
            facts: self.facts(host),
            ..Authentication::default()
        };
        Draft::new(time, LOGON, body)
    }
}

/// What an answer says about a log-in. Other errors may come before or after it was looked at.
const fn outcome(code: u16, proxy: bool) -> u16 {
    match code {
        407 if proxy => FAILURE,
        401 if !proxy => FAILURE,
        // The proxy let it pass: the server asks.
        401 if proxy => SUCCESS,
        200..=399 => SUCCESS,
        _ => 0,
    }
}

/// True for the fields that [`shown`] reads, of requests or of answers.
pub(super) fn is_field(name: &[u8], request: bool) -> bool {
    let bare = after(name, b"proxy-").or_else(|| after(name, b"www-"));
    let answers = !request && bare == Some(b"authenticate".as_slice());
    let asks = request && (name == b"authorization" || bare == Some(b"authorization".as_slice()));
    asks || answers
}

/// Takes a head of exchange `number`.
pub(super) fn head(
    logons: &mut Option<Box<Logons>>,
    number: Option<u32>,
    head: &mut Head,
    cx: &mut Context<'_>,
) {
    let Some(number) = number else {
        return;
    };
    if head.is_request() {
        if !head.logons.is_empty() {
            logons.get_or_insert_default().request(number, head, cx);
        }
    } else if let Some(logons) = logons {
        logons.answer(number, head, cx);
    }
}

impl Head {
    /// Notes what a field shows of a log-in.
    pub(super) fn logon_field(&mut self, name: &[u8], value: &[u8]) {
        if self.logons.len() < SHOWN_MAX
            && is_field(name, self.is_request())
            && let Some(shown) = shown(name, value)
        {
            self.logons.push(shown);
        }
    }
}

#[cfg(test)]
mod tests;
