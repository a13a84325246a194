//! DCE/RPC inside a named pipe: pieces that each side wrote and read, joined to fragments.
//!
//! Enters: what passed through the pipe, in order, and what of it was not seen. Leaves: drafts,
//! through `association`. Refuses: pipes that carry something else: they are passed over from then
//! on. Limits: [`BIND_BYTES_MAX`] octets that wait on each side.
//! Source: [MS-RPCE] section 2.1.1.2.

use model::Text;

use super::association::Association;
use super::parser::{BIND_BYTES_MAX, HEADER_BYTES, Header, header};
use crate::protocol::{Context, Side};

/// One open pipe.
pub(in crate::protocol) struct Pipe {
    association: Box<Association>,
    halves: [Half; 2],
    /// True when it does not carry DCE/RPC.
    foreign: bool,
}

/// One side's fragments.
#[derive(Default)]
struct Half {
    waiting: Vec<u8>,
    /// Octets of the fragment at hand that are not looked at.
    skip: u64,
    /// True when the place of the next fragment is not known.
    lost: bool,
}

impl Pipe {
    /// A pipe that was opened by this name.
    pub(in crate::protocol) fn named(name: Text) -> Self {
        Self {
            association: Box::new(Association::in_pipe(name)),
            halves: [Half::default(), Half::default()],
            foreign: false,
        }
    }

    /// A message of `side` begins: a place where fragments begin, too, when the last ones were
    /// lost.
    pub(in crate::protocol) fn begin(&mut self, side: Side) {
        let half = self.half(side);
        if half.lost {
            *half = Half::default();
        }
    }

    /// Bytes that `side` sent.
    pub(in crate::protocol) fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        if self.foreign {
            return;
        }
        let mut rest = bytes;
        while let Some((header, fragment)) = self.half(side).next(&mut rest) {
            let Some(header) = header else {
                self.foreign = !self.association.is_certain();
                if !self.foreign {
                    cx.anomaly("dcerpc-fragment-odd");
                }
                return;
            };
            self.association.fragment(side, &header, &fragment, cx);
        }
    }

    /// `n` bytes that `side` sent passed unseen.
    pub(in crate::protocol) fn missed(&mut self, side: Side, n: u64) {
        let half = self.half(side);
        let inside = half.skip >= n && half.waiting.is_empty();
        if inside {
            half.skip -= n;
        } else if n > 0 {
            *half = Half {
                lost: true,
                ..Half::default()
            };
        }
    }

    /// True when it turned out to carry something else.
    pub(in crate::protocol) const fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The pipe is closed, or the flow is over.
    pub(in crate::protocol) fn end(&mut self, cx: &mut Context<'_>) {
        if !self.foreign {
            self.association.end(cx);
        }
    }

    /// Heap bytes held; an estimate that errs high.
    pub(in crate::protocol) fn heap_bytes(&self) -> usize {
        let waiting: usize = self.halves.iter().map(|half| half.waiting.capacity()).sum();
        size_of::<Association>() + self.association.heap_bytes() + waiting
    }

    const fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.halves;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }
}

impl Half {
    /// The next fragment, as far as it is wanted; without header when there is none in its place;
    /// `None` when more bytes are needed.
    fn next(&mut self, rest: &mut &[u8]) -> Option<(Option<Header>, Vec<u8>)> {
        if self.lost {
            return None;
        }
        let here = usize::try_from(self.skip)
            .unwrap_or(usize::MAX)
            .min(rest.len());
        self.skip = self
            .skip
            .saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
        *rest = rest.get(here..).unwrap_or(&[]);
        self.wait(HEADER_BYTES, rest)?;
        let Some(header) = header(&self.waiting) else {
            *self = Self {
                lost: true,
                ..Self::default()
            };
            return Some((None, Vec::new()));
        };
        let wanted = header.wanted();
        debug_assert!(wanted <= BIND_BYTES_MAX);
        self.wait(wanted, rest)?;
        self.skip = u64::try_from(header.length - wanted).unwrap_or(0);
        Some((Some(header), std::mem::take(&mut self.waiting)))
    }

    /// Waits for so many octets.
    fn wait(&mut self, octets: usize, rest: &mut &[u8]) -> Option<()> {
        let missing = octets.saturating_sub(self.waiting.len());
        let (taken, left) = rest.split_at(missing.min(rest.len()));
        self.waiting.extend_from_slice(taken);
        *rest = left;
        (self.waiting.len() >= octets).then_some(())
    }
}
