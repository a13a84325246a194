//! Files on the wire: what passes as one object, typed, measured, hashed, handed on.
//!
//! Enters: octets of bodies, attachments, data connections, data sets, with their holes. Leaves:
//! [`Facts`] for the exchange's own event; the octets themselves only to a [`FileObserver`].
//! Refuses: to keep a file, ever: at most [`kind::ARCHIVE_BYTES`] octets of it wait for its type.
//! By default a file is typed by its first octets and measured, and the rest passes uncopied; all
//! of it is shown only when a hash or an observer asks, up to [`Policy::look_bytes_max`].
//! Source: `docs/adr/0008-files-are-typed-not-hashed.md`.

mod carver;
pub(crate) mod expect;
pub(crate) mod facts;
pub mod kind;

use std::net::IpAddr;
use std::sync::Arc;

use model::Nanos;

pub(crate) use carver::{Carver, Coding};
pub(crate) use expect::Expectations;
pub(crate) use facts::Facts;
pub use kind::Kind;

use crate::protocol::{Draft, Side};

/// Default of [`Policy::look_bytes_max`].
pub const LOOK_BYTES_MAX: u64 = 16 << 20;

/// What is done with files.
#[derive(Clone)]
pub struct Policy {
    /// Most octets of one file that are hashed or shown to the observer; what is longer is
    /// `truncated` and has no hash.
    pub look_bytes_max: u64,
    /// True when files are hashed even if no observer looks at them.
    pub hash: bool,
    /// Who looks at files; `None`: nobody.
    pub observer: Option<Arc<dyn FileObserver>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            look_bytes_max: LOOK_BYTES_MAX,
            hash: false,
            observer: None,
        }
    }
}

/// Who looks at files: shared by every flow and worker.
pub trait FileObserver: Send + Sync {
    /// A file begins; `None` when this one is not wanted.
    fn begin(&self, meta: &Meta<'_>) -> Option<Box<dyn FileSink>>;
}

/// Takes one file: `chunk` any number of times, in order and without holes, then `end` once. It is
/// dropped without `end` only when its flow is.
pub trait FileSink: Send {
    /// The next octets. Their cut means nothing.
    fn chunk(&mut self, bytes: &[u8]);

    /// No more comes. Drafts pushed become events of the same flow.
    fn end(self: Box<Self>, outcome: &Outcome<'_>, drafts: &mut Vec<Draft>);

    /// Heap bytes that it holds, for the worker's budget.
    fn heap_bytes(&self) -> usize {
        256
    }
}

/// What is known of a file when it begins. Names are clear values.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// When its first octet passed.
    pub time: Nanos,
    /// Protocol that carries it ("http", "smb", "smtp").
    pub protocol: &'static str,
    /// Who sends it.
    pub sender: Side,
    /// Addresses of client and server.
    pub hosts: [IpAddr; 2],
    /// Ports of client and server.
    pub ports: [u16; 2],
    /// Its name or path, as the protocol states it.
    pub name: Option<&'a str>,
    /// The media type that the protocol states.
    pub mime: Option<&'a str>,
    /// The length that the protocol states.
    pub bytes: Option<u64>,
}

/// How a file ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// What it is, by its first octets.
    pub kind: Kind,
    /// Octets of it that went by, seen or not.
    pub bytes: u64,
    /// SHA-256, when all of it was seen.
    pub sha256: Option<[u8; 32]>,
    /// SHA-256 of the octets that were shown.
    pub seen_sha256: [u8; 32],
    /// Whether all of it was seen.
    pub state: State,
    /// Its name as it is known at the end.
    pub name: Option<&'a str>,
}

/// Whether all of a file was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// All of it, as far as the protocol shows its length.
    #[default]
    Complete,
    /// It is longer than [`Policy::look_bytes_max`]; its length is right.
    Truncated,
    /// Octets are missing, for this reason.
    Incomplete(&'static str),
}

impl State {
    /// In words: `complete`, `truncated`, `incomplete: gap`.
    #[must_use]
    pub fn text(self) -> model::Text {
        match self {
            Self::Complete => model::Text::Borrowed("complete"),
            Self::Truncated => model::Text::Borrowed("truncated"),
            Self::Incomplete(why) => format!("incomplete: {why}").into(),
        }
    }
}

/// What the sessions of one worker share about files.
#[derive(Default)]
pub struct Files {
    pub(crate) policy: Policy,
    pub(crate) expected: Expectations,
}

impl Files {
    /// With this policy, nothing expected.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            expected: Expectations::default(),
        }
    }

    /// Heap bytes held.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.expected.heap_bytes()
    }
}

#[cfg(test)]
mod tests;
