//! Both sides of one connection.
//!
//! Enters: messages. Leaves: the log-in, the session. Refuses: to look at more than
//! [`MESSAGE_BYTES_MAX`] octets of a message. Source: PostgreSQL 17 documentation, 53.2 and 53.7.

use codec::bytes::Reader;
use model::fact::Facts;
use model::{Nanos, Text};

use crate::protocol::shared::exchange::{self, TRAFFIC};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::sql::Kinds;
use crate::protocol::shared::text::{readable, short};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most octets of one message that are looked at.
pub(super) const MESSAGE_BYTES_MAX: usize = 1024;
/// Most parameters of the first message.
const PARAMETERS_MAX: usize = 64;
/// Longest first message that is waited for.
const STARTUP_BYTES_MAX: usize = 10_000;

/// One flow's PostgreSQL.
#[derive(Default)]
pub(super) struct PostgresqlSession {
    start: Option<Nanos>,
    stage: Stage,
    logon: Option<Logon>,
    user: Option<String>,
    database: Option<Text>,
    application: Option<Text>,
    version: Option<Text>,
    tls: Option<&'static str>,
    kinds: Kinds,
    errors: u64,
    error: Option<Text>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    /// The client's first message is to come, or to come again.
    #[default]
    Startup,
    /// The server's single octet is to come.
    Asked,
    Running,
}

impl Session for PostgresqlSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.start.get_or_insert(cx.now);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            match (side, self.stage) {
                (Side::Client, Stage::Startup | Stage::Asked) => {
                    let Some(length) = Reader::new(rest).u32_be() else {
                        return Step::consumed(at);
                    };
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    if !(8..=STARTUP_BYTES_MAX).contains(&length) {
                        return self.odd(at, cx);
                    }
                    let Some(message) = rest.get(4..length) else {
                        return Step::need(at, length);
                    };
                    at += length;
                    self.startup(message, cx);
                }
                (Side::Server, Stage::Asked) => {
                    at += 1;
                    self.stage = Stage::Startup;
                    match rest.first() {
                        Some(b'S' | b'G') => {
                            self.tls = Some("accepted");
                            let next = Next::Restart;
                            return Step { consumed: at, next };
                        }
                        Some(b'N') => self.tls = Some("refused"),
                        _ => return self.odd(at, cx),
                    }
                }
                // An error may come before anything was understood.
                (_, Stage::Running) | (Side::Server, Stage::Startup) => {
                    match self.message(side, rest, cx) {
                        Ok((used, 0)) => at += used,
                        Ok((used, skip)) => return Step::skip(at + used, skip),
                        Err(need) if need > 0 => return Step::need(at, need),
                        Err(_) => return self.odd(at, cx),
                    }
                }
            }
        }
    }

    fn gap(&mut self, _side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("postgresql-gap");
        false
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if let Some(logon) = self.logon.take() {
            logon.emit("postgresql", None, None, cx);
        }
        let mut facts = Facts::of("postgresql");
        facts.maybe("database", self.database.as_deref());
        facts.maybe("application", self.application.as_deref());
        facts.maybe("server_version", self.version.as_deref());
        facts.maybe("tls", self.tls);
        facts.add("errors", self.errors);
        facts.maybe("last_error", self.error.as_deref());
        self.kinds.tell(&mut facts);
        let mut body = exchange::body("postgresql", "session", &mut facts);
        body.object_count = Some(self.kinds.total());
        cx.emit(Draft::new(self.start.unwrap_or(cx.now), TRAFFIC, body));
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + 2048
    }
}

impl PostgresqlSession {
    fn odd(&self, consumed: usize, cx: &mut Context<'_>) -> Step {
        if self.user.is_none() {
            return Step::NOT_MINE;
        }
        cx.anomaly("postgresql-malformed");
        Step {
            consumed,
            next: Next::Done,
        }
    }

