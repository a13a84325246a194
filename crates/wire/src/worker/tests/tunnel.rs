//! Tunnels: inner flows are those of the packets inside, and name what is around them.

use model::class::Tunnel;

use super::*;
use crate::tunnel::DEPTH_MAX;

const A: [u8; 4] = [192, 0, 2, 1];
const B: [u8; 4] = [192, 0, 2, 2];

/// An inner packet: UDP from 10.0.0.1:1111 to 10.0.0.2:2222.
fn inner() -> Vec<u8> {
    testing::ip4(CLIENT, SERVER, 17, 0, &testing::udp(1111, 2222, b"hello"))
}

fn inner6() -> Vec<u8> {
    let ends = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse().unwrap());
    testing::ip(ends[0], ends[1], 17, &testing::udp(1111, 2222, b"hello"))
}

fn framed(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    testing::ethernet([2, 0, 0, 0, 0, 7], [2, 0, 0, 0, 0, 8], ethertype, payload)
}

fn over_ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    framed(0x0800, &testing::ip4(A, B, protocol, 0, payload))
}

fn over_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    over_ip(17, &testing::udp(55_555, port, payload))
}

fn run(frames: &[Vec<u8>]) -> (Vec<Event>, Stats) {
    let mut worker = Worker::new(WireConfig::default());
    let mut events = Vec::new();
    for (number, bytes) in (1..).zip(frames) {
        worker.frame(&testing::frame(START, number, bytes), &mut events);
    }
    worker.finish(&mut events);
    (events, worker.stats().clone())
}

fn tunnels(events: &[Event]) -> Vec<(&Event, &Tunnel)> {
    let tunnel = |event| match event {
        event @ &Event {
            body: Body::Tunnel(ref body),
            ..
        } => Some((event, &**body)),
        _ => None,
    };
    events.iter().filter_map(tunnel).collect()
}

/// The tunnels of the one inner flow, and the kind and facts of the one tunnel.
fn one(frame: Vec<u8>) -> (String, String) {
    let (events, stats) = run(&[frame]);
    let flows = flows(&events);
    assert_eq!(flows.len(), 1, "{:?}", stats.problems);
    let connection = flows[0].0.connection.as_ref().unwrap();
    assert_eq!(
        (connection.src_port, connection.dst_port),
        (Some(1111), Some(2222))
    );
    let around = flows[0].1.tunnels.join(" ");
    let tunnels = tunnels(&events);
    let told = tunnels.first().map_or(String::new(), |(event, body)| {
        let connection = event.connection.as_ref().unwrap();
        assert_eq!(connection.src(), IpAddr::from(A));
        assert_eq!(connection.app, body.kind.clone().unwrap());
        assert_eq!((body.packets, body.kind_id), (Some(1), Some(99)));
        let kind = body.kind.as_deref().unwrap_or("");
        format!("{kind} {}", body.facts.join(" "))
    });
    (around, told.trim().to_owned())
}

#[test]
fn ip_in_ip_is_followed() {
    let pair = ("ipip".to_owned(), "ipip".to_owned());
    assert_eq!(one(over_ip(4, &inner())), pair);
    assert_eq!(one(over_ip(41, &inner6())), pair);
    let ends = ["2001:db8::a", "2001:db8::b"].map(|text| text.parse().unwrap());
    let (events, _) = run(&[framed(0x86dd, &testing::ip(ends[0], ends[1], 4, &inner()))]);
    assert_eq!(flows(&events)[0].1.tunnels, ["ipip"]);
    assert_eq!(tunnels(&events).len(), 1);
}

