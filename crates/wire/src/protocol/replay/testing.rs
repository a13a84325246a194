//! What tests of protocols share: drafts as text, and any split of a conversation.
//!
//! Enters: conversations. Leaves: drafts as text. Refuses: differences between splits.
//! Source: `DESIGN.md` section 4, wire.

use model::record::Cell;

use super::{Outcome, Piece, run};
use crate::protocol::{Draft, Protocol, Side, Transport};

/// One line per draft: activity, status, code, then `column=value`, clear values included.
pub(crate) fn describe(drafts: &[Draft]) -> String {
    drafts.iter().map(line).collect()
}

fn line(draft: &Draft) -> String {
    let mut out = format!("{}/{}", draft.activity, draft.status);
    if let Some(code) = &draft.status_code {
        out += &format!("/{code}");
    }
    let fields = draft.body.class().fields;
    draft.body.each(&mut |index, cell| {
        if let Some(value) = text(&cell) {
            out += &format!(" {}={}", fields[index].column, value);
        }
    });
    out + "\n"
}

fn text(cell: &Cell<'_>) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(v) => v.to_string(),
        Cell::U64(v) => v.to_string(),
        Cell::I64(v) => v.to_string(),
        Cell::Text(v) => (*v).to_owned(),
        Cell::Ip(v) => v.to_string(),
        Cell::Mac(v) => v.to_string(),
        Cell::Time(v) => v.0.to_string(),
        Cell::Sensitive(v) => format!("<{}>", v.reveal().map_or("", |(_, clear)| clear)),
        Cell::TextList(v) => v.join(","),
        Cell::U64List(v) => format!("{v:?}"),
        Cell::IpList(v) => format!("{v:?}"),
    })
}

/// Runs whole messages over TCP.
pub(crate) fn tcp(
    registry: &'static [&'static dyn Protocol],
    port: u16,
    pieces: &[Piece<'_>],
) -> Outcome {
    run(registry, Transport::Tcp, (40_000, port), 0, pieces)
}

/// The same bytes in the same order of sides, cut at other places: `cuts` are lengths, in turn.
pub(crate) fn recut<'a>(pieces: &[Piece<'a>], cuts: &[usize]) -> Vec<Piece<'a>> {
    let mut cuts = cuts.iter().copied().cycle();
    let mut out = Vec::new();
    for piece in pieces {
        let Piece::Bytes(side, mut bytes) = *piece else {
            out.push(*piece);
            continue;
        };
        while !bytes.is_empty() {
            let (head, tail) = bytes.split_at(cuts.next().unwrap_or(1).clamp(1, bytes.len()));
            out.push(Piece::Bytes(side, head));
            bytes = tail;
        }
    }
    out
}

/// Asserts that a conversation gives the same drafts however it is cut.
pub(crate) fn assert_any_split(
    registry: &'static [&'static dyn Protocol],
    port: u16,
    pieces: &[Piece<'_>],
    cuts: &[usize],
) {
    let whole = tcp(registry, port, pieces);
    let cut = tcp(registry, port, &recut(pieces, cuts));
    assert_eq!(describe(&whole.drafts), describe(&cut.drafts));
    assert_eq!(whole.anomalies, cut.anomalies);
}

/// Client bytes.
pub(crate) const fn client(bytes: &[u8]) -> Piece<'_> {
    Piece::Bytes(Side::Client, bytes)
}

/// Server bytes.
pub(crate) const fn server(bytes: &[u8]) -> Piece<'_> {
    Piece::Bytes(Side::Server, bytes)
}
