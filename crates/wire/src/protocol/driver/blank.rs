//! A driver of which nothing need be kept but how far recognition came.
//!
//! Enters: a driver after bytes that nobody knew. Leaves: [`Blank`], a few octets in place of it,
//! from which it is made again. Refuses: drivers that hold bytes or a session.
//! Source: `DESIGN.md` section 4, wire: most flows that nobody knows are short.

use super::super::{Protocol, Side};
use super::{Driver, Pending, State};

/// How far recognition came in a flow that nobody knows yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Blank {
    client: Tried,
    server: Tried,
    datagrams: u8,
    first: Option<Side>,
    picked_up: bool,
}

#[derive(Clone, Copy, Default)]
struct Tried {
    bytes: u16,
    segments: u8,
    closed: bool,
}

impl Tried {
    const fn of(pending: &Pending) -> Option<Self> {
        if pending.bytes.capacity() > 0 || pending.skip > 0 || pending.need > 0 || pending.fresh {
            return None;
        }
        Some(Self {
            bytes: pending.tried_bytes,
            segments: pending.tried_segments,
            closed: pending.closed,
        })
    }

    const fn pending(self) -> Pending {
        Pending {
            bytes: Vec::new(),
            need: 0,
            skip: 0,
            fresh: false,
            closed: self.closed,
            tried_segments: self.segments,
            tried_bytes: self.bytes,
        }
    }
}

impl Driver {
    /// The driver that this came of.
    pub(crate) fn of_blank(registry: &'static [&'static dyn Protocol], blank: Blank) -> Self {
        Self {
            sides: [blank.client.pending(), blank.server.pending()],
            first: blank.first,
            datagrams: blank.datagrams,
            picked_up: blank.picked_up,
            ..Self::new(registry)
        }
    }

    /// What is left when nothing of it need be kept.
    pub(crate) fn blank(&self) -> Option<Blank> {
        let [client, server] = &self.sides;
        let fresh = self.restarts == 0 && self.told.is_empty();
        if !fresh || !matches!(self.state, State::Probing) {
            return None;
        }
        Some(Blank {
            client: Tried::of(client)?,
            server: Tried::of(server)?,
            datagrams: self.datagrams,
            first: self.first,
            picked_up: self.picked_up,
        })
    }
}
