//! Record data in presentation form.
//!
//! Enters: a message and where one record's data stand in it. Leaves: text. Refuses: data that
//! break their type's rules, for which the caller writes the generic form.
//! Limits: [`HEX_BYTES_MAX`] octets written in hexadecimal, [`STRINGS_MAX`] strings or parameters.
//! Source: RFC 1035, 2782, 3403, 3597, 4034, 4255, 6698, 8659, 9460.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use codec::bytes::Reader;
use model::limit::cut;

use super::names::type_name;
use super::parser::read_name;

/// Most octets written in hexadecimal.
const HEX_BYTES_MAX: usize = 64;
/// Most character strings of a TXT record, parameters of a service record, and types of NSEC.
const STRINGS_MAX: usize = 64;

/// The data of a record of type `kind` that starts at `start`; `None` when they are malformed.
pub(super) fn present(message: &[u8], start: usize, len: usize, kind: u16) -> Option<String> {
    let end = start.checked_add(len)?;
    let data = message.get(start..end)?;
    let mut cursor = Cursor {
        message,
        at: start,
        end,
    };
    let text = match kind {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        28 => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        2 | 3 | 4 | 5 | 7 | 8 | 9 | 12 | 39 => cursor.name()?,
        6 => soa(&mut cursor)?,
        13 | 16 | 99 => strings(data)?,
        14 | 17 | 58 => format!("{} {}", cursor.name()?, cursor.name()?),
        15 | 18 | 21 | 36 => format!("{} {}", cursor.u16()?, cursor.name()?),
        33 => {
            let (priority, weight, port) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
            format!("{priority} {weight} {port} {}", cursor.name()?)
        }
        35 => naptr(&mut cursor)?,
        43 | 59 | 32768 | 32769 => numbers_and_hex(data, &[2, 1, 1])?,
        44 => numbers_and_hex(data, &[1, 1])?,
        52 | 53 => numbers_and_hex(data, &[1, 1, 1])?,
        46 => rrsig(&mut cursor)?,
        47 => nsec(&mut cursor)?,
        48 | 60 => dnskey(data)?,
        64 | 65 => service(&mut cursor)?,
        257 => caa(data)?,
        _ => generic(data),
    };
    Some(if text.len() > cut(&text).len() {
        cut(&text).to_owned()
    } else {
        text
    })
}

/// The form of RFC 3597 for any data: length and octets, cut after [`HEX_BYTES_MAX`].
pub(super) fn generic(data: &[u8]) -> String {
    let mut out = format!("\\# {}", data.len());
    if !data.is_empty() {
        out.push(' ');
        push_hex(data, &mut out);
    }
    out
}

fn push_hex(data: &[u8], out: &mut String) {
    for octet in data.iter().take(HEX_BYTES_MAX) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{octet:02x}");
    }
    if data.len() > HEX_BYTES_MAX {
        out.push_str("...");
    }
}

/// Reads inside one record's data, following pointers into the message.
struct Cursor<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    fn name(&mut self) -> Option<String> {
        let mut out = String::new();
        let read = read_name(self.message, self.at, &mut out).ok()?;
        if read.end > self.end {
            return None;
        }
        self.at = read.end;
        Some(out)
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let stop = self.at.checked_add(n)?;
        if stop > self.end {
            return None;
        }
        let out = self.message.get(self.at..stop)?;
        self.at = stop;
        Some(out)
    }

    fn rest(&mut self) -> &'a [u8] {
        let out = self.message.get(self.at..self.end).unwrap_or(&[]);
        self.at = self.end;
        out
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(self.u8()?);
        self.take(len)
    }
}

fn soa(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut out = format!("{} {}", cursor.name()?, cursor.name()?);
    for _ in 0..5 {
        let _ = write!(out, " {}", cursor.u32()?);
    }
    Some(out)
}

fn strings(data: &[u8]) -> Option<String> {
    let mut r = Reader::new(data);
    let mut out = String::new();
    for index in 0..STRINGS_MAX {
        if r.is_empty() {
            break;
        }
        let len = usize::from(r.u8()?);
        let text = r.take(len)?;
        if index > 0 {
            out.push(' ');
        }
        push_quoted(text, &mut out);
    }
    if !r.is_empty() {
        out.push_str(" ...");
    }
    Some(out)
}

fn push_quoted(text: &[u8], out: &mut String) {
    out.push('"');
    for &octet in text {
        match octet {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(octet));
            }
            0x20..=0x7e => out.push(char::from(octet)),
            _ => drop(write!(out, "\\{octet:03}")),
        }
    }
    out.push('"');
}

fn naptr(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut out = format!("{} {}", cursor.u16()?, cursor.u16()?);
    for _ in 0..3 {
        out.push(' ');
        push_quoted(cursor.string()?, &mut out);
    }
    out.push(' ');
    out.push_str(&cursor.name()?);
    Some(out)
}

