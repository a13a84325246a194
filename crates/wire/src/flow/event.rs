//! A flow's events: who, and the figures since the last one.
//!
//! Enters: a flow, and why it ends. Leaves: the shared [`Connection`] and a network body.
//! Refuses: nothing. Source: OCSF 1.8.0 `network_activity`.

use model::class::{Network, Tunnel};
use model::community::community_id;
use model::fact::Facts;
use model::{Body, Connection, Mac, Nanos, Text};

use super::record::{Flow, Kind, Texts};

/// Why a flow's event is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Idle for too long, closed, or reset: the flow's own state tells which.
    Over,
    /// The budget was reached.
    Evicted,
    /// Nothing follows.
    EndOfCapture,
    /// It goes on.
    Ongoing,
}

/// What a flow's event says.
pub(crate) struct Summary {
    /// When: the last packet.
    pub(crate) time: Nanos,
    /// OCSF activity.
    pub(crate) activity: u16,
    /// OCSF status.
    pub(crate) status: u16,
    /// The figures.
    pub(crate) body: Body,
}

impl Flow {
    /// The shared part of its events; with `last`, no event of this flow follows.
    pub(crate) fn connection(&mut self, last: bool) -> Box<Connection> {
        let texts = self.texts(last);
        let v6 = self.key.v6();
        let (src, src_port) = self.key.endpoint(self.client_high);
        let (dst, dst_port) = self.key.endpoint(!self.client_high);
        let ported = match self.kind {
            Kind::Tcp | Kind::Udp | Kind::Icmp => true,
            Kind::Tunnel => self.key.protocol() == UDP,
            Kind::Other => self.key.protocol() == SCTP,
        };
        let dst_port = if self.kind == Kind::Icmp {
            u16::from(self.code)
        } else {
            dst_port
        };
        let app = if self.name.is_empty() {
            "unknown"
        } else {
            self.name
        };
        Box::new(Connection {
            src_ip: Some(src.ip(v6)),
            src_port: ported.then_some(src_port),
            src_mac: known(self.macs.client),
            dst_ip: Some(dst.ip(v6)),
            dst_port: ported.then_some(dst_port),
            dst_mac: known(self.macs.server),
            flow: Some(texts.flow),
            community_id: Some(texts.community_id),
            protocol: u16::from(self.key.protocol()),
            app: Text::Borrowed(app),
            vlan: (self.vlan > 0).then_some(self.vlan),
            ..Connection::default()
        })
    }

    /// The event's figures; the counters start anew.
    pub(crate) fn summary(&mut self, reason: Reason) -> Summary {
        let counts = std::mem::take(&mut self.counts);
        let (activity, status) = self.activity(reason);
        let (out, back) = (counts.client, counts.server);
        // Filled where it stands: the struct is large, and this is the event that is made most.
        let mut body: Box<Network> = Box::default();
        body.about = Text::Borrowed("flow");
        body.duration_ms = Some(self.last.millis().0 - self.start.millis().0);
        body.start = Some(self.start.millis());
        body.end = Some(self.last.millis());
        body.bytes = Some(out.bytes + back.bytes);
        body.bytes_in = Some(back.bytes);
        body.bytes_out = Some(out.bytes);
        body.packets = Some(out.packets + back.packets);
        body.packets_in = Some(back.packets);
        body.packets_out = Some(out.packets);
        body.end_reason = Some(Text::Borrowed(self.end_reason(reason)));
        if self.kind == Kind::Tcp {
            body.tcp_flags_out = Some(letters(self.tcp.flags.client));
            body.tcp_flags_in = Some(letters(self.tcp.flags.server));
        }
        if let Some(rare) = &mut self.rare {
            let gap = std::mem::take(&mut rare.gap_bytes);
            body.gap_bytes = (gap > 0).then_some(gap);
            body.anomalies = rare.codes.drain(..).map(Text::Borrowed).collect();
            body.tunnels.clone_from(&rare.tunnels);
            body.facts = std::mem::take(&mut rare.told);
        }
        if let Some(tunnel) = self.tunnel(&body) {
            let (activity, status) = match reason {
                Reason::Ongoing => (OTHER, 0),
                Reason::Over | Reason::Evicted | Reason::EndOfCapture => (CLOSE, 0),
            };
            return Summary {
                time: self.last,
                activity,
                status,
                body: tunnel.into(),
            };
        }
        Summary {
            time: self.last,
            activity,
            status,
            body: Body::Network(body),
        }
    }

