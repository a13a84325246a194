//! Requests and their answers, by identifier.
//!
//! Enters: datagrams. Leaves: drafts. Refuses: more than [`PENDING_MAX`] requests without answer:
//! an identifier has eight bits. Source: RFC 2865 section 2, RFC 2866 section 2.

use std::collections::BTreeMap;

use model::class::{Authentication, Network};
use model::fact::Facts;
use model::{Nanos, Sensitive, Text};

use super::parser::{Packet, code_name, read};
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Most requests without answer of one flow, by sender.
pub(super) const PENDING_MAX: usize = 256;
const LOGON: u16 = 1;
const TRAFFIC: u16 = 6;

/// One flow's RADIUS.
#[derive(Default)]
pub(super) struct RadiusSession {
    pending: BTreeMap<u8, Box<Draft>>,
}

impl RadiusSession {
    fn ask(&mut self, packet: &Packet<'_>, cx: &mut Context<'_>) {
        let draft = request(packet, cx.now);
        // A repetition has the same identifier and says the same.
        let known = self.pending.get(&packet.id);
        if known.is_some_and(|known| known.body == draft.body) {
            return;
        }
        debug_assert!(self.pending.len() <= PENDING_MAX);
        if let Some(old) = self.pending.insert(packet.id, Box::new(draft)) {
            cx.emit(*old);
        }
    }

    fn answer(&mut self, packet: &Packet<'_>, cx: &mut Context<'_>) {
        let Some(mut draft) = self.pending.remove(&packet.id) else {
            return;
        };
        let mut facts = Facts::of("radius");
        facts.maybe("framed_ip", packet.address(8));
        facts.maybe("session_timeout", packet.number(27));
        facts.maybe("filter", packet.text(11));
        facts.maybe(
            "vlan",
            packet
                .text(81)
                .map(|text| text.trim_matches('\u{1f}').to_owned()),
        );
        if let model::Body::Authentication(body) = &mut draft.body {
            body.facts.extend(facts.take());
            body.facts.sort();
        }
        draft.status = match packet.code {
            2 | 5 | 41 | 44 => 1,
            3 | 42 | 45 => 2,
            _ => 0,
        };
        draft.status_code = code_name(packet.code).map(Text::Borrowed);
        cx.emit(*draft);
    }
}

impl Session for RadiusSession {
    fn bytes(&mut self, _side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        match read(bytes) {
            None => cx.anomaly("radius-packet-malformed"),
            Some(packet) if matches!(packet.code, 1 | 4 | 12 | 40 | 43) => self.ask(&packet, cx),
            Some(packet) => self.answer(&packet, cx),
        }
        Step::consumed(bytes.len())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        for (_, draft) in std::mem::take(&mut self.pending) {
            cx.emit(*draft);
        }
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.pending.len() * 2048
    }
}

fn request(packet: &Packet<'_>, now: Nanos) -> Draft {
    let mut facts = Facts::of("radius");
    let (method, eap) = packet.method();
    facts.maybe("eap", eap);
    facts.maybe("nas_ip", packet.address(4).or_else(|| packet.address(95)));
    facts.maybe("nas_id", packet.text(32));
    facts.maybe("nas_port", packet.number(5));
    facts.maybe("nas_port_id", packet.text(87));
    facts.maybe("nas_port_type", packet.number(61));
    facts.maybe("service_type", packet.number(6));
    facts.maybe("called_station", packet.text(30));
    facts.maybe(
        "calling_station",
        packet.text(31).filter(|text| is_machine(text)),
    );
    facts.maybe("framed_ip", packet.address(8));
    for vendor in packet.vendors() {
        facts.add("vendor", vendor);
    }
    let user = packet.text(1).filter(|user| !user.is_empty());
    let user = user.as_deref().map(Sensitive::text);
    if packet.code == 1 {
        let body = Authentication {
            user,
            auth_protocol: Some(Text::Borrowed(method)),
            is_cleartext: Some(false),
            is_remote: Some(true),
            session: packet.hex(44).map(Text::from),
            mechanism: Some(Text::Borrowed("Access-Request")),
            facts: facts.take(),
            ..Authentication::default()
        };
        return Draft::new(now, LOGON, body);
    }
    facts.maybe("status_type", packet.number(40).map(status_type));
    facts.maybe("session_time", packet.number(46));
    facts.maybe("input_octets", packet.number(42));
    facts.maybe("output_octets", packet.number(43));
    facts.maybe("terminate_cause", packet.number(49));
    facts.maybe("session_id", packet.hex(44));
    let body = Network {
        about: Text::Borrowed("radius"),
        operation: code_name(packet.code).map(Text::Borrowed),
        object: user,
        facts: facts.take(),
        ..Network::default()
    };
    Draft::new(now, TRAFFIC, body)
}

/// True for a hardware or IP address: anything else may be a telephone number.
fn is_machine(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    let plain = text
        .chars()
        .all(|c| c.is_ascii_hexdigit() || matches!(c, '-' | ':' | '.'));
    let is_mac = plain && digits == 12 && text.contains(['-', ':', '.']);
    is_mac || text.parse::<std::net::IpAddr>().is_ok()
}

/// RFC 2866 section 5.1.
fn status_type(number: u32) -> String {
    match number {
        1 => "start",
        2 => "stop",
        3 => "interim-update",
        7 => "accounting-on",
        8 => "accounting-off",
        other => return other.to_string(),
    }
    .to_owned()
}
