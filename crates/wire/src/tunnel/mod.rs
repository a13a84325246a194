//! Tunnels: what their headers say, and the stack of those around a packet.
//!
//! Enters: payloads of IP packets and UDP datagrams. Leaves: [`Opened`]: which tunnel, and what it
//! carries; the [`Stack`] that a flow's event names. Refuses: more than [`DEPTH_MAX`] tunnels
//! around a packet (counted as `tunnel-depth-limit`; the packet then counts for a flow of its own),
//! datagrams on a tunnel's port whose content is no packet: they stay datagrams.
//! Source: RFC 2003, RFC 2473, RFC 4213 (IP in IP); `gre.rs` and `datagram.rs` for the others.

mod datagram;
mod gre;

use std::fmt::Write as _;

use model::Text;

use crate::ip::Packet;

use datagram::of_udp;
use gre::of_gre;

use crate::link::{ETHERTYPE_IP4, ETHERTYPE_IP6};

/// Most tunnels around one packet.
pub(crate) const DEPTH_MAX: usize = 4;

/// A way to carry packets in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// IP in IP, either version in either.
    #[default]
    IpIp,
    /// GRE, any payload but the ones below.
    Gre,
    /// GRE with an Ethernet frame.
    GreFrame,
    /// NVGRE: GRE with an Ethernet frame and a virtual subnet.
    Nvgre,
    /// GRE of PPTP.
    Pptp,
    /// ERSPAN of type I.
    Erspan1,
    /// ERSPAN of type II.
    Erspan2,
    /// ERSPAN of type III.
    Erspan3,
    /// VXLAN.
    Vxlan,
    /// GENEVE.
    Geneve,
    /// GTP, user plane.
    Gtp,
    /// Teredo.
    Teredo,
    /// A stack of MPLS labels.
    Mpls,
    /// PPPoE.
    Pppoe,
}

impl Kind {
    /// Its name: of the protocol in events, and of its facts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::IpIp => "ipip",
            Self::Gre => "gre",
            Self::GreFrame => "gretap",
            Self::Nvgre => "nvgre",
            Self::Pptp => "pptp",
            Self::Erspan1 => "erspan1",
            Self::Erspan2 => "erspan2",
            Self::Erspan3 => "erspan3",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gtp => "gtp",
            Self::Teredo => "teredo",
            Self::Mpls => "mpls",
            Self::Pppoe => "pppoe",
        }
    }

    /// What its number is called.
    pub(crate) const fn number_name(self) -> &'static str {
        match self {
            Self::Vxlan | Self::Geneve => "vni",
            Self::Nvgre => "vsid",
            Self::Erspan2 | Self::Erspan3 | Self::Pppoe => "session",
            Self::Gtp => "teid",
            Self::Pptp => "call",
            Self::Mpls => "label",
            Self::IpIp | Self::Gre | Self::GreFrame | Self::Erspan1 | Self::Teredo => "key",
        }
    }

    /// True when the number names an address space of its own, the same in both directions.
    const fn has_space(self) -> bool {
        matches!(self, Self::Vxlan | Self::Geneve | Self::Nvgre)
    }
}

/// One tunnel around a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Which kind.
    pub(crate) kind: Kind,
    /// Its key, network or session, when its header has one.
    pub(crate) number: Option<u32>,
}

impl Layer {
    pub(crate) const fn new(kind: Kind, number: Option<u32>) -> Self {
        Self { kind, number }
    }

    fn text(self) -> Text {
        let mut text = self.kind.name().to_owned();
        if let Some(number) = self.number {
            // Writing to a String cannot fail.
            let _ = write!(text, ":{number}");
        }
        text.into()
    }
}

/// The tunnels around a packet, outermost first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stack {
    layers: [Layer; DEPTH_MAX],
    len: u8,
}