#[test]
fn gre_carries_packets_and_frames() {
    let gre = |head: &[u8], payload: &[u8]| over_ip(47, &[head, payload].concat());
    let text = |around: &str, told: &str| (around.to_owned(), told.to_owned());
    let plain = gre(&[0, 0, 8, 0], &inner());
    assert_eq!(one(plain), text("gre", "gre"));
    // Checksum, key and sequence.
    let head = [0xb0, 0, 8, 0, 9, 9, 0, 0, 0, 0, 0, 42, 0, 0, 0, 1];
    assert_eq!(one(gre(&head, &inner())), text("gre:42", "gre gre.key=42"));
    let frame = framed(0x0800, &inner());
    assert_eq!(
        one(gre(&[0, 0, 0x65, 0x58], &frame)),
        text("gretap", "gretap")
    );
    let head = [0x20, 0, 0x65, 0x58, 0, 0x20, 1, 7];
    assert_eq!(
        one(gre(&head, &frame)),
        text("nvgre:8193", "nvgre nvgre.vsid=8193")
    );
    let head = [0x20, 0, 0x65, 0x58, 0, 0, 0, 7];
    assert_eq!(
        one(gre(&head, &frame)),
        text("gretap:7", "gretap gretap.key=7")
    );
    let labels = [&[0, 1, 0x01, 64][..], &inner()].concat();
    assert_eq!(
        one(gre(&[0, 0, 0x88, 0x47], &labels)),
        text("gre mpls:16", "gre")
    );
    // PPTP: a PPP frame of call 5, number 1.
    let head = [
        0x30, 1, 0x88, 0x0b, 0, 9, 0, 5, 0, 0, 0, 1, 0xff, 3, 0, 0x21,
    ];
    assert_eq!(
        one(gre(&head, &inner())),
        text("pptp:5", "pptp pptp.call=5")
    );
}

#[test]
fn erspan_of_all_types() {
    let gre = |head: &[u8], payload: &[u8]| over_ip(47, &[head, payload].concat());
    let frame = framed(0x0800, &inner());
    let text = |around: &str, told: &str| (around.to_owned(), told.to_owned());
    assert_eq!(
        one(gre(&[0, 0, 0x88, 0xbe], &frame)),
        text("erspan1", "erspan1")
    );
    let head = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 100, 0, 0, 0, 1];
    let told = text("erspan2:100", "erspan2 erspan2.session=100");
    assert_eq!(one(gre(&head, &frame)), told);
    let head = [
        0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1,
    ];
    let more = [&head[..], &[0; 8]].concat();
    let told = text("erspan3:3", "erspan3 erspan3.session=3");
    assert_eq!(one(gre(&more, &frame)), told);
}

#[test]
fn tunnels_over_udp_need_content_that_agrees() {
    let text = |around: &str, told: &str| (around.to_owned(), told.to_owned());
    let frame = framed(0x0800, &inner());
    let vxlan = |payload: &[u8]| [&[8, 0, 0, 0, 0, 0, 42, 0][..], payload].concat();
    let told = text("vxlan:42", "vxlan vxlan.vni=42");
    assert_eq!(one(over_udp(4789, &vxlan(&frame))), told);
    let geneve = [&[1, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 0][..], &frame].concat();
    let told = text("geneve:9", "geneve geneve.vni=9");
    assert_eq!(one(over_udp(6081, &geneve)), told);
    let length = (inner().len() + 4) as u16;
    let [hi, lo] = length.to_be_bytes();
    let gtp = [&[0x32, 255, hi, lo, 0, 0, 0, 7, 0, 1, 0, 0][..], &inner()].concat();
    assert_eq!(one(over_udp(2152, &gtp)), text("gtp:7", "gtp gtp.teid=7"));
    let teredo = [&[0, 0, 1, 2, 3, 4, 5, 6][..], &inner6()].concat();
    assert_eq!(one(over_udp(3544, &teredo)), text("teredo", "teredo"));
    // Something else on the port is an ordinary datagram.
    let (events, _) = run(&[over_udp(4789, &vxlan(b"this is no frame at all"))]);
    assert_eq!((flows(&events).len(), tunnels(&events).len()), (1, 0));
    assert!(flows(&events)[0].1.tunnels.is_empty());
}

