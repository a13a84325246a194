//! One connection's handshake.
//!
//! Enters: datagrams of both sides. Leaves: one event, when the client's first protected packet
//! shows that the handshake worked, when it was closed, or at the end. Refuses: more than the
//! limits below; what exceeds them is counted. CRYPTO frames are put together over packets, in any
//! order. Source: RFC 9000 section 7, RFC 9001 section 4.

use codec::bytes::Reader;
use codec::tls::{ClientHello, ServerHello};
use model::class::Network;
use model::fact::Facts;
use model::limit::{LIST_ITEMS_MAX, cut};
use model::{Nanos, Text};

use super::initial::Keys;
use super::parser::{Frames, Kind, Long, PACKETS_MAX, Version, google, google_name};
use crate::protocol::encrypted;
use crate::protocol::tls::{self, Hellos};
use crate::protocol::{Context, Draft, Next, Session, Side, Step};
use crate::runs::Runs;

/// Most octets of handshake that are put together of one side.
pub(super) const CRYPTO_BYTES_MAX: u32 = 64 * 1024;
/// Datagrams after which a connection is described as far as it is known.
pub(super) const DATAGRAMS_MAX: u32 = 64;
/// Most derivations of Initial keys for one connection.
pub(super) const KEYS_MAX: u8 = 8;

const OPEN: u16 = 1;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// One connection.
#[derive(Default)]
pub(super) struct QuicSession {
    time: Option<Nanos>,
    client: Option<Side>,
    version: Option<Version>,
    keys: Option<Box<Keys>>,
    derived: u8,
    sides: [Crypto; 2],
    hello: Option<Box<ClientHello>>,
    server: Option<Box<ServerHello>>,
    offered: Vec<Text>,
    google_name: Option<String>,
    retried: bool,
    zero_rtt: bool,
    server_went_on: bool,
    close: Option<u64>,
    established: bool,
    unopened: u32,
    datagrams: u32,
    emitted: bool,
    anomalies: Vec<&'static str>,
}

/// Handshake octets of one side.
#[derive(Default)]
struct Crypto {
    done: Vec<u8>,
    runs: Runs,
}

impl Crypto {
    /// Takes octets at an offset; false beyond the limit.
    fn add(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let known = u32::try_from(self.done.len()).unwrap_or(u32::MAX);
        let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let Some(at) = u32::try_from(offset)
            .ok()
            .filter(|_| end <= CRYPTO_BYTES_MAX.into())
        else {
            return false;
        };
        let seen = usize::try_from(known.saturating_sub(at)).unwrap_or(usize::MAX);
        let fresh = bytes.get(seen..).unwrap_or(&[]);
        if fresh.is_empty() {
            return true;
        }
        let done = self.runs.insert(known, at.max(known), fresh);
        while let Some(run) = u32::try_from(self.done.len())
            .ok()
            .and_then(|at| self.runs.pop_at(at))
        {
            self.done.extend_from_slice(&run);
        }
        !done.refused
    }

    /// The body of the message at the start, when it is whole.
    fn message(&self, wanted: u8) -> Option<&[u8]> {
        let mut r = Reader::new(&self.done);
        let kind = r.u8()?;
        let len = usize::try_from(r.u24_be()?).ok()?;
        if kind == wanted { r.take(len) } else { None }
    }
}

