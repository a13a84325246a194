//! Both sides of one IMAP session.
//!
//! Enters: commands, answers, literals. Leaves: log-ins, mails, the session itself. Refuses: to
//! hold more than [`ASKED_MAX`] commands without answer: then the oldest is forgotten; to join more
//! than [`COMMAND_BYTES_MAX`] octets to one command.
//! Source: RFC 9051 sections 2, 6 and 7.

use std::collections::VecDeque;

use model::fact::Facts;
use model::{Nanos, Text};

use super::parser::{Verb, command, identity, is_mail, literal, outcome, string};
use crate::protocol::shared::exchange::{self, SUCCESS, TRAFFIC};
use crate::protocol::shared::lines::{self, Lines};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::mail::Content;
use crate::protocol::shared::sasl::Sasl;
use crate::protocol::shared::text::{after, holds, short, word};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most commands that wait for their answer.
pub(super) const ASKED_MAX: usize = 64;
/// Most octets of one command, its literals included.
pub(super) const COMMAND_BYTES_MAX: usize = 4096;
/// Longest line; answers with BODYSTRUCTURE are long.
const LINE_BYTES_MAX: usize = 32 * 1024;
/// Longest tag that is kept.
const TAG_BYTES_MAX: usize = 64;
/// OCSF activity of a mail fetched: Receive.
const RECEIVE: u16 = 2;

/// One flow's IMAP.
#[derive(Default)]
pub(super) struct ImapSession {
    lines: [Lines; 2],
    /// The command being joined from lines and literals.
    held: Vec<u8>,
    /// Octets of the client's literal to come.
    left: u64,
    asked: VecDeque<Asked>,
    /// The exchange of SASL at hand.
    sasl: Option<Box<Sasl>>,
    answering: bool,
    /// A mail being fetched, and octets of it to come.
    mail: Option<(Nanos, Box<Content>, u64)>,
    start: Option<Nanos>,
    banner: Option<Text>,
    client: Option<Text>,
    server: Option<Text>,
    starttls: Option<&'static str>,
    sure: bool,
    tally: Tally,
}

struct Asked {
    tag: Vec<u8>,
    verb: Verb,
    time: Nanos,
    user: Option<String>,
}

#[derive(Default)]
struct Tally {
    commands: u64,
    failed: u64,
    mailboxes: u64,
    fetched: u64,
    appended: u64,
}

impl Session for ImapSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.start.get_or_insert(cx.now);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            if let Some(used) = self.literal_bytes(side, rest, cx) {
                at += used;
                continue;
            }
            let Some(found) = lines::of(&mut self.lines, side).next(rest, LINE_BYTES_MAX) else {
                return Step::consumed(at);
            };
            at += found.used;
            let Some(line) = found.line else {
                continue;
            };
            if found.cut {
                cx.anomaly("imap-long-line");
            }
            let next = match side {
                Side::Client => self.client_line(line, cx),
                Side::Server => self.server_line(line, cx),
            };
            if let Some(next) = next {
                return Step { consumed: at, next };
            }
        }
    }

    fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("imap-gap");
        match side {
            Side::Client => {
                let inside = missing.min(self.left);
                self.left -= inside;
                if missing > inside {
                    self.held = Vec::new();
                    lines::of(&mut self.lines, side).lose();
                }
            }
            Side::Server => {
                let mut inside = 0;
                if let Some((_, content, left)) = &mut self.mail {
                    inside = missing.min(*left);
                    *left -= inside;
                    content.lose();
                }
                if missing > inside {
                    lines::of(&mut self.lines, side).lose();
                }
            }
        }
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.end_mail(cx);
        self.tell_session(cx);
    }

    fn heap_bytes(&self) -> usize {
        let mail = self
            .mail
            .as_ref()
            .map_or(0, |mail| size_of::<Content>() + mail.1.heap_bytes());
        let asked = self.asked.len() * (size_of::<Asked>() + 128);
        size_of::<Self>() + self.held.capacity() + mail + asked + 512
    }
}

impl ImapSession {
    /// Takes octets of a literal; `None` when none is open on this side.
    fn literal_bytes(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> Option<usize> {
        let len = |left: u64| usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        match side {
            Side::Client if self.left > 0 => {
                let here = len(self.left);
                let room = COMMAND_BYTES_MAX.saturating_sub(self.held.len());
                let piece = rest.get(..here.min(room)).unwrap_or(&[]);
                self.held.extend_from_slice(piece);
                self.left -= u64::try_from(here).unwrap_or(u64::MAX).min(self.left);
                Some(here)
            }
            Side::Server => {
                let (_, content, left) = self.mail.as_mut()?;
                let here = len(*left);
                content.feed(rest.get(..here).unwrap_or(&[]));
                *left -= u64::try_from(here).unwrap_or(u64::MAX).min(*left);
                if *left == 0 {
                    self.end_mail(cx);
                }
                Some(here)
            }
            Side::Client => None,
        }
    }

    fn end_mail(&mut self, cx: &mut Context<'_>) {
        let Some((time, mut content, left)) = self.mail.take() else {
            return;
        };
        if left == 0 {
            content.close();
        }
        self.tally.fetched += 1;
        if !content.is_empty() {
            let draft = Draft::new(time, RECEIVE, content.finish(cx.drafts));
            cx.emit(draft.status(SUCCESS, Some(Text::Borrowed("FETCH"))));
        }
    }

    fn client_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        if self.held.is_empty() && std::mem::take(&mut self.answering) {
            if let Some(sasl) = &mut self.sasl {
                sasl.answer(line);
                self.answering = sasl.wants_more();
            }
            return None;
        }
        let length = literal(line);
        if length.is_some() || !self.held.is_empty() {
            let room = COMMAND_BYTES_MAX.saturating_sub(self.held.len());
            self.held
                .extend_from_slice(line.get(..line.len().min(room)).unwrap_or(&[]));
        }
        if let Some(length) = length {
            let (_, verb, _) = command(&self.held);
            if verb == Verb::Append {
                // The mail that is stored passes uncopied; the command goes on after it.
                return (length > 0).then_some(Next::Skip(length));
            }
            self.left = length;
            return None;
        }
        if self.held.is_empty() {
            return self.obey(line, cx);
        }
        let held = std::mem::take(&mut self.held);
        self.obey(&held, cx)
    }