#[test]
fn a_tunnel_is_one_event_whatever_ports_spread_its_load() {
    let frame = framed(0x0800, &inner());
    let packet = |src: u16, back: bool, vni: u8| {
        let payload = [&[8, 0, 0, 0, 0, 0, vni, 0][..], &frame].concat();
        let (a, b) = if back { (B, A) } else { (A, B) };
        let datagram = testing::udp(src, 4789, &payload);
        framed(0x0800, &testing::ip4(a, b, 17, 0, &datagram))
    };
    let frames = [packet(1, false, 1), packet(2, true, 1), packet(3, false, 2)];
    let (events, stats) = run(&frames);
    let tunnels = tunnels(&events);
    assert_eq!(tunnels.len(), 1);
    let body = tunnels[0].1;
    assert_eq!((body.packets_out, body.packets_in), (Some(2), Some(1)));
    assert_eq!(body.facts, ["vxlan.vni=1", "vxlan.vni=2"]);
    assert_eq!(
        tunnels[0].0.connection.as_ref().unwrap().dst_port,
        Some(4789)
    );
    // The same addresses in two virtual networks are two flows.
    assert_eq!(flows(&events).len(), 2);
    assert_eq!(stats.protocols["vxlan"].parsed, 1);
}

#[test]
fn mpls_and_pppoe_name_themselves() {
    let frame = |ethertype: u16, head: &[u8], payload: &[u8]| {
        let (events, stats) = run(&[framed(ethertype, &[head, payload].concat())]);
        let flows = flows(&events);
        assert_eq!(flows.len(), 1, "{:?}", stats.problems);
        flows[0].1.tunnels.join(" ")
    };
    assert_eq!(
        frame(0x8847, &[0, 2, 0, 64, 0, 3, 1, 64], &inner()),
        "mpls:32"
    );
    let pseudowire = [&[0, 0, 0, 0][..], &framed(0x0800, &inner())].concat();
    assert_eq!(frame(0x8848, &[0, 1, 1, 64], &pseudowire), "mpls:16");
    let bare = framed(0x0800, &inner());
    assert_eq!(frame(0x8847, &[0, 1, 1, 64], &bare), "mpls:16");
    assert_eq!(
        frame(0x8864, &[0x11, 0, 0, 7, 0, 0, 0, 0x21], &inner()),
        "pppoe:7"
    );
}

#[test]
fn depth_labels_and_layers_are_limited_and_counted() {
    let mut packet = inner();
    for _ in 0..=DEPTH_MAX {
        packet = testing::ip4(A, B, 4, 0, &packet);
    }
    let (events, stats) = run(&[framed(0x0800, &packet)]);
    assert_eq!(stats.problems.get("tunnel-depth-limit"), Some(&1));
    // The packet that is opened no further still counts, as IP protocol 4.
    let flows = flows(&events);
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0].0.connection.as_ref().unwrap().protocol, 4);
    assert_eq!(flows[0].1.tunnels.len(), DEPTH_MAX);
    let labels = [&[0, 1, 0, 64][..]; 40].concat();
    let (_, stats) = run(&[framed(0x8847, &labels)]);
    assert_eq!(stats.problems.get("link-mpls-labels-limit"), Some(&1));
    let (_, stats) = run(&[over_ip(47, &[0]), over_ip(47, &[0, 5, 8, 0])]);
    assert_eq!(stats.problems.get("gre-header-short"), Some(&1));
    assert_eq!(stats.problems.get("gre-version-unknown"), Some(&1));
}

#[test]
fn fragments_inside_a_tunnel_are_put_together_there() {
    let datagram = testing::udp(1111, 2222, &[7; 24]);
    let first = testing::ip4(CLIENT, SERVER, 17, 0x2000, &datagram[..16]);
    let last = testing::ip4(CLIENT, SERVER, 17, 2, &datagram[16..]);
    let (events, stats) = run(&[over_ip(4, &first), over_ip(4, &last)]);
    assert_eq!(stats.defragmented, 1);
    let flows = flows(&events);
    assert_eq!((flows.len(), flows[0].1.packets), (1, Some(2)));
    assert_eq!(flows[0].1.tunnels, ["ipip"]);
}

proptest! {
    #[test]
    fn random_tunnels_never_panic(
        protocol in prop_oneof![Just(4_u8), Just(41), Just(47), Just(137), Just(17)],
        port in prop_oneof![Just(4789_u16), Just(6081), Just(2152), Just(3544)],
        head in proptest::collection::vec(any::<u8>(), 0..40), whole in any::<bool>(),
    ) {
        let payload = if whole { [&head[..], &inner()].concat() } else { head };
        let payload = if protocol == 17 { testing::udp(port, port, &payload) } else { payload };
        let _ = run(&[over_ip(protocol, &payload), framed(0x8847, &payload)]);
    }
}
