//! Recognition: which protocol of the registry these first bytes belong to.
//!
//! Enters: the first bytes of a side. Leaves: an [`Answer`]. Refuses: to look at more than
//! [`PROBE_BYTES_MAX`] bytes, so that the answer does not depend on how a stream was cut.
//! Source: `DESIGN.md` section 4, wire.

use std::sync::OnceLock;

use super::asked::{Index, bit};
use super::{Context, First, Probe, Protocol, REGISTRY, Side, Transport};

/// Bytes of one side that probes may see; with none left to wait for, the best guess is taken.
pub(super) const PROBE_BYTES_MAX: usize = 2048;
/// Segments of one side, picked up in the middle of a stream, that are tried at least.
pub(super) const PROBE_SEGMENTS_MIN: u8 = 4;
/// Datagrams of one flow that are tried.
pub(super) const PROBE_DATAGRAMS_MAX: u8 = 8;

/// What the registry makes of first bytes.
pub(super) enum Answer {
    /// This protocol's.
    Open(&'static dyn Protocol),
    /// More bytes may tell.
    Wait,
    /// Nobody's.
    Nobody,
}

/// The registry, without the protocols that refused this flow.
#[derive(Clone, Copy)]
pub(super) struct Candidates {
    /// At most 128 protocols, which a test holds: each is a bit.
    pub(super) registry: &'static [&'static dyn Protocol],
    /// One bit for each protocol that said "not mine".
    refused: u128,
}

impl Candidates {
    pub(super) const fn new(registry: &'static [&'static dyn Protocol]) -> Self {
        Self {
            registry,
            refused: 0,
        }
    }

    /// Asks again everybody.
    pub(super) const fn forgive(&mut self) {
        self.refused = 0;
    }

    /// Never asks `name` again for this flow.
    pub(super) fn refuse(&mut self, name: Option<&'static str>) {
        let mut protocols = self.registry.iter();
        if let Some(at) = protocols.position(|protocol| Some(protocol.name()) == name) {
            self.refused |= bit(at);
        }
    }

    /// Asks every protocol that may know these bytes. With `last`, nothing more will come.
    pub(super) fn ask(&self, side: Side, bytes: &[u8], last: bool, cx: &Context<'_>) -> Answer {
        let seen = bytes.get(..PROBE_BYTES_MAX).unwrap_or(bytes);
        let first = First {
            transport: cx.transport,
            side,
            client_port: cx.client_port,
            server_port: cx.server_port,
            bytes: seen,
        };
        let mut maybe = None;
        let mut need_more = false;
        let mut left = self.asked(&first) & !self.refused;
        while left != 0 {
            let at = usize::try_from(left.trailing_zeros()).unwrap_or(usize::MAX);
            left &= left - 1;
            let Some(protocol) = self.registry.get(at) else {
                break;
            };
            match protocol.probe(&first) {
                Probe::Certain => return Answer::Open(*protocol),
                Probe::Maybe => maybe = maybe.or(Some(*protocol)),
                Probe::NeedMore => need_more = true,
                Probe::No => {}
            }
        }
        let may_wait = cx.transport == Transport::Tcp && !last && bytes.len() < PROBE_BYTES_MAX;
        if need_more && may_wait {
            return Answer::Wait;
        }
        maybe.map_or(Answer::Nobody, Answer::Open)
    }

    /// The protocols of the registry that may know these bytes. The program's own registry has an
    /// index; of any other, everybody is asked.
    fn asked(&self, first: &First<'_>) -> u128 {
        static INDEX: OnceLock<Index> = OnceLock::new();
        if !std::ptr::eq(self.registry, REGISTRY) {
            return u128::MAX;
        }
        INDEX.get_or_init(|| Index::new(REGISTRY)).of(first)
    }
}
