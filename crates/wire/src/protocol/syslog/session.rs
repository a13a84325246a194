//! One flow's messages, summed.
//!
//! Enters: messages. Leaves: a summary every [`SUMMARY_NS`] of packet time, and at the end.
//! Refuses: more than [`NAMES_MAX`] names, counted as an anomaly.
//! Source: RFC 5424 section 6.2.1 (severities).

use std::collections::BTreeSet;

use model::Nanos;
use model::fact::Facts;

use super::parser::{Message, length, starts};
use crate::protocol::shared::exchange::{self, TRAFFIC};
use crate::protocol::shared::lines::Lines;
use crate::protocol::shared::text::readable;
use crate::protocol::{Context, Draft, Next, Session, Side, Step, Transport};

/// Packet time between two summaries of one flow.
pub(super) const SUMMARY_NS: u64 = 300_000_000_000;
/// Most host names, and most program names, of one summary.
pub(super) const NAMES_MAX: usize = 16;
/// Longest message that is looked at.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Severities from emergency to error.
const ERROR: u8 = 3;
/// Severity of a warning.
const WARNING: u8 = 4;

/// One flow's syslog.
#[derive(Default)]
pub(super) struct SyslogSession {
    lines: Lines,
    sum: Option<Box<Sum>>,
    sure: bool,
}

struct Sum {
    start: Nanos,
    messages: u64,
    errors: u64,
    warnings: u64,
    worst: u8,
    facilities: u32,
    modern: bool,
    hosts: BTreeSet<String>,
    programs: BTreeSet<String>,
}

impl Session for SyslogSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        if side == Side::Server {
            return Step::consumed(bytes.len());
        }
        if cx.transport == Transport::Udp {
            self.message(bytes, cx);
            return Step::consumed(bytes.len());
        }
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or(&[]);
            let counted = length(rest).filter(|(_, after)| starts(after) != Some(false));
            if let Some((length, after)) = counted {
                if length > MESSAGE_BYTES_MAX {
                    cx.anomaly("syslog-long-message");
                    let head = rest.len() - after.len();
                    return Step::skip(at + head, u64::try_from(length).unwrap_or(u64::MAX));
                }
                let Some(message) = after.get(..length) else {
                    return Step::need(at, rest.len() - after.len() + length);
                };
                self.message(message, cx);
                at += rest.len() - after.len() + length;
                continue;
            }
            let Some(found) = self.lines.next(rest, MESSAGE_BYTES_MAX) else {
                return Step::consumed(at);
            };
            at += found.used;
            if let Some(line) = found.line.filter(|line| !line.is_empty())
                && !self.message(line, cx)
                && !self.sure
            {
                return Step {
                    consumed: at,
                    next: Next::NotMine,
                };
            }
        }
    }

    fn gap(&mut self, _side: Side, _missing: u64, cx: &mut Context<'_>) -> bool {
        cx.anomaly("syslog-gap");
        self.lines.lose();
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        let Some(sum) = self.sum.take() else {
            return;
        };
        let mut facts = Facts::of("syslog");
        facts.add("format", if sum.modern { "rfc5424" } else { "rfc3164" });
        facts.add("worst_severity", severity(sum.worst));
        facts.add("errors", sum.errors);
        facts.add("warnings", sum.warnings);
        facts.add("facilities", sum.facilities.count_ones());
        for host in &sum.hosts {
            facts.add("host", host);
        }
        for program in &sum.programs {
            facts.add("program", program);
        }
        let mut body = exchange::body("syslog", "messages", &mut facts);
        body.object_count = Some(sum.messages);
        cx.emit(Draft::new(sum.start, TRAFFIC, body));
    }

    fn heap_bytes(&self) -> usize {
        let names = self
            .sum
            .as_deref()
            .map_or(0, |sum| sum.hosts.len() + sum.programs.len());
        size_of::<Self>() + size_of::<Sum>() + names * 128
    }
}

impl SyslogSession {
    /// Counts one message; false when it is none.
    fn message(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> bool {
        let Some(message) = Message::parse(bytes) else {
            cx.anomaly("syslog-malformed");
            return false;
        };
        self.sure = true;
        let due = |sum: &Sum| cx.now.since(sum.start) >= SUMMARY_NS;
        if self.sum.as_deref().is_some_and(due) {
            self.end(cx);
        }
        let now = cx.now;
        let sum = self.sum.get_or_insert_with(|| Box::new(Sum::new(now)));
        sum.messages += 1;
        sum.errors += u64::from(message.severity <= ERROR);
        sum.warnings += u64::from(message.severity == WARNING);
        sum.worst = sum.worst.min(message.severity);
        sum.facilities |= 1 << (message.facility & 31);
        sum.modern |= message.modern;
        for (names, name) in [
            (&mut sum.hosts, message.host),
            (&mut sum.programs, message.program),
        ] {
            let Some(name) = name.map(readable).filter(|name| !names.contains(name)) else {
                continue;
            };
            if names.len() < NAMES_MAX {
                names.insert(name);
            } else {
                cx.anomaly("syslog-names-limit");
            }
        }
        true
    }
}

impl Sum {
    const fn new(start: Nanos) -> Self {
        Self {
            start,
            messages: 0,
            errors: 0,
            warnings: 0,
            worst: 7,
            facilities: 0,
            modern: false,
            hosts: BTreeSet::new(),
            programs: BTreeSet::new(),
        }
    }
}

const fn severity(number: u8) -> &'static str {
    match number {
        0 => "emergency",
        1 => "alert",
        2 => "critical",
        3 => "error",
        4 => "warning",
        5 => "notice",
        6 => "informational",
        _ => "debug",
    }
}
