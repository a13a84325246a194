//! WebSocket, after its upgrade: frames counted by kind and direction.
//!
//! Enters: the stream after the answer 101. Leaves: one event at the end: how many frames of which
//! kind, how many octets, how it was closed. Refuses: payloads: they pass uncopied. Limits: a
//! control frame has at most 125 octets, of which the two of a close code are read. After a gap
//! inside a header a side is not understood any more.
//! Source: RFC 6455, RFC 7692 (permessage-deflate).

use codec::bytes::Reader;
use model::Nanos;
use model::class::{Http, Network};
use model::fact::Facts;

use crate::protocol::{Context, Draft, Next, Session, Side, Step};

const TRAFFIC: u16 = 6;

/// One connection's WebSocket.
pub(super) struct WebSocketSession {
    start: Nanos,
    asked: Box<Http>,
    protocol: Option<String>,
    deflate: bool,
    sides: [SideState; 2],
    anomalies: Vec<&'static str>,
}

#[derive(Default)]
struct SideState {
    frames: [u64; 7],
    bytes: u64,
    messages: u64,
    compressed: u64,
    close: Option<u16>,
    /// Octets of the payload under way.
    left: u64,
    lost: bool,
}

/// Names of the kinds of frames, as counted.
const KINDS: [&str; 7] = [
    "text",
    "binary",
    "continuation",
    "close",
    "ping",
    "pong",
    "reserved",
];

/// The header of a frame.
struct Header {
    opcode: u8,
    last: bool,
    compressed: bool,
    mask: Option<[u8; 4]>,
    len: u64,
    /// Octets of the header.
    size: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let (first, second) = (r.u8()?, r.u8()?);
        let len = match second & 0x7f {
            126 => u64::from(r.u16_be()?),
            127 => r.u64_be()?,
            len => u64::from(len),
        };
        let mask = if second & 0x80 == 0 {
            None
        } else {
            Some(r.array()?)
        };
        Some(Self {
            opcode: first & 15,
            last: first & 0x80 != 0,
            compressed: first & 0x40 != 0,
            mask,
            len,
            size: r.position(),
        })
    }

    const fn kind(&self) -> usize {
        match self.opcode {
            1 => 0,
            2 => 1,
            0 => 2,
            8 => 3,
            9 => 4,
            10 => 5,
            _ => 6,
        }
    }

    const fn is_control(&self) -> bool {
        self.opcode >= 8
    }
}

impl WebSocketSession {
    /// After an upgrade that `asked` asked for; `extensions` and `protocol` are the answer's.
    pub(super) fn new(
        asked: Http,
        extensions: &[u8],
        protocol: Option<String>,
        now: Nanos,
    ) -> Self {
        let deflate = extensions
            .windows(b"permessage-deflate".len())
            .any(|name| name.eq_ignore_ascii_case(b"permessage-deflate"));
        Self {
            start: now,
            asked: Box::new(asked),
            protocol,
            deflate,
            sides: [SideState::default(), SideState::default()],
            anomalies: Vec::new(),
        }
    }

