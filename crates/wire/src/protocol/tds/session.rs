//! Both sides of one connection.
//!
//! Enters: packets. Leaves: the log-in, the session. Refuses: to look at more than
//! [`MESSAGE_BYTES_MAX`] octets of a message. Source: [MS-TDS] section 3.

use codec::ntlmssp::{self, Message};
use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::parser::{
    Answer, BATCH, Head, LOGIN, Login, PRE_LOGIN, RESPONSE, RPC, SSPI, answer, batch, head, login,
    pre_login,
};
use crate::protocol::shared::exchange::{self, TRAFFIC};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::sql::Kinds;
use crate::protocol::shared::text::short;
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most octets of one message that are joined.
pub(super) const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// One flow's TDS.
#[derive(Default)]
pub(super) struct TdsSession {
    start: Option<Nanos>,
    /// Messages being joined, by side.
    joined: [Vec<u8>; 2],
    encryption: Option<&'static str>,
    version: Option<Text>,
    login: Option<Box<Login>>,
    logon: Option<Logon>,
    database: Option<Text>,
    kinds: Kinds,
    errors: u64,
    error: Option<Text>,
    messages: u64,
}

impl Session for TdsSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.start.get_or_insert(cx.now);
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            // Records of TLS stand bare between packets once a log-in is encrypted.
            if let [0x14..=0x17, 3, 0..=4, high, low, ..] = *rest {
                self.encryption = self.encryption.or(Some("on"));
                let length = u64::from(u16::from_be_bytes([high, low]));
                return Step::skip(at + 5, length);
            }
            let Some(found) = head(rest) else {
                return Step::consumed(at);
            };
            let known = matches!(found.kind, 1..=4 | 6..=8 | 14 | 0x10..=0x12);
            if !known || found.length < 8 {
                return self.odd(at, cx);
            }
            let room = self.joined.get(side.index()).map_or(0, Vec::len);
            let wanted = (found.length - 8).min(MESSAGE_BYTES_MAX.saturating_sub(room));
            let Some(body) = rest.get(8..8 + wanted) else {
                return Step::need(at, 8 + wanted);
            };
            at += 8 + wanted;
            self.packet(side, &found, body, cx);
            let left = found.length - 8 - wanted;
            if left > 0 {
                return Step::skip(at, u64::try_from(left).unwrap_or(u64::MAX));
            }
        }
    }

    fn gap(&mut self, _side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("tds-gap");
        false
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if let Some(logon) = self.logon.take() {
            logon.emit("tds", None, None, cx);
        }
        if self.messages == 0 {
            return;
        }
        let mut facts = Facts::of("tds");
        facts.maybe("encryption", self.encryption);
        facts.maybe("server_version", self.version.as_deref());
        facts.maybe("database", self.database.as_deref());
        let mut client = None;
        if let Some(login) = self.login.take() {
            client = short(login.host.as_bytes()).map(|host| Sensitive::text(&host));
            facts.maybe("application", short(login.application.as_bytes()));
            facts.maybe("library", short(login.library.as_bytes()));
            facts.maybe("server_name", short(login.server.as_bytes()));
        }
        facts.add("errors", self.errors);
        facts.maybe("last_error", self.error.as_deref());
        self.kinds.tell(&mut facts);
        let mut body = exchange::body("tds", "session", &mut facts);
        body.object_count = Some(self.kinds.total());
        body.client = client;
        cx.emit(Draft::new(self.start.unwrap_or(cx.now), TRAFFIC, body));
    }

    fn heap_bytes(&self) -> usize {
        let joined: usize = self.joined.iter().map(Vec::capacity).sum();
        size_of::<Self>() + joined + 2048
    }
}

impl TdsSession {
    fn odd(&self, consumed: usize, cx: &mut Context<'_>) -> Step {
        if self.messages == 0 {
            return Step::NOT_MINE;
        }
        cx.anomaly("tds-malformed");
        Step {
            consumed,
            next: Next::Done,
        }
    }

    fn packet(&mut self, side: Side, found: &Head, body: &[u8], cx: &mut Context<'_>) {
        let Some(joined) = self.joined.get_mut(side.index()) else {
            return;
        };
        let message = if joined.is_empty() && found.last {
            body.to_vec()
        } else {
            joined.extend_from_slice(body);
            if !found.last {
                return;
            }
            std::mem::take(joined)
        };
        self.messages += 1;
        match (side, found.kind) {
            (Side::Client, LOGIN) => self.login(&message, cx),
            (Side::Client, SSPI) => self.sspi(&message),
            (Side::Client, BATCH) => self.kinds.count(&batch(&message)),
            (Side::Client, RPC) => self.kinds.add("rpc"),
            (Side::Server, PRE_LOGIN | RESPONSE)
                if self.version.is_none() && self.is_options(&message) =>
            {
                let (version, encryption) = pre_login(&message);
                self.version = version.map(|[major, minor, high, low, ..]| {
                    let build = u16::from_be_bytes([high, low]);
                    Text::Owned(format!("{major}.{minor}.{build}"))
                });
                self.encryption = encryption.map(|value| match value {
                    0 => "login_only",
                    1 => "on",
                    2 => "not_supported",
                    3 => "required",
                    _ => "other",
                });
            }
            (Side::Server, RESPONSE) => {
                let said = answer(&message);
                self.answered(said, cx);
            }
            _ => {}
        }
    }

    /// An answer to options starts with the version's; one to a log-in with a token.
    fn is_options(&self, message: &[u8]) -> bool {
        self.login.is_none() && matches!(message, [0, _, _, 0, 6, ..])
    }

    fn login(&mut self, message: &[u8], cx: &mut Context<'_>) {
        let Some(login) = login(message) else {
            return cx.anomaly("tds-login-malformed");
        };
        self.database = short(login.database.as_bytes()).or(self.database.take());
        let user = (!login.user.is_empty()).then(|| login.user.clone());
        // The password is only disguised: whoever reads it can undo that.
        let mut logon = Logon::plain(cx.now, user, "SQL");
        if login.integrated {
            logon.cleartext = false;
            logon.mechanism = Some(Text::Borrowed("SSPI"));
            let ntlm = ntlmssp::find(&login.token).is_some();
            logon.protocol = Some(if ntlm { "NTLM" } else { "Kerberos" });
        }
        self.logon = Some(logon);
        self.login = Some(Box::new(login));
    }

    fn sspi(&mut self, message: &[u8]) {
        let found = ntlmssp::find(message).and_then(Message::read);
        if let (Some(logon), Some(Message::Authenticate(auth))) = (&mut self.logon, found) {
            let some = |text: String| (!text.is_empty()).then_some(text);
            logon.user = some(auth.user).or(logon.user.take());
            logon.domain = some(auth.domain);
            logon.protocol = Some("NTLM");
        }
    }

    fn answered(&mut self, said: Answer, cx: &mut Context<'_>) {
        self.errors += u64::try_from(said.errors.len()).unwrap_or(0);
        let code = said
            .errors
            .first()
            .map(|code| Text::Owned(code.to_string()));
        if code.is_some() {
            self.error.clone_from(&code);
        }
        if let Some(name) = &said.database {
            self.database = short(name.as_bytes());
        }
        if let Some(program) = &said.accepted {
            self.version = short(program.as_bytes());
        }
        if said.challenge && said.accepted.is_none() {
            return;
        }
        let refused = said.accepted.is_none() && code.is_some();
        if (said.accepted.is_some() || refused)
            && let Some(logon) = self.logon.take()
        {
            logon.emit("tds", Some(!refused), code.filter(|_| refused), cx);
        }
    }
}
