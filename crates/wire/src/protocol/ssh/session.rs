//! One connection's beginning.
//!
//! Enters: lines, then packets in the clear, then sizes. Leaves: one event when both sides changed
//! to new keys, or when nothing more can be read; what the sizes look like, for the flow's event.
//! Refuses: more than [`PACKETS_MAX`] packets in the clear.
//! Source: RFC 4253 sections 4 to 7.

use model::class::Ssh;
use model::{Nanos, Text};

use super::parser::{
    KEXINIT, LINE_BYTES_MAX, LINES_MAX, NEWKEYS, Offer, Split, hassh, identification, packet,
};
use super::turns::Turns;
use crate::protocol::{Context, Draft, Next, Session, Side, Step};

/// Most packets in the clear that are looked at.
pub(super) const PACKETS_MAX: u32 = 64;
const OPEN: u16 = 1;

/// One flow's SSH.
#[derive(Default)]
pub(super) struct SshSession {
    sides: [SideState; 2],
    body: Ssh,
    time: Option<Nanos>,
    lines: u32,
    packets: u32,
    emitted: bool,
    turns: Turns,
}

#[derive(Clone, Copy, Default)]
struct SideState {
    identified: bool,
    /// New keys, or a gap: nothing more can be read.
    closed: bool,
    new_keys: bool,
}

impl SshSession {
    pub(super) fn new() -> Self {
        Self::default()
    }

    const fn side(&mut self, side: Side) -> &mut SideState {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn note(&mut self, anomaly: &'static str, cx: &mut Context<'_>) {
        cx.anomaly(anomaly);
        if !self.body.anomalies.iter().any(|known| known == anomaly) {
            self.body.anomalies.push(anomaly.into());
        }
    }

    fn line(&mut self, side: Side, line: &[u8], cx: &mut Context<'_>) {
        self.lines += 1;
        let Some((version, software)) = identification(line) else {
            if self.lines > LINES_MAX {
                self.note("ssh-no-identification", cx);
                self.side(side).closed = true;
            }
            return;
        };
        self.side(side).identified = true;
        self.time.get_or_insert(cx.now);
        let software = Some(Text::from(software));
        match side {
            Side::Client => self.body.client_software = software,
            Side::Server => self.body.server_software = software,
        }
        // "1.99" means 2.0 with a look back; the lower of the two sides is what is spoken.
        let spoken = if version == "1.99" { "2.0" } else { &version };
        let lower = self
            .body
            .version
            .as_deref()
            .is_none_or(|known| spoken < known);
        if lower {
            self.body.version = Some(spoken.to_owned().into());
        }
        if spoken.starts_with('1') {
            self.side(side).closed = true;
        }
    }

    fn packet(&mut self, side: Side, number: Option<u8>, body: &[u8], cx: &mut Context<'_>) {
        self.packets += 1;
        match number {
            Some(KEXINIT) => match Offer::parse(body) {
                Some(offer) => self.offer(side, &offer),
                None => self.note("ssh-kexinit-malformed", cx),
            },
            Some(NEWKEYS) => {
                let state = self.side(side);
                state.new_keys = true;
                state.closed = true;
            }
            _ => {}
        }
        if self.packets > PACKETS_MAX {
            self.note("ssh-packets-limit", cx);
            self.sides.iter_mut().for_each(|side| side.closed = true);
        }
    }

    fn offer(&mut self, side: Side, offer: &Offer) {
        match side {
            Side::Client if self.body.hassh.is_none() => {
                let algorithms = offer.algorithms(true);
                self.body.hassh = Some(hassh(&algorithms).into());
                self.body.algorithms = Some(model::limit::cut(&algorithms).to_owned().into());
            }
            Side::Server if self.body.hassh_server.is_none() => {
                let algorithms = offer.algorithms(false);
                self.body.hassh_server = Some(hassh(&algorithms).into());
            }
            Side::Client | Side::Server => {}
        }
    }

    fn emit(&mut self, cx: &mut Context<'_>) {
        if std::mem::replace(&mut self.emitted, true) {
            return;
        }
        let mut body = std::mem::take(&mut self.body);
        if body.client_software.is_none() && body.server_software.is_none() {
            return;
        }
        let encrypted = self.sides.iter().all(|side| side.new_keys);
        body.encrypted = Some(encrypted);
        let status = u16::from(encrypted);
        let time = self.time.unwrap_or(cx.now);
        cx.emit(Draft::new(time, OPEN, body).status(status, None));
    }
}

impl Session for SshSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            if self.sides.iter().all(|side| side.closed) {
                self.emit(cx);
                if !self.sides.iter().all(|side| side.new_keys) {
                    return Step {
                        consumed: at,
                        next: Next::Done,
                    };
                }
            }
            if self.side(side).closed {
                self.turns.add(side, rest.len());
                return Step::consumed(bytes.len());
            }
            if rest.is_empty() {
                return Step::consumed(at);
            }
            if !self.side(side).identified {
                let Some((line, used)) = codec::http::split_line(rest) else {
                    if rest.len() > LINE_BYTES_MAX {
                        self.note("ssh-long-line", cx);
                        self.side(side).closed = true;
                        continue;
                    }
                    return Step::consumed(at);
                };
                self.line(side, line, cx);
                at += used;
                continue;
            }
            match packet(rest) {
                Split::Whole(found) => {
                    self.packet(side, found.number, found.body, cx);
                    at += found.total;
                }
                Split::Need(need) => return Step::need(at, need),
                Split::Odd => {
                    self.note("ssh-odd-packet", cx);
                    self.side(side).closed = true;
                }
            }
        }
    }

    fn gap(&mut self, side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        self.note("ssh-gap", cx);
        self.side(side).closed = true;
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.emit(cx);
    }

    fn of_flow(&mut self) -> Vec<Text> {
        if self.sides.iter().all(|side| side.new_keys) {
            self.turns.tell()
        } else {
            Vec::new()
        }
    }

    fn heap_bytes(&self) -> usize {
        let algorithms = self.body.algorithms.as_ref().map_or(0, |text| text.len());
        size_of::<Self>() + algorithms + 1024
    }
}
