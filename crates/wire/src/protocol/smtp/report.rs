//! What a session tells: mails, and the session itself.
//!
//! Enters: the state of a session. Leaves: drafts. Refuses: nothing.
//! Source: OCSF 1.8.0 `email_activity`; RFC 5321.

use model::class::Email;
use model::fact::Facts;
use model::limit::LIST_ITEMS_MAX;
use model::{Nanos, Sensitive, Text};

use super::session::SmtpSession;
use crate::protocol::shared::exchange::{self, FAILURE, SUCCESS, TRAFFIC};
use crate::protocol::shared::mail::Content;
use crate::protocol::shared::mime;
use crate::protocol::{Context, Draft, Side};

/// OCSF activity of a mail handed to a server: Send.
const SEND: u16 = 1;

/// A mail on its way.
pub(super) struct Mail {
    pub(super) time: Nanos,
    pub(super) from: Option<String>,
    pub(super) to: Vec<String>,
    pub(super) recipients: u32,
    pub(super) refused: u32,
    /// The last refusal.
    pub(super) refusal: Option<u16>,
    pub(super) domains: Vec<Text>,
    pub(super) content: Content,
}

impl SmtpSession {
    pub(super) fn tell(&mut self, mail: Box<Mail>, code: Option<u16>, cx: &mut Context<'_>) {
        if code.is_none() && mail.content.is_empty() && mail.to.is_empty() {
            return;
        }
        self.mails += 1;
        let mail = *mail;
        let header = mail.content.finish(cx.drafts);
        let mut domains = mail.domains;
        for domain in &header.to_domains {
            if domains.len() < LIST_ITEMS_MAX && !domains.contains(domain) {
                domains.push(domain.clone());
            }
        }
        let own = mail.from.as_deref().unwrap_or("").as_bytes();
        let envelope_domain = mime::domain(own).map(Text::Owned);
        let body = Email {
            hello: self.hello.clone(),
            banner: self.banner.clone(),
            envelope_from: mail.from.as_deref().map(Sensitive::text),
            envelope_to: (!mail.to.is_empty()).then(|| Sensitive::text(&mail.to.join(" "))),
            recipients: Some(mail.recipients),
            recipients_refused: (mail.refused > 0).then_some(mail.refused),
            from_domain: header.from_domain.clone().or(envelope_domain),
            to_domains: domains,
            ..header
        };
        let status = match code {
            None => 0,
            Some(code) if code < 400 => SUCCESS,
            Some(_) => FAILURE,
        };
        let code = code.map(|code| Text::Owned(code.to_string()));
        cx.emit(Draft::new(mail.time, SEND, body).status(status, code));
    }

    pub(super) fn tell_session(&mut self, cx: &mut Context<'_>) {
        if !self.sure || self.banner.is_none() && self.commands == 0 {
            return;
        }
        let mut facts = Facts::of("smtp");
        facts.maybe("banner", self.banner.as_deref());
        facts.maybe("hello", self.hello.as_deref());
        facts.maybe("starttls", self.tls);
        for (key, value) in self.facts.drain(..) {
            facts.add(key, value);
        }
        facts.add("mails", self.mails);
        facts.add("commands", self.commands);
        facts.add("refused", self.refused);
        let body = exchange::body("smtp", "session", &mut facts);
        cx.emit(Draft::new(self.start.unwrap_or(cx.now), TRAFFIC, body));
    }
}

impl Mail {
    pub(super) fn new(from: Option<String>, cx: &Context<'_>) -> Self {
        Self {
            time: cx.now,
            from,
            to: Vec::new(),
            recipients: 0,
            refused: 0,
            refusal: None,
            domains: Vec::new(),
            content: Content::of("smtp", Side::Client, cx),
        }
    }
}