    fn obey(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        let (tag, verb, arguments) = command(line);
        let mut user = None;
        match verb {
            Verb::Other if !self.sure => return Some(Next::NotMine),
            // DONE ends IDLE and has no tag.
            Verb::Other if tag.eq_ignore_ascii_case(b"DONE") || tag.is_empty() => return None,
            Verb::Other => cx.anomaly("imap-unknown-command"),
            Verb::Login => user = string(arguments),
            Verb::Authenticate => {
                let (mechanism, initial) = word(arguments);
                let mut sasl = Sasl::new(mechanism);
                if !initial.is_empty() {
                    sasl.initial(initial);
                }
                self.answering = sasl.wants_more();
                self.sasl = Some(Box::new(sasl));
            }
            Verb::StartTls => self.starttls = Some("asked"),
            Verb::Id => {
                self.client = software(arguments).or(self.client.take());
            }
            Verb::Select | Verb::Fetch | Verb::Append | Verb::Plain => {}
        }
        self.sure = true;
        self.tally.commands += 1;
        if self.asked.len() >= ASKED_MAX {
            cx.anomaly("imap-commands-limit");
            self.asked.pop_front();
        }
        self.asked.push_back(Asked {
            tag: tag.get(..TAG_BYTES_MAX).unwrap_or(tag).to_vec(),
            verb,
            time: cx.now,
            user,
        });
        None
    }

    fn server_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        if line == b"+" || line.starts_with(b"+ ") {
            let expected = self.sasl.as_mut().is_some_and(|sasl| sasl.challenge());
            self.answering |= expected;
            return None;
        }
        if let Some(text) = line.strip_prefix(b"* ") {
            return self.untagged(text, line, cx);
        }
        let (tag, text) = word(line);
        let at = self.asked.iter().position(|asked| asked.tag == tag);
        if let Some(asked) = at.and_then(|at| self.asked.remove(at)) {
            return self.answered(asked, text, cx);
        }
        if let Some(length) = literal(line).filter(|length| *length > 0) {
            return self.server_literal(line, length, cx);
        }
        (!self.sure).then_some(Next::NotMine)
    }

    fn server_literal(&mut self, line: &[u8], length: u64, cx: &mut Context<'_>) -> Option<Next> {
        if !is_mail(line) {
            return Some(Next::Skip(length));
        }
        let content = Content::of("imap", Side::Server, cx);
        self.mail = Some((cx.now, Box::new(content), length));
        None
    }

    fn untagged(&mut self, text: &[u8], line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        if self.banner.is_none() && self.asked.is_empty() && !self.sure {
            self.sure = true;
            self.banner = short(word(text).1);
        }
        if let Some(list) = after(text, b"ID (") {
            self.server = software(list);
        }
        let offers = holds(text, b"STARTTLS");
        if offers && self.starttls.is_none() {
            self.starttls = Some("offered");
        }
        match literal(line).filter(|length| *length > 0) {
            Some(length) => self.server_literal(line, length, cx),
            None => None,
        }
    }

    fn answered(&mut self, asked: Asked, text: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        let Some((good, word)) = outcome(text) else {
            cx.anomaly("imap-malformed-answer");
            return None;
        };
        self.tally.failed += u64::from(!good);
        let code = Some(Text::Borrowed(word));
        match asked.verb {
            Verb::Login => {
                let logon = Logon::plain(asked.time, asked.user, "LOGIN");
                logon.emit("imap", Some(good), code, cx);
            }
            Verb::Authenticate => {
                self.answering = false;
                if let Some(sasl) = self.sasl.take() {
                    Logon::of_sasl(asked.time, *sasl).emit("imap", Some(good), code, cx);
                }
            }
            Verb::StartTls => {
                self.starttls = Some(if good { "accepted" } else { "refused" });
                if good {
                    return Some(Next::Restart);
                }
            }
            Verb::Select => self.tally.mailboxes += u64::from(good),
            Verb::Append => self.tally.appended += u64::from(good),
            Verb::Fetch | Verb::Id | Verb::Plain | Verb::Other => {}
        }
        None
    }

    fn tell_session(&mut self, cx: &mut Context<'_>) {
        if !self.sure {
            return;
        }
        let mut facts = Facts::of("imap");
        facts.maybe("banner", self.banner.as_deref());
        facts.maybe("client", self.client.as_deref());
        facts.maybe("server", self.server.as_deref());
        facts.maybe("starttls", self.starttls);
        facts.add("commands", self.tally.commands);
        facts.add("failed", self.tally.failed);
        facts.add("mailboxes", self.tally.mailboxes);
        facts.add("fetched", self.tally.fetched);
        facts.add("appended", self.tally.appended);
        let body = exchange::body("imap", "session", &mut facts);
        cx.emit(Draft::new(self.start.unwrap_or(cx.now), TRAFFIC, body));
    }
}

/// Name and version of an ID list.
fn software(list: &[u8]) -> Option<Text> {
    let name = identity(list, b"name")?;
    let text = match identity(list, b"version") {
        Some(version) => format!("{name} {version}"),
        None => name,
    };
    short(text.as_bytes())
}
