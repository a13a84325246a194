//! Messages that cannot be read: encrypted and compressed ones, counted by session.
//!
//! Enters: their sizes. Leaves: one draft a session at its end. Refuses: more than [`SEALED_MAX`]
//! sessions at once; the oldest is told. Source: [MS-SMB2] sections 2.2.41 and 2.2.42.

use model::Nanos;

use super::session::{OTHER, SmbSession};
use super::state::Place;
use crate::protocol::{Context, Draft, Side};

/// Most sessions whose encrypted messages are counted apart.
pub(super) const SEALED_MAX: usize = 16;

/// Encrypted or compressed messages of one session, by side.
pub(super) struct Sealed {
    time: Nanos,
    bytes: [u64; 2],
    messages: [u32; 2],
}

impl SmbSession {
    /// Counts a message.
    pub(super) fn seal(&mut self, side: Side, key: (u64, bool), bytes: u64, cx: &mut Context<'_>) {
        self.seen = true;
        if self.sealed.at(key).is_none() {
            let sealed = Sealed {
                time: cx.now,
                bytes: [0; 2],
                messages: [0; 2],
            };
            if let Some(((session, compressed), old)) = self.sealed.put(key, sealed) {
                cx.anomaly("smb-sealed-limit");
                self.tell_sealed(session, compressed, &old, cx);
            }
        }
        if let Some(sealed) = self.sealed.at_mut(key) {
            let [client, server] = &mut sealed.bytes;
            let [asked, said] = &mut sealed.messages;
            let (total, count) = match side {
                Side::Client => (client, asked),
                Side::Server => (server, said),
            };
            *total = total.saturating_add(bytes);
            *count = count.saturating_add(1);
        }
    }

    /// Tells the sums.
    pub(super) fn tell_sealed(
        &self,
        session: u64,
        compressed: bool,
        sealed: &Sealed,
        cx: &mut Context<'_>,
    ) {
        let command = if compressed {
            "COMPRESSED"
        } else {
            "ENCRYPTED"
        };
        let place = Place {
            session,
            ..Place::default()
        };
        let mut body = self.body(command, place);
        let [from_client, from_server] = sealed.bytes;
        let [asked, said] = sealed.messages;
        body.encrypted = Some(!compressed);
        body.signed = None;
        body.read_bytes = Some(from_server);
        body.write_bytes = Some(from_client);
        body.reads = Some(said);
        body.writes = Some(asked);
        cx.emit(Draft::new(sealed.time, OTHER, body));
    }
}