    fn startup(&mut self, message: &[u8], cx: &mut Context<'_>) {
        let mut r = Reader::new(message);
        match r.u32_be() {
            Some(0x04d2_162f | 0x04d2_1630) => {
                self.stage = Stage::Asked;
                self.tls = Some("asked");
                return;
            }
            Some(0x04d2_162e) => return self.kinds.add("cancel"),
            _ => {}
        }
        self.stage = Stage::Running;
        let mut parts = r.rest().split(|&octet| octet == 0);
        for _ in 0..PARAMETERS_MAX {
            let (Some(key), Some(value)) = (parts.next(), parts.next()) else {
                break;
            };
            match key {
                b"user" => self.user = Some(readable(value)),
                b"database" => self.database = short(value),
                b"application_name" => self.application = short(value),
                b"" => break,
                _ => {}
            }
        }
        self.logon = Some(Logon {
            cleartext: false,
            mechanism: Some(Text::Borrowed("trust")),
            ..Logon::plain(cx.now, self.user.clone(), "trust")
        });
    }

    /// Takes one message: octets used and octets to skip; or how many octets must be there, 0 when
    /// it is no message.
    fn message(
        &mut self,
        side: Side,
        rest: &[u8],
        cx: &mut Context<'_>,
    ) -> Result<(usize, u64), usize> {
        let mut r = Reader::new(rest);
        let (Some(kind), Some(length)) = (r.u8(), r.u32_be()) else {
            return Err(5);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let body = length.checked_sub(4).ok_or(0usize)?;
        if !kind.is_ascii_graphic() || body > i32::MAX.cast_unsigned() as usize {
            return Err(0);
        }
        let wanted = match (side, kind) {
            (Side::Client, b'Q' | b'P') | (Side::Server, b'R' | b'S' | b'E') => {
                body.min(MESSAGE_BYTES_MAX)
            }
            _ => 0,
        };
        let Some(head) = r.take(wanted) else {
            return Err(5 + wanted);
        };
        match (side, kind) {
            (Side::Client, b'Q') => self.kinds.count(head),
            (Side::Client, b'P') => {
                let mut parts = head.splitn(2, |&octet| octet == 0);
                self.kinds.count(parts.nth(1).unwrap_or(&[]));
            }
            (Side::Server, b'R') => self.authenticate(head, cx),
            (Side::Server, b'S') => self.parameter(head),
            (Side::Server, b'E') => self.failed(head, cx),
            _ => {}
        }
        Ok((5 + wanted, u64::try_from(body - wanted).unwrap_or(u64::MAX)))
    }

    fn authenticate(&mut self, body: &[u8], cx: &mut Context<'_>) {
        let Some(logon) = &mut self.logon else {
            return;
        };
        let mut r = Reader::new(body);
        let (mechanism, cleartext, protocol) = match r.u32_be() {
            Some(0) => {
                if let Some(logon) = self.logon.take() {
                    logon.emit("postgresql", Some(true), Some(Text::Borrowed("00000")), cx);
                }
                return;
            }
            Some(2) => ("kerberos5", false, Some("Kerberos")),
            Some(3) => ("password", true, None),
            Some(5) => ("md5", false, None),
            Some(7) => ("gss", false, Some("Kerberos")),
            Some(9) => ("sspi", false, None),
            Some(10) => {
                let name = r.rest().split(|&octet| octet == 0).next().unwrap_or(&[]);
                logon.mechanism = short(name);
                return;
            }
            _ => return,
        };
        logon.mechanism = Some(Text::Borrowed(mechanism));
        logon.cleartext = cleartext;
        logon.protocol = protocol;
    }

    fn parameter(&mut self, body: &[u8]) {
        let mut parts = body.split(|&octet| octet == 0);
        let (key, value) = (parts.next(), parts.next());
        if key == Some(b"server_version") {
            self.version = value.and_then(short);
        }
    }

    fn failed(&mut self, body: &[u8], cx: &mut Context<'_>) {
        self.errors += 1;
        let mut fields = body.split(|&octet| octet == 0);
        let code = fields
            .find_map(|field| field.strip_prefix(b"C"))
            .and_then(short);
        self.error.clone_from(&code);
        if let Some(logon) = self.logon.take() {
            logon.emit("postgresql", Some(false), code, cx);
        }
    }
}
