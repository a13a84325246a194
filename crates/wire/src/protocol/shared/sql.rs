//! Statements of databases, counted by kind.
//!
//! Enters: the text of a statement. Leaves: its first word, if it is one that SQL knows. Refuses:
//! to keep anything else of it. Source: ISO/IEC 9075, the manuals of three servers.

use std::collections::BTreeMap;

use model::fact::Facts;

use super::text::word;

/// How often each kind was asked.
#[derive(Clone, Debug, Default)]
pub(in crate::protocol) struct Kinds(BTreeMap<&'static str, u64>);

impl Kinds {
    /// Counts the statement that starts with these octets.
    pub(in crate::protocol) fn count(&mut self, statement: &[u8]) {
        self.add(kind(statement));
    }

    /// Counts one of this kind.
    pub(in crate::protocol) fn add(&mut self, kind: &'static str) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// All of them.
    pub(in crate::protocol) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Tells them as facts `statements=select:3`.
    pub(in crate::protocol) fn tell(&self, facts: &mut Facts) {
        for (kind, count) in &self.0 {
            facts.add("statements", format_args!("{kind}:{count}"));
        }
    }
}

/// The kind of a statement; comments before it are passed over.
pub(in crate::protocol) fn kind(statement: &[u8]) -> &'static str {
    let mut rest = statement.trim_ascii_start();
    for _ in 0..COMMENTS_MAX {
        let end = if rest.starts_with(b"/*") {
            rest.windows(2)
                .position(|pair| pair == b"*/")
                .map(|at| at + 2)
        } else if rest.starts_with(b"--") {
            rest.iter().position(|&octet| octet == b'\n')
        } else {
            break;
        };
        rest = end
            .and_then(|end| rest.get(end..))
            .unwrap_or(&[])
            .trim_ascii_start();
    }
    let first = rest
        .iter()
        .take_while(|octet| octet.is_ascii_alphabetic())
        .count();
    let first = rest.get(..first).unwrap_or(&[]);
    let found = KINDS
        .iter()
        .find(|kind| first.eq_ignore_ascii_case(kind.as_bytes()));
    found.copied().unwrap_or(if word(rest).0.is_empty() {
        "empty"
    } else {
        "other"
    })
}

/// Most comments before a statement.
const COMMENTS_MAX: usize = 8;

const KINDS: [&str; 40] = [
    "alter",
    "analyze",
    "begin",
    "bulk",
    "call",
    "close",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "describe",
    "discard",
    "drop",
    "exec",
    "execute",
    "explain",
    "fetch",
    "grant",
    "if",
    "insert",
    "kill",
    "load",
    "lock",
    "merge",
    "prepare",
    "replace",
    "reset",
    "revoke",
    "rollback",
    "select",
    "set",
    "show",
    "start",
    "truncate",
    "update",
    "use",
    "vacuum",
    "with",
];
