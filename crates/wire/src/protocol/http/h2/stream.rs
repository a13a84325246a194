//! One stream: a request and its answer.
//!
//! Enters: heads. Leaves: the exchange. Refuses: trailers, and heads that come twice.
//! Source: RFC 9113 section 8.1.

use model::Nanos;

use super::super::exchange::Exchange;
use super::super::parser::Head;
use crate::protocol::Side;

/// A stream that is open.
pub(super) struct Stream {
    pub(super) exchange: Exchange,
    asked: bool,
    /// True when the final answer's head came.
    pub(super) answered: bool,
}

impl Stream {
    pub(super) const fn of(exchange: Exchange) -> Self {
        Self {
            exchange,
            asked: false,
            answered: false,
        }
    }

    /// Takes a head of `side`.
    pub(super) fn head(&mut self, side: Side, request: bool, head: Head, now: Nanos) {
        if request {
            if std::mem::replace(&mut self.asked, true) || head.http.method.is_none() {
                return;
            }
        } else {
            let code = head.code.unwrap_or(0);
            if side == Side::Client || self.answered || code == 0 {
                return;
            }
            self.answered = code >= 200;
        }
        self.exchange.first_line(&head, now);
        self.exchange.head(head);
    }
}
