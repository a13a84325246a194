//! Packets of MySQL.
//!
//! Enters: octets of one side. Leaves: the greeting, the client's answer to it. Refuses: protocols
//! before 10. Source: MySQL internals manual, "Connection Phase Packets".

use codec::bytes::Reader;

use crate::protocol::Probe;
use crate::protocol::shared::text::readable;

/// Longest version of a server.
const VERSION_BYTES_MAX: usize = 128;
/// Capability: the client names a database.
const WITH_DATABASE: u32 = 1 << 3;
/// Capability: TLS follows.
const TLS: u32 = 1 << 11;
/// Capability: protocol 4.1.
const MODERN: u32 = 1 << 9;
/// Capability: the length of the proof stands in one octet.
const SHORT_PROOF: u32 = 1 << 15;
/// Capability: the client names its plugin.
const WITH_PLUGIN: u32 = 1 << 19;
/// Capability: the length of the proof is encoded.
const LONG_PROOF: u32 = 1 << 21;
/// Capability: statements have attributes.
pub(super) const ATTRIBUTES: u32 = 1 << 27;

/// Whether these octets are a server's greeting.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    let Some((head, rest)) = bytes.split_first_chunk::<4>() else {
        return if bytes.is_empty()
            || bytes.len() < 4 && bytes.get(1).is_none_or(|octet| *octet == 0)
        {
            Probe::NeedMore
        } else {
            Probe::No
        };
    };
    let [low, middle, high, sequence] = *head;
    if middle != 0 || high != 0 || sequence != 0 || low < 20 {
        return Probe::No;
    }
    let Some((&10, version)) = rest.split_first() else {
        return if rest.is_empty() {
            Probe::NeedMore
        } else {
            Probe::No
        };
    };
    let end = version
        .iter()
        .take(VERSION_BYTES_MAX)
        .position(|&octet| octet == 0);
    let text = version.get(..end.unwrap_or(version.len())).unwrap_or(&[]);
    let plain = text
        .iter()
        .all(|octet| octet.is_ascii_graphic() || *octet == b' ');
    let numbered = text.first().is_none_or(u8::is_ascii_digit);
    match end {
        _ if !plain || !numbered => Probe::No,
        Some(end) if end >= 3 => Probe::Certain,
        Some(_) => Probe::No,
        None if version.len() < VERSION_BYTES_MAX => Probe::NeedMore,
        None => Probe::No,
    }
}

/// The server's greeting: its version and the plugin that it starts with.
pub(super) fn greeting(body: &[u8]) -> Option<(String, Option<String>)> {
    let mut r = Reader::new(body);
    if r.u8()? != 10 {
        return None;
    }
    let version = readable(zero(&mut r)?);
    let plugin = plugin(&mut r);
    Some((version, plugin))
}

/// The plugin that a greeting names at its end.
fn plugin(r: &mut Reader<'_>) -> Option<String> {
    // Thread, salt, filler, capabilities, character set, status, more capabilities.
    r.skip(4 + 8 + 1 + 2 + 1 + 2 + 2)?;
    let salt = usize::from(r.u8()?);
    r.skip(10 + salt.saturating_sub(8).max(13))?;
    let rest = r.rest();
    let end = rest.iter().position(|&octet| octet == 0);
    let name = rest.get(..end.unwrap_or(rest.len()))?;
    (!name.is_empty()).then(|| readable(name))
}

/// The client's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) capabilities: u32,
    /// TLS follows at once.
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    pub(super) database: Option<String>,
    pub(super) plugin: Option<String>,
}

/// Reads the client's answer. Its proof is passed over.
pub(super) fn answer(body: &[u8]) -> Option<Answer> {
    let mut r = Reader::new(body);
    let low = u32::from(r.u16_le()?);
    if low & MODERN == 0 {
        r.skip(3)?;
        return Some(Answer {
            capabilities: low,
            user: Some(readable(zero(&mut r)?)),
            ..Answer::default()
        });
    }
    let capabilities = low | u32::from(r.u16_le()?) << 16;
    r.skip(4 + 1 + 23)?;
    let mut answer = Answer {
        capabilities,
        ..Answer::default()
    };
    if r.is_empty() && capabilities & TLS != 0 {
        answer.tls = true;
        return Some(answer);
    }
    answer.user = Some(readable(zero(&mut r)?));
    let proof = if capabilities & LONG_PROOF != 0 {
        encoded(&mut r)
    } else if capabilities & SHORT_PROOF != 0 {
        r.u8().map(usize::from)
    } else {
        r.rest()
            .iter()
            .position(|&octet| octet == 0)
            .map(|at| at + 1)
    };
    if proof.and_then(|length| r.skip(length)).is_none() {
        return Some(answer);
    }
    if capabilities & WITH_DATABASE != 0 {
        answer.database = zero(&mut r).map(readable);
    }
    if capabilities & WITH_PLUGIN != 0 {
        let rest = r.rest();
        let end = rest.iter().position(|&octet| octet == 0);
        answer.plugin = rest.get(..end.unwrap_or(rest.len())).map(readable);
    }
    Some(answer)
}

/// A length of one, three, four or nine octets.
fn encoded(r: &mut Reader<'_>) -> Option<usize> {
    match r.u8()? {
        small @ 0..=250 => Some(usize::from(small)),
        252 => r.u16_le().map(usize::from),
        253 => {
            let [a, b, c] = r.array()?;
            usize::try_from(u32::from_le_bytes([a, b, c, 0])).ok()
        }
        _ => None,
    }
}

/// Text that ends with a zero.
fn zero<'a>(r: &mut Reader<'a>) -> Option<&'a [u8]> {
    let end = r.rest().iter().position(|&octet| octet == 0)?;
    let text = r.take(end)?;
    r.skip(1)?;
    Some(text)
}
