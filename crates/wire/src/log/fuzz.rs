//! Any octets as logs and datagrams: what fuzz targets and property tests call.
//!
//! Enters: octets. Leaves: the events made. Refuses: nothing. Checks what must hold of any input.
//! Source: `STYLE.md` rule 40.

use std::net::{IpAddr, Ipv4Addr};

use model::{Event, Millis, NodeId, Text};

use super::netflow::Collector;
use super::{LogConfig, LogKind, LogReader};
use crate::config::Sequence;

fn config() -> LogConfig {
    LogConfig {
        node: NodeId(7),
        site: Text::Borrowed("fuzz"),
        sequence: Sequence::Packet,
    }
}

/// Reads `input` as a log, in pieces whose length its first octet chooses.
fn log(kind: LogKind, input: &[u8]) -> Vec<Event> {
    let (step, text) = input
        .split_first()
        .map_or((0, input), |(step, text)| (*step, text));
    let mut reader = LogReader::new(kind, &config());
    let (mut events, mut refused) = (Vec::new(), 0);
    for piece in text.chunks(usize::from(step) + 1) {
        reader.feed(piece, &mut events, &mut |_| refused += 1);
    }
    reader.finish(&mut events, &mut |_| refused += 1);
    let counts = reader.counts();
    debug_assert_eq!(counts.refused, refused);
    debug_assert_eq!(counts.events, events.len() as u64);
    debug_assert_eq!(reader.position().bytes, text.len() as u64);
    events
}

/// Any octets as a Suricata log.
#[must_use]
pub fn fuzz_eve(input: &[u8]) -> Vec<Event> {
    let _ = LogKind::of(input);
    log(LogKind::Eve, input)
}

/// Any octets as a Zeek log: the second octet chooses the form.
#[must_use]
pub fn fuzz_zeek(input: &[u8]) -> Vec<Event> {
    match input {
        [_, form, ..] if form & 1 == 1 => log(LogKind::ZeekTsv, input),
        _ => log(LogKind::ZeekJson, input),
    }
}

/// Any octets as datagrams of two exporters: two octets of length before each.
#[must_use]
pub fn fuzz_netflow(input: &[u8]) -> Vec<Event> {
    let mut collector = Collector::new(&config(), 0);
    let mut events = Vec::new();
    let mut rest = input;
    let mut now = Millis(1_700_000_000_000);
    while let [high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high & 0x07, *low]));
        let (datagram, after) = after.split_at(length.min(after.len()));
        let exporter = IpAddr::V4(Ipv4Addr::new(192, 0, 2, high >> 7));
        collector.datagram(now, exporter, datagram, &mut events);
        now = Millis(now.0.saturating_add(i64::from(high >> 3 & 0x0f) * 60_000));
        rest = after;
    }
    debug_assert_eq!(collector.counts().flows, events.len() as u64);
    events
}