impl QuicSession {
    const fn crypto(&mut self, side: Side) -> &mut Crypto {
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

    fn packet(&mut self, side: Side, packet: &Long<'_>, cx: &mut Context<'_>) {
        match packet.kind {
            Kind::Negotiation => {
                self.client.get_or_insert(side.other());
                let versions = packet.rest.as_chunks::<4>().0.iter().take(LIST_ITEMS_MAX);
                let versions = versions.map(|version| Version(u32::from_be_bytes(*version)));
                let real = versions.filter(|version| version.0 & 0x0f0f_0f0f != 0x0a0a_0a0a);
                self.offered = real.map(Version::text).collect();
            }
            Kind::Retry => {
                self.client.get_or_insert(side.other());
                self.version.get_or_insert(packet.version);
                self.retried = true;
                self.keys = None;
            }
            Kind::ZeroRtt => {
                self.client.get_or_insert(side);
                self.zero_rtt = true;
            }
            Kind::Handshake => {
                self.version.get_or_insert(packet.version);
                self.server_went_on |= self.client == Some(side.other());
                if self.client == Some(side) && self.server_went_on {
                    self.established = true;
                }
            }
            Kind::Initial => self.initial(side, packet, cx),
        }
    }

    fn initial(&mut self, side: Side, packet: &Long<'_>, cx: &mut Context<'_>) {
        if !packet.version.is_ietf() {
            self.version.get_or_insert(packet.version);
            self.client.get_or_insert(side);
            return;
        }
        let Some(payload) = self.open(side, packet) else {
            self.unopened = self.unopened.saturating_add(1);
            return;
        };
        self.version = Some(packet.version);
        let frames = Frames::parse(&payload);
        if frames.broken {
            self.note("quic-bad-frame", cx);
        }
        self.close = self.close.or(frames.close);
        for (offset, bytes) in frames.crypto {
            if !self.crypto(side).add(offset, bytes) {
                self.note("quic-crypto-limit", cx);
            }
        }
        if self.hello.is_none()
            && let Some(body) = self.crypto(side).message(CLIENT_HELLO)
        {
            self.hello = ClientHello::parse(body).map(Box::new);
            self.client = Some(side);
        }
        if self.server.is_none()
            && let Some(body) = self.crypto(side).message(SERVER_HELLO)
        {
            self.server = ServerHello::parse(body).map(Box::new);
            self.client.get_or_insert(side.other());
        }
    }

    /// Opens with the keys at hand, then with those of the packet's own identifier: the first
    /// packet, one after a retry, another version.
    fn open(&mut self, side: Side, packet: &Long<'_>) -> Option<Vec<u8>> {
        let role = |client: Option<Side>| match client {
            Some(Side::Server) => side.other(),
            _ => side,
        };
        let keys = self.keys.as_ref();
        if let Some(payload) = keys.and_then(|keys| keys.open(role(self.client), packet)) {
            return Some(payload);
        }
        if self.derived >= KEYS_MAX || self.client == Some(side.other()) {
            return None;
        }
        self.derived += 1;
        let keys = Keys::derive(packet.version, packet.to)?;
        let payload = keys.open(Side::Client, packet)?;
        self.client.get_or_insert(side);
        self.keys = Some(Box::new(keys));
        Some(payload)
    }

    /// A datagram with Google's public header.
    fn google(&mut self, side: Side, version: Version, rest: &[u8]) {
        self.client.get_or_insert(side);
        self.version = Some(version);
        if self.google_name.is_none() {
            let name = google_name(rest).map(|name| name.escape_ascii().to_string());
            self.google_name = name.map(|name| name.to_ascii_lowercase());
        }
    }

    fn is_over(&self) -> bool {
        let enough = self.datagrams >= DATAGRAMS_MAX;
        let known = self.hello.is_some() || self.google_name.is_some();
        enough || self.established || (self.close.is_some() && known)
    }

    fn emit(&mut self, cx: &mut Context<'_>) {
        if std::mem::replace(&mut self.emitted, true) {
            return;
        }
        let mut body = Network {
            about: "quic".into(),
            tls_established: Some(self.established),
            ..Network::default()
        };
        let hellos = Hellos {
            client: self.hello.as_deref(),
            server: self.server.as_deref(),
            transport: 'q',
        };
        tls::describe_hellos(&mut body, &hellos);
        if body.tls_sni.is_none() {
            let name = self.google_name.as_deref();
            body.tls_sni = name.map(|name| cut(name).to_owned().into());
        }
        let mut facts = Facts::of("quic");
        facts.maybe("version", self.version.map(Version::text));
        for version in &self.offered {
            facts.add("version_offered", version);
        }
        facts.maybe("retry", self.retried.then_some(true));
        facts.maybe("zero_rtt", self.zero_rtt.then_some(true));
        facts.maybe("close_code", self.close);
        facts.maybe(
            "unopened_packets",
            (self.unopened > 0).then_some(self.unopened),
        );
        body.facts = facts.take();
        body.facts.extend(encrypted::dns(&body, cx));
        for &code in &self.anomalies {
            body.anomalies.push(code.into());
        }
        let (status, code) = match self.close {
            _ if self.established => (1, None),
            Some(code) if code > 0 => (2, Some(close_name(code))),
            _ => (0, None),
        };
        let time = self.time.unwrap_or(cx.now);
        cx.emit(Draft::new(time, OPEN, body).status(status, code));
    }
}

impl Session for QuicSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        self.time.get_or_insert(cx.now);
        self.datagrams = self.datagrams.saturating_add(1);
        let mut rest = bytes;
        if let Some((version, after)) = google(bytes) {
            self.google(side, version, after);
            rest = &[];
        }
        for _ in 0..PACKETS_MAX {
            match rest.first() {
                Some(first) if first & 0x80 != 0 => {}
                // A protected packet of the client follows the server's answer.
                Some(_) => {
                    let asked = self.client == Some(side) && self.server_went_on;
                    self.established |= asked;
                    break;
                }
                None => break,
            }
            let Some(packet) = Long::parse(rest) else {
                break;
            };
            self.packet(side, &packet, cx);
            rest = rest.get(packet.len..).unwrap_or(&[]);
        }
        if self.is_over() {
            self.emit(cx);
            return Step {
                consumed: bytes.len(),
                next: Next::Done,
            };
        }
        Step::consumed(bytes.len())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.emit(cx);
    }

    fn heap_bytes(&self) -> usize {
        let crypto = self.sides.iter();
        let crypto: usize = crypto
            .map(|side| side.done.capacity() + side.runs.cost())
            .sum();
        let keys = if self.keys.is_some() { 4096 } else { 0 };
        let hello = if self.hello.is_some() { 4096 } else { 0 };
        size_of::<Self>() + crypto + keys + hello
    }
}

/// The name of a closing code; those of TLS alerts are 256 more than the alert.
fn close_name(code: u64) -> Text {
    let name = match code {
        1 => "internal_error",
        2 => "connection_refused",
        3 => "flow_control_error",
        7 => "frame_encoding_error",
        8 => "transport_parameter_error",
        0xa => "protocol_violation",
        0xb => "invalid_token",
        0xc => "application_error",
        0xd => "crypto_buffer_exceeded",
        0x100..=0x1ff => return tls::alert_name(u8::try_from(code & 0xff).unwrap_or(0)),
        other => return format!("0x{other:x}").into(),
    };
    name.into()
}