/// Big-endian numbers of the given widths, then hexadecimal: DS, SSHFP, TLSA.
fn numbers_and_hex(data: &[u8], widths: &[usize]) -> Option<String> {
    let mut r = Reader::new(data);
    let mut out = String::new();
    for &width in widths {
        let number = r.take(width)?.iter();
        let number = number.fold(0u32, |sum, octet| (sum << 8) | u32::from(*octet));
        let _ = write!(out, "{number} ");
    }
    push_hex(r.rest(), &mut out);
    Some(out)
}

fn rrsig(cursor: &mut Cursor<'_>) -> Option<String> {
    let kind = type_name(cursor.u16()?);
    let (algorithm, labels) = (cursor.u8()?, cursor.u8()?);
    let (ttl, until, from) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    let tag = cursor.u16()?;
    let signer = cursor.name()?;
    let signature = cursor.rest().len();
    Some(format!(
        "{kind} {algorithm} {labels} {ttl} {until} {from} {tag} {signer} [{signature}]"
    ))
}

fn nsec(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut out = cursor.name()?;
    let mut listed = 0;
    while cursor.at < cursor.end {
        let window = u16::from(cursor.u8()?);
        for (index, octet) in (0u16..).zip(cursor.string()?) {
            for bit in 0..8u16 {
                if octet & (0x80 >> bit) != 0 && listed < STRINGS_MAX {
                    listed += 1;
                    let kind = (window << 8) | (index * 8 + bit);
                    let _ = write!(out, " {}", type_name(kind));
                }
            }
        }
    }
    Some(out)
}

/// A key is shown by its length: it is public but long, and nobody searches for it.
fn dnskey(data: &[u8]) -> Option<String> {
    let mut r = Reader::new(data);
    let (flags, protocol, algorithm) = (r.u16_be()?, r.u8()?, r.u8()?);
    let key = r.remaining();
    Some(format!("{flags} {protocol} {algorithm} [{key}]"))
}

fn caa(data: &[u8]) -> Option<String> {
    let mut r = Reader::new(data);
    let flags = r.u8()?;
    let len = usize::from(r.u8()?);
    let tag = r.take(len)?;
    if !tag.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut out = format!("{flags} {} ", String::from_utf8_lossy(tag));
    push_quoted(r.rest(), &mut out);
    Some(out)
}

/// SVCB and HTTPS: priority, target, then parameters.
fn service(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut out = format!("{} {}", cursor.u16()?, cursor.name()?);
    for _ in 0..STRINGS_MAX {
        if cursor.at >= cursor.end {
            return Some(out);
        }
        let key = cursor.u16()?;
        let len = usize::from(cursor.u16()?);
        let value = cursor.take(len)?;
        out.push(' ');
        push_parameter(key, value, &mut out)?;
    }
    out.push_str(" ...");
    Some(out)
}

fn push_parameter(key: u16, value: &[u8], out: &mut String) -> Option<()> {
    const KEYS: [&str; 8] = [
        "mandatory",
        "alpn",
        "no-default-alpn",
        "port",
        "ipv4hint",
        "ech",
        "ipv6hint",
        "dohpath",
    ];
    match KEYS.get(usize::from(key)) {
        Some(name) => out.push_str(name),
        None => drop(write!(out, "key{key}")),
    }
    if value.is_empty() {
        return Some(());
    }
    out.push('=');
    match key {
        0 => {
            let mut keys = value.chunks_exact(2).map(|pair| {
                let number = pair.iter().fold(0, |sum, o| (sum << 8) | usize::from(*o));
                KEYS.get(number)
                    .map_or_else(|| format!("key{number}"), |name| (*name).to_owned())
            });
            out.push_str(&join(&mut keys));
        }
        1 => {
            let mut r = Reader::new(value);
            let mut first = true;
            while !r.is_empty() {
                let len = usize::from(r.u8()?);
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                let name = r.take(len)?;
                name.escape_ascii()
                    .for_each(|octet| out.push(char::from(octet)));
            }
        }
        3 => {
            let port = u16::from_be_bytes(value.try_into().ok()?);
            let _ = write!(out, "{port}");
        }
        4 => {
            let mut hosts = value.as_chunks::<4>().0.iter();
            out.push_str(&join(
                &mut hosts.by_ref().map(|o| Ipv4Addr::from(*o).to_string()),
            ));
        }
        6 => {
            let mut hosts = value.as_chunks::<16>().0.iter();
            out.push_str(&join(
                &mut hosts.by_ref().map(|o| Ipv6Addr::from(*o).to_string()),
            ));
        }
        7 => push_quoted(value, out),
        _ => push_hex(value, out),
    }
    Some(())
}

fn join(parts: &mut dyn Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.take(STRINGS_MAX).collect();
    parts.join(",")
}
