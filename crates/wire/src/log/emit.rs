//! Records on their way out: identity, times, site, Community ID.
//!
//! Enters: records. Leaves: events. Refuses: an identity twice within a node.
//! Source: `DESIGN.md` section 5; Community ID version 1.

use model::community::community_id;
use model::port::EventSink;
use model::{Connection, Event, EventUid, Meta, Millis, NodeId, Text};

use super::LogConfig;
use super::said::Record;
use crate::config::Sequence;

/// Completes events.
pub(super) struct Emitter {
    node: NodeId,
    site: Text,
    by_line: bool,
    /// Time of recording; `None`: that of the event.
    pub(super) logged: Option<Millis>,
    /// Sequence of the next event.
    pub(super) next: u64,
}

impl Emitter {
    pub(super) fn new(config: &LogConfig) -> Self {
        let (by_line, next) = match config.sequence {
            Sequence::Packet => (true, 0),
            Sequence::Counter(start) => (false, start),
        };
        Self {
            node: config.node,
            site: config.site.clone(),
            by_line,
            logged: None,
            next,
        }
    }

    /// The events to come belong to this line or datagram.
    pub(super) fn begin(&mut self, number: u64) {
        if self.by_line {
            let first = EventUid::of_packet(self.node, number, 0).seq;
            self.next = self.next.max(first);
        }
    }

    /// Sends the events of a record; returns how many.
    pub(super) fn send(&mut self, record: Record, sink: &mut dyn EventSink) -> u64 {
        let made = record.said.len() as u64;
        for said in record.said {
            let mut connection = record.connection.clone();
            if said.answer {
                turn(&mut connection);
            }
            complete(&mut connection);
            let time = said.time.unwrap_or(record.time);
            let meta = Meta {
                uid: EventUid {
                    node: self.node,
                    seq: self.next,
                },
                time,
                logged_time: self.logged.unwrap_or(time),
                site: self.site.clone(),
                activity: said.activity,
                severity: 1,
                status: said.status,
                status_code: said.code,
                labels: vec![record.label.clone()],
            };
            self.next = self.next.saturating_add(1);
            sink.event(Event {
                meta,
                connection: said.body.class().network.then(|| Box::new(connection)),
                body: said.body,
            });
        }
        made
    }
}

/// Exchanges the two ends.
fn turn(connection: &mut Connection) {
    std::mem::swap(&mut connection.src_ip, &mut connection.dst_ip);
    std::mem::swap(&mut connection.src_port, &mut connection.dst_port);
    std::mem::swap(&mut connection.src_mac, &mut connection.dst_mac);
}

fn complete(connection: &mut Connection) {
    if connection.app.is_empty() {
        connection.app = Text::Borrowed("unknown");
    }
    let ends = (connection.src_ip, connection.dst_ip);
    if let (None, (Some(src), Some(dst))) = (&connection.community_id, ends)
        && let Ok(protocol) = u8::try_from(connection.protocol)
        && src.is_ipv4() == dst.is_ipv4()
        && protocol != 0
    {
        let ports = (connection.src_port, connection.dst_port);
        let (from, to) = (ports.0.unwrap_or(0), ports.1.unwrap_or(0));
        connection.community_id = Some(community_id(src, dst, protocol, from, to).into());
    }
}
