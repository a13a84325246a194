//! One flow's requests and transfers.
//!
//! Enters: datagrams of both sides. Leaves: one event per request, and one per transfer with what
//! was moved: the server answers from a port of its own, so that most transfers are a flow of
//! their own, which the request announces. Refuses: blocks that come again (`incomplete: gap` when
//! one is missing). Source: RFC 1350 sections 4 and 6, RFC 2348.

use model::class::Ftp;
use model::{Nanos, Sensitive, Text};

use super::parser::Message;
use crate::file::expect::{Purpose, Transfer};
use crate::file::facts::extension;
use crate::file::{Carver, Coding, Meta};
use crate::protocol::shared::exchange::{FAILURE, SUCCESS};
use crate::protocol::shared::text::readable;
use crate::protocol::{Context, Draft, Session, Side, Step};

const PUT: u16 = 1;
const GET: u16 = 2;
/// Octets of a block unless another size was agreed.
const BLOCK_BYTES: usize = 512;

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
    block_bytes: usize,
    /// Number of the last block in order.
    last: u16,
    carver: Option<Carver>,
}

impl TftpSession {
    /// The flow of a transfer that was asked for in another one.
    pub(super) fn of(transfer: Transfer, now: Nanos) -> Self {
        let asked = Asked::new(now, transfer.command == "WRQ", transfer.path, transfer.mode);
        Self {
            asked: Some(Box::new(asked)),
        }
    }
}

impl Asked {
    const fn new(time: Nanos, write: bool, name: String, mode: &'static str) -> Self {
        Self {
            time,
            write,
            name,
            mode,
            size: None,
            bytes: 0,
            answered: false,
            error: None,
            block_bytes: BLOCK_BYTES,
            last: 0,
            carver: None,
        }
    }

    const fn command(&self) -> &'static str {
        if self.write { "WRQ" } else { "RRQ" }
    }

    /// A block of the file.
    fn block(&mut self, side: Side, number: u16, octets: &[u8], cx: &Context<'_>) {
        self.answered = true;
        let gone = number.wrapping_sub(self.last);
        if gone == 0 && self.carver.is_some() || gone > u16::MAX / 2 {
            return;
        }
        let carver = self.carver.get_or_insert_with(|| {
            let meta = Meta {
                time: cx.now,
                protocol: "tftp",
                sender: side,
                hosts: cx.hosts,
                ports: [cx.client_port, cx.server_port],
                name: Some(&self.name),
                mime: None,
                bytes: self.size,
            };
            Carver::begin(&cx.files.policy, Coding::Plain, &meta)
        });
        if gone > 1 {
            carver.lose(0, "gap");
        }
        self.last = number;
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(octets.len()).unwrap_or(0));
        if carver.wants() > 0 {
            carver.bytes(octets);
        } else {
            carver.pass(u64::try_from(octets.len()).unwrap_or(0));
        }
        if octets.len() < self.block_bytes {
            carver.close();
        }
    }
}

impl Session for TftpSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
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
                let asked = Asked {
                    size,
                    ..Asked::new(cx.now, write, name, mode)
                };
                let transfer = Transfer {
                    command: asked.command().to_owned(),
                    path: asked.name.clone(),
                    user: None,
                    mode,
                };
                let [client, server] = cx.hosts;
                let (host, port) = match side {
                    Side::Client => (client, cx.client_port),
                    Side::Server => (server, cx.server_port),
                };
                let purpose = Purpose::Tftp(transfer);
                cx.files.expected.add(cx.now, host, port, purpose);
                self.asked = Some(Box::new(asked));
            }
            Some(Message::Data(number, octets)) => {
                if let Some(asked) = &mut self.asked {
                    asked.block(side, number, octets, cx);
                }
            }
            Some(Message::Ack) => {
                if let Some(asked) = &mut self.asked {
                    asked.answered = true;
                }
            }
            Some(Message::Options(size)) => {
                if let Some(asked) = &mut self.asked {
                    asked.answered = true;
                    asked.block_bytes = size.unwrap_or(BLOCK_BYTES);
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
        let Some(mut asked) = self.asked.take() else {
            return;
        };
        let mut body = Ftp {
            command: Some(Text::Borrowed(asked.command())),
            codes: asked.error.map(u64::from).into_iter().collect(),
            mode: Some(Text::Borrowed(asked.mode)),
            path: Some(Sensitive::path(&asked.name)),
            file_ext: extension(&asked.name),
            ..Ftp::default()
        };
        if let Some(carver) = asked.carver.take() {
            carver.end(Some(&asked.name), cx.drafts).ftp(&mut body);
        }
        body.bytes = (asked.bytes > 0).then_some(asked.bytes).or(asked.size);
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
        let asked = self.asked.as_deref().map_or(0, |asked| {
            let carver = asked.carver.as_ref().map_or(0, Carver::heap_bytes);
            size_of::<Asked>() + asked.name.len() + carver
        });
        size_of::<Self>() + asked
    }
}
