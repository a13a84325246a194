//! The part of BER that SNMP needs.
//!
//! Enters: octets. Leaves: tags, values, integers, object identifiers. Refuses: indefinite lengths,
//! tags above 30. Limits: [`ARCS_MAX`] arcs of an identifier.
//! Source: ITU-T X.690 section 8, RFC 3417 section 8.

use codec::bytes::Reader;

/// Most arcs of an object identifier; RFC 2578 says 128.
const ARCS_MAX: usize = 128;

/// The next value: its tag and its octets. A value that ends beyond the datagram is given as far as
/// it is there.
pub(super) fn next<'a>(r: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let tag = r.u8()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let length = match r.u8()? {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let octets = r.take(usize::from(long & 0x7f))?;
            octets
                .iter()
                .fold(0usize, |sum, octet| sum << 8 | usize::from(*octet))
        }
        _ => return None,
    };
    let here = length.min(r.remaining());
    Some((tag, r.take(here)?))
}

/// The next value, which must have this tag.
pub(super) fn expect<'a>(r: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
    next(r)
        .filter(|(found, _)| *found == tag)
        .map(|(_, value)| value)
}

/// A signed integer of at most eight octets.
pub(super) fn integer(octets: &[u8]) -> Option<i64> {
    let first = *octets.first()?;
    if octets.len() > 8 {
        return None;
    }
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    Some(
        octets
            .iter()
            .fold(start, |sum, octet| sum << 8 | i64::from(*octet)),
    )
}

/// The arcs of an object identifier.
pub(super) fn arcs(octets: &[u8]) -> Vec<u32> {
    let mut out = Vec::new();
    let mut arc = 0u32;
    for octet in octets {
        arc = arc << 7 | u32::from(octet & 0x7f);
        if octet & 0x80 != 0 {
            continue;
        }
        if out.is_empty() {
            let first = (arc / 40).min(2);
            out.extend([first, arc - first * 40]);
        } else {
            out.push(arc);
        }
        arc = 0;
        if out.len() >= ARCS_MAX {
            break;
        }
    }
    out
}

/// Arcs with dots between them.
pub(super) fn dotted(arcs: &[u32]) -> String {
    let arcs: Vec<String> = arcs.iter().map(u32::to_string).collect();
    arcs.join(".")
}
