//! Request, answer, and the opening that follows in the clear.
//!
//! Enters: bytes of both sides. Leaves: one event per opening. Refuses: frames over
//! [`FRAME_BYTES_MAX`]. Source: [MS-RDPBCGR] section 1.3.1.1.

use model::class;
use model::{Nanos, Text};

use super::parser::{self, Answer, TPKT_BYTES, Unit};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Longest frame of the opening: what it holds is below 2 KiB in practice.
pub(super) const FRAME_BYTES_MAX: usize = 16 * 1024;
/// OCSF activities.
const INITIAL_REQUEST: u16 = 1;
const INITIAL_RESPONSE: u16 = 2;
const CONNECT_REQUEST: u16 = 3;
const CONNECT_RESPONSE: u16 = 4;

/// One flow's Remote Desktop.
#[derive(Default)]
pub(super) struct RdpSession {
    rdp: Option<Box<class::Rdp>>,
    time: Option<Nanos>,
    activity: u16,
    outcome: (u16, Option<Text>),
}

impl RdpSession {
    fn rdp(&mut self, now: Nanos) -> &mut class::Rdp {
        self.time.get_or_insert(now);
        self.rdp.get_or_insert_default()
    }

    fn frame(&mut self, frame: &[u8], cx: &Context<'_>) -> Option<Next> {
        match parser::unit(frame) {
            Unit::Request => {
                parser::request(frame, self.rdp(cx.now));
                self.activity = INITIAL_REQUEST;
                None
            }
            Unit::Confirm => Some(self.confirmed(parser::answer(frame), cx.now)),
            Unit::Data => {
                let known = parser::opening(frame, self.rdp(cx.now));
                let over = matches!(frame.get(7..9), Some([0x7f, 0x66]));
                if known && !over {
                    self.activity = CONNECT_REQUEST;
                }
                if over {
                    self.activity = CONNECT_RESPONSE;
                    self.outcome.0 = 1;
                }
                (over || !known).then_some(Next::Done)
            }
            Unit::Other => Some(Next::Done),
        }
    }

    fn confirmed(&mut self, answer: Answer, now: Nanos) -> Next {
        self.activity = INITIAL_RESPONSE;
        let selected = match answer {
            Answer::Failure(code) => {
                self.rdp(now);
                self.outcome = (2, Some(parser::failure(code)));
                return Next::Done;
            }
            Answer::Selected(selected) => selected,
            Answer::Old => 0,
        };
        self.outcome = (1, None);
        let rdp = self.rdp(now);
        rdp.selected = Some(Text::Borrowed(parser::protocol(selected)));
        if selected == 0 {
            return Next::Need(0);
        }
        rdp.logon = Some(Text::Borrowed("unknown"));
        Next::Restart
    }
}

impl Session for RdpSession {
    fn bytes(&mut self, _side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.len() < TPKT_BYTES {
                return Step::need(at, TPKT_BYTES);
            }
            let length = parser::frame_bytes(rest).filter(|length| *length <= FRAME_BYTES_MAX);
            let Some(length) = length else {
                if self.rdp.is_none() {
                    return Step::NOT_MINE;
                }
                cx.anomaly("rdp-frame-odd");
                return Step {
                    consumed: at,
                    next: Next::Done,
                };
            };
            let Some(frame) = rest.get(..length) else {
                return Step::need(at, length);
            };
            at += length;
            match self.frame(frame, cx) {
                None | Some(Next::Need(_)) => {}
                Some(next) => return Step { consumed: at, next },
            }
        }
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let Some(rdp) = self.rdp.take() else {
            return;
        };
        let time = self.time.unwrap_or(cx.now);
        let (status, code) = std::mem::take(&mut self.outcome);
        let draft = Draft::new(time, self.activity, *rdp);
        cx.emit(draft.status(status, code));
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>()
            + self
                .rdp
                .as_ref()
                .map_or(0, |_| size_of::<class::Rdp>() + 2048)
    }
}
