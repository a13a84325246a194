//! Replays pieces of a conversation through the [`Driver`]: the one entry of tests and fuzzing.
//!
//! Enters: pieces (bytes of a side, gaps), or one byte string that describes such pieces. Leaves:
//! the drafts and anomalies. Refuses: nothing. Limits: those of the driver and the sessions.
//! Source: `STYLE.md` rules 38 and 40.

use std::net::{IpAddr, Ipv4Addr};

use model::{Nanos, Text};

use super::{Context, Draft, Driver, Protocol, Side, Transport};
use crate::file::expect::{Purpose, Transfer};
use crate::file::{Files, Policy};

/// One thing that happens in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A side sent bytes.
    Bytes(Side, &'a [u8]),
    /// So many bytes of a side were lost.
    Gap(Side, u64),
}

/// What came of a replay.
pub struct Outcome {
    /// The protocol recognised last.
    pub name: Option<&'static str>,
    /// Events made.
    pub drafts: Vec<Draft>,
    /// Anomalies met.
    pub anomalies: Vec<&'static str>,
    /// What the sessions told of the whole flow.
    pub told: Vec<Text>,
    /// Most heap bytes that the driver said it held.
    pub heap_bytes_max: usize,
}

/// Runs pieces through the protocols of `registry`, `step_ns` apart, between these two ports.
#[must_use]
pub fn run(
    registry: &'static [&'static dyn Protocol],
    transport: Transport,
    ports: (u16, u16),
    step_ns: i64,
    pieces: &[Piece<'_>],
) -> Outcome {
    let mut files = Files::default();
    run_with(registry, transport, ports, step_ns, pieces, &mut files)
}

/// The same with a policy for files, and what other flows announced.
#[must_use]
pub fn run_with(
    registry: &'static [&'static dyn Protocol],
    transport: Transport,
    (client_port, server_port): (u16, u16),
    step_ns: i64,
    pieces: &[Piece<'_>],
    files: &mut Files,
) -> Outcome {
    let mut driver = Driver::new(registry);
    let mut out = Outcome {
        name: None,
        drafts: Vec::new(),
        anomalies: Vec::new(),
        told: Vec::new(),
        heap_bytes_max: 0,
    };
    let mut now = Nanos(START_NS);
    let mut found = Vec::new();
    for piece in pieces.iter().map(Some).chain([None]) {
        let mut cx = Context {
            now,
            transport,
            client_port,
            server_port,
            hosts: HOSTS,
            files: &mut *files,
            drafts: &mut out.drafts,
            anomalies: &mut found,
        };
        match piece {
            Some(Piece::Bytes(side, bytes)) => driver.bytes(*side, bytes, &mut cx),
            Some(Piece::Gap(side, missing)) => driver.gap(*side, *missing, &mut cx),
            None => driver.end(&mut cx),
        }
        out.anomalies.append(&mut found);
        out.name = driver.name().or(out.name);
        out.heap_bytes_max = out.heap_bytes_max.max(driver.heap_bytes());
        now = Nanos(now.0.saturating_add(step_ns));
    }
    out.told = driver.take_told();
    out
}

/// Runs fuzz input: two octets choose transport (bit 0), whether files are hashed (bit 1), whether
/// the flow was announced as a transfer (bit 2), and server port; then each piece is one octet of
/// kind (bit 0 side, bits 1 and 2 both set: a gap), one octet of length, and the bytes.
#[must_use]
pub fn fuzz(registry: &'static [&'static dyn Protocol], input: &[u8]) -> Outcome {
    let [kind, port, script @ ..] = input else {
        return run(registry, Transport::Tcp, (40_000, 0), 0, &[]);
    };
    let transport = if kind & 1 == 0 {
        Transport::Tcp
    } else {
        Transport::Udp
    };
    let at = usize::from(*port) % PORTS.len();
    let port = PORTS.get(at).copied().unwrap_or(0);
    let mut pieces = Vec::new();
    let mut rest = script;
    while let [kind, length, after @ ..] = rest {
        let side = if kind & 1 == 0 {
            Side::Client
        } else {
            Side::Server
        };
        if kind & 6 == 6 {
            pieces.push(Piece::Gap(side, u64::from(*length)));
            rest = after;
            continue;
        }
        let (bytes, after) = after.split_at(usize::from(*length).min(after.len()));
        pieces.push(Piece::Bytes(side, bytes));
        rest = after;
    }
    let mut files = fuzz_files(*kind, port);
    let ports = (40_000, port);
    run_with(registry, transport, ports, 1_000_000, &pieces, &mut files)
}

/// What is done with files in a fuzz run.
fn fuzz_files(kind: u8, port: u16) -> Files {
    let mut files = Files::new(Policy {
        look_bytes_max: 1024,
        hash: kind & 2 != 0,
        observer: None,
    });
    if kind & 4 != 0 {
        let [_, server] = HOSTS;
        let purpose = if kind & 1 == 0 {
            Purpose::Ftp(Transfer::default())
        } else {
            Purpose::Tftp(Transfer::default())
        };
        files.expected.add(Nanos(START_NS), server, port, purpose);
    }
    files
}

/// The octet of fuzz input that stands for this server port; 0 for ports without a meaning.
#[must_use]
pub fn port_octet(port: u16) -> u8 {
    let at = PORTS.iter().position(|known| *known == port);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

/// Addresses of client and server.
pub(crate) const HOSTS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
];
/// Time of the first piece: 2026-11-23 10:00 UTC.
const START_NS: i64 = 1_795_428_000_000_000_000;
/// Server ports that fuzz input can choose: those that probes take as hints.
const PORTS: [u16; 24] = [
    0, 21, 22, 25, 53, 69, 80, 104, 110, 123, 139, 143, 161, 389, 443, 445, 502, 514, 1080, 1883,
    2575, 4242, 11_112, 47_808,
];

#[cfg(test)]
pub(crate) mod testing;
