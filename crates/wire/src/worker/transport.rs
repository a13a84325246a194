//! Transport layer: from IP packets to flows and their drivers.
//!
//! Enters: packets that are whole. Leaves: what their flows make of them. Refuses: headers that are
//! not whole, counted. Source: RFC 9293, RFC 768, RFC 792, RFC 4443, RFC 9260 (ports of SCTP).

use model::port::EventSink;
use std::net::IpAddr;

use super::feed::Feed;
use super::life::icmp_from_client;
use super::{Carrier, Worker};
use crate::flow::key::{Key, Tuple, icmp_ports};
use crate::flow::record::{Flow, Kind};
use crate::ip::{self, Packet};
use crate::link::arp;
use crate::protocol::{Side, Transport};
use crate::tcp::{ACK, SYN, Segment, Stream};
use crate::tunnel::is_tunnel;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;

impl Worker {
    /// Takes an IP packet that is whole.
    pub(super) fn transport(
        &mut self,
        packet: &Packet<'_>,
        carrier: &Carrier,
        sink: &mut dyn EventSink,
    ) {
        let mine = self.config.share.has(packet.src, packet.dst);
        if let Some(code) = packet.anomaly {
            self.problem_of(mine, code);
        }
        match packet.protocol {
            TCP if mine => self.tcp(packet, carrier, sink),
            ICMP6 if !mine && packet.v6 => self.icmp_of_others(packet, carrier, sink),
            ICMP if !mine && !packet.v6 => self.icmp_of_others(packet, carrier, sink),
            protocol if is_tunnel(protocol) && self.tunnel(packet, carrier, sink) => {}
            _ if !mine => {}
            UDP => self.udp(packet, carrier, sink),
            ICMP if !packet.v6 => self.icmp(packet, carrier, sink),
            ICMP6 if packet.v6 => self.icmp(packet, carrier, sink),
            protocol => {
                let (src_port, dst_port) = match (protocol, packet.payload) {
                    (SCTP, [a, b, c, d, ..]) => {
                        (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
                    }
                    _ => (0, 0),
                };
                let tuple = tuple(packet, carrier, src_port, dst_port);
                let (number, side) =
                    self.flow_of(&tuple, Kind::Other, carrier, || true, |_, _| false, sink);
                self.count(number, side, packet, carrier);
            }
        }
    }

    fn tcp(&mut self, packet: &Packet<'_>, carrier: &Carrier, sink: &mut dyn EventSink) {
        self.stats.tcp += 1;
        let segment = match Segment::decode(packet.payload, packet.payload_len) {
            Ok(segment) => segment,
            Err(code) => return self.stats.problem(code),
        };
        let tuple = tuple(packet, carrier, segment.src_port, segment.dst_port);
        let (number, side) = self.flow_of(
            &tuple,
            Kind::Tcp,
            carrier,
            || tcp_from_client(&segment),
            |flow: &Flow, side| flow.tcp.is_new_connection(side, &segment),
            sink,
        );
        let registry = self.config.registry;
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        let now = carrier.origin.time;
        flow.count(side, packet.frames, packet.ip_len, now);
        let closed = flow.tcp.is_closed();
        let picked_up = !flow.tcp.saw_syn(side) && !segment.has(SYN);
        let mut feed = Feed {
            app: &mut flow.app,
            scratch: &mut self.scratch,
            registry,
            secrets: self.config.secrets.as_ref(),
            now,
            transport: Transport::Tcp,
            key: &flow.key,
            client_high: flow.client_high,
            picked_up,
        };
        flow.tcp.segment(side, &segment, now, &mut feed);
        if flow.tcp.take_end() {
            feed.end();
        }
        let hasten = !closed && flow.tcp.is_closed();
        let heap = self.scratch.touched || flow.heap > 0 || flow.tcp.heap_bytes() > 0;
        self.settle(number, sink);
        if hasten {
            self.hasten(number);
        }
        if heap || !self.scratch.is_empty() {
            self.account(number);
            self.keep_budget(sink);
        }
    }

    fn udp(&mut self, packet: &Packet<'_>, carrier: &Carrier, sink: &mut dyn EventSink) {
        self.stats.udp += 1;
        let Some((&[s0, s1, d0, d1, l0, l1, _, _], rest)) = packet.payload.split_first_chunk::<8>()
        else {
            return self.stats.problem("udp-header-short");
        };
        let src_port = u16::from_be_bytes([s0, s1]);
        let dst_port = u16::from_be_bytes([d0, d1]);
        let stated = usize::from(u16::from_be_bytes([l0, l1]));
        // 0 is a jumbogram or segmentation offload.
        let payload = match stated.checked_sub(8) {
            Some(length) => rest.get(..length).unwrap_or(rest),
            None if stated == 0 => rest,
            None => return self.stats.problem("udp-length-malformed"),
        };
        let tuple = tuple(packet, carrier, src_port, dst_port);
        let client = || !(is_service(src_port) && !is_service(dst_port) && dst_port >= 1024);
        let (number, side) = self.flow_of(&tuple, Kind::Udp, carrier, client, |_, _| false, sink);
        let registry = self.config.registry;
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        let now = carrier.origin.time;
        flow.count(side, packet.frames, packet.ip_len, now);
        if payload.is_empty() {
            return;
        }
        let mut feed = Feed {
            app: &mut flow.app,
            scratch: &mut self.scratch,
            registry,
            secrets: self.config.secrets.as_ref(),
            now,
            transport: Transport::Udp,
            key: &flow.key,
            client_high: flow.client_high,
            picked_up: false,
        };
        feed.bytes(side, payload);
        if self.scratch.touched {
            self.settle(number, sink);
            self.account(number);
            self.keep_budget(sink);
        }
    }

    fn icmp(&mut self, packet: &Packet<'_>, carrier: &Carrier, sink: &mut dyn EventSink) {
        let &[kind, code, ..] = packet.payload else {
            return self.stats.problem("icmp-header-short");
        };
        self.neighbour(packet, carrier, sink);
        sink.place(carrier.origin.tunnels.depth(), 1);
        let (src_port, dst_port, one_way) = icmp_ports(packet.v6, kind, code);
        let tuple = Tuple {
            one_way,
            ..tuple(packet, carrier, src_port, dst_port)
        };
        let (number, side) = self.flow_of(
            &tuple,
            Kind::Icmp,
            carrier,
            || icmp_from_client(packet, kind),
            |_, _| false,
            sink,
        );
        self.count(number, side, packet, carrier);
        if let Some(flow) = self.flows.flow_mut(number)
            && flow.packets() == u64::from(packet.frames)
        {
            flow.code = code;
        }
        if is_unreachable(packet, kind) {
            self.unreachable(packet, carrier);
        }
    }

    /// A message between addresses of another worker: it may be about a flow of this one.
    fn icmp_of_others(&mut self, packet: &Packet<'_>, carrier: &Carrier, sink: &mut dyn EventSink) {
        let &[kind, _, ..] = packet.payload else {
            return;
        };
        self.neighbour(packet, carrier, sink);
        if is_unreachable(packet, kind) {
            self.unreachable(packet, carrier);
        }
    }

    /// Who owns which address, as neighbour discovery says.
    fn neighbour(&mut self, packet: &Packet<'_>, carrier: &Carrier, sink: &mut dyn EventSink) {
        let IpAddr::V6(src) = packet.src.ip(packet.v6) else {
            return;
        };
        if !self.config.share.is_first() {
            return;
        }
        let binding = arp::of_nd(src, packet.hop_limit, packet.payload);
        self.bind(binding.as_ref(), carrier.origin.time, sink);
    }

    /// Attributes "destination unreachable" to the flow that it quotes.
    fn unreachable(&mut self, packet: &Packet<'_>, carrier: &Carrier) {
        let quoted = packet.payload.get(8..).unwrap_or(&[]);
        let inner = if packet.v6 {
            ip::decode_v6(quoted)
        } else {
            ip::decode_v4(quoted)
        };
        let Ok(inner) = inner else {
            let mine = self.config.share.has(packet.src, packet.dst);
            return self.problem_of(mine, "icmp-quote-malformed");
        };
        if !self.config.share.has(inner.src, inner.dst) {
            return;
        }
        let (TCP | UDP, &[a, b, c, d, ..]) = (inner.protocol, inner.payload) else {
            return;
        };
        let ports = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let (key, _) = Key::of(&tuple(&inner, carrier, ports.0, ports.1));
        let hash = self.flows.hash(&key);
        if let Some(number) = self.flows.find(hash, &key)
            && let Some(flow) = self.flows.flow_mut(number)
        {
            flow.unreachable = true;
        }
    }

    pub(super) fn count(
        &mut self,
        number: u32,
        side: Side,
        packet: &Packet<'_>,
        carrier: &Carrier,
    ) {
        if let Some(flow) = self.flows.flow_mut(number) {
            flow.count(side, packet.frames, packet.ip_len, carrier.origin.time);
        }
    }
}

const fn is_unreachable(packet: &Packet<'_>, kind: u8) -> bool {
    if packet.v6 { kind == 1 } else { kind == 3 }
}

/// The five-tuple of a packet.
pub(super) fn tuple(packet: &Packet<'_>, carrier: &Carrier, src_port: u16, dst_port: u16) -> Tuple {
    Tuple {
        src: packet.src,
        dst: packet.dst,
        src_port,
        dst_port,
        protocol: packet.protocol,
        v6: packet.v6,
        one_way: false,
        tunnel: false,
        space: carrier.origin.tunnels.space(),
    }
}

/// Who opened a TCP connection, by its first packet seen.
fn tcp_from_client(segment: &Segment<'_>) -> bool {
    if segment.has(SYN) {
        return !segment.has(ACK);
    }
    let (src, dst) = (segment.src_port, segment.dst_port);
    match (is_service(src), is_service(dst)) {
        (true, false) => false,
        (false, true) => true,
        // Both or none: the lower of two well-known ports serves; else who was seen first asks.
        (true, true) => src >= dst,
        (false, false) => true,
    }
}

/// True for ports that servers listen on: the well-known ones and a few beyond.
fn is_service(port: u16) -> bool {
    const BEYOND: &[u16] = &[
        1433, 1521, 1812, 1813, 1883, 2049, 2575, 2761, 2762, 3128, 3268, 3269, 3306, 3389, 4242,
        5060, 5061, 5353, 5355, 5432, 5900, 5985, 5986, 8000, 8008, 8042, 8080, 8443, 8883, 8888,
        9100, 11_112, 47_808,
    ];
    port != 0 && port < 1024 || BEYOND.binary_search(&port).is_ok()
}
