//! Decryption with secrets that were given: records opened, the stream inside parsed.
//!
//! Enters: the hellos, the secrets, records in order. Leaves: what the protocol inside makes, each
//! event marked as decrypted; messages of TLS 1.3 that were hidden. Refuses: suites that are not in
//! `suite.rs`, TLS 1.1 and older. Limits: [`FAILURES_MAX`] records in a row that do not open
//! (counted as `tls-decrypt-failed`), then the stream is left alone; those of the driver inside.
//! Source: RFC 8446 sections 4.6.3, 5 and 7, RFC 5246 section 6.3.

use codec::tls::{ClientHello, ServerHello, is_tls13};
use model::class::Body;
use zeroize::Zeroizing;

use super::half::{Half, Sealed, key_block};
use super::parser::Messages;
use super::suite::{Protection, of_12, of_13};
use crate::protocol::{Context, Draft, Driver, REGISTRY, Side, Transport};
use crate::secrets::{Label, Secrets};

/// Records in a row that may fail to open.
pub(super) const FAILURES_MAX: u32 = 64;

/// OCSF kind of log-in: over the network, not in the clear.
const NETWORK: u16 = 3;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const FINISHED: u8 = 20;
const KEY_UPDATE: u8 = 24;
const EXT_ENCRYPT_THEN_MAC: u16 = 22;

/// Opens one connection.
pub(super) struct Opener {
    client: Side,
    three: bool,
    halves: [Option<Half>; 2],
    /// Secrets of the data that follow the handshake, of TLS 1.3.
    later: [Option<Zeroizing<Vec<u8>>>; 2],
    protection: Protection,
    messages: [Messages; 2],
    driver: Driver,
    failures: u32,
    opened: bool,
}

impl Opener {
    /// For a connection whose hellos are known; `None` without its secrets, or for a suite that
    /// cannot be opened.
    pub(super) fn new(
        secrets: &dyn Secrets,
        hello: &ClientHello,
        server: &ServerHello,
        client: Side,
    ) -> Option<Self> {
        let version = server.version();
        let of = |label| secrets.secret(label, &hello.random);
        let three = is_tls13(version);
        let (halves, later, protection) = if three {
            let protection = of_13(server.cipher)?;
            let half = |label| of(label).and_then(|secret| Half::three(protection, secret));
            let halves = [half(Label::ClientHandshake), half(Label::ServerHandshake)];
            let later = [of(Label::ClientTraffic), of(Label::ServerTraffic)];
            if later.iter().all(Option::is_none) {
                return None;
            }
            (halves, later, protection)
        } else if version == 0x0303 {
            let protection = of_12(server.cipher)?;
            let master = of(Label::Master)?;
            let mac_last = server.extensions.contains(&EXT_ENCRYPT_THEN_MAC);
            let mac_last = mac_last && protection.suite.is_cbc();
            let randoms = (&hello.random, &server.random);
            let [a, b] = key_block(protection, &master, randoms, mac_last)?;
            ([Some(a), Some(b)], [None, None], protection)
        } else {
            return None;
        };
        Some(Self {
            client,
            three,
            halves,
            later,
            protection,
            messages: [Messages::default(), Messages::default()],
            driver: Driver::new(REGISTRY),
            failures: 0,
            opened: false,
        })
    }

    /// The place of a side's keys: the client's first.
    const fn place(&self, side: Side) -> usize {
        match (self.client, side) {
            (Side::Client, side) => side.index(),
            (Side::Server, side) => side.other().index(),
        }
    }

    /// True when a record of this kind is sealed: `changed` after a change of cipher.
    pub(super) const fn is_sealed(&self, content: u8, changed: bool) -> bool {
        if self.three { content == DATA } else { changed }
    }

    /// True when nothing more can be opened.
    pub(super) const fn is_done(&self) -> bool {
        self.failures > FAILURES_MAX
    }

    /// Opens a record; `found` is told of hidden messages of the handshake.
    pub(super) fn record(
        &mut self,
        side: Side,
        record: Sealed<'_>,
        found: &mut dyn FnMut(u8, &[u8]),
        cx: &mut Context<'_>,
    ) {
        if self.is_done() {
            return;
        }
        let place = self.place(side);
        let half = self.halves.get_mut(place).and_then(Option::as_mut);
        let Some((content, clear)) = half.and_then(|half| half.open(record)) else {
            return self.failed(place, cx);
        };
        self.failures = 0;
        self.opened = true;
        match content {
            DATA => self.inside(side, &clear, cx),
            HANDSHAKE if self.three => self.handshake(place, &clear, found),
            _ => {}
        }
    }

