//! Tunnels: the outer packet counts for the tunnel, the inner one goes the way of every packet.
//!
//! Enters: IP packets of tunnelling protocols, and datagrams on a tunnel's port. Leaves: one flow
//! for each pair of ends, whose event is a Tunnel Activity; what the inner packets make. Refuses:
//! tunnels in more tunnels than the stack holds (`tunnel-depth-limit`): such a packet counts as
//! its outer layer says. Source: `DESIGN.md` section 4, wire.

use model::port::EventSink;

use super::transport::tuple;
use super::{Carrier, Worker};
use crate::flow::key::Tuple;
use crate::flow::record::Kind;
use crate::ip::Packet;
use crate::ip::fragment::Origin;
use crate::link::{self, Layer3, Refusal};
use crate::tunnel::{self, Content, Opened};

impl Worker {
    /// Follows a tunnel's packet inside; false when it is none and counts as it is.
    pub(super) fn tunnel(
        &mut self,
        packet: &Packet<'_>,
        carrier: &Carrier,
        sink: &mut dyn EventSink,
    ) -> bool {
        let ports = tunnel::ports(packet);
        let mine = self.config.share.has(packet.src, packet.dst);
        let opened = match tunnel::open(packet, ports) {
            Ok(Some(opened)) => opened,
            Ok(None) => return false,
            Err(code) => {
                self.problem_of(mine, code);
                return false;
            }
        };
        if carrier.origin.tunnels.is_full() {
            self.problem_of(mine, "tunnel-depth-limit");
            return false;
        }
        let inner = match opened.content {
            Content::Frame(frame) => Some(link::decode_inner(frame)),
            Content::Network(kind, bytes) => {
                let (src, dst) = (carrier.origin.src, carrier.origin.dst);
                Some(link::decode_network(kind, bytes, src, dst))
            }
            Content::Other => None,
        };
        if mine {
            self.count_outer(packet, carrier, &opened, ports, sink);
        }
        match inner {
            Some(Ok(layer)) => self.inside(&layer, carrier, &opened, sink),
            Some(Err(Refusal::Code(code))) => self.problem_of(mine, code),
            Some(Err(Refusal::Link)) | None => self.problem_of(mine, "tunnel-content-other"),
        }
        true
    }

    /// Counts the packet for the tunnel between its ends. Source ports of tunnels over UDP only
    /// spread load: the tunnel is known by its service's port.
    fn count_outer(
        &mut self,
        packet: &Packet<'_>,
        carrier: &Carrier,
        opened: &Opened<'_>,
        ports: (u16, u16),
        sink: &mut dyn EventSink,
    ) {
        let service = tunnel::service(opened.layer.kind, ports);
        let tuple = Tuple {
            tunnel: true,
            ..tuple(packet, carrier, service, service)
        };
        let (number, side) =
            self.flow_of(&tuple, Kind::Tunnel, carrier, || true, |_, _| false, sink);
        self.count(number, side, packet, carrier);
        let Some(flow) = self.flows.flow_mut(number) else {
            return;
        };
        if flow.open(opened.layer) {
            flow.note("tunnel-numbers-limit");
            self.stats.anomaly("tunnel-numbers-limit");
        }
        self.account(number);
    }

    /// Hands on what the tunnel carries.
    fn inside(
        &mut self,
        layer: &Layer3<'_>,
        carrier: &Carrier,
        opened: &Opened<'_>,
        sink: &mut dyn EventSink,
    ) {
        let mut tunnels = carrier.origin.tunnels;
        if !tunnels.push(opened.layer) || !tunnels.append(&layer.tunnels) {
            return self.stats.problem("tunnel-depth-limit");
        }
        let carrier = Carrier {
            number: carrier.number,
            origin: Origin {
                time: carrier.origin.time,
                src: layer.src,
                dst: layer.dst,
                vlan: layer.vlan,
                tunnels,
            },
        };
        self.network(layer, &carrier, sink);
    }
}
