//! Facts: what OCSF has no field for, under the protocol's own name.
//!
//! Enters: a protocol's name, keys and values. Leaves: texts `protocol.key=value`, one column in
//! the store, `unmapped.<protocol>.<key>` in OCSF. Refuses: more than [`LIST_ITEMS_MAX`] of one
//! event; keys that are not lower case words. Never holds what may name a person.
//! Source: `DESIGN.md` section 5 ("`unmapped` holds it under the protocol's own name").

use std::fmt::{Display, Write as _};

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
        let mut text = String::with_capacity(FACT_BYTES);
        // Writing to a String cannot fail.
        let _ = write!(text, "{}.{key}={value}", self.protocol);
        if self.facts.len() < LIST_ITEMS_MAX && !text.ends_with('=') {
            text.truncate(cut(&text).len());
            self.facts.push(Text::Owned(text));
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
        facts.sort_by(|a, b| key(a).cmp(key(b)));
        facts
    }
}

/// Octets of most facts.
const FACT_BYTES: usize = 48;

/// The name of a fact that was made here.
fn key(fact: &str) -> &str {
    fact.split_once('=').map_or(fact, |(name, _)| name)
}

/// Protocol, key and value of a fact; `None` when it is none.
#[must_use]
pub fn parts(fact: &str) -> Option<(&str, &str, &str)> {
    let (protocol, rest) = word(fact, b'.')?;
    let (key, value) = word(rest, b'=')?;
    Some((protocol, key, value))
}

/// The lower case word up to `end`, and what comes after.
fn word(text: &str, end: u8) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is_word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_';
    let len = bytes.iter().take_while(|b| is_word(b)).count();
    if len == 0 || bytes.get(len) != Some(&end) {
        return None;
    }
    Some((text.get(..len)?, text.get(len + 1..)?))
}

#[cfg(test)]
mod tests;
