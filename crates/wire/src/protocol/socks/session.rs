//! One tunnel's beginning.
//!
//! Enters: the messages of both sides. Leaves: the request with its answer. Refuses: nothing; what
//! does not fit is not SOCKS. Source: RFC 1928 sections 3 to 6.

use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::parser::{Request, Split, greeting, login, message_5, reply_4, request_4};
use crate::protocol::shared::exchange::{self, FAILURE, SUCCESS, TRAFFIC};
use crate::protocol::shared::logon::Logon;
use crate::protocol::shared::text::short;
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Method: name and password.
const USER_PASS: u8 = 2;
/// Method: none of those offered.
const REFUSED: u8 = 0xff;

/// One flow's SOCKS.
#[derive(Default)]
pub(super) struct SocksSession {
    client: Stage,
    method: Option<u8>,
    offered: Vec<u8>,
    user: Option<(Nanos, String)>,
    logged_in: bool,
    request: Option<Box<(Nanos, Request)>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    #[default]
    Start,
    /// SOCKS 5: a log-in or the request follows.
    Greeted,
    LoggedIn,
    Asked,
}

impl Session for SocksSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        match side {
            Side::Client => self.client_bytes(bytes, cx),
            Side::Server => self.server_bytes(bytes, cx),
        }
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if let Some((time, user)) = self.user.take() {
            Logon::plain(time, Some(user), "USERNAME/PASSWORD").emit("socks", None, None, cx);
        }
        self.tell(None, cx);
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + size_of::<Request>() + 1024
    }
}

impl SocksSession {
    fn client_bytes(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let used = match (self.client, rest.first()) {
                (Stage::Start, Some(4)) => self.ask(request_4(rest), cx),
                (Stage::Start, _) => match greeting(rest) {
                    Split::Whole(methods) => {
                        self.offered = methods.to_vec();
                        self.client = Stage::Greeted;
                        Split::Whole(methods.len() + 2)
                    }
                    Split::Short => Split::Short,
                    Split::Odd => Split::Odd,
                },
                (Stage::Greeted, Some(1)) => match login(rest) {
                    Split::Whole((user, length)) => {
                        self.user = Some((cx.now, user));
                        self.client = Stage::LoggedIn;
                        Split::Whole(length)
                    }
                    Split::Short => Split::Short,
                    Split::Odd => Split::Odd,
                },
                (Stage::Greeted | Stage::LoggedIn, _) => self.ask(message_5(rest), cx),
                // What the client says before the answer is not shown to the next protocol.
                (Stage::Asked, _) => {
                    cx.anomaly("socks-early-data");
                    Split::Whole(rest.len())
                }
            };
            match used {
                Split::Whole(used) => at += used,
                Split::Short => break,
                Split::Odd => return self.odd(at, cx),
            }
        }
        Step::consumed(at)
    }

    fn ask(&mut self, found: Split<Request>, cx: &Context<'_>) -> Split<usize> {
        match found {
            Split::Whole(request) => {
                let length = request.length;
                self.client = Stage::Asked;
                self.request = Some(Box::new((cx.now, request)));
                Split::Whole(length)
            }
            Split::Short => Split::Short,
            Split::Odd => Split::Odd,
        }
    }

    fn server_bytes(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let version = self.request.as_deref().map(|asked| asked.1.version);
            if version == Some(4) {
                return match reply_4(rest) {
                    Split::Whole(code) => self.answered(code == 90, code, at + 8, cx),
                    Split::Short => Step::consumed(at),
                    Split::Odd => self.odd(at, cx),
                };
            }
            if self.method.is_none() {
                let [version, method, ..] = *rest else {
                    return Step::consumed(at);
                };
                let offered = method == REFUSED || self.offered.contains(&method);
                if version != 5 || !offered {
                    return self.odd(at, cx);
                }
                self.method = Some(method);
                at += 2;
                continue;
            }
            if self.method == Some(USER_PASS) && !self.logged_in {
                let [1, code, ..] = *rest else {
                    return if rest == [1] {
                        Step::consumed(at)
                    } else {
                        self.odd(at, cx)
                    };
                };
                self.logged_in = true;
                if let Some((time, user)) = self.user.take() {
                    let code_text = Some(Text::Owned(code.to_string()));
                    let logon = Logon::plain(time, Some(user), "USERNAME/PASSWORD");
                    logon.emit("socks", Some(code == 0), code_text, cx);
                }
                at += 2;
                continue;
            }
            return match message_5(rest) {
                Split::Whole(reply) => {
                    let code = reply.command;
                    self.answered(code == 0, code, at + reply.length, cx)
                }
                Split::Short => Step::consumed(at),
                Split::Odd => self.odd(at, cx),
            };
        }
        Step::consumed(at)
    }

    /// The proxy answered: what follows is the tunnel.
    fn answered(&mut self, good: bool, code: u8, used: usize, cx: &mut Context<'_>) -> Step {
        if self.request.is_none() {
            return self.odd(used, cx);
        }
        // BIND is answered twice; what comes between is told with the tunnel.
        self.tell(Some((good, code)), cx);
        Step {
            consumed: used,
            next: if good { Next::Restart } else { Next::Done },
        }
    }

    fn odd(&self, consumed: usize, cx: &mut Context<'_>) -> Step {
        if self.method.is_none() && !self.logged_in {
            return Step::NOT_MINE;
        }
        cx.anomaly("socks-malformed");
        Step {
            consumed,
            next: Next::Done,
        }
    }

    fn tell(&mut self, answer: Option<(bool, u8)>, cx: &mut Context<'_>) {
        let Some(asked) = self.request.take() else {
            return;
        };
        let (time, request) = *asked;
        let mut facts = Facts::of("socks");
        facts.add("version", request.version);
        facts.maybe("target", short(request.host.as_bytes()));
        facts.add("target_port", request.port);
        facts.maybe("method", self.method);
        let operation = match request.command {
            1 => "connect",
            2 => "bind",
            3 => "udp_associate",
            _ => "other",
        };
        let mut body = exchange::body("socks", operation, &mut facts);
        if !request.user.is_empty() {
            body.object = Some(Sensitive::text(&request.user));
        }
        let status = match answer {
            None => 0,
            Some((true, _)) => SUCCESS,
            Some((false, _)) => FAILURE,
        };
        let code = answer.map(|(_, code)| Text::Owned(code.to_string()));
        cx.emit(Draft::new(time, TRAFFIC, body).status(status, code));
    }
}
