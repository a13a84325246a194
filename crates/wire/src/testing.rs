//! Packets made from nothing, for tests of this crate and of those that use it.
//!
//! Enters: addresses, payloads. Leaves: Ethernet frames with right lengths and zero checksums, and
//! events of a worker that saw them. Refuses: payloads over 64 KiB (cut). Not part of the product.
//! Source: `DESIGN.md` section 4, wire.

use std::net::{IpAddr, SocketAddr};

use model::record::Cell;
use model::{Event, Nanos};

use crate::frame::{Frame, LinkType};
use crate::protocol::Side;
use crate::{Stats, WireConfig, Worker};

/// A cell as text, clear values included; `None` when it is absent.
#[must_use]
pub fn said(cell: Cell<'_>) -> Option<String> {
    let list = |items: &[String]| items.join(",");
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(v) => v.to_string(),
        Cell::U64(v) => v.to_string(),
        Cell::I64(v) => v.to_string(),
        Cell::Text(v) => v.to_owned(),
        Cell::Ip(v) => v.to_string(),
        Cell::Mac(v) => v.to_string(),
        Cell::Time(v) => v.0.to_string(),
        Cell::Sensitive(v) => v.reveal().map_or("", |(_, clear)| clear).to_owned(),
        Cell::TextList(v) => v.join(","),
        Cell::U64List(v) => list(&v.iter().map(u64::to_string).collect::<Vec<_>>()),
        Cell::IpList(v) => list(&v.iter().map(IpAddr::to_string).collect::<Vec<_>>()),
    })
}

/// Time of the first frame of a [`Talk`].
pub const START: Nanos = Nanos(1_700_000_000_000_000_000);

/// An Ethernet frame.
#[must_use]
pub fn ethernet(src: [u8; 6], dst: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&dst[..], &src, &ethertype.to_be_bytes(), payload].concat()
}

/// An IP packet; IPv6 when the addresses are.
#[must_use]
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => ip4(src.octets(), dst.octets(), protocol, 0, payload),
        _ => {
            let length = short(payload.len()).to_be_bytes();
            let (src, dst) = (octets6(src), octets6(dst));
            let head = [0x60, 0, 0, 0];
            [&head[..], &length, &[protocol, 64], &src, &dst, payload].concat()
        }
    }
}

/// An IPv4 packet with flags and fragment offset as they stand in the header; identification 7.
#[must_use]
pub fn ip4(src: [u8; 4], dst: [u8; 4], protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let length = short(payload.len() + 20).to_be_bytes();
    let head = [0x45, 0];
    let tail = [64, protocol, 0, 0];
    [
        &head[..],
        &length,
        &[0, 7],
        &fragment.to_be_bytes(),
        &tail,
        &src,
        &dst,
        payload,
    ]
    .concat()
}

/// An IPv6 fragment header before `payload`.
#[must_use]
pub fn fragment6(next: u8, offset: u16, more: bool, id: u32, payload: &[u8]) -> Vec<u8> {
    let word = (offset & 0xfff8) | u16::from(more);
    let head = [next, 0];
    [&head[..], &word.to_be_bytes(), &id.to_be_bytes(), payload].concat()
}

/// A UDP datagram.
#[must_use]
pub fn udp(src_port: u16, dst_port: u16, payload: &[u8]) -> Vec<u8> {
    let length = short(payload.len() + 8).to_be_bytes();
    let (src, dst) = (src_port.to_be_bytes(), dst_port.to_be_bytes());
    [&src[..], &dst, &length, &[0, 0], payload].concat()
}

/// A TCP segment without options.
#[must_use]
pub fn tcp(ports: (u16, u16), seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    [
        &ports.0.to_be_bytes()[..],
        &ports.1.to_be_bytes(),
        &seq.to_be_bytes(),
        &ack.to_be_bytes(),
        &[0x50, flags, 0x20, 0, 0, 0, 0, 0],
        payload,
    ]
    .concat()
}

/// An ARP packet: operation 1 asks, 2 answers.
#[must_use]
pub fn arp(operation: u16, mac: [u8; 6], sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    [
        &[0, 1, 8, 0, 6, 4][..],
        &operation.to_be_bytes(),
        &mac,
        &sender,
        &[0; 6],
        &target,
    ]
    .concat()
}

/// FIN.
pub const FIN: u8 = 1;
/// SYN.
pub const SYN: u8 = 2;
/// RST.
pub const RST: u8 = 4;
/// PSH.
pub const PSH: u8 = 8;
/// ACK.
pub const ACK: u8 = 16;

