//! Facts: what OCSF has no field for, under the protocol's own name.
//!
//! Enters: a protocol's name, keys and values. Leaves: texts `protocol.key=value`, one column in
//! the store, `unmapped.<protocol>.<key>` in OCSF. Refuses: more than [`LIST_ITEMS_MAX`] of one
//! event; keys that are not lower case words. Never holds what may name a person.
//! Source: `DESIGN.md` section 5 ("`unmapped` holds it under the protocol's own name").

use std::fmt::Display;

use crate::limit::{LIST_ITEMS_MAX, cut};
use crate::record::Text;

/// Gathers the facts of one event. A key given several times becomes a list.
#[derive(Clone, Debug)]
pub struct Facts {
    protocol: &'static str,
    facts: Vec<Text>,
}

impl Facts {
    /// No facts yet, of this protocol (lower case; not one that has fields of its own under
    /// `unmapped` in the same class).
    #[must_use]
    pub const fn of(protocol: &'static str) -> Self {
        let facts = Vec::new();
        Self { protocol, facts }
    }

    /// Adds one; an empty value is left out. `key` is a lower case word with underscores.
    pub fn add(&mut self, key: &'static str, value: impl Display) -> &mut Self {
        let text = format!("{}.{key}={value}", self.protocol);
        if self.facts.len() < LIST_ITEMS_MAX && !text.ends_with('=') {
            self.facts.push(Text::Owned(cut(&text).to_owned()));
        }
        self
    }

    /// Adds one when it is there.
    pub fn maybe(&mut self, key: &'static str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.add(key, value);
        }
        self
    }

    /// The facts, ordered by key, values of one key in the order given.
    #[must_use]
    pub fn take(&mut self) -> Vec<Text> {
        let mut facts = std::mem::take(&mut self.facts);
        facts.sort_by(|a, b| parts(a).map(|p| p.1).cmp(&parts(b).map(|p| p.1)));
        facts
    }
}

/// Protocol, key and value of a fact; `None` when it is none.
#[must_use]
pub fn parts(fact: &str) -> Option<(&str, &str, &str)> {
    let (name, value) = fact.split_once('=')?;
    let (protocol, key) = name.split_once('.')?;
    let word = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    (word(protocol) && word(key)).then_some((protocol, key, value))
}

#[cfg(test)]
mod tests;
