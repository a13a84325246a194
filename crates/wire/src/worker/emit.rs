//! Events on their way out: identity, times, site.
//!
//! Enters: bodies with their time. Leaves: [`Event`]s. Refuses: an identity twice: within a node
//! they only increase. Source: `DESIGN.md` section 5.

use model::port::EventSink;
use model::{Body, Connection, Event, EventUid, Meta, Millis, Nanos, NodeId, Text};

use crate::config::{Sequence, WireConfig};
use crate::protocol::Draft;

/// Label of events that were read inside an encrypted connection.
const DECRYPTED: &str = "decrypted";

/// Completes events.
pub(super) struct Emitter {
    node: NodeId,
    site: Text,
    live: bool,
    logged: Millis,
    number: u64,
    /// The sequence of the next event.
    next: u64,
}

impl Emitter {
    pub(super) fn new(config: &WireConfig) -> Self {
        let (live, next) = match config.sequence {
            Sequence::Packet => (false, 0),
            Sequence::Counter(start) => (true, start),
        };
        Self {
            node: config.node,
            site: config.site.clone(),
            live,
            logged: Millis::default(),
            number: 0,
            next,
        }
    }

    /// The events to come belong to this packet.
    #[inline]
    pub(super) fn begin(&mut self, number: u64) {
        self.number = number;
        if !self.live {
            let first = EventUid::of_packet(self.node, number, 0).seq;
            self.next = self.next.max(first);
        }
    }

    /// The packet that events belong to.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) const fn set_logged_time(&mut self, now: Millis) {
        self.logged = now;
    }

    /// Sends what a session drafted.
    pub(super) fn draft(
        &mut self,
        draft: Draft,
        mut connection: Box<Connection>,
        sink: &mut dyn EventSink,
    ) {
        let mut meta = self.meta(draft.time, draft.activity, draft.status);
        meta.severity = draft.severity;
        meta.status_code = draft.status_code;
        if let Some(name) = draft.inside {
            meta.labels.push(Text::Borrowed(DECRYPTED));
            connection.app = Text::Borrowed(name);
        }
        sink.event(Event {
            meta,
            connection: Some(connection),
            body: draft.body,
        });
    }

    /// Sends an informational event.
    pub(super) fn send(
        &mut self,
        time: Nanos,
        activity: u16,
        status: u16,
        connection: Option<Box<Connection>>,
        body: Body,
        sink: &mut dyn EventSink,
    ) {
        let meta = self.meta(time, activity, status);
        sink.event(Event {
            meta,
            connection,
            body,
        });
    }

    fn meta(&mut self, time: Nanos, activity: u16, status: u16) -> Meta {
        let uid = EventUid {
            node: self.node,
            seq: self.next,
        };
        self.next += 1;
        let time = time.millis();
        Meta {
            uid,
            time,
            logged_time: if self.live { self.logged } else { time },
            site: self.site.clone(),
            activity,
            severity: 1,
            status,
            ..Meta::default()
        }
    }
}
