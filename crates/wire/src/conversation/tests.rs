use std::collections::BTreeMap;

use model::Event;

use super::*;
use crate::testing::{self, START, Talk};
use crate::{WireConfig, Worker};

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

fn over(protocol: u8, payload: &[u8]) -> Vec<u8> {
    testing::ethernet(
        [2; 6],
        [4; 6],
        0x0800,
        &testing::ip4(A, B, protocol, 0, payload),
    )
}

fn back(protocol: u8, payload: &[u8]) -> Vec<u8> {
    testing::ethernet(
        [4; 6],
        [2; 6],
        0x0800,
        &testing::ip4(B, A, protocol, 0, payload),
    )
}

/// Packets by Community ID, as the namer says and as the events say.
fn both(frames: &[Vec<u8>]) -> [BTreeMap<String, u64>; 2] {
    let mut namer = Namer::default();
    let mut worker = Worker::new(WireConfig::default());
    let mut events: Vec<Event> = Vec::new();
    let mut named: BTreeMap<String, u64> = BTreeMap::new();
    for (number, bytes) in (1..).zip(frames) {
        let frame = testing::frame(START, number, bytes);
        for one in namer.name(&frame).as_slice() {
            *named.entry(one.community_id()).or_default() += 1;
        }
        worker.frame(&frame, &mut events);
    }
    worker.finish(&mut events);
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        let (Some(connection), Some(packets)) = (&event.connection, packets(event)) else {
            continue;
        };
        let id = connection.community_id.clone().unwrap().to_string();
        *told.entry(id).or_default() += packets;
    }
    [named, told]
}

/// Packets of both sides, of a flow's or a tunnel's event.
fn packets(event: &Event) -> Option<u64> {
    use model::class::Body;
    let sides = if let Body::Network(flow) = &event.body {
        [flow.packets_in, flow.packets_out]
    } else if let Body::Tunnel(flow) = &event.body {
        [flow.packets_in, flow.packets_out]
    } else {
        return None;
    };
    Some(sides.into_iter().flatten().sum())
}

#[test]
fn names_are_those_of_the_events() {
    let talk = Talk::to_port(80).open().close();
    let mut frames: Vec<Vec<u8>> = talk.frames.into_iter().map(|(_, bytes)| bytes).collect();
    // A datagram and its answer, echo and its answer, an error that nothing answers.
    frames.push(over(17, &testing::udp(5000, 53, b"ask")));
    frames.push(back(17, &testing::udp(53, 5000, b"answer")));
    frames.push(over(1, &[8, 0, 0, 0, 0, 1, 0, 1]));
    frames.push(back(1, &[0, 0, 0, 0, 0, 1, 0, 1]));
    frames.push(back(1, &[11, 0, 0, 0, 0, 0, 0, 0]));
    // GRE around a datagram, a protocol without ports.
    let inner = testing::ip4(
        [10, 9, 0, 1],
        [10, 9, 0, 2],
        17,
        0,
        &testing::udp(7, 8, b"x"),
    );
    frames.push(over(47, &[&[0, 0, 8, 0][..], &inner].concat()));
    frames.push(over(89, &[2, 1, 0, 44]));
    let [named, told] = both(&frames);
    assert_eq!(named, told);
    assert_eq!(named.len(), 7);
}

#[test]
fn later_parts_of_a_datagram_have_the_name_of_the_first() {
    let datagram = testing::udp(5000, 6000, &[7; 64]);
    let (head, tail) = datagram.split_at(40);
    let part = |fragment, payload: &[u8]| {
        testing::ethernet(
            [2; 6],
            [4; 6],
            0x0800,
            &testing::ip4(A, B, 17, fragment, payload),
        )
    };
    let [named, told] = both(&[part(0x2000, head), part(5, tail)]);
    assert_eq!(named, told);
    assert_eq!(named.into_values().collect::<Vec<_>>(), [2]);
}

#[test]
fn what_is_no_ip_has_no_name_and_memory_is_bounded() {
    let mut namer = Namer::default();
    let arp = testing::ethernet([2; 6], [0xff; 6], 0x0806, &testing::arp(1, [2; 6], A, B));
    assert!(
        namer
            .name(&testing::frame(START, 1, &arp))
            .innermost()
            .is_none()
    );
    for n in 0..3 * u16::try_from(PARTS_MAX).unwrap() {
        let [hi, lo] = n.to_be_bytes();
        let first = testing::ip4([10, 1, hi, lo], B, 17, 0x2000, &[0; 16]);
        let frame = testing::ethernet([2; 6], [4; 6], 0x0800, &first);
        namer.name(&testing::frame(START, 1, &frame));
    }
    assert_eq!(
        (namer.parts.len(), namer.order.len()),
        (PARTS_MAX, PARTS_MAX)
    );
}
