//! Both sides of one SMTP session.
//!
//! Enters: commands, replies, contents. Leaves: mails, log-ins, the session itself. Refuses: to
//! hold more than [`ASKED_MAX`] commands without answer: the oldest is given up.
//! Source: RFC 5321 sections 3 and 4; RFC 2920 (replies come in the order of commands).

use std::collections::VecDeque;

use model::{Nanos, Text};

use super::parser::{Reply, Verb, chunk, command, path, reply};
use super::report::Mail;
use crate::protocol::shared::lines::{self, Lines};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::mail::{LINE_BYTES_MAX, add_domains};
use crate::protocol::shared::sasl::Sasl;
use crate::protocol::shared::text::{after, readable, short, word};
use crate::protocol::{Context, Next, Session, Side, Step};

/// Most commands that wait for their reply.
pub(super) const ASKED_MAX: usize = 64;
/// Most recipients of one mail that are kept; more are counted.
pub(super) const RECIPIENTS_MAX: usize = 64;

/// One flow's SMTP.
#[derive(Default)]
pub(super) struct SmtpSession {
    lines: [Lines; 2],
    mode: Mode,
    asked: VecDeque<Asked>,
    mail: Option<Box<Mail>>,
    sasl: Option<Box<(Nanos, Sasl)>>,
    pub(super) hello: Option<Text>,
    pub(super) banner: Option<Text>,
    pub(super) facts: Vec<(&'static str, Text)>,
    pub(super) start: Option<Nanos>,
    pub(super) tls: Option<&'static str>,
    /// A command of SMTP, or a greeting, was seen.
    pub(super) sure: bool,
    pub(super) mails: u64,
    pub(super) commands: u64,
    pub(super) refused: u64,
}

/// What the client's next bytes are.
#[derive(Clone, Copy, Default, PartialEq)]
enum Mode {
    #[default]
    Command,
    /// Lines of a mail, up to a lone dot.
    Data,
    /// So many octets of a mail; true when it ends with them.
    Chunk(u64, bool),
    /// One answer to a challenge.
    Auth,
}

/// A command that waits for its reply, with the mail that ends with it.
struct Asked {
    verb: Verb,
    mail: Option<Box<Mail>>,
}

impl Session for SmtpSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.start.get_or_insert(cx.now);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            if let (Side::Client, Mode::Chunk(left, last)) = (side, self.mode) {
                at += self.chunk_bytes(rest, left, last);
                continue;
            }
            let Some(found) = lines::of(&mut self.lines, side).next(rest, LINE_BYTES_MAX) else {
                return Step::consumed(at);
            };
            at += found.used;
            if side == Side::Client && self.mode == Mode::Data {
                self.data_line(found.line, found.used, cx);
                continue;
            }
            let Some(line) = found.line else {
                continue;
            };
            if found.cut {
                cx.anomaly("smtp-long-line");
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
        cx.anomaly("smtp-gap");
        match (side, self.mode) {
            (Side::Client, Mode::Chunk(left, last)) => {
                self.lose_content();
                let inside = missing.min(left);
                self.mode = Mode::Chunk(left - inside, last);
                if missing > left {
                    lines::of(&mut self.lines, side).lose();
                }
                if left == inside {
                    self.end_chunk(last);
                }
            }
            (Side::Client, Mode::Data) => {
                self.lose_content();
                lines::of(&mut self.lines, side).lose();
            }
            (Side::Client, Mode::Command | Mode::Auth) | (Side::Server, _) => {
                lines::of(&mut self.lines, side).lose();
            }
        }
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        while let Some(asked) = self.asked.pop_front() {
            if let Some(mail) = asked.mail {
                self.tell(mail, None, cx);
            }
        }
        if let Some(mail) = self.mail.take() {
            self.tell(mail, None, cx);
        }
        if let Some(sasl) = self.sasl.take() {
            Logon::of_sasl(sasl.0, sasl.1).emit("smtp", None, None, cx);
        }
        self.tell_session(cx);
    }

    fn heap_bytes(&self) -> usize {
        let of = |mail: &Mail| {
            let to: usize = mail.to.iter().map(|text| text.len() + 32).sum();
            size_of::<Mail>() + mail.content.heap_bytes() + to + 256
        };
        let asked = self
            .asked
            .iter()
            .map(|asked| size_of::<Asked>() + asked.mail.as_deref().map_or(0, of));
        size_of::<Self>() + asked.sum::<usize>() + self.mail.as_deref().map_or(0, of) + 1024
    }
}

impl SmtpSession {
    fn ask(&mut self, verb: Verb, mail: Option<Box<Mail>>, cx: &mut Context<'_>) {
        if self.asked.len() >= ASKED_MAX {
            cx.anomaly("smtp-commands-limit");
            if let Some(mail) = self.asked.pop_front().and_then(|asked| asked.mail) {
                self.tell(mail, None, cx);
            }
        }
        self.asked.push_back(Asked { verb, mail });
    }

