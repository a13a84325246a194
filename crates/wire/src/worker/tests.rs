#![expect(clippy::cast_possible_truncation, reason = "test data are small")]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use model::class::Network;
use model::{Body, Event, EventUid, Millis, Nanos, NodeId};
use proptest::prelude::*;

use super::*;
use crate::protocol::Side;
use crate::testing::{self, ACK, FIN, RST, START, SYN, Talk, play};
use crate::{Frame, LinkType, Sequence, Timeouts, shard_of};

mod arkime;
mod tunnel;

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];

fn flows(events: &[Event]) -> Vec<(&Event, &Network)> {
    let flow = |event| match event {
        event @ &Event {
            body: Body::Network(ref body),
            ..
        } if body.about == "flow" => Some((event, &**body)),
        _ => None,
    };
    events.iter().filter_map(flow).collect()
}

fn reason(body: &Network) -> &str {
    body.end_reason.as_deref().unwrap_or("")
}

fn udp(src: u16, dst: u16, back: bool, payload: &[u8]) -> Vec<u8> {
    let (a, b) = if back {
        (SERVER, CLIENT)
    } else {
        (CLIENT, SERVER)
    };
    let datagram = testing::udp(src, dst, payload);
    testing::ethernet(
        [2, 0, 0, 0, 0, 1],
        [2, 0, 0, 0, 0, 2],
        0x0800,
        &testing::ip4(a, b, 17, 0, &datagram),
    )
}

#[test]
fn a_conversation_is_one_event_with_all_its_figures() {
    let talk = Talk::to_port(9999)
        .open()
        .say(Side::Client, b"hello")
        .say(Side::Server, &[7; 3000])
        .close();
    let (events, stats) = play(WireConfig::default(), &talk.frames);
    let flows = flows(&events);
    let [(event, body)] = &flows[..] else {
        panic!("{} events", flows.len());
    };
    let connection = event.connection.as_ref().unwrap();
    assert_eq!(connection.src_ip.unwrap(), IpAddr::from(CLIENT));
    assert_eq!(
        (connection.src_port, connection.dst_port),
        (Some(40_000), Some(9999))
    );
    assert_eq!(connection.src_mac.unwrap().to_string(), "02:00:00:00:00:01");
    assert_eq!(connection.dst_mac.unwrap().to_string(), "02:00:00:00:00:02");
    assert_eq!(connection.flow.as_ref().unwrap().len(), 16);
    assert!(connection.community_id.as_ref().unwrap().starts_with("1:"));
    assert_eq!((connection.protocol, &*connection.app), (6, "unknown"));
    assert_eq!(
        (event.meta.activity, event.meta.status, reason(body)),
        (2, 1, "closed")
    );
    assert_eq!((body.packets_out, body.packets_in), (Some(5), Some(5)));
    assert_eq!(
        (body.bytes_out, body.bytes_in),
        (Some(5 * 40 + 5), Some(5 * 40 + 3000))
    );
    assert_eq!(body.tcp_flags_out.as_deref(), Some("FSPA"));
    assert_eq!(body.duration_ms, Some(9));
    assert_eq!(event.meta.time, START.plus_ms(9).millis());
    assert_eq!(event.meta.logged_time, event.meta.time);
    assert_eq!(
        (stats.flows, stats.flows_now, stats.memory_bytes > 0),
        (1, 0, true)
    );
}

#[test]
fn how_it_ended_is_the_activity() {
    let talk = || Talk::to_port(9999);
    let cases = [
        (talk().segment(Side::Client, SYN, &[]), 4, "end_of_capture"),
        (
            talk()
                .segment(Side::Client, SYN, &[])
                .segment(Side::Server, RST | ACK, &[]),
            5,
            "reset",
        ),
        (talk().open().segment(Side::Server, RST, &[]), 3, "reset"),
        (talk().open().say(Side::Client, b"x"), 6, "end_of_capture"),
        (talk().open().close(), 2, "closed"),
    ];
    for (talk, activity, end) in cases {
        let (events, _) = play(WireConfig::default(), &talk.frames);
        let flows = flows(&events);
        assert_eq!(flows.len(), 1);
        assert_eq!(
            (flows[0].0.meta.activity, reason(flows[0].1)),
            (activity, end)
        );
    }
}

