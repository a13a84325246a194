//! The search language: what people type into one box.
//!
//! Enters: text such as `proto:dns query:*.example.org not dst.zone:internet last:24h`.
//! Leaves: a [`Node`] tree, which prints to a text that parses to the same tree; then one condition
//! per class. Refuses: unknown fields and values that do not fit, with their place and the nearest
//! right word. Limits: [`TEXT_BYTES_MAX`], [`TERMS_MAX`], [`DEPTH_MAX`].
//! Source: `DESIGN.md` section 4; own language.

mod condition;
mod field;
mod lex;
mod parse;
mod print;
mod value;

use model::port::QueryError;

pub(crate) use condition::{Match, Scope, condition};
pub(crate) use parse::parse;

use crate::tenant::{LABEL, Tenant};

/// Longest search text.
pub(crate) const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Most terms.
pub(crate) const TERMS_MAX: usize = 256;
/// Deepest nesting of parentheses and `not`.
pub(crate) const DEPTH_MAX: usize = 32;

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Everything.
    All,
    /// Every part matches.
    And(Vec<Node>),
    /// Some part matches.
    Or(Vec<Node>),
    /// The part does not match.
    Not(Box<Node>),
    /// A condition on a field, or a bare word.
    Term(Term),
}

/// One condition.
#[derive(Clone, Debug, Eq)]
pub(crate) struct Term {
    /// Field as written; `None` for a bare word.
    pub(crate) field: Option<String>,
    /// How it compares.
    pub(crate) op: Op,
    /// What with.
    pub(crate) value: String,
    /// Upper end of a range `a..b`.
    pub(crate) upper: Option<String>,
    /// True when the value stood in quotes: `*` is no wildcard then.
    pub(crate) quoted: bool,
    /// Offset of the term in the text.
    pub(crate) position: usize,
}

impl PartialEq for Term {
    /// Places do not count: the printed form has others.
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field
            && self.op == other.op
            && self.value == other.value
            && self.upper == other.upper
            && self.quoted == other.quoted
    }
}

/// How a term compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// `field:value`: equal, a block, a pattern.
    Is,
    /// `field~value`: contains.
    Contains,
    /// `field:>value`.
    Above,
    /// `field:>=value`.
    AtLeast,
    /// `field:<value`.
    Below,
    /// `field:<=value`.
    AtMost,
    /// `field:a..b`, both included.
    Between,
}

/// Which tenants a search looks at: replays when a term names one, both when one event is asked
/// for by its identity, else what really happened.
pub(crate) fn tenant(node: &Node) -> Tenant {
    match node {
        Node::All => Tenant::Real,
        Node::Not(part) => match tenant(part) {
            Tenant::Both => Tenant::Real,
            found @ (Tenant::Real | Tenant::Replayed) => found,
        },
        Node::And(parts) | Node::Or(parts) => {
            let found = parts.iter().map(tenant);
            found.fold(Tenant::Real, |a, b| match (a, b) {
                (Tenant::Replayed, _) | (_, Tenant::Replayed) => Tenant::Replayed,
                (Tenant::Both, _) | (_, Tenant::Both) => Tenant::Both,
                (Tenant::Real, Tenant::Real) => Tenant::Real,
            })
        }
        Node::Term(term) => {
            let meaning = term.field.as_deref().and_then(field::meaning);
            match meaning {
                Some(field::Meaning::Replay) => Tenant::Replayed,
                Some(field::Meaning::Uid) if term.op == Op::Is => Tenant::Both,
                Some(field::Meaning::Columns(names))
                    if names.contains(&"labels") && term.value.starts_with(LABEL) =>
                {
                    Tenant::Replayed
                }
                _ => Tenant::Real,
            }
        }
    }
}

/// An error at a place.
fn wrong(code: &'static str, detail: String, position: usize) -> QueryError {
    QueryError {
        code,
        detail,
        position: Some(position),
        suggestion: None,
    }
}

#[cfg(test)]
mod tests;
