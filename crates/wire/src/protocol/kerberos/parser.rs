//! Framing and recognition.
//!
//! Enters: the start of a stream or a datagram. Leaves: the length of the next message, or whether
//! this is Kerberos at all. Refuses: messages of more than [`MESSAGE_BYTES_MAX`] octets: the head
//! is read, the rest passes. Source: RFC 4120 section 7.2.2.

use codec::ber::{Head, head};
use codec::bytes::Reader;
use codec::kerberos::{Kind, Message};

use crate::protocol::Probe;

/// Most octets of one message that are waited for.
pub(super) const MESSAGE_BYTES_MAX: usize = 48 * 1024;
/// Longest message that a probe believes in.
const BELIEVED_BYTES_MAX: usize = 1024 * 1024;
/// Octets of the length before a message.
pub(super) const LENGTH_BYTES: usize = 4;

/// Length of the message that follows; its highest bit is reserved.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let length = Reader::new(bytes).u32_be()? & 0x7fff_ffff;
    usize::try_from(length).ok()
}

/// Whether a stream starts with a message.
pub(super) fn probe_stream(bytes: &[u8]) -> Probe {
    if bytes.first() != Some(&0) {
        return Probe::No;
    }
    let (Some(length), Some(message)) = (length(bytes), bytes.get(LENGTH_BYTES..)) else {
        return Probe::NeedMore;
    };
    if length > BELIEVED_BYTES_MAX {
        return Probe::No;
    }
    start(message, length)
}

/// Whether a datagram is a message.
pub(super) fn probe_datagram(bytes: &[u8]) -> Probe {
    if start(bytes, bytes.len()) == Probe::Certain && Message::read(bytes).is_some() {
        Probe::Certain
    } else {
        Probe::No
    }
}

fn start(message: &[u8], length: usize) -> Probe {
    let Some(tag) = message.first() else {
        return Probe::NeedMore;
    };
    if Kind::of_tag(*tag).is_none_or(|kind| kind == Kind::Sealed) {
        return Probe::No;
    }
    let (head, len) = match head(message) {
        Head::Is { head, len, .. } => (head, len),
        Head::Short => return Probe::NeedMore,
        Head::Odd => return Probe::No,
    };
    if head.saturating_add(len) != length {
        return Probe::No;
    }
    match message.get(head) {
        Some(0x30) => Probe::Certain,
        Some(_) => Probe::No,
        None => Probe::NeedMore,
    }
}