#[test]
fn an_unreachable_port_is_a_refusal() {
    let query = udp(5000, 6000, false, b"anybody?");
    let quoted = &query[14..14 + 28];
    let icmp = [&[3, 3, 0, 0, 0, 0, 0, 0][..], quoted].concat();
    let answer = testing::ethernet(
        [2; 6],
        [4; 6],
        0x0800,
        &testing::ip4(SERVER, CLIENT, 1, 0, &icmp),
    );
    let (events, _) = play(
        WireConfig::default(),
        &[(START, query), (START.plus_ms(1), answer)],
    );
    let flows = flows(&events);
    assert_eq!(flows.len(), 2);
    assert_eq!(flows[0].0.meta.activity, 5);
    let icmp = flows[1].0.connection.as_ref().unwrap();
    assert_eq!(
        (icmp.src_port, icmp.dst_port, icmp.protocol),
        (Some(3), Some(3), 1)
    );
}

#[test]
fn an_echo_and_its_reply_are_one_flow() {
    let ping = |kind: u8, a, b| {
        testing::ethernet(
            [2; 6],
            [4; 6],
            0x0800,
            &testing::ip4(a, b, 1, 0, &[kind, 0, 0, 0, 1, 2, 3, 4]),
        )
    };
    let frames = [
        (START, ping(8, CLIENT, SERVER)),
        (START, ping(0, SERVER, CLIENT)),
    ];
    let (events, _) = play(WireConfig::default(), &frames);
    let found = flows(&events);
    assert_eq!(found.len(), 1);
    let connection = found[0].0.connection.as_ref().unwrap();
    assert_eq!(
        (connection.src_port, connection.dst_port),
        (Some(8), Some(0))
    );
    assert_eq!(
        (found[0].1.packets_out, found[0].1.packets_in),
        (Some(1), Some(1))
    );
}

#[test]
fn flows_end_by_packet_time_and_by_ticks() {
    let mut worker = Worker::new(WireConfig::default());
    let mut events = Vec::new();
    worker.frame(
        &testing::frame(START, 1, &udp(5000, 6000, false, b"a")),
        &mut events,
    );
    worker.frame(
        &testing::frame(START.plus_ms(59_000), 2, &udp(6000, 5000, true, b"b")),
        &mut events,
    );
    worker.tick(START.plus_ms(118_000), &mut events);
    assert!(flows(&events).is_empty());
    worker.tick(START.plus_ms(121_000), &mut events);
    assert_eq!(flows(&events).len(), 1);
    assert_eq!(worker.stats().flows_now, 0);
    worker.frame(
        &testing::frame(START.plus_ms(121_500), 3, &udp(5000, 6000, false, b"c")),
        &mut events,
    );
    // Before the wheel comes round, the packet itself sees that its flow is over.
    worker.frame(
        &testing::frame(START.plus_ms(181_501), 4, &udp(5000, 6000, false, b"d")),
        &mut events,
    );
    assert_eq!(flows(&events).len(), 2);
    worker.finish(&mut events);
    let ends: Vec<_> = flows(&events)
        .iter()
        .map(|(_, body)| reason(body).to_owned())
        .collect();
    assert_eq!(ends, ["timeout", "timeout", "end_of_capture"]);
}