    const fn side(&mut self, side: Side) -> &mut SideState {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn note(&mut self, code: &'static str, cx: &mut Context<'_>) {
        if !self.anomalies.contains(&code) {
            self.anomalies.push(code);
            cx.anomaly(code);
        }
    }

    /// One frame at the start of `rest`.
    fn step(&mut self, side: Side, rest: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(header) = Header::parse(rest) else {
            return Step::consumed(0);
        };
        let code_len = if header.opcode == 8 && header.len >= 2 {
            2
        } else {
            0
        };
        if rest.len() < header.size + code_len {
            return Step::need(0, header.size + code_len);
        }
        self.check(side, &header, cx);
        let deflate = self.deflate;
        let state = self.side(side);
        if let Some(count) = state.frames.get_mut(header.kind()) {
            *count += 1;
        }
        state.messages += u64::from(header.last && !header.is_control());
        state.compressed += u64::from(header.compressed && deflate);
        if code_len > 0 {
            let [a, b, ..] = header.mask.unwrap_or_default();
            let code = rest.get(header.size..).and_then(<[u8]>::first_chunk);
            state.close = code.map(|&[high, low]| u16::from_be_bytes([high ^ a, low ^ b]));
        }
        if header.len == 0 {
            return Step::consumed(header.size);
        }
        state.left = header.len;
        Step::skip(header.size, header.len)
    }

    fn check(&mut self, side: Side, header: &Header, cx: &mut Context<'_>) {
        match (side, header.mask) {
            (Side::Client, None) => self.note("websocket-unmasked-client", cx),
            (Side::Server, Some(_)) => self.note("websocket-masked-server", cx),
            _ => {}
        }
        if header.is_control() && (header.len > 125 || !header.last) {
            self.note("websocket-bad-control", cx);
        }
        if header.kind() == 6 {
            self.note("websocket-reserved-opcode", cx);
        }
    }

    fn report(&mut self) -> Network {
        let mut facts = Facts::of("websocket");
        facts.maybe("host", self.asked.host.as_ref());
        facts.maybe("subprotocol", self.protocol.as_ref());
        facts.add("deflate", self.deflate);
        let [out, back] = &self.sides;
        for (way, state) in [("out", out), ("in", back)] {
            let of = |name: &str| -> &'static str { key(name, way) };
            for (name, count) in KINDS.iter().zip(state.frames) {
                facts.maybe(of(name), (count > 0).then_some(count));
            }
            facts.maybe(
                of("messages"),
                (state.messages > 0).then_some(state.messages),
            );
            facts.maybe(
                of("compressed"),
                (state.compressed > 0).then_some(state.compressed),
            );
            facts.maybe(of("bytes"), (state.bytes > 0).then_some(state.bytes));
            facts.maybe(of("close_code"), state.close);
        }
        Network {
            about: "websocket".into(),
            operation: Some("session".into()),
            object: self.asked.path.take(),
            object_count: Some(out.messages + back.messages),
            anomalies: self.anomalies.iter().map(|&code| code.into()).collect(),
            facts: facts.take(),
            ..Network::default()
        }
    }
}

impl Session for WebSocketSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if rest.is_empty() {
                return Step::consumed(at);
            }
            if self.side(side).lost {
                return Step::consumed(bytes.len());
            }
            let step = self.step(side, rest, cx);
            at += step.consumed;
            if step.consumed == 0 || step.next != Next::Need(0) {
                return Step {
                    consumed: at,
                    next: step.next,
                };
            }
        }
    }

    fn skipped(&mut self, side: Side, n: u64, _cx: &mut Context<'_>) {
        let state = self.side(side);
        state.bytes = state.bytes.saturating_add(n.min(state.left));
        state.left = state.left.saturating_sub(n);
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        self.note("websocket-gap", cx);
        self.side(side).lost = true;
        self.sides.iter().any(|side| !side.lost)
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let body = self.report();
        cx.emit(Draft::new(self.start, TRAFFIC, body).status(1, None));
    }

    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + size_of::<Http>() + 1024
    }

    fn renamed(&self) -> Option<&'static str> {
        Some("websocket")
    }
}

/// The key of a count in a direction.
fn key(name: &str, way: &str) -> &'static str {
    const KEYS: [(&str, &str, &str); 11] = [
        ("text", "text_out", "text_in"),
        ("binary", "binary_out", "binary_in"),
        ("continuation", "continuation_out", "continuation_in"),
        ("close", "close_out", "close_in"),
        ("ping", "ping_out", "ping_in"),
        ("pong", "pong_out", "pong_in"),
        ("reserved", "reserved_out", "reserved_in"),
        ("messages", "messages_out", "messages_in"),
        ("compressed", "compressed_out", "compressed_in"),
        ("bytes", "bytes_out", "bytes_in"),
        ("close_code", "close_code_out", "close_code_in"),
    ];
    let found = KEYS.iter().find(|(known, ..)| *known == name);
    found.map_or(
        "other",
        |(_, out, back)| if way == "out" { out } else { back },
    )
}

#[cfg(test)]
mod tests;