impl Stack {
    /// Adds an inner one; false when the stack is full.
    pub(crate) fn push(&mut self, layer: Layer) -> bool {
        match self.layers.get_mut(usize::from(self.len)) {
            Some(place) => {
                *place = layer;
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// Adds inner ones; false when not all of them fit.
    pub(crate) fn append(&mut self, inner: &Self) -> bool {
        inner.iter().all(|layer| self.push(layer))
    }

    /// True without a tunnel.
    pub(crate) fn depth(&self) -> i64 {
        i64::try_from(self.iter().count()).unwrap_or(i64::MAX)
    }

    /// True when there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// True when no more fit.
    pub(crate) fn is_full(&self) -> bool {
        usize::from(self.len) >= DEPTH_MAX
    }

    fn iter(&self) -> impl Iterator<Item = Layer> {
        self.layers.iter().take(usize::from(self.len)).copied()
    }

    /// As a flow's event lists them.
    pub(crate) fn texts(&self) -> Vec<Text> {
        self.iter().map(Layer::text).collect()
    }

    /// A number for the address space inside: packets of different virtual networks are never of
    /// one flow. Keys that differ by direction, or mirror a network, do not count.
    pub(crate) fn space(&self) -> u16 {
        let spaces = self.iter().filter(|layer| layer.kind.has_space());
        spaces.fold(0, |space: u16, layer| {
            let [a, b, c, d] = layer.number.unwrap_or(0).to_be_bytes();
            let mixed = u16::from_be_bytes([a ^ c, b ^ d]) ^ u16::from(c).rotate_left(11);
            space.rotate_left(5) ^ mixed.wrapping_mul(0x9e35) ^ 1
        })
    }
}

/// What a tunnel carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    /// An Ethernet frame.
    Frame(&'a [u8]),
    /// A network layer with its Ethernet type.
    Network(u16, &'a [u8]),
    /// Something that is not followed.
    Other,
}

/// A tunnel's header, taken off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened<'a> {
    /// Which tunnel.
    pub(crate) layer: Layer,
    /// What it carries.
    pub(crate) content: Content<'a>,
}

impl<'a> Opened<'a> {
    const fn new(kind: Kind, number: Option<u32>, content: Content<'a>) -> Self {
        Self {
            layer: Layer::new(kind, number),
            content,
        }
    }
}

/// True for IP protocols that may carry packets.
#[inline]
pub(crate) const fn is_tunnel(protocol: u8) -> bool {
    matches!(protocol, UDP | IP4 | IP6 | GRE | MPLS)
}

/// The ports of a datagram; 0 of anything else.
pub(crate) fn ports(packet: &Packet<'_>) -> (u16, u16) {
    match packet.payload {
        &[a, b, c, d, ..] if packet.protocol == UDP => {
            (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        }
        _ => (0, 0),
    }
}

/// Takes the tunnel's header off; `None` when the packet is no tunnel's.
pub(crate) fn open<'a>(
    packet: &Packet<'a>,
    (src, dst): (u16, u16),
) -> Result<Option<Opened<'a>>, &'static str> {
    Ok(match packet.protocol {
        UDP => packet
            .payload
            .get(8..)
            .and_then(|inner| of_udp(src, dst, inner)),
        IP4 | IP6 => Some(of_ip(packet.protocol, packet.payload)),
        MPLS => Some(of_mpls(packet.payload)),
        GRE => return of_gre(packet.payload).map(Some),
        _ => None,
    })
}

const IP4: u8 = 4;
pub(crate) const UDP: u8 = 17;
const IP6: u8 = 41;
const GRE: u8 = 47;
const MPLS: u8 = 137;

/// The port that a tunnel over UDP is known by. Source ports only spread load.
pub(crate) fn service(kind: Kind, (src, dst): (u16, u16)) -> u16 {
    if kind == Kind::Gtp {
        2152
    } else if kind == Kind::Teredo && src == 3544 {
        src
    } else {
        dst
    }
}

/// IP in IP: protocol 4 carries IPv4, protocol 41 IPv6.
const fn of_ip(protocol: u8, payload: &[u8]) -> Opened<'_> {
    let ethertype = if protocol == 4 {
        ETHERTYPE_IP4
    } else {
        ETHERTYPE_IP6
    };
    Opened::new(Kind::IpIp, None, Content::Network(ethertype, payload))
}

/// MPLS in IP: protocol 137, RFC 4023.
const fn of_mpls(payload: &[u8]) -> Opened<'_> {
    Opened::new(Kind::Mpls, None, Content::Network(0x8847, payload))
}
