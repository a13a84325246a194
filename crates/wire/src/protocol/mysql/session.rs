//! Both sides of one connection.
//!
//! Enters: packets. Leaves: the log-in, the session. Refuses: to look at more than
//! [`PACKET_BYTES_MAX`] octets of a packet. Source: MySQL internals manual, "Command Phase".

use codec::bytes::Reader;
use model::fact::Facts;
use model::{Nanos, Text};

use super::parser::{ATTRIBUTES, answer, greeting};
use crate::protocol::shared::exchange::{self, TRAFFIC};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::sql::Kinds;
use crate::protocol::shared::text::short;
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most octets of one packet that are looked at.
pub(super) const PACKET_BYTES_MAX: usize = 1024;
/// Octets of a command that are looked at.
const COMMAND_BYTES_MAX: usize = 256;

/// One flow's MySQL.
#[derive(Default)]
pub(super) struct MysqlSession {
    start: Option<Nanos>,
    version: Option<Text>,
    plugin: Option<String>,
    capabilities: u32,
    logon: Option<Logon>,
    answered: bool,
    database: Option<Text>,
    tls: bool,
    kinds: Kinds,
    /// The server's next packet is the first of an answer.
    waiting: bool,
    errors: u64,
    error: Option<Text>,
}

impl Session for MysqlSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.start.get_or_insert(cx.now);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let Some(&[a, b, c, sequence]) = rest.first_chunk::<4>() else {
                return Step::consumed(at);
            };
            let length = usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap_or(0);
            let wanted = self.wanted(side, sequence).min(length);
            let Some(body) = rest.get(4..4 + wanted) else {
                return Step::need(at, 4 + wanted);
            };
            at += 4 + wanted;
            match side {
                Side::Server => {
                    if !self.server_packet(sequence, body, length, cx) {
                        return Step::NOT_MINE;
                    }
                }
                Side::Client => {
                    if self.client_packet(sequence, body, cx) {
                        let next = Next::Restart;
                        return Step { consumed: at, next };
                    }
                }
            }
            if length > wanted {
                let left = u64::try_from(length - wanted).unwrap_or(u64::MAX);
                return Step::skip(at, left);
            }
        }
    }

    fn gap(&mut self, _side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("mysql-gap");
        false
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if let Some(logon) = self.logon.take() {
            logon.emit("mysql", None, None, cx);
        }
        let mut facts = Facts::of("mysql");
        facts.maybe("server_version", self.version.as_deref());
        facts.maybe("database", self.database.as_deref());
        facts.add("tls", self.tls);
        facts.add("errors", self.errors);
        facts.maybe("last_error", self.error.as_deref());
        self.kinds.tell(&mut facts);
        let mut body = exchange::body("mysql", "session", &mut facts);
        body.object_count = Some(self.kinds.total());
        cx.emit(Draft::new(self.start.unwrap_or(cx.now), TRAFFIC, body));
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + 2048
    }
}

impl MysqlSession {
    /// How many octets of the next packet are looked at.
    const fn wanted(&self, side: Side, sequence: u8) -> usize {
        match side {
            Side::Client if !self.answered => PACKET_BYTES_MAX,
            Side::Client if sequence == 0 => COMMAND_BYTES_MAX,
            Side::Server if self.version.is_none() || self.logon.is_some() || self.waiting => {
                PACKET_BYTES_MAX
            }
            Side::Client | Side::Server => 0,
        }
    }

    /// A packet of the server; false when it is no greeting.
    fn server_packet(
        &mut self,
        sequence: u8,
        body: &[u8],
        length: usize,
        cx: &mut Context<'_>,
    ) -> bool {
        if self.version.is_none() && self.logon.is_none() && !self.answered {
            let Some((version, plugin)) = greeting(body).filter(|_| sequence == 0) else {
                return false;
            };
            self.version = short(version.as_bytes());
            self.plugin = plugin;
            return true;
        }
        let failed = body.first() == Some(&0xff) && body.len() >= 3;
        if failed {
            self.errors += 1;
            let code = body.get(1..3).and_then(|code| code.try_into().ok());
            self.error = code.map(|code| Text::Owned(u16::from_le_bytes(code).to_string()));
        }
        self.waiting = false;
        let Some(logon) = &mut self.logon else {
            return true;
        };
        match body.first() {
            Some(0xff) => self.decide(false, cx),
            // Another plugin is asked for; alone it is the old one.
            Some(0xfe) => {
                let name = body
                    .get(1..)
                    .unwrap_or(&[])
                    .split(|&octet| octet == 0)
                    .next();
                let name = name.and_then(short);
                logon.cleartext = name.as_deref() == Some("mysql_clear_password");
                logon.mechanism = name.or(Some(Text::Borrowed("mysql_old_password")));
            }
            Some(0) if length >= 5 => self.decide(true, cx),
            _ => {}
        }
        true
    }

    fn decide(&mut self, good: bool, cx: &mut Context<'_>) {
        if let Some(logon) = self.logon.take() {
            let code = if good { None } else { self.error.clone() };
            logon.emit("mysql", Some(good), code, cx);
        }
    }

    /// A packet of the client; true when TLS follows.
    fn client_packet(&mut self, sequence: u8, body: &[u8], cx: &mut Context<'_>) -> bool {
        if !self.answered {
            let Some(said) = answer(body) else {
                cx.anomaly("mysql-answer-malformed");
                self.answered = true;
                return false;
            };
            self.capabilities = said.capabilities;
            if said.tls {
                self.tls = true;
                return true;
            }
            self.answered = true;
            self.database = said
                .database
                .as_deref()
                .and_then(|name| short(name.as_bytes()));
            let plugin = said.plugin.or_else(|| self.plugin.take());
            let mechanism = plugin.and_then(|name| short(name.as_bytes()));
            self.logon = Some(Logon {
                cleartext: mechanism.as_deref() == Some("mysql_clear_password"),
                mechanism: mechanism.or(Some(Text::Borrowed("mysql_native_password"))),
                ..Logon::plain(cx.now, said.user, "")
            });
            return false;
        }
        if sequence != 0 {
            return false;
        }
        let Some((&command, text)) = body.split_first() else {
            return false;
        };
        // Quit, long data and the close of a statement have no answer.
        self.waiting |= !matches!(command, 0x01 | 0x18 | 0x19);
        match command {
            // Quit and ping are no statements.
            0x01 | 0x0e | 0x18 | 0x19 => {}
            0x03 => self.kinds.count(self.statement(text)),
            0x16 => self.kinds.count(text),
            0x02 => {
                self.database = short(text);
                self.kinds.add("use");
            }
            0x11 => self.kinds.add("change_user"),
            0x17 => self.kinds.add("execute"),
            _ => self.kinds.add("other"),
        }
        false
    }

    /// The text of a query, its attributes passed over when there are none.
    fn statement<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        if self.capabilities & ATTRIBUTES == 0 {
            return text;
        }
        let mut r = Reader::new(text);
        match r.array::<2>() {
            Some([0, 1]) => r.rest(),
            _ => b"with_attributes",
        }
    }
}