#[test]
fn long_flows_have_interim_events_whose_sum_is_right() {
    let mut talk = Talk::to_port(9999).open();
    for _ in 0..40 {
        talk = talk.say(Side::Client, b"0123456789");
        talk.now = talk.now.plus_ms(60_000);
    }
    let talk = talk.close();
    let (events, _) = play(WireConfig::default(), &talk.frames);
    let flows = flows(&events);
    assert_eq!(flows.len(), 9, "2400 s / 300 s, and the end");
    let (last, interim) = flows.split_last().unwrap();
    assert!(
        interim
            .iter()
            .all(|(event, body)| reason(body) == "ongoing" && event.meta.activity == 6)
    );
    assert_eq!(reason(last.1), "closed");
    let packets: u64 = flows.iter().map(|(_, body)| body.packets.unwrap()).sum();
    assert_eq!(packets, talk.frames.len() as u64);
    let ids: std::collections::BTreeSet<_> = flows
        .iter()
        .map(|(event, _)| event.connection.as_ref().unwrap().flow.clone())
        .collect();
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_reused_port_is_a_new_flow() {
    let first = Talk::to_port(9999).open().say(Side::Client, b"one").close();
    let mut second = Talk::new(
        SocketAddr::from((CLIENT, 40_000)),
        SocketAddr::from((SERVER, 9999)),
        900_000,
    );
    second.now = first.now;
    let second = second.open().say(Side::Client, b"two");
    let frames = [first.frames, second.frames].concat();
    let (events, _) = play(WireConfig::default(), &frames);
    let ends: Vec<_> = flows(&events)
        .iter()
        .map(|(_, body)| reason(body).to_owned())
        .collect();
    assert_eq!(ends, ["closed", "end_of_capture"]);
}

#[test]
fn the_server_is_known_without_a_handshake() {
    let talk = Talk::to_port(443).say(Side::Server, b"response first");
    let (events, _) = play(WireConfig::default(), &talk.frames);
    let connection = flows(&events)[0].0.connection.clone().unwrap();
    assert_eq!(connection.dst_port, Some(443));
    assert_eq!(connection.src_mac.unwrap().to_string(), "02:00:00:00:00:01");
    let (events, _) = play(
        WireConfig::default(),
        &[(START, udp(53, 5353 + 30_000, true, b"\0"))],
    );
    assert_eq!(
        flows(&events)[0].0.connection.as_ref().unwrap().dst_port,
        Some(53)
    );
}

#[test]
fn a_fragmented_datagram_counts_all_its_frames() {
    let datagram = testing::udp(5000, 6000, &[1; 92]);
    let part = |from: usize, to: usize, more: u16| {
        let word = (more << 13) | (from / 8) as u16;
        testing::ethernet(
            [2; 6],
            [4; 6],
            0x0800,
            &testing::ip4(CLIENT, SERVER, 17, word, &datagram[from..to]),
        )
    };
    let frames = [
        (START, part(48, 96, 1)),
        (START, part(0, 48, 1)),
        (START, part(96, 100, 0)),
    ];
    let (events, stats) = play(WireConfig::default(), &frames);
    let flows = flows(&events);
    assert_eq!(flows.len(), 1);
    assert_eq!((flows[0].1.packets, flows[0].1.bytes), (Some(3), Some(160)));
    assert_eq!((stats.fragments, stats.defragmented), (3, 1));
    let (events, stats) = play(WireConfig::default(), &frames[..2]);
    let lonely = self::flows(&events);
    assert_eq!(
        lonely[0].0.connection.as_ref().unwrap().dst_port,
        Some(6000)
    );
    assert_eq!(stats.problems["ip-fragment-incomplete"], 1);
}

#[test]
fn arp_becomes_inventory() {
    let frame = testing::ethernet(
        [2; 6],
        [255; 6],
        0x0806,
        &testing::arp(1, [2; 6], CLIENT, SERVER),
    );
    let (events, stats) = play(
        WireConfig::default(),
        &[(START, frame.clone()), (START, frame)],
    );
    assert_eq!((events.len(), stats.arp), (1, 2));
    assert!(events[0].connection.is_none());
    assert_eq!(events[0].body.class().uid, 5001);
}

#[test]
fn identities_come_from_packets_or_from_a_counter() {
    let talk = Talk::to_port(9999).open();
    let config = WireConfig {
        node: NodeId(7),
        ..WireConfig::default()
    };
    let (events, _) = play(config.clone(), &talk.frames);
    assert_eq!(events[0].meta.uid, EventUid::of_packet(NodeId(7), 4, 0));
    let mut worker = Worker::new(WireConfig {
        sequence: Sequence::Counter(1000),
        ..config
    });
    worker.set_logged_time(Millis(42));
    let mut events = Vec::new();
    worker.frame(
        &testing::frame(START, 1, &udp(1, 2, false, b"x")),
        &mut events,
    );
    worker.frame(
        &testing::frame(START, 1, &udp(3, 4, false, b"x")),
        &mut events,
    );
    worker.finish(&mut events);
    let ids: Vec<_> = events
        .iter()
        .map(|event| (event.meta.uid.seq, event.meta.logged_time.0))
        .collect();
    assert_eq!(ids, [(1000, 42), (1001, 42)]);
}

#[test]
fn unknown_link_types_are_counted_by_number() {
    let mut worker = Worker::new(WireConfig::default());
    for _ in 0..3 {
        let frame = Frame {
            link: LinkType(105),
            ..testing::frame(START, 1, &[0; 60])
        };
        worker.frame(&frame, &mut Vec::new());
    }
    assert_eq!(worker.stats().links_refused, BTreeMap::from([(105, 3)]));
    assert_eq!(LinkType(105).name(), "IEEE802_11");
}

#[test]
fn time_that_goes_back_far_begins_another_capture() {
    let mut worker = Worker::new(WireConfig::default());
    let mut events = Vec::new();
    let back = Nanos(START.0 - 7_200_000_000_000);
    worker.frame(
        &testing::frame(START, 1, &udp(1, 2, false, b"x")),
        &mut events,
    );
    worker.frame(
        &testing::frame(back, 2, &udp(1, 2, false, b"x")),
        &mut events,
    );
    assert_eq!(flows(&events).len(), 1);
    worker.tick(back.plus_ms(61_500), &mut events);
    assert_eq!(flows(&events).len(), 2);
    assert_eq!(worker.stats().problems["time-jump-back"], 1);
}

fn small(mib: usize) -> WireConfig {
    WireConfig {
        budget_bytes: mib << 20,
        ..WireConfig::default()
    }
}

/// Runs frames and checks the ledger after each.
fn within_budget(mib: usize, frames: impl Iterator<Item = Vec<u8>>) -> (Vec<Event>, Stats) {
    let mut worker = Worker::new(small(mib));
    let mut events = Vec::new();
    let mut time = START;
    for (number, bytes) in (1..).zip(frames) {
        time = Nanos(time.0 + 1000);
        worker.frame(&testing::frame(time, number, &bytes), &mut events);
        assert!(
            worker.memory_bytes() <= mib << 20,
            "{} at {number}",
            worker.memory_bytes()
        );
    }
    worker.finish(&mut events);
    assert_eq!(
        (worker.heap, worker.flows.len()),
        (0, 0),
        "the ledger balances"
    );
    (events, worker.stats().clone())
}

fn tcp_frame(client: u32, port: u16, seq: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let segment = testing::tcp((port, 80), seq, 0, flags, payload);
    testing::ethernet(
        [2; 6],
        [4; 6],
        0x0800,
        &testing::ip4(client.to_be_bytes(), SERVER, 6, 0, &segment),
    )
}

#[test]
fn a_syn_flood_stays_within_the_budget_and_is_counted() {
    let flood = (0..100_000u32).map(|i| tcp_frame(0x0b00_0000 + i, 1024, i, SYN, &[]));
    let (events, stats) = within_budget(8, flood);
    assert!(stats.evicted > 50_000);
    assert_eq!(flows(&events).len(), 100_000, "every flow has its event");
    assert_eq!(
        flows(&events)
            .iter()
            .filter(|(_, body)| reason(body) == "evicted")
            .count() as u64,
        stats.evicted
    );
}

#[test]
fn holes_of_many_flows_stay_within_the_budget() {
    let holes = (0..60_000u32).map(|i| {
        let flow = i % 300;
        tcp_frame(
            0x0b00_0000 + flow,
            1024,
            100 + (i / 300) * 1300,
            ACK,
            &[1; 1200],
        )
    });
    let (_, stats) = within_budget(8, holes);
    assert!(stats.memory_peak_bytes > 4 << 20);
}

#[test]
fn one_octet_segments_stay_within_the_budget() {
    let octets = (0..60_000u32).map(|i| {
        let (flow, n) = (i % 100, i / 100);
        let seq = if n % 2 == 0 { 1 + n } else { 100_000 + 3 * n };
        tcp_frame(
            0x0b00_0000 + flow,
            1024,
            seq,
            if n == 0 { SYN } else { ACK },
            b"G",
        )
    });
    within_budget(4, octets);
}

#[test]
fn fragments_stay_within_the_budget() {
    let parts = (0..40_000u32).map(|i| {
        let packet = testing::ip4(
            i.to_be_bytes(),
            SERVER,
            17,
            0x2000 | (i % 100) as u16,
            &[1; 1200],
        );
        testing::ethernet([2; 6], [4; 6], 0x0800, &packet)
    });
    within_budget(4, parts);
}

/// Everything but the identity, to compare runs.
fn facts(events: &[Event]) -> Vec<String> {
    let mut out: Vec<String> = events
        .iter()
        .map(|event| {
            let mut text = format!("{:?} {}", event.meta.time, event.meta.activity);
            if let Some(connection) = &event.connection {
                text.push_str(&format!(
                    " {:?} {:?} {:?} {:?} {:?} {}",
                    connection.src_ip,
                    connection.src_port,
                    connection.dst_ip,
                    connection.dst_port,
                    connection.flow,
                    connection.app
                ));
            }
            if let Body::Network(body) = &event.body {
                text.push_str(&format!(
                    " {:?} {:?} {:?}",
                    body.bytes, body.packets, body.end_reason
                ));
            }
            text
        })
        .collect();
    out.sort();
    out
}

#[test]
fn several_workers_find_what_one_finds() {
    let mut frames = Vec::new();
    for i in 0..40u8 {
        let server = SocketAddr::from(([10, 0, 1, i % 7], 9999));
        let mut talk = Talk::new(
            SocketAddr::from(([10, 0, 2, i], 40_000)),
            server,
            u32::from(i),
        );
        talk.now = talk.now.plus_ms(i64::from(i) * 20_000);
        let talk = talk.open().say(Side::Client, &[i; 5000]);
        frames.extend(if i % 3 == 0 {
            talk.close().frames
        } else {
            talk.frames
        });
    }
    frames.sort();
    let (one, _) = play(WireConfig::default(), &frames);
    let mut workers: Vec<_> = (0..3)
        .map(|seed| {
            Worker::new(WireConfig {
                hash_seed: seed,
                ..WireConfig::default()
            })
        })
        .collect();
    let mut events = Vec::new();
    for (number, (time, bytes)) in (1..).zip(&frames) {
        let frame = testing::frame(*time, number, bytes);
        let worker = shard_of(&frame) as usize % workers.len();
        workers[worker].frame(&frame, &mut events);
    }
    let (last, number) = (frames[frames.len() - 1].0, frames.len() as u64);
    for (index, worker) in (1..).zip(&mut workers) {
        assert!(worker.stats().packets > 0);
        worker.tick(last, &mut events);
        worker.finish_as(number + index, &mut events);
    }
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event.meta.uid).collect();
    assert_eq!(ids.len(), events.len());
    assert_eq!(facts(&one), facts(&events));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_frames_never_panic(
        frames in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), any::<i64>(),
            0u16..300, any::<u32>()), 1..30),
    ) {
        let mut worker = Worker::new(small(4));
        let mut events = Vec::new();
        for (number, (bytes, time, link, wire_len)) in (1..).zip(&frames) {
            let frame = Frame {
                link: LinkType(*link),
                wire_len: *wire_len,
                ..testing::frame(Nanos(*time), number, bytes)
            };
            worker.frame(&frame, &mut events);
            let _ = shard_of(&frame);
        }
        worker.finish(&mut events);
        prop_assert_eq!(worker.heap, 0);
    }

    /// Valid frames with a few octets changed reach deeper than noise.
    #[test]
    fn mutated_frames_never_panic(
        changes in prop::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 1..60),
        cut in prop::collection::vec((any::<usize>(), 0usize..120), 0..10),
        times in prop::collection::vec(-5_000_000_000_000i64..5_000_000_000_000, 40),
    ) {
        let mut frames = Talk::to_port(53).open().say(Side::Client, &[0, 8, 1, 2, 3, 4, 5, 6, 7, 8])
            .say(Side::Server, &[1; 4000]).close().frames;
        let (a, b) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let six = testing::ip(a, b, 0, &[&[44, 0, 0, 0, 0, 0, 0, 0][..], &testing::fragment6(17, 8,
            true, 1, &[5; 64])].concat());
        frames.push((START, testing::ethernet([2; 6], [4; 6], 0x86dd, &six)));
        frames.push((START, testing::ethernet([2; 6], [4; 6], 0x0800, &testing::ip4(CLIENT, SERVER,
            17, 0x2000, &[9; 64]))));
        frames.push((START, udp(5000, 53, false, &[0; 40])));
        frames.push((START, testing::ethernet([2; 6], [4; 6], 0x0806, &testing::arp(2, [2; 6],
            CLIENT, SERVER))));
        let n = frames.len();
        for (frame, at, value) in changes {
            let bytes = &mut frames[frame % n].1;
            let len = bytes.len();
            bytes[at % len] = value;
        }
        for (frame, keep) in cut {
            frames[frame % n].1.truncate(keep);
        }
        for (frame, shift) in frames.iter_mut().zip(times) {
            frame.0 = Nanos(frame.0.0 + shift);
        }
        let _ = play(small(4), &frames);
    }
}

#[test]
fn timeouts_are_configurable() {
    let config = WireConfig {
        timeouts: Timeouts {
            tcp_closed_ms: 1000,
            ..Timeouts::default()
        },
        ..WireConfig::default()
    };
    let mut worker = Worker::new(config);
    let mut events = Vec::new();
    let talk = Talk::to_port(9999)
        .open()
        .segment(Side::Client, FIN | ACK, &[])
        .segment(Side::Server, FIN | ACK, &[]);
    for (number, (time, bytes)) in (1..).zip(&talk.frames) {
        worker.frame(&testing::frame(*time, number, bytes), &mut events);
    }
    worker.tick(START.plus_ms(3000), &mut events);
    assert_eq!(flows(&events).len(), 1);
}
