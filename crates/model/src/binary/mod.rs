//! The compact form of events: the link between role processes, spools and the vault.
//!
//! Enters: events, clear values included: whoever stores these bytes encrypts them. Leaves: bytes.
//! Refuses: bytes of another version, values of another kind than their column, more than
//! [`EVENT_BYTES_MAX`]; texts and lists are cut to `limit` on the way in. Source: this file.
//!
//! ```text
//! version u8 = 1 | length u32 | class u32 | node u32 | seq u64 | time zigzag | logged zigzag
//! site text | activity, severity, status varint | status_code 0 or 1 text | labels count text*
//! 0 or 1 (a connection follows) | (column u16, kind u8, value)* 0 u16 | (column, kind, value)* 0
//! ```
//! Integers are little-endian; a text is its varint length and UTF-8. A column is the hash of its
//! name, so that a class may gain columns between two versions of the program: those that the
//! reader does not know are passed over.

mod decode;
mod encode;

use std::sync::LazyLock;

use crate::class::{CLASSES, Class};
use crate::event::Event;
use crate::limit::WORDS_MAX;
use crate::record::{Field, Kind};

pub use decode::{DecodeError, decode};
pub use encode::encode;

/// The version that is written.
pub const VERSION: u8 = 1;
/// Most bytes of one encoded event after its length.
pub const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most tokens of one masked value: a patient has two beyond its words.
const TOKENS_MAX: usize = WORDS_MAX + 2;
/// Bytes of version and length.
const FRAME_BYTES: usize = 5;

/// Numbers of kinds on the wire; never renumbered.
const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Bool => 1,
        Kind::U16 | Kind::U32 | Kind::U64 => 2,
        Kind::I64 => 3,
        Kind::Text => 4,
        Kind::Ip => 5,
        Kind::Mac => 6,
        Kind::Time => 7,
        Kind::Sensitive => 8,
        Kind::TextList => 9,
        Kind::U64List => 10,
        Kind::IpList => 11,
    }
}

/// The wire name of a column: FNV-1a folded to 16 bits. A test keeps it unique within a class and
/// different from [`END`].
const fn column_id(column: &str) -> u16 {
    let mut hash: u32 = 0x811c_9dc5;
    let mut rest = column.as_bytes();
    while let [byte, tail @ ..] = rest {
        hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
        rest = tail;
    }
    let [a, b, c, d] = hash.to_le_bytes();
    u16::from_le_bytes([a ^ c, b ^ d])
}

/// Stands where another column would.
const END: u16 = 0;

/// Column identifiers of one class.
struct Ids {
    class: &'static Class,
    body: Vec<u16>,
}

static IDS: LazyLock<Vec<Ids>> = LazyLock::new(|| {
    let classes = CLASSES.iter().copied();
    classes
        .map(|class| Ids {
            class,
            body: ids(class.fields),
        })
        .collect()
});
static CONNECTION_IDS: LazyLock<Vec<u16>> = LazyLock::new(|| ids(Event::connection_fields()));

fn ids(fields: &[Field]) -> Vec<u16> {
    fields.iter().map(|field| column_id(field.column)).collect()
}

fn body_ids(class: &Class) -> &'static [u16] {
    let known = IDS.iter().find(|ids| ids.class.uid == class.uid);
    known.map_or(&[], |ids| &ids.body)
}

#[cfg(test)]
mod tests;
