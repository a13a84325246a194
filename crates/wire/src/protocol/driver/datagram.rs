//! Datagrams: each is shown whole to one session; what it does not consume is dropped. And flows,
//! of either kind, that another flow announced.
//!
//! Enters: datagrams of either side. Leaves: drafts and anomalies. Refuses: to try more than
//! [`PROBE_DATAGRAMS_MAX`] datagrams that nobody knows.
//! Source: `DESIGN.md` section 4, wire.

use super::super::announced::announced;
use super::super::recognise::{Answer, PROBE_DATAGRAMS_MAX};
use super::super::{Context, Next, Side, Transport};
use super::{Driver, State};

impl Driver {
    pub(super) fn datagram(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        if matches!(self.state, State::Probing) {
            self.datagrams += 1;
            if !self.open_datagram(side, bytes, cx) {
                if self.datagrams >= PROBE_DATAGRAMS_MAX {
                    self.state = State::Unknown;
                }
                return;
            }
        }
        let State::Parsing(session) = &mut self.state else {
            return;
        };
        match session.bytes(side, bytes, cx).next {
            Next::Done => self.finish_session(),
            Next::NotMine => {
                self.refuse();
                let again = matches!(self.state, State::Probing);
                if again && self.open_datagram(side, bytes, cx) {
                    self.retry_datagram(side, bytes, cx);
                }
            }
            Next::Need(_) | Next::Skip(_) | Next::Restart => {}
        }
    }

    /// Shows a datagram to the second candidate; the third waits for the next datagram.
    fn retry_datagram(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        if let State::Parsing(session) = &mut self.state {
            match session.bytes(side, bytes, cx).next {
                Next::Done => self.finish_session(),
                Next::NotMine => self.refuse(),
                Next::Need(_) | Next::Skip(_) | Next::Restart => {}
            }
        }
    }

    /// Opens the session of a flow that another one announced.
    pub(super) fn open_announced(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> bool {
        // What is encrypted is opened first, if it can be.
        if bytes.starts_with(&[0x16, 3]) && cx.transport == Transport::Tcp {
            return false;
        }
        let Some((name, session)) = announced(cx) else {
            return false;
        };
        self.name = Some(name);
        self.state = State::Parsing(session);
        true
    }

    fn open_datagram(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> bool {
        if self.open_announced(bytes, cx) {
            return true;
        }
        if let Answer::Open(protocol) = self.candidates.ask(side, bytes, true, cx) {
            self.open(protocol);
            return true;
        }
        false
    }
}
