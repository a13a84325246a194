//! Messages one by one: requests and replies travel in different flows.
//!
//! Enters: datagrams. Leaves: one event each. Refuses: nothing. Source: RFC 2131 section 4.3.

use std::net::IpAddr;

use model::Text;
use model::class::Dhcp;
use model::limit::LIST_ITEMS_MAX;

use super::parser::{Message, mac};
use crate::protocol::{Context, Draft, Session, Side, Step};

const REQUEST: u16 = 3;
const NAK: u16 = 6;
const OTHER: u16 = 99;

/// One flow's DHCP: it has no state.
pub(super) struct DhcpSession;

impl Session for DhcpSession {
    fn bytes(&mut self, _side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(message) = Message::parse(bytes) else {
            cx.anomaly("dhcp-malformed");
            return Step::consumed(bytes.len());
        };
        for &anomaly in &message.anomalies {
            cx.anomaly(anomaly);
        }
        let activity = match message.option(53) {
            Some(&[kind @ 1..=8]) => u16::from(kind),
            _ => OTHER,
        };
        let status = match activity {
            NAK => 2,
            _ => u16::from(message.is_reply),
        };
        let body = describe(&message, activity);
        cx.emit(Draft::new(cx.now, activity, body).status(status, None));
        Step::consumed(bytes.len())
    }

    fn end(&mut self, _cx: &mut Context<'_>) {}
}

fn describe(message: &Message, activity: u16) -> Dhcp {
    let list = |code| -> Vec<IpAddr> {
        let found = message.addresses(code).map(IpAddr::V4);
        found.take(LIST_ITEMS_MAX).collect()
    };
    let text = |code| message.text(code).map(Text::from);
    let lease = message
        .option(51)
        .and_then(|value| value.first_chunk::<4>());
    let parameters = message.option(55).unwrap_or(&[]).iter();
    Dhcp {
        transaction: Some(format!("{:08x}", message.transaction).into()),
        lease_s: lease.map(|octets| u64::from(u32::from_be_bytes(*octets))),
        renewal: (activity == REQUEST).then(|| {
            let asks = message.option(50).is_some() || message.option(54).is_some();
            message.own.is_some() && !asks
        }),
        relay: message
            .relay
            .or_else(|| link_of_relay(message))
            .map(IpAddr::V4),
        client_mac: message.mac.or_else(|| mac_of_identifier(message)),
        client_ip: message.given.or(message.own).map(IpAddr::V4),
        requested_ip: message.address(50).map(IpAddr::V4),
        server_ip: message.address(54).map(IpAddr::V4),
        host_name: text(12).or_else(|| message.full_name().map(Text::from)),
        domain: text(15),
        vendor_class: text(60),
        parameters: parameters
            .take(LIST_ITEMS_MAX)
            .map(|&code| u64::from(code))
            .collect(),
        routers: list(3),
        name_servers: list(6),
        anomalies: message.anomalies.iter().map(|&a| Text::from(a)).collect(),
    }
}

/// The link that a relay names in option 82 (sub-option 5) when it left its address out.
fn link_of_relay(message: &Message) -> Option<std::net::Ipv4Addr> {
    let mut rest = message.option(82)?;
    while let [code, len, tail @ ..] = rest {
        let (value, after) = tail.split_at_checked(usize::from(*len))?;
        if *code == 5 {
            return value.first_chunk::<4>().map(|octets| (*octets).into());
        }
        rest = after;
    }
    None
}

/// The hardware address inside a client identifier (option 61) of type Ethernet.
fn mac_of_identifier(message: &Message) -> Option<model::Mac> {
    match message.option(61)? {
        [1, octets @ ..] if octets.len() == 6 => mac(octets),
        _ => None,
    }
}
