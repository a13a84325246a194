//! What a driver says of itself.
//!
//! Enters: a driver. Leaves: the name, whether more bytes are wanted, what it holds. Refuses:
//! nothing. Source: `STYLE.md`, one file one subject.

use model::Text;

use super::{Driver, Side, State};

impl Driver {
    /// The protocol recognised last, if any; it stays when its session ends or gives up.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// True when no byte of this flow is wanted any more.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Unknown | State::Ended(_))
    }

    /// True when [`Driver::end`] still has something to say.
    #[must_use]
    pub const fn has_session(&self) -> bool {
        matches!(self.state, State::Parsing(_) | State::Ended(_))
    }

    /// True when a session did not live to its end: recognised but not parsed.
    #[must_use]
    pub const fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// How many sessions said "not mine".
    #[must_use]
    pub const fn refusals(&self) -> u8 {
        self.refusals
    }

    /// Heap bytes held, session included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let pending: usize = self.sides.iter().map(|side| side.bytes.capacity()).sum();
        pending
            + self.told.capacity() * (size_of::<Text>() + 48)
            + match &self.state {
                State::Parsing(session) | State::Ended(session) => session.heap_bytes(),
                State::Probing | State::Unknown => 0,
            }
    }

    /// Bytes of a side that the session asked to skip and that have not come yet.
    #[must_use]
    pub fn skip_left(&self, side: Side) -> u64 {
        self.side(side).skip
    }
}