    fn client_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        if self.mode == Mode::Auth {
            self.mode = Mode::Command;
            if let Some(sasl) = &mut self.sasl {
                sasl.1.answer(line);
                if sasl.1.wants_more() {
                    self.mode = Mode::Auth;
                }
            }
            return None;
        }
        let (verb, argument) = command(line);
        if verb == Verb::Other {
            if !self.sure {
                return Some(Next::NotMine);
            }
            if !line.is_empty() {
                cx.anomaly("smtp-unknown-command");
            }
        }
        self.sure |= matches!(verb, Verb::Hello | Verb::Mail | Verb::Rcpt);
        self.commands += 1;
        if self.tls == Some("asked") {
            cx.anomaly("smtp-pipelined-after-starttls");
        }
        self.obey(verb, argument, cx);
        None
    }

    fn obey(&mut self, verb: Verb, argument: &[u8], cx: &mut Context<'_>) {
        match verb {
            Verb::Hello => {
                self.hello = short(argument);
                self.over(verb, cx);
            }
            Verb::Rset | Verb::Quit => self.over(verb, cx),
            Verb::Mail => {
                if let Some(old) = self.mail.take() {
                    let refusal = old.refusal;
                    match refusal {
                        Some(_) => self.tell(old, refusal, cx),
                        None => cx.anomaly("smtp-nested-mail"),
                    }
                }
                let from = path(argument, b"FROM:").map(readable);
                self.mail = Some(Box::new(Mail::new(from, cx)));
                self.ask(verb, None, cx);
            }
            Verb::Rcpt => {
                let to = path(argument, b"TO:").unwrap_or(argument);
                let mail = self
                    .mail
                    .get_or_insert_with(|| Box::new(Mail::new(None, cx)));
                mail.recipients = mail.recipients.saturating_add(1);
                add_domains(&mut mail.domains, &[to]);
                if mail.to.len() < RECIPIENTS_MAX {
                    mail.to.push(readable(to));
                } else {
                    mail.content.note("smtp-recipients-limit");
                }
                self.ask(verb, None, cx);
            }
            Verb::Data => {
                self.ask(verb, None, cx);
                self.mode = Mode::Data;
            }
            Verb::Bdat => self.bdat(argument, cx),
            Verb::Auth => {
                let (mechanism, initial) = word(argument);
                let mut sasl = Sasl::new(mechanism);
                if !initial.is_empty() {
                    sasl.initial(initial);
                }
                if sasl.wants_more() {
                    self.mode = Mode::Auth;
                }
                self.sasl = Some(Box::new((cx.now, sasl)));
                self.ask(verb, None, cx);
            }
            Verb::StartTls => {
                self.tls = Some("asked");
                self.ask(verb, None, cx);
            }
            Verb::Plain | Verb::Other | Verb::Content => self.ask(verb, None, cx),
        }
    }

    /// The transaction at hand ends without content; its fate is known when `verb` is answered.
    fn over(&mut self, verb: Verb, cx: &mut Context<'_>) {
        let mail = self.mail.take();
        self.ask(verb, mail, cx);
    }

    fn bdat(&mut self, argument: &[u8], cx: &mut Context<'_>) {
        let Some((size, last)) = chunk(argument) else {
            cx.anomaly("smtp-bdat-size");
            return self.ask(Verb::Bdat, None, cx);
        };
        self.mail
            .get_or_insert_with(|| Box::new(Mail::new(None, cx)));
        self.mode = Mode::Chunk(size, last);
        if !last {
            self.ask(Verb::Bdat, None, cx);
        } else if size == 0 {
            self.end_chunk(true);
        }
    }

    /// Takes octets of a chunk; returns how many.
    fn chunk_bytes(&mut self, rest: &[u8], left: u64, last: bool) -> usize {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let piece = rest.get(..here).unwrap_or(&[]);
        if let Some(mail) = &mut self.mail {
            mail.content.feed(piece);
        }
        let left = left.saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
        self.mode = Mode::Chunk(left, last);
        if left == 0 {
            self.end_chunk(last);
        }
        here
    }

    fn end_chunk(&mut self, last: bool) {
        self.mode = Mode::Command;
        if last {
            self.end_content();
        }
    }

    fn data_line(&mut self, line: Option<&[u8]>, used: usize, cx: &Context<'_>) {
        let mail = self
            .mail
            .get_or_insert_with(|| Box::new(Mail::new(None, cx)));
        if line == Some(b".") {
            self.mode = Mode::Command;
            return self.end_content();
        }
        mail.content.count(used);
        if let Some(line) = line {
            let stuffed = line.starts_with(b"..");
            mail.content
                .line(line.get(usize::from(stuffed)..).unwrap_or(line));
        } else {
            mail.content.spoil("long line");
        }
    }

    /// The content is whole: the next reply decides what becomes of the mail.
    fn end_content(&mut self) {
        let mut mail = self.mail.take();
        if let Some(mail) = &mut mail {
            mail.content.close();
        }
        if self.asked.len() < ASKED_MAX {
            self.asked.push_back(Asked {
                verb: Verb::Content,
                mail,
            });
        } else {
            self.mail = mail;
        }
    }

    fn lose_content(&mut self) {
        if let Some(mail) = &mut self.mail {
            mail.content.lose();
        }
    }

    fn server_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        let Some(found) = reply(line) else {
            if !self.sure {
                return Some(Next::NotMine);
            }
            cx.anomaly("smtp-malformed-reply");
            return None;
        };
        self.sure |= found.code == 220;
        let front = self.asked.front().map(|asked| asked.verb);
        if front.is_none() && self.banner.is_none() && found.code == 220 {
            self.banner = short(found.text);
            return None;
        }
        if front == Some(Verb::Hello) && found.code == 250 {
            self.extension(found.text);
        }
        if !found.last {
            return None;
        }
        self.answered(front, found, cx)
    }

    /// A whole reply.
    fn answered(
        &mut self,
        front: Option<Verb>,
        found: Reply<'_>,
        cx: &mut Context<'_>,
    ) -> Option<Next> {
        if found.code == 334 {
            if self.sasl.as_mut().is_some_and(|sasl| sasl.1.challenge()) {
                self.mode = Mode::Auth;
            }
            return None;
        }
        let asked = self.asked.pop_front();
        let failed = found.code >= 400;
        self.refused += u64::from(failed);
        match front {
            None => {
                // The end of the content was lost, or the server gives up on its own.
                if self.mode == Mode::Data && found.code != 354 {
                    self.mode = Mode::Command;
                    if let Some(mail) = self.mail.take() {
                        self.tell(mail, Some(found.code), cx);
                    }
                }
            }
            Some(Verb::Mail | Verb::Rcpt | Verb::Bdat) => {
                if failed {
                    self.refuse(front == Some(Verb::Rcpt), found.code);
                }
            }
            Some(Verb::Data) => {
                let untouched = self
                    .mail
                    .as_ref()
                    .is_none_or(|mail| mail.content.is_empty());
                if failed && self.mode == Mode::Data && untouched {
                    self.mode = Mode::Command;
                    if let Some(mail) = self.mail.take() {
                        self.tell(mail, Some(found.code), cx);
                    }
                }
            }
            Some(Verb::Auth) => self.logged_on(found.code, cx),
            Some(Verb::StartTls) => {
                self.tls = Some(if found.code == 220 {
                    "accepted"
                } else {
                    "refused"
                });
                if found.code == 220 {
                    return Some(Next::Restart);
                }
            }
            Some(Verb::Content) => {
                if let Some(mail) = asked.and_then(|asked| asked.mail) {
                    self.tell(mail, Some(found.code), cx);
                }
            }
            Some(Verb::Hello | Verb::Rset | Verb::Quit | Verb::Plain | Verb::Other) => {
                if let Some(mail) = asked.and_then(|asked| asked.mail) {
                    let refusal = mail.refusal;
                    if refusal.is_some() {
                        self.tell(mail, refusal, cx);
                    }
                }
            }
        }
        None
    }

    /// The end of a log-in.
    fn logged_on(&mut self, code: u16, cx: &mut Context<'_>) {
        if let Some(sasl) = self.sasl.take() {
            let success = Some(code == 235);
            let code = Some(Text::Owned(code.to_string()));
            Logon::of_sasl(sasl.0, sasl.1).emit("smtp", success, code, cx);
        }
        self.mode = Mode::Command;
    }

    /// Notes a refusal at the mail that the reply belongs to: the oldest one.
    fn refuse(&mut self, recipient: bool, code: u16) {
        let mut waiting = self
            .asked
            .iter_mut()
            .filter_map(|asked| asked.mail.as_mut());
        if let Some(mail) = waiting.next().or(self.mail.as_mut()) {
            mail.refusal = Some(code);
            mail.refused = mail.refused.saturating_add(u32::from(recipient));
        }
    }

    fn extension(&mut self, text: &[u8]) {
        if after(text, b"AUTH").is_some_and(|rest| rest.starts_with(b" ") || rest.starts_with(b"="))
        {
            let offered = text.get(5..).unwrap_or(&[]);
            if self.facts.len() < 8
                && let Some(offered) = short(offered)
            {
                self.facts.push(("auth_offered", offered));
            }
        } else if text.trim_ascii().eq_ignore_ascii_case(b"STARTTLS") && self.tls.is_none() {
            self.tls = Some("offered");
        }
    }
}
