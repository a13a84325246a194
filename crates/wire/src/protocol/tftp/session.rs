//! One flow's requests.
//!
//! Enters: datagrams of both sides. Leaves: one event per request, with what its own flow shows of
//! the transfer. Refuses: nothing. Source: RFC 1350 sections 4 and 6.

use model::class::Ftp;
use model::{Nanos, Sensitive, Text};

use super::parser::Message;
use crate::protocol::shared::exchange::{FAILURE, SUCCESS};
use crate::protocol::shared::text::readable;
use crate::protocol::{Context, Draft, Session, Side, Step};

const PUT: u16 = 1;
const GET: u16 = 2;

/// One flow's TFTP.
#[derive(Default)]
pub(super) struct TftpSession {
    asked: Option<Box<Asked>>,
}

struct Asked {
    time: Nanos,
    write: bool,
    name: String,
    mode: &'static str,
    size: Option<u64>,
    bytes: u64,
    answered: bool,
    error: Option<u16>,
}

impl Session for TftpSession {
    fn bytes(&mut self, _side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        match Message::parse(bytes) {
            Some(Message::Request {
                write,
                name,
                mode,
                size,
            }) => {
                let name = readable(name);
                let same = |asked: &Asked| asked.name == name && !asked.answered;
                if self.asked.as_deref().is_some_and(same) {
                    cx.anomaly("tftp-repeated-request");
                    return Step::consumed(bytes.len());
                }
                self.end(cx);
                self.asked = Some(Box::new(Asked {
                    time: cx.now,
                    write,
                    name,
                    mode,
                    size,
                    bytes: 0,
                    answered: false,
                    error: None,
                }));
            }
            Some(Message::Data(octets)) => {
                if let Some(asked) = &mut self.asked {
                    asked.answered = true;
                    let octets = u64::try_from(octets).unwrap_or(0);
                    asked.bytes = asked.bytes.saturating_add(octets);
                }
            }
            Some(Message::Ack) => {
                if let Some(asked) = &mut self.asked {
                    asked.answered = true;
                }
            }
            Some(Message::Error(code)) => {
                if let Some(asked) = &mut self.asked {
                    asked.error = Some(code);
                }
                self.end(cx);
            }
            None => cx.anomaly("tftp-malformed"),
        }
        Step::consumed(bytes.len())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        let command = if asked.write { "WRQ" } else { "RRQ" };
        let body = Ftp {
            command: Some(Text::Borrowed(command)),
            codes: asked.error.map(u64::from).into_iter().collect(),
            mode: Some(Text::Borrowed(asked.mode)),
            path: Some(Sensitive::path(&asked.name)),
            bytes: (asked.bytes > 0).then_some(asked.bytes).or(asked.size),
            ..Ftp::default()
        };
        let status = match (asked.error, asked.answered) {
            (Some(_), _) => FAILURE,
            (None, true) => SUCCESS,
            (None, false) => 0,
        };
        let code = asked.error.map(|code| Text::Owned(code.to_string()));
        let activity = if asked.write { PUT } else { GET };
        cx.emit(Draft::new(asked.time, activity, body).status(status, code));
    }

    fn heap_bytes(&self) -> usize {
        let asked = self.asked.as_deref();
        size_of::<Self>() + asked.map_or(0, |asked| size_of::<Asked>() + asked.name.len())
    }
}
