//! Messages of SOCKS.
//!
//! Enters: the octets of one side. Leaves: requests, replies, and how long they are. Refuses: other
//! versions. Source: RFC 1928, RFC 1929, the SOCKS 4 and 4a memos.

use std::net::{Ipv4Addr, Ipv6Addr};

use codec::bytes::Reader;

use crate::protocol::Probe;
use crate::protocol::shared::text::readable;

/// Longest user identifier or name of SOCKS 4.
const TEXT_BYTES_MAX: usize = 255;
/// Most methods that a real client offers.
const METHODS_MAX: u8 = 16;

/// A request for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) version: u8,
    pub(super) command: u8,
    pub(super) host: String,
    pub(super) port: u16,
    /// User identifier of SOCKS 4.
    pub(super) user: String,
    pub(super) length: usize,
}

/// What the start of a side's bytes is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Split<T> {
    Whole(T),
    /// More octets must come.
    Short,
    /// No such message.
    Odd,
}

fn split<T>(found: Option<T>) -> Split<T> {
    found.map_or(Split::Short, Split::Whole)
}

/// Whether these octets are a request of SOCKS 4.
pub(super) fn probe_4(bytes: &[u8]) -> Probe {
    match (bytes.get(1), request_4(bytes)) {
        (None, _) => Probe::NeedMore,
        (Some(1 | 2), Split::Whole(found)) if found.port != 0 => Probe::Maybe,
        (Some(1 | 2), Split::Short) => Probe::NeedMore,
        _ => Probe::No,
    }
}

/// Whether these octets are a greeting of SOCKS 5.
pub(super) fn probe_5(bytes: &[u8]) -> Probe {
    let [5, rest @ ..] = bytes else {
        return Probe::No;
    };
    let Some((&count, methods)) = rest.split_first() else {
        return Probe::NeedMore;
    };
    if !(1..=METHODS_MAX).contains(&count) {
        return Probe::No;
    }
    let (own, after) = methods
        .split_at_checked(usize::from(count))
        .unwrap_or((methods, &[]));
    let known = |method: &u8| *method <= 9 || *method >= 0x80;
    let distinct = own
        .iter()
        .enumerate()
        .all(|(at, method)| !own.get(..at).unwrap_or(&[]).contains(method));
    if !own.iter().all(known) || !distinct || !matches!(after.first(), None | Some(1 | 5)) {
        Probe::No
    } else if own.len() < usize::from(count) {
        Probe::NeedMore
    } else {
        Probe::Maybe
    }
}

/// A request of SOCKS 4 or 4a.
pub(super) fn request_4(bytes: &[u8]) -> Split<Request> {
    let mut r = Reader::new(bytes);
    let (Some([4, command]), Some(port), Some(ip)) = (r.array::<2>(), r.u16_be(), r.array::<4>())
    else {
        return if bytes.starts_with(&[4]) {
            Split::Short
        } else {
            Split::Odd
        };
    };
    let user = match text(&mut r) {
        Split::Whole(user) => user,
        Split::Short => return Split::Short,
        Split::Odd => return Split::Odd,
    };
    let named = matches!(ip, [0, 0, 0, last] if last != 0);
    let host = if named {
        match text(&mut r) {
            Split::Whole(host) => host,
            Split::Short => return Split::Short,
            Split::Odd => return Split::Odd,
        }
    } else {
        Ipv4Addr::from(ip).to_string()
    };
    Split::Whole(Request {
        version: 4,
        command,
        host,
        port,
        user,
        length: r.position(),
    })
}

/// Text that ends with a zero.
fn text(r: &mut Reader<'_>) -> Split<String> {
    let rest = r.rest();
    let end = rest
        .iter()
        .take(TEXT_BYTES_MAX + 1)
        .position(|&octet| octet == 0);
    let head = rest.get(..end.unwrap_or(rest.len())).unwrap_or(&[]);
    if !head.iter().take(TEXT_BYTES_MAX).all(u8::is_ascii_graphic) {
        return Split::Odd;
    }
    match end {
        Some(end) => {
            let _ = r.skip(end + 1);
            Split::Whole(readable(head))
        }
        None if rest.len() > TEXT_BYTES_MAX => Split::Odd,
        None => Split::Short,
    }
}

/// The greeting of SOCKS 5: how long it is, and the methods.
pub(super) fn greeting(bytes: &[u8]) -> Split<&[u8]> {
    let mut r = Reader::new(bytes);
    match r.u8() {
        None => return Split::Short,
        Some(5) => {}
        Some(_) => return Split::Odd,
    }
    let count = r.u8();
    split(count.and_then(|count| r.take(usize::from(count))))
}

/// The user's name of RFC 1929, and the length of the message. The password is passed over.
pub(super) fn login(bytes: &[u8]) -> Split<(String, usize)> {
    let mut r = Reader::new(bytes);
    if !matches!(r.u8(), None | Some(1)) {
        return Split::Odd;
    }
    let mut part = || r.u8().and_then(|length| r.take(usize::from(length)));
    let (user, password) = (part(), part());
    split(match (user, password) {
        (Some(user), Some(_)) => Some((readable(user), r.position())),
        _ => None,
    })
}

/// A request of SOCKS 5; replies have the same form, their code in place of the command.
pub(super) fn message_5(bytes: &[u8]) -> Split<Request> {
    let mut r = Reader::new(bytes);
    if !matches!(r.u8(), None | Some(5)) {
        return Split::Odd;
    }
    let (Some(command), Some(_), Some(kind)) = (r.u8(), r.u8(), r.u8()) else {
        return Split::Short;
    };
    let host = match kind {
        1 => r.array::<4>().map(|ip| Ipv4Addr::from(ip).to_string()),
        3 => r
            .u8()
            .and_then(|length| r.take(usize::from(length)))
            .map(readable),
        4 => r.array::<16>().map(|ip| Ipv6Addr::from(ip).to_string()),
        _ => return Split::Odd,
    };
    split(match (host, r.u16_be()) {
        (Some(host), Some(port)) => Some(Request {
            version: 5,
            command,
            host,
            port,
            user: String::new(),
            length: r.position(),
        }),
        _ => None,
    })
}

/// The reply of SOCKS 4: its code.
pub(super) fn reply_4(bytes: &[u8]) -> Split<u8> {
    match bytes {
        [] | [0] => Split::Short,
        [0, code @ 90..=93, rest @ ..] if rest.len() >= 6 => Split::Whole(*code),
        [0, 90..=93, ..] => Split::Short,
        _ => Split::Odd,
    }
}
