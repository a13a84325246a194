//! One file as it streams by.
//!
//! Enters: its octets in order, holes, octets that passed unseen. Leaves: [`Facts`], and the octets
//! to whoever looks. Refuses: more than the policy's octets to hash or show. Limits: the head that
//! waits for its type, one decoder's window.
//! Source: FIPS 180-4; RFC 9110 section 8.4 (content codings).

use codec::compress::{Caps, Decompressor, Error, Format};
use sha2::{Digest, Sha256};

use super::kind::{self, ARCHIVE_BYTES, HEAD_BYTES, Kind};
use super::{Facts, FileSink, Meta, Outcome, Policy, State};
use crate::protocol::Draft;

/// How the octets are coded on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As they are.
    #[default]
    Plain,
    /// Compressed.
    Packed(Format),
    /// In a way that is not undone.
    Other,
}

/// Octets that a decoder gives at once.
const DECODED_BYTES: usize = 8 * 1024;
/// Memory of one decoder: window and state, at most; Zstandard's window is capped by the codec.
const DECODER_COST: usize = 64 * 1024;

/// A file under way.
pub(crate) struct Carver {
    head: Vec<u8>,
    kind: Option<Kind>,
    /// Octets on the wire, seen or not.
    passed: u64,
    /// Octets after decoding that were seen.
    seen: u64,
    coding: Coding,
    decoder: Option<Box<Decompressor>>,
    look: Option<Box<Look>>,
    look_bytes_max: u64,
    state: State,
    /// True when octets passed that nobody wanted to see.
    unseen: bool,
    over: bool,
}

/// Who sees all of it.
struct Look {
    hash: Sha256,
    sink: Option<Box<dyn FileSink>>,
}

impl Carver {
    /// A file begins.
    pub(crate) fn begin(policy: &Policy, coding: Coding, meta: &Meta<'_>) -> Self {
        let sink = policy
            .observer
            .as_ref()
            .and_then(|observer| observer.begin(meta));
        // What is known to be too long gets no hash: none is begun.
        let fits = meta
            .bytes
            .is_none_or(|bytes| bytes <= policy.look_bytes_max);
        let look = sink.is_some() || policy.hash && fits;
        let decoder = match coding {
            Coding::Packed(format) => {
                let most = policy.look_bytes_max.max(to_u64(ARCHIVE_BYTES));
                let caps = Caps::content(most.saturating_add(1));
                Decompressor::new(format, caps).ok().map(Box::new)
            }
            Coding::Plain | Coding::Other => None,
        };
        let unread = coding == Coding::Other;
        Self {
            head: Vec::new(),
            kind: unread.then_some(kind::DATA),
            passed: 0,
            seen: 0,
            coding,
            decoder,
            look: look.then(|| {
                let hash = Sha256::new();
                Box::new(Look { hash, sink })
            }),
            look_bytes_max: policy.look_bytes_max,
            state: if unread {
                State::Incomplete("coding")
            } else {
                State::Complete
            },
            unseen: false,
            over: false,
        }
    }

    /// The same, of a type that is known beforehand: nothing needs to be shown for it.
    pub(crate) fn of(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// How many of the next octets on the wire should be shown; the rest may pass.
    pub(crate) fn wants(&self) -> u64 {
        let looks = self.look.is_some() && self.state == State::Complete;
        if looks {
            return match self.coding {
                Coding::Packed(_) => u64::MAX,
                Coding::Plain | Coding::Other => {
                    // One more than may be looked at, to know that it is longer.
                    self.look_bytes_max
                        .saturating_add(1)
                        .saturating_sub(self.seen)
                }
            };
        }
        let types = self.kind.is_none() && !self.unseen && self.state == State::Complete;
        if !types {
            return 0;
        }
        match self.coding {
            Coding::Packed(_) => to_u64(HEAD_BYTES),
            Coding::Plain | Coding::Other => {
                to_u64(self.head_max().saturating_sub(self.head.len()))
            }
        }
    }

    /// True when somebody wants to see all of it.
    pub(crate) const fn looks(&self) -> bool {
        self.look.is_some()
    }

    /// The next octets on the wire.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.passed = self.passed.saturating_add(to_u64(bytes.len()));
        if self.over || self.unseen || matches!(self.state, State::Incomplete(_)) {
            return;
        }
        if self.look.is_none() && self.kind.is_some() {
            self.unseen = true;
            return;
        }
        match self.decoder.take() {
            Some(decoder) => self.decode(decoder, bytes),
            None if matches!(self.coding, Coding::Packed(_)) => {}
            None => self.clear(bytes),
        }
    }

    /// `n` octets passed that were not shown.
    pub(crate) fn pass(&mut self, n: u64) {
        self.passed = self.passed.saturating_add(n);
        self.unseen |= n > 0;
    }

    /// `n` octets were lost; 0 when it is not known how many.
    pub(crate) fn lose(&mut self, n: u64, why: &'static str) {
        self.passed = self.passed.saturating_add(n);
        self.spoil(why);
    }

    /// Not all of it will be seen, for this reason.
    pub(crate) fn spoil(&mut self, why: &'static str) {
        if !matches!(self.state, State::Incomplete(_)) {
            self.state = State::Incomplete(why);
            self.decoder = None;
        }
    }

