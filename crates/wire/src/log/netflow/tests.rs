use std::net::Ipv4Addr;

use model::class::Network;
use model::{Body, Event, NodeId};
use proptest::prelude::*;

use super::*;
use crate::config::Sequence;

const EXPORTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const NOW: Millis = Millis(1_700_000_000_000);
const NOW_S: u32 = 1_700_000_000;

fn collector(sampling: u32) -> Collector {
    let config = LogConfig {
        node: NodeId(1),
        site: "test".into(),
        sequence: Sequence::Counter(1),
    };
    Collector::new(&config, sampling)
}

fn take(collector: &mut Collector, datagram: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    collector.datagram(NOW, EXPORTER, datagram, &mut events);
    events
}

fn body(event: &Event) -> &Network {
    let Body::Network(body) = &event.body else {
        panic!("not about a flow")
    };
    body
}

fn be(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn v5(sequence: u32, sampling: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap();
    let head = be(&[
        &5u16.to_be_bytes(),
        &count.to_be_bytes(),
        &100_000u32.to_be_bytes(),
        &NOW_S.to_be_bytes(),
        &500_000_000u32.to_be_bytes(),
        &sequence.to_be_bytes(),
        &[0, 1],
        &sampling.to_be_bytes(),
    ]);
    [head, records.concat()].concat()
}

fn v5_record(protocol: u8, ports: (u16, u16)) -> Vec<u8> {
    be(&[
        &[10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 0],
        &[0, 3, 0, 4],
        &7u32.to_be_bytes(),
        &900u32.to_be_bytes(),
        &90_000u32.to_be_bytes(),
        &95_000u32.to_be_bytes(),
        &ports.0.to_be_bytes(),
        &ports.1.to_be_bytes(),
        &[0, 0x1b, protocol, 0],
        &[0; 8],
    ])
}

#[test]
fn version_5() {
    let mut collector = collector(0);
    let events = take(&mut collector, &v5(10, 0, &[v5_record(6, (40_000, 443))]));
    let [event] = events.as_slice() else {
        panic!("one flow")
    };
    let connection = event.connection.as_ref().unwrap();
    assert_eq!(connection.src().to_string(), "10.0.0.1");
    assert_eq!(
        (connection.src_port, connection.dst_port),
        (Some(40_000), Some(443))
    );
    assert!(connection.community_id.is_some());
    let flow = body(event);
    assert_eq!((flow.bytes_out, flow.packets_out), (Some(900), Some(7)));
    assert_eq!((flow.bytes_in, flow.bytes), (None, Some(900)));
    // Sent at ...000.500 after 100 s of uptime; the flow lasted from 90 s to 95 s.
    assert_eq!(flow.start, Some(Millis(1_699_999_990_500)));
    assert_eq!(flow.end, Some(Millis(1_699_999_995_500)));
    assert_eq!(event.meta.time, Millis(1_699_999_995_500));
    assert_eq!(flow.tcp_flags_out.as_deref(), Some("FSPA"));
    assert_eq!(
        (event.meta.activity, flow.end_reason.as_deref()),
        (2, Some("closed"))
    );
    assert_eq!(event.meta.labels, ["log:netflow/v5"]);
    assert!(
        flow.facts
            .iter()
            .any(|fact| fact == "netflow.exporter=192.0.2.1")
    );
    // ICMP: type and code stand in the port.
    let events = take(&mut collector, &v5(11, 0, &[v5_record(1, (0, 0x0800))]));
    let connection = events[0].connection.as_ref().unwrap();
    assert_eq!(
        (connection.src_port, connection.dst_port),
        (Some(8), Some(0))
    );
}

#[test]
fn sampled_figures_are_multiplied_and_say_so() {
    let mut known = collector(0);
    let sampled = v5(0, 0x4000 | 100, &[v5_record(17, (1, 2))]);
    let flow = take(&mut known, &sampled);
    assert_eq!(body(&flow[0]).packets, Some(700));
    assert!(
        body(&flow[0])
            .facts
            .iter()
            .any(|fact| fact == "netflow.sampling=1:100")
    );
    // By configuration, for an exporter that does not say it.
    let flow = take(&mut collector(8), &v5(0, 0, &[v5_record(17, (1, 2))]));
    assert_eq!(body(&flow[0]).packets, Some(56));
}

#[test]
fn gaps_are_counted_as_lost() {
    let mut collector = collector(0);
    let two = [v5_record(6, (1, 2)), v5_record(6, (3, 4))];
    take(&mut collector, &v5(100, 0, &two));
    take(&mut collector, &v5(102, 0, &two));
    assert_eq!(collector.counts().lost_flows, 0);
    take(&mut collector, &v5(109, 0, &two));
    assert_eq!(collector.counts().lost_flows, 5);
    // Late, or begun anew.
    take(&mut collector, &v5(1, 0, &two));
    assert_eq!(
        (
            collector.counts().lost_flows,
            collector.counts().out_of_order
        ),
        (5, 1)
    );
    assert_eq!(collector.counts().flows, 8);
}

fn set(id: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap();
    be(&[&id.to_be_bytes(), &length.to_be_bytes(), body])
}

fn v9(sequence: u32, domain: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    be(&[
        &[0, 9, 0, 1],
        &100_000u32.to_be_bytes(),
        &NOW_S.to_be_bytes(),
        &sequence.to_be_bytes(),
        &domain.to_be_bytes(),
        &sets.concat(),
    ])
}

fn ipfix(sequence: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let body = sets.concat();
    let length = u16::try_from(body.len() + 16).unwrap();
    be(&[
        &[0, 10],
        &length.to_be_bytes(),
        &NOW_S.to_be_bytes(),
        &sequence.to_be_bytes(),
        &[0, 0, 0, 7],
        &body,
    ])
}

fn template(id: u16, fields: &[(u16, u16)]) -> Vec<u8> {
    let mut out = [
        id.to_be_bytes(),
        u16::try_from(fields.len()).unwrap().to_be_bytes(),
    ]
    .concat();
    for (number, length) in fields {
        out.extend([number.to_be_bytes(), length.to_be_bytes()].concat());
    }
    out
}

const FIELDS: &[(u16, u16)] = &[(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4)];

fn record(last: u8) -> Vec<u8> {
    be(&[
        &[10, 0, 0, 1, 10, 0, 0, last],
        &[0x9c, 0x40, 0, 53, 17],
        &500u32.to_be_bytes(),
        &3u32.to_be_bytes(),
    ])
}

#[test]
fn version_9_by_template() {
    let mut collector = collector(0);
    let datagram = v9(
        1,
        5,
        &[
            set(0, &template(300, FIELDS)),
            set(300, &[record(2), record(3), vec![0, 0, 0]].concat()),
        ],
    );
    let events = take(&mut collector, &datagram);
    assert_eq!(events.len(), 2);
    assert_eq!(body(&events[1]).bytes_out, Some(500));
    assert_eq!(events[0].meta.labels, ["log:netflow/v9"]);
    // Another domain has templates of its own.
    assert!(take(&mut collector, &v9(1, 6, &[set(300, &record(2))])).is_empty());
    take(&mut collector, &v9(4, 5, &[]));
    assert_eq!(collector.counts().lost_datagrams, 2);
}

#[test]
fn records_wait_for_their_template() {
    let mut collector = collector(0);
    assert!(take(&mut collector, &v9(1, 5, &[set(300, &record(2))])).is_empty());
    assert!(collector.counts().held_bytes > 0);
    let events = take(&mut collector, &v9(2, 5, &[set(0, &template(300, FIELDS))]));
    assert_eq!(events.len(), 1);
    assert_eq!(collector.counts().held_bytes, 0);
    // One that never comes is given up, and counted.
    take(&mut collector, &v9(3, 5, &[set(301, &record(2))]));
    let later = Millis(NOW.0 + HELD_MS + 1);
    collector.datagram(later, EXPORTER, &v9(4, 5, &[]), &mut Vec::new());
    assert_eq!(
        (
            collector.counts().without_template,
            collector.counts().held_bytes
        ),
        (1, 0)
    );
}

#[test]
fn what_waits_is_bounded() {
    let mut collector = collector(0);
    let big = vec![0; 60_000];
    for sequence in 0..100 {
        take(&mut collector, &v9(sequence, 5, &[set(300, &big)]));
    }
    assert!(collector.counts().held_bytes <= HELD_BYTES_MAX as u64);
    assert!(collector.counts().without_template > 80);
}

#[test]
fn ipfix_with_both_directions_and_variable_lengths() {
    let reverse = |number: u16| -> Vec<u8> {
        be(&[
            &(number | 0x8000).to_be_bytes(),
            &[0, 8],
            &29_305u32.to_be_bytes(),
        ])
    };
    let fields: &[(u16, u16)] = &[
        (27, 16),
        (28, 16),
        (7, 2),
        (11, 2),
        (4, 1),
        (1, 8),
        (2, 8),
        (152, 8),
        (153, 8),
        (136, 1),
        (96, 0xffff),
    ];
    let mut description = template(256, fields);
    description[3] += 2;
    description.extend(reverse(1));
    description.extend(reverse(2));
    let address = |last| -> Vec<u8> { be(&[&[0x20, 1, 0xd, 0xb8], &[0; 11], &[last]]) };
    let record = |name: &[u8]| {
        be(&[
            &address(1),
            &address(2),
            &[0x9c, 0x40, 1, 0xbb, 6],
            &1000u64.to_be_bytes(),
            &10u64.to_be_bytes(),
            &1_699_999_000_000u64.to_be_bytes(),
            &1_699_999_001_500u64.to_be_bytes(),
            &[3],
            &[u8::try_from(name.len()).unwrap()],
            name,
            &2000u64.to_be_bytes(),
            &20u64.to_be_bytes(),
        ])
    };
    let mut collector = collector(0);
    let data = [record(b"tls"), record(b"")].concat();
    let events = take(
        &mut collector,
        &ipfix(0, &[set(2, &description), set(256, &data)]),
    );
    assert_eq!(events.len(), 2);
    let flow = body(&events[0]);
    assert_eq!(
        (flow.bytes_out, flow.bytes_in, flow.bytes),
        (Some(1000), Some(2000), Some(3000))
    );
    assert_eq!((flow.packets_out, flow.packets_in), (Some(10), Some(20)));
    assert_eq!(flow.duration_ms, Some(1500));
    assert_eq!(
        events[0].connection.as_ref().unwrap().src().to_string(),
        "2001:db8::1"
    );
    assert_eq!(events[0].meta.labels, ["log:netflow/ipfix"]);
    // The sequence counts records: two were sent, so the next is 2.
    take(&mut collector, &ipfix(2, &[set(256, &data)]));
    assert_eq!(collector.counts().lost_flows, 0);
    take(&mut collector, &ipfix(7, &[set(256, &data)]));
    assert_eq!(collector.counts().lost_flows, 3);
}

#[test]
fn options_are_counted_and_passed_over() {
    let mut collector = collector(0);
    // One field of scope, one option.
    let options = be(&[
        &400u16.to_be_bytes(),
        &[0, 4, 0, 4],
        &[0, 1, 0, 4],
        &[0, 34, 0, 4],
    ]);
    let events = take(
        &mut collector,
        &v9(1, 5, &[set(1, &options), set(400, &[0; 16])]),
    );
    assert!(events.is_empty());
    assert_eq!(
        (collector.counts().options, collector.counts().refused),
        (2, 0)
    );
}

#[test]
fn malformed_datagrams_are_counted_and_what_stood_before_is_told() {
    let mut collector = collector(0);
    for bad in [
        &b""[..],
        b"\0",
        b"\0\x07abcd",
        &[0, 9, 0, 1],
        &[0, 10, 0, 99, 0, 0],
    ] {
        assert!(take(&mut collector, bad).is_empty());
    }
    assert_eq!(collector.counts().refused, 5);
    let mut cut = v5(1, 0, &[v5_record(6, (1, 2)), v5_record(6, (3, 4))]);
    cut.truncate(cut.len() - 1);
    assert_eq!(take(&mut collector, &cut).len(), 1);
    assert_eq!(collector.counts().refused, 6);
    // A template of no length would describe endless records.
    take(
        &mut collector,
        &v9(1, 5, &[set(0, &template(300, &[(1, 0), (2, 0)]))]),
    );
    assert_eq!(
        (collector.counts().refused, collector.counts().templates),
        (7, 0)
    );
}

#[test]
fn templates_are_bounded_and_forgotten() {
    let mut collector = collector(0);
    for domain in 0..u32::try_from(TEMPLATES_MAX).unwrap() + 10 {
        take(
            &mut collector,
            &v9(0, domain, &[set(0, &template(300, FIELDS))]),
        );
    }
    assert_eq!(collector.counts().templates, TEMPLATES_MAX as u64);
    assert_eq!(collector.counts().evicted, 10);
    let later = Millis(NOW.0 + TEMPLATE_MS + 1);
    collector.datagram(later, EXPORTER, &v9(0, 0, &[]), &mut Vec::new());
    assert_eq!(collector.counts().templates, 0);
    assert!(collector.sequences.len() <= EXPORTERS_MAX);
}

proptest! {
    #[test]
    fn damaged_datagrams_are_survived(
        at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut datagram = v9(1, 5, &[
            set(0, &template(300, FIELDS)),
            set(300, &[record(2), record(3)].concat()),
        ]);
        for (index, octet) in &at {
            let place = index.index(datagram.len());
            datagram[place] = *octet;
        }
        datagram.truncate(cut.index(datagram.len()) + 1);
        let mut collector = collector(0);
        let events = take(&mut collector, &datagram);
        prop_assert_eq!(collector.counts().flows, events.len() as u64);
        prop_assert_eq!(collector.counts().datagrams, 1);
    }
}
