//! Both sides of one POP3 session.
//!
//! Enters: commands, answers, mails. Leaves: log-ins, mails, the session itself. Refuses: to hold
//! more than [`ASKED_MAX`] commands without answer: then the oldest is forgotten.
//! Source: RFC 1939; RFC 2449 section 6.6 (answers come in the order of commands).

use std::collections::VecDeque;

use model::fact::Facts;
use model::{Nanos, Text};

use super::parser::{Answer, Verb, answer, command};
use crate::protocol::shared::exchange::{self, SUCCESS, TRAFFIC};
use crate::protocol::shared::lines::{self, Lines};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::mail::{Content, LINE_BYTES_MAX};
use crate::protocol::shared::sasl::Sasl;
use crate::protocol::shared::text::{after, number, readable, short, word};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most commands that wait for their answer.
pub(super) const ASKED_MAX: usize = 256;
/// OCSF activity of a mail fetched: Receive.
const RECEIVE: u16 = 2;

/// One flow's POP3.
#[derive(Default)]
pub(super) struct Pop3Session {
    lines: [Lines; 2],
    asked: VecDeque<(Verb, Nanos)>,
    user: Option<String>,
    apop: Option<String>,
    sasl: Option<Box<Sasl>>,
    /// The client's next line answers a challenge.
    answering: bool,
    many: Option<Many>,
    banner: Option<Text>,
    software: Option<Text>,
    start: Option<Nanos>,
    stls: Option<&'static str>,
    sure: bool,
    tally: Tally,
}

/// An answer of many lines.
enum Many {
    Mail(Nanos, Box<Content>),
    List,
}

#[derive(Default)]
struct Tally {
    commands: u64,
    failed: u64,
    fetched: u64,
    deleted: u64,
    stored: Option<u64>,
}

impl Session for Pop3Session {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.start.get_or_insert(cx.now);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let Some(found) = lines::of(&mut self.lines, side).next(rest, LINE_BYTES_MAX) else {
                return Step::consumed(at);
            };
            at += found.used;
            if side == Side::Server
                && let Some(many) = self.many.take()
            {
                self.many_line(many, found.line, found.used, cx);
                continue;
            }
            let Some(line) = found.line else {
                continue;
            };
            if found.cut {
                cx.anomaly("pop3-long-line");
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

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("pop3-gap");
        lines::of(&mut self.lines, side).lose();
        if let (Side::Server, Some(Many::Mail(_, content))) = (side, &mut self.many) {
            content.lose();
        }
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if let Some(Many::Mail(time, content)) = self.many.take() {
            tell_mail(time, *content, cx);
        }
        self.tell_session(cx);
    }

    fn heap_bytes(&self) -> usize {
        let many = match &self.many {
            Some(Many::Mail(_, content)) => size_of::<Content>() + content.heap_bytes(),
            Some(Many::List) | None => 0,
        };
        size_of::<Self>() + self.asked.capacity() * 16 + many + 512
    }
}