/// A TCP conversation written frame by frame, one millisecond apart.
#[derive(Clone)]
pub struct Talk {
    /// Time and octets of the frames.
    pub frames: Vec<(Nanos, Vec<u8>)>,
    /// Time of the next frame.
    pub now: Nanos,
    ends: [SocketAddr; 2],
    next: [u32; 2],
}

/// Hardware address of the client of a [`Talk`].
pub const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Hardware address of the server of a [`Talk`].
pub const SERVER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

impl Talk {
    /// A conversation whose sequence numbers start at `isn` and `isn + 1000`.
    #[must_use]
    pub const fn new(client: SocketAddr, server: SocketAddr, isn: u32) -> Self {
        Self {
            frames: Vec::new(),
            now: START,
            ends: [client, server],
            next: [isn, isn.wrapping_add(1000)],
        }
    }

    /// From 10.0.0.1:40000 to 10.0.0.2 and this port.
    #[must_use]
    pub fn to_port(port: u16) -> Self {
        Self::new(
            SocketAddr::from(([10, 0, 0, 1], 40_000)),
            SocketAddr::from(([10, 0, 0, 2], port)),
            1,
        )
    }

    /// SYN, SYN ACK, ACK.
    #[must_use]
    pub fn open(self) -> Self {
        self.segment(Side::Client, SYN, &[])
            .segment(Side::Server, SYN | ACK, &[])
            .segment(Side::Client, ACK, &[])
    }

    /// Payload of a side, in segments of 1,460 octets.
    #[must_use]
    pub fn say(mut self, side: Side, payload: &[u8]) -> Self {
        for chunk in payload.chunks(1460) {
            self = self.segment(side, PSH | ACK, chunk);
        }
        self
    }

    /// FIN of both sides.
    #[must_use]
    pub fn close(self) -> Self {
        self.segment(Side::Client, FIN | ACK, &[])
            .segment(Side::Server, FIN | ACK, &[])
            .segment(Side::Client, ACK, &[])
    }

    /// The next segment of a side.
    #[must_use]
    pub fn segment(self, side: Side, flags: u8, payload: &[u8]) -> Self {
        let seq = self.seq(side);
        self.segment_at(side, seq, flags, payload)
    }

    /// A segment anywhere in the stream; the stream goes on after it when it reaches farther.
    #[must_use]
    pub fn segment_at(mut self, side: Side, seq: u32, flags: u8, payload: &[u8]) -> Self {
        let ack = if flags & ACK == 0 {
            0
        } else {
            self.seq(side.other())
        };
        let ports = (self.end(side).port(), self.end(side.other()).port());
        let segment = tcp(ports, seq, ack, flags, payload);
        let packet = ip(
            self.end(side).ip(),
            self.end(side.other()).ip(),
            6,
            &segment,
        );
        let ethertype = if self.end(side).is_ipv4() {
            0x0800
        } else {
            0x86dd
        };
        let (src, dst) = match side {
            Side::Client => (CLIENT_MAC, SERVER_MAC),
            Side::Server => (SERVER_MAC, CLIENT_MAC),
        };
        self.frames
            .push((self.now, ethernet(src, dst, ethertype, &packet)));
        self.now = self.now.plus_ms(1);
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let end = seq
            .wrapping_add(length)
            .wrapping_add(u32::from(flags & (SYN | FIN) != 0));
        let [client, server] = &mut self.next;
        let next = match side {
            Side::Client => client,
            Side::Server => server,
        };
        if end.wrapping_sub(*next) < 1 << 31 {
            *next = end;
        }
        self
    }

    /// Sequence number of a side's next octet.
    #[must_use]
    pub const fn seq(&self, side: Side) -> u32 {
        let [client, server] = self.next;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    const fn end(&self, side: Side) -> SocketAddr {
        let [client, server] = self.ends;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }
}

/// Shows Ethernet frames to a worker and ends; returns the events and the counters.
#[must_use]
pub fn play(config: WireConfig, frames: &[(Nanos, Vec<u8>)]) -> (Vec<Event>, Stats) {
    let mut worker = Worker::new(config);
    let mut events = Vec::new();
    for (number, (time, bytes)) in (1..).zip(frames) {
        worker.frame(&frame(*time, number, bytes), &mut events);
    }
    worker.finish(&mut events);
    (events, worker.stats().clone())
}

/// An Ethernet frame that was captured whole.
#[must_use]
pub fn frame(time: Nanos, number: u64, bytes: &[u8]) -> Frame<'_> {
    Frame {
        time,
        number,
        link: LinkType::ETHERNET,
        wire_len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        bytes,
        vlan: None,
    }
}

fn octets6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}
