//! Both sides of one control connection.
//!
//! Enters: commands and replies. Leaves: exchanges and log-ins. Refuses: to hold more than
//! [`ASKED_MAX`] commands without answer: then the oldest is told without; to tell more than
//! [`EXCHANGES_MAX`] exchanges. Source: RFC 959 sections 4 and 5.

use std::collections::VecDeque;
use std::net::IpAddr;

use model::class::Ftp;
use model::{Nanos, Sensitive, Text};

use super::parser::{Reply, Verb, barred, command, reply, six, size};
use crate::file::expect::{Purpose, Transfer};
use crate::protocol::shared::exchange::{FAILURE, SUCCESS};
use crate::protocol::shared::lines::{self, Lines};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::text::{number, readable, short, word};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most commands that wait for their answer.
pub(super) const ASKED_MAX: usize = 64;
/// Most exchanges of one session that are told.
pub(super) const EXCHANGES_MAX: u32 = 100_000;
/// Longest line that is looked at.
const LINE_BYTES_MAX: usize = 4096;
/// Most replies of one command that are kept.
const CODES_MAX: usize = 16;
/// OCSF activity of what it does not name.
pub(super) const OTHER: u16 = 99;

/// One flow's FTP.
#[derive(Default)]
pub(super) struct FtpSession {
    lines: [Lines; 2],
    asked: VecDeque<Asked>,
    /// Code of the reply of several lines that is open.
    open: Option<u16>,
    user: Option<String>,
    /// The user that the server let in.
    known: Option<String>,
    banner: Option<Text>,
    system: Option<Text>,
    /// Where the next transfer's data will flow.
    data: Option<Data>,
    from: Option<String>,
    start: Option<Nanos>,
    sure: bool,
    told: u32,
}

#[derive(Clone, Copy)]
struct Data {
    mode: &'static str,
    ip: Option<IpAddr>,
    port: u16,
    /// Number of the announcement of its flow.
    announced: u64,
}

impl Data {
    /// A data connection to `ip`, else to `host`: its flow is announced.
    fn new(
        mode: &'static str,
        (ip, port): (Option<IpAddr>, u16),
        host: IpAddr,
        cx: &mut Context<'_>,
    ) -> Self {
        // Behind a translator the stated address is not the one on this wire; the flow is looked
        // for where the control connection goes.
        let transfer = Transfer {
            mode,
            ..Transfer::default()
        };
        let expected = &mut cx.files.expected;
        Self {
            mode,
            ip,
            port,
            announced: expected.add(cx.now, host, port, Purpose::Ftp(transfer)),
        }
    }
}

struct Asked {
    verb: Verb,
    name: String,
    argument: String,
    time: Nanos,
    codes: Vec<u64>,
    bytes: Option<u64>,
}

impl Session for FtpSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.start.get_or_insert(cx.now);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let Some(found) = lines::of(&mut self.lines, side).next(rest, LINE_BYTES_MAX) else {
                return Step::consumed(at);
            };
            at += found.used;
            let Some(line) = found.line else {
                continue;
            };
            if found.cut {
                cx.anomaly("ftp-long-line");
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
        cx.anomaly("ftp-gap");
        lines::of(&mut self.lines, side).lose();
        self.open = None;
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        while let Some(asked) = self.asked.pop_front() {
            self.tell(asked, None, cx);
        }
        if self.told == 0 && self.banner.is_some() {
            let body = Ftp {
                banner: self.banner.take(),
                system: self.system.take(),
                ..Ftp::default()
            };
            cx.emit(Draft::new(self.start.unwrap_or(cx.now), OTHER, body));
        }
    }

    fn heap_bytes(&self) -> usize {
        let asked = self.asked.iter().map(|asked| {
            size_of::<Asked>() + asked.argument.len() + asked.codes.capacity() * 8 + 16
        });
        size_of::<Self>() + asked.sum::<usize>() + 1024
    }
}