impl Pop3Session {
    fn client_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        if std::mem::take(&mut self.answering) {
            if let Some(sasl) = &mut self.sasl {
                sasl.answer(line);
                self.answering = sasl.wants_more();
            }
            return None;
        }
        let (verb, argument) = command(line);
        match verb {
            Verb::Other if !self.sure => return Some(Next::NotMine),
            Verb::Other => cx.anomaly("pop3-unknown-command"),
            Verb::User => self.user = Some(readable(argument)),
            Verb::Apop => self.apop = Some(readable(word(argument).0)),
            Verb::Auth => {
                let (mechanism, initial) = word(argument);
                let mut sasl = Sasl::new(mechanism);
                if !initial.is_empty() {
                    sasl.initial(initial);
                }
                self.answering = sasl.wants_more();
                self.sasl = Some(Box::new(sasl));
            }
            Verb::Stls => self.stls = Some("asked"),
            Verb::Pass | Verb::Stat | Verb::Retr | Verb::Dele | Verb::Many | Verb::Plain => {}
        }
        self.tally.commands += 1;
        if self.asked.len() >= ASKED_MAX {
            cx.anomaly("pop3-commands-limit");
            self.asked.pop_front();
        }
        self.asked.push_back((verb, cx.now));
        None
    }

    fn server_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        let Some(found) = answer(line) else {
            if !self.sure {
                return Some(Next::NotMine);
            }
            cx.anomaly("pop3-malformed-answer");
            return None;
        };
        let (good, text) = match found {
            Answer::Good(text) => (true, text),
            Answer::Bad(text) => (false, text),
            Answer::More => {
                let expected = self.sasl.as_mut().is_some_and(|sasl| sasl.challenge());
                self.answering |= expected;
                return None;
            }
        };
        if !self.sure && self.banner.is_none() && good {
            self.sure = true;
            self.banner = short(text);
            // Nobody asks before the greeting.
            if self.asked.is_empty() {
                return None;
            }
        }
        let (verb, time) = self.asked.pop_front()?;
        self.sure = true;
        self.tally.failed += u64::from(!good);
        self.answered(verb, time, (good, text), cx)
    }

    fn answered(
        &mut self,
        verb: Verb,
        time: Nanos,
        (good, text): (bool, &[u8]),
        cx: &mut Context<'_>,
    ) -> Option<Next> {
        match verb {
            Verb::Pass => {
                let logon = Logon::plain(time, self.user.take(), "USER/PASS");
                logon.emit("pop3", Some(good), code(good), cx);
            }
            Verb::Apop => {
                let logon = Logon {
                    cleartext: false,
                    ..Logon::plain(time, self.apop.take(), "APOP")
                };
                logon.emit("pop3", Some(good), code(good), cx);
            }
            Verb::Auth => {
                self.answering = false;
                if let Some(sasl) = self.sasl.take() {
                    Logon::of_sasl(time, *sasl).emit("pop3", Some(good), code(good), cx);
                }
            }
            Verb::Stls => {
                self.stls = Some(if good { "accepted" } else { "refused" });
                if good {
                    return Some(Next::Restart);
                }
            }
            Verb::Stat => self.tally.stored = number(word(text).0).or(self.tally.stored),
            Verb::Retr if good => {
                let content = Content::of("pop3", Side::Server, cx);
                self.many = Some(Many::Mail(time, Box::new(content)));
            }
            Verb::Many if good => self.many = Some(Many::List),
            Verb::Dele if good => self.tally.deleted += 1,
            Verb::Retr | Verb::Many | Verb::Dele | Verb::User | Verb::Plain | Verb::Other => {}
        }
        None
    }

    fn many_line(
        &mut self,
        mut many: Many,
        line: Option<&[u8]>,
        used: usize,
        cx: &mut Context<'_>,
    ) {
        let over = line == Some(b".");
        match (&mut many, line) {
            (Many::Mail(..), _) if over => {}
            (Many::Mail(_, content), line) => {
                content.count(used);
                if let Some(line) = line {
                    let stuffed = line.starts_with(b"..");
                    content.line(line.get(usize::from(stuffed)..).unwrap_or(line));
                } else {
                    content.spoil("long line");
                }
            }
            (Many::List, Some(line)) => {
                if let Some(text) = after(line, b"IMPLEMENTATION ") {
                    self.software = short(text);
                } else if line.eq_ignore_ascii_case(b"STLS") && self.stls.is_none() {
                    self.stls = Some("offered");
                }
            }
            (Many::List, None) => {}
        }
        if !over {
            self.many = Some(many);
        } else if let Many::Mail(time, mut content) = many {
            content.close();
            self.tally.fetched += 1;
            tell_mail(time, *content, cx);
        }
    }

    fn tell_session(&mut self, cx: &mut Context<'_>) {
        if !self.sure {
            return;
        }
        let mut facts = Facts::of("pop3");
        facts.maybe("banner", self.banner.as_deref());
        facts.maybe("software", self.software.as_deref());
        facts.maybe("stls", self.stls);
        facts.add("commands", self.tally.commands);
        facts.add("failed", self.tally.failed);
        facts.add("fetched", self.tally.fetched);
        facts.add("deleted", self.tally.deleted);
        facts.maybe("stored", self.tally.stored);
        let body = exchange::body("pop3", "session", &mut facts);
        cx.emit(Draft::new(self.start.unwrap_or(cx.now), TRAFFIC, body));
    }
}

fn tell_mail(time: Nanos, content: Content, cx: &mut Context<'_>) {
    if !content.is_empty() {
        let draft = Draft::new(time, RECEIVE, content.finish(cx.drafts));
        cx.emit(draft.status(SUCCESS, Some(Text::Borrowed("+OK"))));
    }
}

fn code(good: bool) -> Option<Text> {
    Some(Text::Borrowed(if good { "+OK" } else { "-ERR" }))
}
