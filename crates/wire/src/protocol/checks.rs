//! What every protocol's tests share: fields of drafts by column, and the two properties.
//!
//! Enters: drafts, conversations. Leaves: text to compare. Refuses: nothing.
//! Source: `STYLE.md`: any split of the input gives the same events; random bytes never panic.

use super::replay::{Outcome, Piece, fuzz, run};
use super::{Draft, Protocol, REGISTRY, Side, Transport};
use crate::testing::said;

/// All fields present, as `column=value`, separated by blanks.
pub(crate) fn facts(draft: &Draft) -> String {
    let mut out = format!("activity={}", draft.activity);
    if draft.status != 0 {
        out.push_str(&format!(" status={}", draft.status));
    }
    let fields = draft.body.class().fields;
    draft.body.each(&mut |index, cell| {
        let Some(value) = said(cell) else { return };
        out.push_str(&format!(" {}={value}", fields[index].column));
    });
    out
}

/// The value of one column of a draft; empty when absent.
pub(crate) fn field(draft: &Draft, column: &str) -> String {
    let mut out = String::new();
    let fields = draft.body.class().fields;
    draft.body.each(&mut |index, cell| {
        if fields[index].column == column {
            out = said(cell).unwrap_or_default();
        }
    });
    out
}

/// Checks that cutting each chunk in pieces of `step` bytes gives the same drafts, times aside.
pub(crate) fn split_gives_the_same(
    registry: &'static [&'static dyn Protocol],
    port: u16,
    chunks: &[Piece<'_>],
    step: usize,
) {
    let whole = run(registry, Transport::Tcp, (50_000, port), STEP_NS, chunks);
    let mut pieces = Vec::new();
    for chunk in chunks {
        match *chunk {
            Piece::Bytes(side, bytes) => {
                pieces.extend(bytes.chunks(step.max(1)).map(|b| Piece::Bytes(side, b)));
            }
            gap @ Piece::Gap(..) => pieces.push(gap),
        }
    }
    let cut = run(registry, Transport::Tcp, (50_000, port), STEP_NS, &pieces);
    assert_eq!(untimed(&whole), untimed(&cut), "step {step}");
}

fn untimed(out: &Outcome) -> Vec<String> {
    const TIMES: [&str; 3] = ["query_time=", "response_time=", "http_latency_ms="];
    let plain = |draft: &Draft| {
        let facts = facts(draft);
        let kept = facts
            .split(' ')
            .filter(|fact| !TIMES.iter().any(|time| fact.starts_with(time)));
        kept.collect::<Vec<_>>().join(" ")
    };
    out.drafts.iter().map(plain).collect()
}

/// A chunk of the client.
pub(crate) const fn client(bytes: &[u8]) -> Piece<'_> {
    Piece::Bytes(Side::Client, bytes)
}

/// A chunk of the server.
pub(crate) const fn server(bytes: &[u8]) -> Piece<'_> {
    Piece::Bytes(Side::Server, bytes)
}

/// Octets of a hexadecimal text; blanks are ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2).unwrap(), 16).unwrap())
        .collect()
}

/// Mutates a good conversation by `seed` and runs it: nothing may panic.
pub(crate) fn survives_mutation(name: &str, transport: Transport, good: &[u8], seed: u64) {
    let kind = u8::from(transport == Transport::Udp);
    let mut bytes = vec![kind, seed.to_le_bytes()[7]];
    let mut state = seed | 1;
    for piece in good.chunks(48) {
        bytes.push(u8::from(state & 2 == 0));
        bytes.push(48);
        bytes.extend_from_slice(piece);
        bytes.resize(bytes.len() + 48 - piece.len(), 0);
    }
    for _ in 0..1 + seed % 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let at = usize::try_from(state % bytes.len() as u64).unwrap();
        bytes[at] = state.to_le_bytes()[3];
    }
    let _ = fuzz(only(name), &bytes);
}

/// Runs pieces through the whole registry.
pub(crate) fn play(transport: Transport, server_port: u16, pieces: &[Piece<'_>]) -> Outcome {
    run(REGISTRY, transport, (50_000, server_port), STEP_NS, pieces)
}

/// The registry reduced to the protocol called `name`.
pub(crate) fn only(name: &str) -> &'static [&'static dyn Protocol] {
    let at = REGISTRY.iter().position(|p| p.name() == name).unwrap();
    &REGISTRY[at..=at]
}

/// Pieces are a millisecond apart.
pub(crate) const STEP_NS: i64 = 1_000_000;
/// Time of the first piece, in milliseconds.
pub(crate) const START_MS: i64 = 1_795_428_000_000;
