//! A pair of values, one for each side of a conversation.
//!
//! Enters: values by [`Side`]. Leaves: the same. Refuses: nothing.
//! Source: `DESIGN.md` section 4, wire.

use crate::protocol::Side;

/// One value a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sides<T> {
    /// The client's.
    pub(crate) client: T,
    /// The server's.
    pub(crate) server: T,
}

impl<T> Sides<T> {
    /// The value of a side.
    #[inline]
    pub(crate) const fn of(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The value of a side, to change.
    #[inline]
    pub(crate) const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}