    /// True when no octet of it went by.
    pub(crate) const fn is_empty(&self) -> bool {
        self.passed == 0
    }

    /// Its last octet went by.
    pub(crate) const fn close(&mut self) {
        self.over = true;
    }

    /// The file is over, or as much of it as will come: `unfinished` unless [`Self::close`] was
    /// called.
    pub(crate) fn end(mut self, name: Option<&str>, drafts: &mut Vec<Draft>) -> Facts {
        if !self.over {
            self.spoil("unfinished");
        }
        self.end_coding();
        let whole = self.state == State::Complete && !self.unseen;
        let kind = self.kind.unwrap_or_else(|| {
            let hidden = self.head.is_empty() && self.passed > 0;
            let kind = Kind::of(&self.head, true).filter(|_| !hidden);
            kind.unwrap_or(kind::DATA)
        });
        let looked = self.look.is_some();
        // Without a look, passing by unseen is what was asked for.
        let state = match self.state {
            State::Complete if looked && self.unseen => State::Truncated,
            state @ (State::Complete | State::Truncated | State::Incomplete(_)) => state,
        };
        let coded = matches!(self.coding, Coding::Packed(_));
        let bytes = if coded { self.seen } else { self.passed };
        let measured = !coded || looked && whole;
        let mut sha256 = None;
        if let Some(look) = self.look {
            let Look { hash, sink } = *look;
            let seen_sha256: [u8; 32] = hash.finalize().into();
            sha256 = whole.then_some(seen_sha256);
            if let Some(sink) = sink {
                let outcome = Outcome {
                    kind,
                    bytes,
                    sha256,
                    seen_sha256,
                    state,
                    name,
                };
                sink.end(&outcome, drafts);
            }
        }
        Facts {
            kind,
            bytes: measured.then_some(bytes),
            sha256,
            state,
        }
    }

    /// Heap bytes that it holds.
    pub(crate) fn heap_bytes(&self) -> usize {
        let look = self.look.as_ref().map_or(0, |look| {
            let sink = look.sink.as_ref().map_or(0, |sink| sink.heap_bytes());
            size_of::<Look>() + sink + 16
        });
        let decoder = if self.decoder.is_some() {
            DECODER_COST
        } else {
            0
        };
        size_of::<Self>() + self.head.capacity() + look + decoder + 16
    }

    /// Octets by which the type is told: more of an archive.
    fn head_max(&self) -> usize {
        if self.head.starts_with(b"PK\x03\x04") {
            ARCHIVE_BYTES
        } else {
            HEAD_BYTES
        }
    }

    /// Octets of the file itself.
    fn clear(&mut self, bytes: &[u8]) {
        self.seen = self.seen.saturating_add(to_u64(bytes.len()));
        if self.kind.is_none() {
            self.type_by(bytes);
        }
        let Some(look) = &mut self.look else {
            return;
        };
        if self.state != State::Complete {
            return;
        }
        let beyond = self.seen.saturating_sub(self.look_bytes_max);
        let kept = bytes
            .len()
            .saturating_sub(usize::try_from(beyond).unwrap_or(usize::MAX));
        let bytes = bytes.get(..kept).unwrap_or(bytes);
        look.hash.update(bytes);
        if let Some(sink) = &mut look.sink {
            sink.chunk(bytes);
        }
        if beyond > 0 {
            self.state = State::Truncated;
        }
    }

    /// Types by the head, which is copied only when it comes in pieces.
    fn type_by(&mut self, bytes: &[u8]) {
        if self.head.is_empty() {
            self.kind = Kind::of(bytes, false);
            if self.kind.is_some() {
                return;
            }
        }
        // Whether it is an archive is known only when its first octets are there.
        let most = if self.head.len() < 4 {
            ARCHIVE_BYTES
        } else {
            self.head_max()
        };
        let room = most.saturating_sub(self.head.len());
        self.head
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.kind = Kind::of(&self.head, false);
        if self.kind.is_some() {
            self.head = Vec::new();
        }
    }

    /// Undoes the coding of octets.
    fn decode(&mut self, mut decoder: Box<Decompressor>, mut bytes: &[u8]) {
        let mut out = [0; DECODED_BYTES];
        loop {
            match decoder.step(bytes, &mut out) {
                Ok(step) => {
                    bytes = bytes.get(step.read..).unwrap_or(&[]);
                    self.clear(out.get(..step.written).unwrap_or(&[]));
                    if step.read == 0 && step.written == 0 {
                        break;
                    }
                }
                Err(Error::OutputCap(_)) => {
                    self.state = State::Truncated;
                    return;
                }
                Err(Error::Ratio(_)) => return self.spoil("bomb"),
                Err(Error::Corrupt(_) | Error::Truncated) => return self.spoil("coding"),
            }
            let typed = self.look.is_none() && self.kind.is_some();
            if typed || self.state != State::Complete {
                self.unseen |= typed;
                return;
            }
        }
        self.decoder = Some(decoder);
    }

    /// The end of a coded file: its coding must end, too.
    fn end_coding(&mut self) {
        if self.over
            && self.passed > 0
            && let Some(decoder) = self.decoder.take()
            && decoder.finish().is_err()
        {
            self.spoil("coding");
        }
    }
}

fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
