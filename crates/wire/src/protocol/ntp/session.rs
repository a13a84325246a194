//! One flow's questions and answers.
//!
//! Enters: packets of both sides. Leaves: what the answering clock said, and counts. Refuses: more
//! than [`TOLD_MAX`] events of one flow, counted as an anomaly. Source: RFC 5905 section 9.

use model::class::Ntp;
use model::{Nanos, Text};

use super::parser::{Body, Packet, Time, operation, private};
use crate::protocol::shared::exchange::{FAILURE, SUCCESS};
use crate::protocol::shared::text::{TEXT_BYTES_MAX, readable};
use crate::protocol::{Context, Draft, Session, Side, Step};

/// Most events of one flow, the last one aside.
pub(super) const TOLD_MAX: u32 = 256;
/// Seconds from 1900 to 1970.
const ERA: i64 = 2_208_988_800;
/// OCSF activity: a client asks a server.
const CLIENT: u16 = 3;

/// One flow's NTP.
#[derive(Default)]
pub(super) struct NtpSession {
    /// When the exchanges not yet told began.
    start: Option<Nanos>,
    /// Mode of the first packet: the activity.
    mode: u8,
    version: u8,
    requests: u64,
    responses: u64,
    /// Stratum and source told last.
    clock: Option<(u8, [u8; 4])>,
    told: u32,
    control: Option<&'static str>,
}

impl Session for NtpSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(packet) = Packet::parse(bytes) else {
            cx.anomaly("ntp-malformed");
            return Step::consumed(bytes.len());
        };
        if self.start.is_none() {
            self.start = Some(cx.now);
            self.mode = packet.mode;
            self.version = packet.version;
        }
        match packet.body {
            Body::Time(time) => self.time(&packet, &time, cx),
            Body::Control {
                response,
                error,
                operation: number,
                data,
            } => {
                let word = operation(number);
                self.asked(side, word, response, cx);
                if response {
                    self.controlled(word, error, data, cx);
                }
            }
            Body::Private { response, code } => {
                let word = private(code);
                self.asked(side, word, response, cx);
                // One question may be answered by a hundred packets: the first one is told.
                if response && self.responses == 1 {
                    self.controlled(word, false, &[], cx);
                }
            }
        }
        Step::consumed(bytes.len())
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        if self.requests == 0 && self.responses == 0 {
            return;
        }
        let body = Ntp {
            operation: self.control.map(Text::Borrowed),
            ..self.body()
        };
        let status = if self.responses > 0 { SUCCESS } else { 0 };
        self.emit(body, status, cx);
    }
}

impl NtpSession {
    fn time(&mut self, packet: &Packet<'_>, time: &Time, cx: &mut Context<'_>) {
        let answers = matches!(packet.mode, 2 | 4 | 5) || packet.mode == 1 && time.stratum != 0;
        if !answers {
            self.requests += 1;
            return;
        }
        self.responses += 1;
        let clock = Some((time.stratum, time.reference));
        if self.clock == clock {
            return;
        }
        self.clock = clock;
        if self.told >= TOLD_MAX {
            return cx.anomaly("ntp-events-limit");
        }
        self.told += 1;
        let seconds = cx.now.0.div_euclid(1_000_000_000) + ERA;
        // Timestamps wrap every 136 years: the difference is what counts.
        let now = u32::try_from(seconds.rem_euclid(1 << 32)).unwrap_or(0);
        let offset = time.transmit.wrapping_sub(now).cast_signed();
        let milliseconds = |value: u32| (i64::from(value) * 1000) >> 16;
        let body = Ntp {
            stratum_id: Some(group(time.stratum)),
            precision: Some(i64::from(time.precision)),
            delay: Some(milliseconds(time.delay)),
            dispersion: Some(milliseconds(time.dispersion)),
            stratum: Some(u16::from(time.stratum)),
            reference: time.reference().map(Text::Owned),
            leap: Some(u16::from(packet.leap)),
            poll: Some(i64::from(time.poll)),
            offset_ms: (time.transmit != 0).then(|| i64::from(offset) * 1000),
            ..self.body()
        };
        // Stratum 0 is a kiss of death: the server refuses.
        let refused = time.stratum == 0;
        self.emit(body, if refused { FAILURE } else { SUCCESS }, cx);
    }

    fn asked(&mut self, side: Side, word: &'static str, response: bool, cx: &mut Context<'_>) {
        self.control = Some(word);
        if response {
            self.responses += 1;
        } else {
            self.requests += 1;
            if matches!(word, "monlist" | "mon_getlist") && side == Side::Client {
                cx.anomaly("ntp-monlist");
            }
        }
    }

    fn controlled(&mut self, word: &'static str, error: bool, data: &[u8], cx: &mut Context<'_>) {
        if self.told >= TOLD_MAX {
            return cx.anomaly("ntp-events-limit");
        }
        self.told += 1;
        let body = Ntp {
            operation: Some(Text::Borrowed(word)),
            system: system(data),
            ..self.body()
        };
        self.emit(body, if error { FAILURE } else { SUCCESS }, cx);
    }

    fn body(&self) -> Ntp {
        Ntp {
            version: Text::Owned(self.version.to_string()),
            requests: Some(self.requests),
            responses: Some(self.responses),
            ..Ntp::default()
        }
    }

    /// Sends what was gathered and starts to count anew.
    fn emit(&mut self, body: Ntp, status: u16, cx: &mut Context<'_>) {
        let activity = match self.mode {
            4 if self.requests > 0 => CLIENT,
            mode => u16::from(mode),
        };
        let time = self.start.unwrap_or(cx.now);
        cx.emit(Draft::new(time, activity, body).status(status, None));
        self.start = Some(cx.now);
        (self.requests, self.responses) = (0, 0);
    }
}

/// A stratum as OCSF groups them.
fn group(stratum: u8) -> u16 {
    match stratum {
        0 | 1 | 16 => u16::from(stratum),
        2..=15 => 2,
        _ => 17,
    }
}

/// Those variables of a control answer that say what the host is.
fn system(data: &[u8]) -> Option<Text> {
    let (mut kept, mut quoted) = (Vec::new(), false);
    let parts = data.split(|&octet| {
        quoted ^= octet == b'"';
        octet == b',' && !quoted
    });
    for part in parts.take(64) {
        let part = readable(part);
        let keys = ["version=", "processor=", "system="];
        if keys.iter().any(|key| part.starts_with(key)) {
            kept.push(part.replace('"', ""));
        }
    }
    let text = kept.join(", ");
    let text = model::limit::cut_to(&text, TEXT_BYTES_MAX);
    (!text.is_empty()).then(|| Text::Owned(text.to_owned()))
}