    /// The same figures as those of a tunnel, when it is one.
    fn tunnel(&self, flow: &Network) -> Option<Tunnel> {
        let (kind, numbers) = self.rare.as_ref()?.opened.as_ref()?;
        let mut facts = Facts::of(kind.name());
        for number in numbers {
            facts.add(kind.number_name(), number);
        }
        Some(Tunnel {
            kind: Some(kind.name().into()),
            kind_id: Some(OTHER),
            duration_ms: flow.duration_ms,
            start: flow.start,
            end: flow.end,
            bytes: flow.bytes,
            bytes_in: flow.bytes_in,
            bytes_out: flow.bytes_out,
            packets: flow.packets,
            packets_in: flow.packets_in,
            packets_out: flow.packets_out,
            end_reason: flow.end_reason.clone(),
            tunnels: flow.tunnels.clone(),
            anomalies: flow.anomalies.clone(),
            facts: facts.take(),
        })
    }

    fn end_reason(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Ongoing => "ongoing",
            Reason::Evicted => "evicted",
            Reason::Over | Reason::EndOfCapture if self.tcp.is_reset() => "reset",
            Reason::Over | Reason::EndOfCapture if self.tcp.is_closed() => "closed",
            Reason::Over => "timeout",
            Reason::EndOfCapture => "end_of_capture",
        }
    }

    /// OCSF activity and status.
    fn activity(&self, reason: Reason) -> (u16, u16) {
        const CLOSED: (u16, u16) = (2, 1);
        const RESET: (u16, u16) = (3, 0);
        const FAIL: (u16, u16) = (4, 2);
        const REFUSE: (u16, u16) = (5, 2);
        const TRAFFIC: (u16, u16) = (6, 0);
        if reason == Reason::Ongoing {
            return TRAFFIC;
        }
        if self.tcp.is_refused() || (self.unreachable && !self.answered) {
            return REFUSE;
        }
        if self.kind != Kind::Tcp {
            return TRAFFIC;
        }
        if self.tcp.is_half_open() && !self.answered {
            return FAIL;
        }
        if self.tcp.is_reset() {
            return RESET;
        }
        if self.tcp.is_closed() {
            CLOSED
        } else {
            TRAFFIC
        }
    }

    fn texts(&mut self, last: bool) -> Texts {
        let known = self.rare.as_mut().map(|rare| &mut rare.texts);
        if let Some(known @ Some(_)) = known {
            let texts = if last { known.take() } else { known.clone() };
            return texts.unwrap_or_default();
        }
        let v6 = self.key.v6();
        let (src, src_port) = self.key.endpoint(self.client_high);
        let (dst, dst_port) = self.key.endpoint(!self.client_high);
        let dst_port = if self.kind == Kind::Icmp {
            u16::from(self.code)
        } else {
            dst_port
        };
        let protocol = self.key.protocol();
        let id = community_id(src.ip(v6), dst.ip(v6), protocol, src_port, dst_port);
        let texts = Texts {
            flow: Text::Owned(digits(self.id)),
            community_id: Text::Owned(id),
        };
        if !last {
            self.rare.get_or_insert_default().texts = Some(texts.clone());
        }
        texts
    }
}

const SCTP: u8 = 132;
const UDP: u8 = 17;
/// OCSF: closed, of a tunnel.
const CLOSE: u16 = 2;
/// OCSF: something that has no number of its own.
const OTHER: u16 = 99;

fn known(mac: Mac) -> Option<Mac> {
    (mac != Mac::default()).then_some(mac)
}

/// The 16 hexadecimal digits of a number.
fn digits(value: u64) -> String {
    let mut out = String::with_capacity(16);
    for octet in value.to_be_bytes() {
        for half in [octet >> 4, octet & 15] {
            out.push(char::from(if half < 10 {
                b'0' + half
            } else {
                b'a' + half - 10
            }));
        }
    }
    out
}

/// TCP flags as letters, FSRPAUEC.
fn letters(flags: u8) -> Text {
    match LETTERS.get(usize::from(flags)) {
        Some((letters, len)) => {
            let letters = letters.get(..*len).unwrap_or(&[]);
            Text::Borrowed(std::str::from_utf8(letters).unwrap_or(""))
        }
        None => Text::Borrowed(""),
    }
}

/// The letters of every set of flags, and how many they are.
static LETTERS: [([u8; 8], usize); 256] = letter_table();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses an index out of bounds"
)]
const fn letter_table() -> [([u8; 8], usize); 256] {
    const NAMES: [u8; 8] = *b"FSRPAUEC";
    let mut table = [([0; 8], 0); 256];
    let mut flags = 0;
    while flags < table.len() {
        let mut bit = 0;
        while bit < NAMES.len() {
            if flags >> bit & 1 == 1 {
                let len = table[flags].1;
                table[flags].0[len] = NAMES[bit];
                table[flags].1 = len + 1;
            }
            bit += 1;
        }
        flags += 1;
    }
    table
}