    /// A record did not open: early data, or its keys are of another time.
    fn failed(&mut self, place: usize, cx: &mut Context<'_>) {
        self.failures += 1;
        if self.failures == FAILURES_MAX + 1 {
            cx.anomaly("tls-decrypt-failed");
            return;
        }
        // Without the handshake's secret, or after the loss of its end, those of the data may do.
        let stale = match self.halves.get(place) {
            Some(Some(half)) => half.lost,
            Some(None) => true,
            None => false,
        };
        if stale {
            self.turn(place, true);
        }
    }

    /// Messages inside: the end of the handshake, and updates, change the keys.
    fn handshake(&mut self, place: usize, clear: &[u8], found: &mut dyn FnMut(u8, &[u8])) {
        let (mut finished, mut updates) = (false, 0_u32);
        let wanted = |kind| {
            matches!(kind, ENCRYPTED_EXTENSIONS | FINISHED | KEY_UPDATE)
                || (kind == CERTIFICATE && place == 1)
        };
        if let Some(messages) = self.messages.get_mut(place) {
            messages.feed(clear, wanted, &mut |kind, body| match kind {
                FINISHED => finished = true,
                KEY_UPDATE => updates = updates.saturating_add(1),
                _ => found(kind, body),
            });
        }
        if finished {
            self.turn(place, false);
        } else if updates > 0
            && let Some(half) = self.halves.get_mut(place)
        {
            *half = half.as_ref().and_then(Half::updated);
        }
    }

    /// Goes over to the keys of the data.
    fn turn(&mut self, place: usize, lost: bool) {
        let later = self.later.get_mut(place).and_then(Option::take);
        let Some(mut half) = later.and_then(|secret| Half::three(self.protection, secret)) else {
            return;
        };
        half.lost = lost;
        if let Some(place) = self.halves.get_mut(place) {
            *place = Some(half);
        }
    }

    /// Runs the driver inside; what it makes is marked.
    fn with(&mut self, cx: &mut Context<'_>, act: impl FnOnce(&mut Driver, &mut Context<'_>)) {
        let mut drafts: Vec<Draft> = Vec::new();
        let mut inner = Context {
            now: cx.now,
            transport: Transport::Tcp,
            client_port: cx.client_port,
            server_port: cx.server_port,
            hosts: cx.hosts,
            files: &mut *cx.files,
            drafts: &mut drafts,
            anomalies: &mut *cx.anomalies,
        };
        act(&mut self.driver, &mut inner);
        let name = self.driver.name().unwrap_or("unknown");
        for mut draft in drafts {
            draft.inside = draft.inside.or(Some(name));
            // What TLS carried was not in the clear on the wire.
            if let Body::Authentication(logon) = &mut draft.body
                && logon.is_cleartext == Some(true)
            {
                logon.is_cleartext = Some(false);
                logon.logon_type = Some(NETWORK);
            }
            cx.emit(draft);
        }
    }

    fn inside(&mut self, side: Side, clear: &[u8], cx: &mut Context<'_>) {
        self.with(cx, |driver, cx| driver.bytes(side, clear, cx));
    }

    /// Bytes of a side were lost: how many records is not known.
    pub(super) fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) {
        let place = self.place(side);
        if let Some(Some(half)) = self.halves.get_mut(place) {
            half.lost = true;
        }
        if let Some(messages) = self.messages.get_mut(place) {
            messages.reset();
        }
        if self.opened {
            self.with(cx, |driver, cx| driver.gap(side, missing, cx));
        }
    }

    /// The flow is over.
    pub(super) fn end(&mut self, cx: &mut Context<'_>) {
        self.with(cx, |driver, cx| driver.end(cx));
    }

    /// Heap bytes that it holds.
    pub(super) fn heap_bytes(&self) -> usize {
        let messages: usize = self.messages.iter().map(Messages::heap_bytes).sum();
        size_of::<Self>() + messages + self.driver.heap_bytes() + 4096
    }
}

/// The application protocol that EncryptedExtensions agree to.
pub(super) fn agreed(body: &[u8]) -> Option<Vec<u8>> {
    ServerHello::alpn_of(body)
}

/// The first certificate of a Certificate message of TLS 1.3.
pub(super) fn leaf_13(body: &[u8]) -> Option<&[u8]> {
    let mut r = codec::bytes::Reader::new(body);
    let context = usize::from(r.u8()?);
    r.skip(context + 3)?;
    let len = usize::try_from(r.u24_be()?).ok()?;
    r.take(len)
}
