//! Application protocols: recognised by content, parsed into events.
//!
//! Enters: ordered bytes of a stream, or datagrams, with the side that sent them.
//! Leaves: [`Draft`]s, which the flow completes to events. Refuses: nothing but "not this
//! protocol": a broken tail never discards a good head. Limits: [`PENDING_BYTES_MAX`] a side.
//! To add a protocol: a folder `<name>/{mod,parser,session}.rs` here, one line in `registry.rs`.
//! Source: `DESIGN.md` section 4, wire.

mod announced;
mod asked;
mod astm;
mod bacnet;
#[cfg(test)]
pub(crate) mod checks;
mod dcerpc;
mod dhcp;
mod dicom;
mod dns;
mod driver;
mod encrypted;
mod ftp;
mod hl7;
mod http;
mod imap;
mod kerberos;
mod ldap;
mod logon;
mod modbus;
mod mqtt;
mod mysql;
mod ntp;
mod pop3;
mod postgresql;
mod quic;
mod radius;
mod rdp;
mod recognise;
mod registry;
pub mod replay;
mod s7comm;
mod shared;
mod smb;
mod smtp;
mod snmp;
mod socks;
mod ssdp;
mod ssh;
mod syslog;
mod tally;
mod tds;
mod tftp;
mod tls;

use std::net::IpAddr;
use std::sync::Arc;

use model::class::Body;
use model::{Nanos, Text};

pub use asked::Asked;
pub(crate) use driver::Blank;
pub use driver::Driver;
pub use registry::REGISTRY;

use crate::file::Files;
use crate::secrets::Secrets;

/// Most bytes that a session can leave unconsumed on one side before it is given up.
pub const PENDING_BYTES_MAX: usize = 64 * 1024;

/// Who sent bytes. The client opened the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The endpoint that opened the conversation: `src` of its events.
    Client,
    /// The endpoint that answers: `dst` of its events.
    Server,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// 0 for the client, 1 for the server.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Ordered bytes.
    Tcp,
    /// Datagrams.
    Udp,
}

/// What a probe sees: the first bytes of one side.
#[derive(Clone, Copy, Debug)]
pub struct First<'a> {
    /// How they travel.
    pub transport: Transport,
    /// Who sent them.
    pub side: Side,
    /// Port of the client.
    pub client_port: u16,
    /// Port of the server.
    pub server_port: u16,
    /// The bytes: at least one, at most [`PENDING_BYTES_MAX`].
    pub bytes: &'a [u8],
}

impl First<'_> {
    /// True when one of the two ports is `port`.
    #[must_use]
    pub const fn has_port(&self, port: u16) -> bool {
        self.client_port == port || self.server_port == port
    }
}

/// What a probe answers. Content decides; a port is only a hint that turns a `Maybe` into a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It is this protocol; no other is asked.
    Certain,
    /// It may be; the first protocol of the registry that says so wins if none is certain.
    Maybe,
    /// Too few bytes to tell.
    NeedMore,
    /// It is not.
    No,
}

/// One application protocol.
pub trait Protocol: Sync {
    /// Its name, lower case: the value of `proto:`.
    fn name(&self) -> &'static str;

    /// When it is asked: whatever its probe would not say "no" to. Default: always.
    fn asked(&self) -> Asked {
        Asked::ALWAYS
    }

    /// Says whether these first bytes are this protocol's.
    fn probe(&self, first: &First<'_>) -> Probe;

    /// A session for a conversation that was recognised.
    fn open(&self) -> Box<dyn Session>;
}

/// What a session wants after bytes were shown to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Call again when at least this many bytes are there, counted after those consumed; 0 or 1
    /// mean "any more".
    Need(usize),
    /// Do not show the next `n` bytes of this side after those consumed; they pass uncopied, and
    /// [`Session::skipped`] is told.
    Skip(u64),
    /// Nothing more is wanted of this flow; [`Session::end`] is still called.
    Done,
    /// The bytes after those consumed start another protocol (CONNECT, STARTTLS): recognise anew.
    Restart,
    /// This is not the protocol after all: give the flow to the next candidate.
    NotMine,
}

/// The answer of [`Session::bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes understood; they are not shown again.
    pub consumed: usize,
    /// What then.
    pub next: Next,
}

impl Step {
    /// `consumed` bytes were understood; call again when more come.
    #[must_use]
    pub const fn consumed(consumed: usize) -> Self {
        Self {
            consumed,
            next: Next::Need(0),
        }
    }

