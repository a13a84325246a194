//! Both sides of a TCP connection, cut into fragments.
//!
//! Enters: bytes. Leaves: drafts, through `association`. Refuses: a side whose fragments were lost:
//! it passes unread until one starts a segment again. Source: C706 section 12.6.3.

use super::association::Association;
use super::parser::{HEADER_BYTES, header};
use crate::protocol::{Context, Session, Side, Step};

/// One flow's DCE/RPC.
#[derive(Default)]
pub(super) struct DceRpcSession {
    association: Association,
    lost: [bool; 2],
    seen: [bool; 2],
}

impl DceRpcSession {
    /// Whether fragments of `side` were seen, and of the other one.
    const fn seen_by(&self, side: Side) -> [bool; 2] {
        let [client, server] = self.seen;
        match side {
            Side::Client => [client, server],
            Side::Server => [server, client],
        }
    }

    fn set_lost(&mut self, side: Side, value: bool) {
        if let Some(lost) = self.lost.get_mut(side.index()) {
            *lost = value;
        }
    }
}

impl Session for DceRpcSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.len() < HEADER_BYTES {
                return Step::need(at, HEADER_BYTES);
            }
            let Some(header) = header(rest) else {
                let [seen, other] = self.seen_by(side);
                if !(seen || other && self.association.is_certain()) {
                    return Step::NOT_MINE;
                }
                if !self.lost.get(side.index()).copied().unwrap_or(false) {
                    cx.anomaly("dcerpc-fragment-odd");
                    self.set_lost(side, true);
                }
                return Step::consumed(bytes.len());
            };
            let wanted = header.wanted();
            let Some(fragment) = rest.get(..wanted) else {
                return Step::need(at, wanted);
            };
            if let Some(seen) = self.seen.get_mut(side.index()) {
                *seen = true;
            }
            self.set_lost(side, false);
            self.association.fragment(side, &header, fragment, cx);
            at += wanted;
            if header.length > wanted {
                let skip = u64::try_from(header.length - wanted).unwrap_or(0);
                return Step::skip(at, skip);
            }
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("dcerpc-gap");
        self.set_lost(side, true);
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.association.end(cx);
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.association.heap_bytes()
    }
}
