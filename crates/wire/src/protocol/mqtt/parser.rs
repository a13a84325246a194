//! Packets of MQTT.
//!
//! Enters: octets of one side. Leaves: heads of packets, connections, topics. Refuses: lengths of
//! more than four octets. Limits: [`HEAD_BYTES_MAX`] octets of a packet that is read whole.
//! Source: MQTT 3.1.1 section 2 and 3, MQTT 5.0 sections 2 and 3.

use codec::bytes::Reader;

use crate::protocol::Probe;
use crate::protocol::shared::text::readable;

/// Most octets of a packet that is read whole, or of a publication before its payload.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most topics of one subscription that are looked at.
const FILTERS_MAX: usize = 64;

/// The fixed head of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// Octets of the head.
    pub(super) size: usize,
    /// Octets after it.
    pub(super) length: usize,
}

/// Reads a head: `Ok(None)` when it is not whole, `Err` when it is none.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>, ()> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let mut length = 0usize;
    for (at, &octet) in rest.iter().take(4).enumerate() {
        length |= usize::from(octet & 0x7f) << (7 * at);
        if octet & 0x80 == 0 {
            return Ok(Some(Head {
                kind: first >> 4,
                flags: first & 0x0f,
                size: at + 2,
                length,
            }));
        }
    }
    if rest.len() < 4 { Ok(None) } else { Err(()) }
}

/// Whether these octets open a connection.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    if bytes.first().is_some_and(|first| *first != 0x10) {
        return Probe::No;
    }
    let Ok(Some(head)) = head(bytes) else {
        return if bytes.len() < 5 {
            Probe::NeedMore
        } else {
            Probe::No
        };
    };
    if !(12..=HEAD_BYTES_MAX).contains(&head.length) {
        return Probe::No;
    }
    let name = bytes.get(head.size..).unwrap_or(&[]);
    let names = [&b"\x00\x04MQTT"[..], b"\x00\x06MQIsdp"];
    if names.iter().any(|known| name.starts_with(known)) {
        Probe::Certain
    } else if names.iter().any(|known| known.starts_with(name)) {
        Probe::NeedMore
    } else {
        Probe::No
    }
}

/// A connection asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Connect {
    pub(super) level: u8,
    pub(super) clean: bool,
    pub(super) keep_alive: u16,
    pub(super) client: String,
    pub(super) user: Option<String>,
    /// A password is there; it is passed over.
    pub(super) password: bool,
    pub(super) will: Option<String>,
}

/// Reads the body of CONNECT.
pub(super) fn connect(body: &[u8]) -> Option<Connect> {
    let mut r = Reader::new(body);
    string(&mut r)?;
    let level = r.u8()?;
    let flags = r.u8()?;
    let keep_alive = r.u16_be()?;
    if level == 5 {
        properties(&mut r)?;
    }
    let mut out = Connect {
        level,
        clean: flags & 2 != 0,
        keep_alive,
        client: readable(string(&mut r)?),
        password: flags & 0x40 != 0,
        ..Connect::default()
    };
    if flags & 4 != 0 {
        let ok = level != 5 || properties(&mut r).is_some();
        out.will = string(&mut r).filter(|_| ok).map(readable);
        if string(&mut r).is_none() {
            return Some(out);
        }
    }
    if flags & 0x80 != 0 {
        out.user = string(&mut r).map(readable);
    }
    Some(out)
}

/// Where a publication goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Publish<'a> {
    pub(super) topic: &'a [u8],
    /// Number that stands for a topic (version 5).
    pub(super) alias: Option<u16>,
}

/// Reads the topic of a publication; `None` when what stands before its payload is not there yet.
/// `whole` says that no more of the packet will come.
pub(super) fn publish(body: &[u8], flags: u8, level: u8, whole: bool) -> Option<Publish<'_>> {
    let mut r = Reader::new(body);
    let topic = string(&mut r)?;
    let mut alias = None;
    if level == 5 {
        let id = flags & 6 == 0 || r.skip(2).is_some();
        // The alias is nearly always the first property.
        match properties(&mut r).filter(|_| id) {
            Some([0x23, high, low, ..]) => alias = Some(u16::from_be_bytes([*high, *low])),
            None if !whole => return None,
            Some(_) | None => {}
        }
    }
    Some(Publish { topic, alias })
}

/// Identifier and filters of SUBSCRIBE (with options) or UNSUBSCRIBE.
pub(super) fn filters(body: &[u8], level: u8, options: bool) -> Option<(u16, Vec<String>)> {
    let mut r = Reader::new(body);
    let id = r.u16_be()?;
    if level == 5 {
        properties(&mut r)?;
    }
    let mut out = Vec::new();
    while out.len() < FILTERS_MAX
        && let Some(filter) = string(&mut r)
    {
        out.push(readable(filter));
        if options {
            let _ = r.u8();
        }
    }
    Some((id, out))
}

/// Identifier and codes of SUBACK or UNSUBACK.
pub(super) fn codes(body: &[u8], level: u8) -> Option<(u16, &[u8])> {
    let mut r = Reader::new(body);
    let id = r.u16_be()?;
    if level == 5 {
        properties(&mut r)?;
    }
    Some((id, r.rest()))
}

fn string<'a>(r: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::from(r.u16_be()?);
    r.take(length)
}

fn properties<'a>(r: &mut Reader<'a>) -> Option<&'a [u8]> {
    let mut length = 0usize;
    for at in 0..4 {
        let octet = r.u8()?;
        length |= usize::from(octet & 0x7f) << (7 * at);
        if octet & 0x80 == 0 {
            return r.take(length);
        }
    }
    None
}
