//! Bodies of HTTP/2 that somebody wants to see.
//!
//! Enters: octets of DATA frames. Leaves: how many were shown. Refuses: nothing; padding passes.
//! Source: RFC 9113 section 6.1.

use super::{H2Session, Passing};
use crate::protocol::{Context, Side, Step};

impl H2Session {
    /// Octets of the frame at hand that should be shown.
    pub(super) fn wants(&mut self, side: Side) -> u64 {
        let Some(passing) = self.side(side).passing.filter(|passing| passing.body > 0) else {
            return 0;
        };
        let known = self.streams.get(&passing.stream);
        let wants = known.map_or(0, |known| known.exchange.wants(side == Side::Server));
        wants.min(passing.body)
    }

    /// Shows the next octets of a frame, or lets the rest of it pass.
    pub(super) fn show(
        &mut self,
        side: Side,
        mut passing: Passing,
        rest: &[u8],
        cx: &mut Context<'_>,
    ) -> Step {
        let wants = usize::try_from(self.wants(side)).unwrap_or(usize::MAX);
        if wants == 0 {
            return Step::skip(0, passing.left);
        }
        let shown = rest.get(..wants).unwrap_or(rest);
        let n = u64::try_from(shown.len()).unwrap_or(0);
        if let Some(known) = self.streams.get_mut(&passing.stream) {
            known.exchange.body(side == Side::Server, shown);
            known.exchange.count(side == Side::Server, n);
        }
        passing.body -= n;
        self.moved(side, passing, n, cx);
        Step::consumed(shown.len())
    }

    /// `n` octets of a frame went by.
    pub(super) fn moved(&mut self, side: Side, mut passing: Passing, n: u64, cx: &mut Context<'_>) {
        passing.left = passing.left.saturating_sub(n);
        if passing.left > 0 {
            self.side(side).passing = Some(passing);
            return;
        }
        self.side(side).passing = None;
        if passing.ends {
            self.over(side, passing.stream, cx);
        }
    }
}