impl FtpSession {
    fn client_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        let (verb, name, argument) = command(line);
        match verb {
            Verb::Other if !self.sure => return Some(Next::NotMine),
            Verb::Other if line.is_empty() => return None,
            Verb::Other => cx.anomaly("ftp-unknown-command"),
            Verb::User => self.user = Some(readable(argument)),
            Verb::Active => {
                let data = if name == "EPRT" {
                    barred(argument)
                } else {
                    six(argument).map(|(ip, port)| (Some(ip), port))
                };
                let [client, _] = cx.hosts;
                self.data = data.map(|data| Data::new("active", data, client, cx));
                if data.is_none() {
                    cx.anomaly("ftp-malformed-port");
                }
            }
            Verb::Pass
            | Verb::Auth
            | Verb::Get
            | Verb::Put
            | Verb::List
            | Verb::Delete
            | Verb::RenameFrom
            | Verb::RenameTo
            | Verb::Path
            | Verb::Passive
            | Verb::Syst
            | Verb::Plain => {}
        }
        if self.asked.len() >= ASKED_MAX {
            cx.anomaly("ftp-commands-limit");
            if let Some(asked) = self.asked.pop_front() {
                self.tell(asked, None, cx);
            }
        }
        if let (Verb::Get | Verb::Put | Verb::List, Some(data)) = (verb, self.data) {
            let transfer = Transfer {
                command: name.clone(),
                path: readable(argument),
                user: self.known.clone(),
                mode: data.mode,
            };
            cx.files.expected.say(data.announced, &transfer);
        }
        // Of what may hold a secret, nothing is kept.
        let argument = if has_path(verb) {
            readable(argument)
        } else {
            String::new()
        };
        self.asked.push_back(Asked {
            verb,
            name,
            argument,
            time: cx.now,
            codes: Vec::new(),
            bytes: None,
        });
        None
    }

    fn server_line(&mut self, line: &[u8], cx: &mut Context<'_>) -> Option<Next> {
        let found = reply(line);
        if let Some(open) = self.open {
            let found = found.filter(|found| found.code == open && !found.more)?;
            self.open = None;
            return self.replied(found, cx);
        }
        let Some(found) = found else {
            if !self.sure {
                return Some(Next::NotMine);
            }
            cx.anomaly("ftp-malformed-reply");
            return None;
        };
        self.sure = true;
        if found.more {
            self.open = Some(found.code);
            self.greet(found);
            return None;
        }
        self.replied(found, cx)
    }

    fn greet(&mut self, found: Reply<'_>) {
        if found.code == 220 && self.asked.is_empty() && self.banner.is_none() {
            self.banner = short(found.text);
        }
    }

    /// A reply is whole.
    fn replied(&mut self, found: Reply<'_>, cx: &mut Context<'_>) -> Option<Next> {
        self.greet(found);
        let front = self.asked.front_mut()?;
        if front.codes.len() < CODES_MAX {
            front.codes.push(u64::from(found.code));
        }
        front.bytes = size(found.text).or(front.bytes);
        if found.code < 200 {
            return None;
        }
        let mut asked = self.asked.pop_front()?;
        let good = found.code < 400;
        match asked.verb {
            Verb::User => {
                if found.code != 331 && found.code != 332 {
                    self.logged_in(&asked, found.code, cx);
                }
            }
            Verb::Pass => self.logged_in(&asked, found.code, cx),
            Verb::Auth => {
                return (found.code == 234).then_some(Next::Restart);
            }
            Verb::Passive if good => {
                let [_, server] = cx.hosts;
                let data = passive(&asked.name, found.text);
                self.data = data.map(|data| Data::new("passive", data, server, cx));
            }
            Verb::Syst if found.code == 215 => self.system = short(found.text),
            Verb::RenameFrom if good => self.from = Some(asked.argument),
            Verb::Path
            | Verb::Get
            | Verb::Put
            | Verb::List
            | Verb::Delete
            | Verb::RenameTo
            | Verb::RenameFrom => {
                if found.code == 213 && asked.name == "SIZE" {
                    asked.bytes = number(word(found.text).0);
                }
                self.tell(asked, Some(found.code), cx);
            }
            Verb::Passive | Verb::Syst | Verb::Active | Verb::Plain | Verb::Other => {}
        }
        None
    }

    fn logged_in(&mut self, asked: &Asked, code: u16, cx: &mut Context<'_>) {
        let good = code < 400;
        let user = self.user.clone();
        if good {
            self.known.clone_from(&user);
        }
        let logon = Logon::plain(asked.time, user, "USER/PASS");
        logon.emit("ftp", Some(good), Some(Text::Owned(code.to_string())), cx);
    }

    /// Tells of one exchange; `code` is that of its final reply.
    fn tell(&mut self, asked: Asked, code: Option<u16>, cx: &mut Context<'_>) {
        if !has_path(asked.verb) {
            return;
        }
        if self.told >= EXCHANGES_MAX {
            return cx.anomaly("ftp-exchanges-limit");
        }
        self.told += 1;
        let transfers = matches!(asked.verb, Verb::Get | Verb::Put | Verb::List);
        let data = if transfers { self.data.take() } else { None };
        let path = |text: &str| (!text.is_empty()).then(|| Sensitive::path(text));
        let (named, renamed_to) = if asked.verb == Verb::RenameTo {
            let from = self.from.take().unwrap_or_default();
            (path(&from), path(&asked.argument))
        } else {
            (path(&asked.argument), None)
        };
        let activity = activity(asked.verb);
        let body = Ftp {
            command: Some(Text::Owned(asked.name)),
            codes: asked.codes,
            data_port: data.map(|data| data.port),
            mode: data.map(|data| Text::Borrowed(data.mode)),
            path: named,
            bytes: asked.bytes,
            renamed_to,
            data_ip: data.and_then(|data| data.ip),
            user: self.known.as_deref().map(Sensitive::text),
            banner: self.banner.clone(),
            system: self.system.clone(),
            ..Ftp::default()
        };
        let status = match code {
            None => 0,
            Some(code) if code < 400 => SUCCESS,
            Some(_) => FAILURE,
        };
        let code = code.map(|code| Text::Owned(code.to_string()));
        cx.emit(Draft::new(asked.time, activity, body).status(status, code));
    }
}

/// Where a server waits for the data connection.
fn passive(command: &str, text: &[u8]) -> Option<(Option<IpAddr>, u16)> {
    if command == "EPSV" {
        return barred(text);
    }
    let at = text.iter().position(|&octet| octet == b'(');
    let (ip, port) = six(text.get(at.unwrap_or(0)..)?)?;
    Some((Some(ip), port))
}

/// True for commands whose argument is a path.
const fn has_path(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::Get
            | Verb::Put
            | Verb::List
            | Verb::Delete
            | Verb::RenameFrom
            | Verb::RenameTo
            | Verb::Path
    )
}

pub(super) const fn activity(verb: Verb) -> u16 {
    match verb {
        Verb::Put => 1,
        Verb::Get => 2,
        Verb::Delete => 4,
        Verb::RenameFrom | Verb::RenameTo => 5,
        Verb::List => 6,
        Verb::User
        | Verb::Pass
        | Verb::Auth
        | Verb::Path
        | Verb::Passive
        | Verb::Active
        | Verb::Syst
        | Verb::Plain
        | Verb::Other => OTHER,
    }
}
