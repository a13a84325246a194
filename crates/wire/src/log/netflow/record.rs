//! A record's values, by its template.
//!
//! Enters: octets and a template. Leaves: a [`Flow`]. Refuses: values of lengths that their field
//! cannot have (left out); records that end too early.
//! Source: IANA "IPFIX Information Elements"; RFC 5103 (enterprise 29305).

use std::net::IpAddr;

use codec::bytes::Reader;
use model::Mac;

use super::template::{Template, VARIABLE};

/// A flow as an exporter tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Flow {
    pub(super) src: Option<IpAddr>,
    pub(super) dst: Option<IpAddr>,
    pub(super) src_port: Option<u16>,
    pub(super) dst_port: Option<u16>,
    pub(super) protocol: u8,
    /// ICMP type and code.
    pub(super) icmp: Option<(u8, u8)>,
    pub(super) src_mac: Option<Mac>,
    pub(super) dst_mac: Option<Mac>,
    pub(super) vlan: Option<u16>,
    pub(super) input: Option<u32>,
    pub(super) output: Option<u32>,
    /// From source to destination.
    pub(super) out: Way,
    /// From destination to source, when the exporter joins both.
    pub(super) back: Way,
    /// Milliseconds of the exporter's uptime.
    pub(super) first_up: Option<u32>,
    pub(super) last_up: Option<u32>,
    /// Milliseconds since 1970.
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    /// Milliseconds since 1970 at which the exporter started.
    pub(super) started: Option<i64>,
    pub(super) duration: Option<i64>,
    /// Why it ended: 1 idle, 2 goes on, 3 closed, 4 and 5 given up.
    pub(super) end: Option<u8>,
    /// Packets of which one was counted.
    pub(super) sampling: Option<u32>,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Way {
    pub(super) octets: Option<u64>,
    pub(super) packets: Option<u64>,
    pub(super) flags: Option<u8>,
}

/// Reads one record; `None` when it ends too early.
pub(super) fn read(reader: &mut Reader<'_>, template: &Template) -> Option<Flow> {
    let mut flow = Flow::default();
    for field in &template.fields {
        let length = match field.length {
            VARIABLE => variable(reader)?,
            length => usize::from(length),
        };
        let value = reader.take(length)?;
        match field.id {
            (0, number) => set(&mut flow, number, value),
            (REVERSE, number) => reverse(&mut flow, number, value),
            _ => {}
        }
    }
    Some(flow)
}

/// Source: RFC 7011 section 7.
fn variable(reader: &mut Reader<'_>) -> Option<usize> {
    match reader.u8()? {
        255 => reader.u16_be().map(usize::from),
        short => Some(usize::from(short)),
    }
}

/// An unsigned number of up to eight octets: exporters may shorten any.
fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 8 {
        return None;
    }
    let join = |sum: u64, octet: &u8| sum << 8 | u64::from(*octet);
    Some(value.iter().fold(0, join))
}

fn narrow<T: TryFrom<u64>>(value: &[u8]) -> Option<T> {
    T::try_from(number(value)?).ok()
}

fn ip4(value: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(value).ok().map(IpAddr::from)
}

fn ip6(value: &[u8]) -> Option<IpAddr> {
    <[u8; 16]>::try_from(value).ok().map(IpAddr::from)
}

fn mac(value: &[u8]) -> Option<Mac> {
    <[u8; 6]>::try_from(value).ok().map(Mac)
}

/// The low octet: newer exporters write flags in two.
fn flags(value: &[u8]) -> Option<u8> {
    value.last().copied().filter(|_| value.len() <= 2)
}

/// Milliseconds of a number in units of a second's fraction.
fn millis(value: &[u8], per_ms: i64) -> Option<i64> {
    narrow::<i64>(value)?.checked_div(per_ms)
}

/// Milliseconds since 1970 of an NTP time. Source: RFC 7011 section 6.1.9.
fn ntp(value: &[u8]) -> Option<i64> {
    let value = number(value).filter(|_| value.len() == 8)?;
    let seconds = i64::try_from(value >> 32)
        .ok()?
        .checked_sub(2_208_988_800)?;
    let fraction = i64::try_from(((value & 0xffff_ffff) * 1000) >> 32).ok()?;
    Some(seconds.saturating_mul(1000).saturating_add(fraction))
}

fn set(flow: &mut Flow, field: u16, value: &[u8]) {
    match field {
        4 => flow.protocol = narrow(value).unwrap_or(0),
        7 => flow.src_port = narrow(value),
        11 => flow.dst_port = narrow(value),
        8 => flow.src = ip4(value).or(flow.src),
        12 => flow.dst = ip4(value).or(flow.dst),
        // A record may hold both kinds; the one that is not used is zero.
        27 => flow.src = ip6(value).filter(|ip| !ip.is_unspecified()).or(flow.src),
        28 => flow.dst = ip6(value).filter(|ip| !ip.is_unspecified()).or(flow.dst),
        10 => flow.input = narrow(value),
        14 => flow.output = narrow(value),
        32 | 139 => {
            flow.icmp =
                narrow::<u16>(value).map(|both| (both.to_be_bytes()[0], both.to_be_bytes()[1]));
        }
        176 | 178 => flow.icmp = narrow(value).map(|kind| (kind, flow.icmp.map_or(0, |i| i.1))),
        177 | 179 => flow.icmp = narrow(value).map(|code| (flow.icmp.map_or(0, |i| i.0), code)),
        56 => flow.src_mac = mac(value),
        57 | 80 => flow.dst_mac = flow.dst_mac.or_else(|| mac(value)),
        58 | 243 => flow.vlan = narrow(value).filter(|vlan| (1..=4094).contains(vlan)),
        34 | 50 | 305 => flow.sampling = narrow(value),
        136 => flow.end = narrow(value),
        1 | 2 | 6 | 85 | 86 => way(&mut flow.out, field, value),
        231 => flow.out.octets = number(value),
        232 => flow.back.octets = number(value),
        298 => flow.out.packets = number(value),
        299 => flow.back.packets = number(value),
        _ => clock(flow, field, value),
    }
}

fn clock(flow: &mut Flow, field: u16, value: &[u8]) {
    match field {
        21 => flow.last_up = narrow(value),
        22 => flow.first_up = narrow(value),
        150 => flow.first = narrow::<u32>(value).map(|seconds| i64::from(seconds) * 1000),
        151 => flow.last = narrow::<u32>(value).map(|seconds| i64::from(seconds) * 1000),
        152 => flow.first = millis(value, 1),
        153 => flow.last = millis(value, 1),
        154 | 156 => flow.first = ntp(value),
        155 | 157 => flow.last = ntp(value),
        160 => flow.started = millis(value, 1),
        161 => flow.duration = millis(value, 1),
        162 => flow.duration = millis(value, 1000),
        _ => {}
    }
}

/// Octets, packets, flags: deltas, or totals where there are no deltas.
fn way(way: &mut Way, field: u16, value: &[u8]) {
    match field {
        1 => way.octets = number(value),
        2 => way.packets = number(value),
        85 => way.octets = way.octets.or_else(|| number(value)),
        86 => way.packets = way.packets.or_else(|| number(value)),
        6 => way.flags = flags(value),
        _ => {}
    }
}

fn reverse(flow: &mut Flow, field: u16, value: &[u8]) {
    way(&mut flow.back, field, value);
}

/// Enterprise number of fields of the other direction. Source: RFC 5103 section 6.1.
const REVERSE: u32 = 29_305;