    /// `consumed` bytes were understood; call again when `need` bytes follow them.
    #[must_use]
    pub const fn need(consumed: usize, need: usize) -> Self {
        Self {
            consumed,
            next: Next::Need(need),
        }
    }

    /// `consumed` bytes were understood; the `skip` bytes after them need not be shown.
    #[must_use]
    pub const fn skip(consumed: usize, skip: u64) -> Self {
        Self {
            consumed,
            next: Next::Skip(skip),
        }
    }

    /// Nothing more is wanted.
    pub const DONE: Self = Self {
        consumed: 0,
        next: Next::Done,
    };
    /// Not this protocol.
    pub const NOT_MINE: Self = Self {
        consumed: 0,
        next: Next::NotMine,
    };
}

/// One application protocol's life inside a flow.
pub trait Session: Send {
    /// Looks at bytes that `side` sent: for a stream, everything not yet consumed, contiguous; for
    /// a datagram, all of it (what is not consumed is dropped). Parses as many messages as are
    /// whole.
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step;

    /// `n` bytes asked for with [`Next::Skip`] passed. Default: nothing.
    fn skipped(&mut self, side: Side, n: u64, cx: &mut Context<'_>) {
        let _ = (side, n, cx);
    }

    /// `missing` bytes of `side` were lost; the next bytes follow the hole. Return false to give
    /// the flow up, which is the default: then only [`Session::end`] is called.
    fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        let _ = (side, missing, cx);
        false
    }

    /// The flow is over: emit what still waits for an answer.
    fn end(&mut self, cx: &mut Context<'_>);

    /// Offers the secrets that were given with the capture; called once, before any bytes.
    fn secrets(&mut self, secrets: &Arc<dyn Secrets>) {
        let _ = secrets;
    }

    /// The protocol's name, when the conversation went over to another one (an upgrade).
    fn renamed(&self) -> Option<&'static str> {
        None
    }

    /// Facts for the flow's own last event, asked for once after [`Session::end`]: what only the
    /// whole conversation tells. Default: none.
    fn of_flow(&mut self) -> Vec<Text> {
        Vec::new()
    }

    /// Heap bytes that it holds, for the budget; an estimate that errs high.
    fn heap_bytes(&self) -> usize {
        256
    }
}

/// An event before the flow completes it with who, when and where.
#[derive(Clone, PartialEq)]
pub struct Draft {
    /// When it happened.
    pub time: Nanos,
    /// OCSF activity of the class.
    pub activity: u16,
    /// OCSF severity, 1 unless something is wrong.
    pub severity: u16,
    /// OCSF status: 0 unknown, 1 success, 2 failure.
    pub status: u16,
    /// Status in the protocol's own words.
    pub status_code: Option<Text>,
    /// What happened.
    pub body: Body,
    /// The protocol inside, for what was decrypted.
    pub inside: Option<&'static str>,
}

impl Draft {
    /// An informational draft with unknown status.
    #[must_use]
    pub fn new(time: Nanos, activity: u16, body: impl Into<Body>) -> Self {
        Self {
            time,
            activity,
            severity: 1,
            status: 0,
            status_code: None,
            body: body.into(),
            inside: None,
        }
    }

    /// The same with a status: 1 success, 2 failure, and the protocol's own word for it.
    #[must_use]
    pub fn status(mut self, status: u16, code: Option<Text>) -> Self {
        self.status = status;
        self.status_code = code;
        self
    }
}

/// What a session may use while it looks at bytes.
pub struct Context<'a> {
    /// Time of the packet that completed these bytes.
    pub now: Nanos,
    /// How bytes travel in this flow.
    pub transport: Transport,
    /// Port of the client.
    pub client_port: u16,
    /// Port of the server.
    pub server_port: u16,
    /// Addresses of client and server.
    pub hosts: [IpAddr; 2],
    /// What is done with files, and which flows were announced.
    pub files: &'a mut Files,
    /// Events made; the flow completes and sends them.
    pub drafts: &'a mut Vec<Draft>,
    /// Anomalies met since the last call, counted by the flow and by kind.
    pub anomalies: &'a mut Vec<&'static str>,
}

impl Context<'_> {
    /// Emits an event.
    pub fn emit(&mut self, draft: Draft) {
        self.drafts.push(draft);
    }

    /// Counts an anomaly. Its code is kebab-case, `protocol-what` ("dns-name-loop").
    pub fn anomaly(&mut self, code: &'static str) {
        if self.anomalies.len() < model::limit::LIST_ITEMS_MAX {
            self.anomalies.push(code);
        }
    }
}
