//! What the words of a device tell of it: systems by banner, option list, version.
//!
//! Enters: an attribute that was learned. Leaves: what it means, as further attributes.
//! Refuses: malformed lines of the table (counted), more than `HINTS_MAX` lines.
//! Source: `rules/hints.tsv`, which says where its lines come from.

use std::borrow::Cow;

use super::limit::HINTS_MAX;
use super::state::Fact;

/// The shipped table.
const BUILT_IN: &str = include_str!("../../../../rules/hints.tsv");

/// How a pattern is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Anywhere,
    Start,
    Whole,
}

/// One line of the table.
#[derive(Clone, Debug)]
struct Hint {
    on: Box<str>,
    place: Place,
    /// Lower case.
    pattern: Box<str>,
    attribute: Box<str>,
    value: Box<str>,
    confidence: u8,
}

/// The table of hints, ordered by the attribute that they look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    lines: Vec<Hint>,
    refused: u64,
}

impl Hints {
    /// The shipped table.
    pub(super) fn built_in() -> Self {
        Self::parse(BUILT_IN)
    }

    /// Reads a table.
    pub(super) fn parse(text: &str) -> Self {
        let mut hints = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if line.trim().is_empty() {
                continue;
            }
            match parse(line).filter(|_| hints.lines.len() < HINTS_MAX) {
                Some(hint) => hints.lines.push(hint),
                None => hints.refused += 1,
            }
        }
        // Stable: the order of the table stays within one attribute.
        hints.lines.sort_by(|a, b| a.on.cmp(&b.on));
        hints
    }

    /// Lines that were malformed or too many.
    #[cfg(test)]
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    /// What a fact means, as further facts with its source.
    pub(super) fn of<'h>(&'h self, fact: &Fact<'h>) -> Vec<Fact<'h>> {
        let from = self.lines.partition_point(|hint| *hint.on < *fact.name);
        let rest = self.lines.get(from..).unwrap_or(&[]);
        let lower = fact.value.to_lowercase();
        rest.iter()
            .take_while(|hint| *hint.on == *fact.name)
            .filter_map(|hint| hint.apply(&lower, fact))
            .collect()
    }
}

impl Hint {
    fn apply<'h>(&'h self, lower: &str, fact: &Fact<'h>) -> Option<Fact<'h>> {
        let at = match self.place {
            Place::Anywhere => lower.find(&*self.pattern)?,
            Place::Start => lower.starts_with(&*self.pattern).then_some(0)?,
            Place::Whole => (lower == &*self.pattern).then_some(0)?,
        };
        let value = match self.value.split_once("{}") {
            None => Cow::Borrowed(&*self.value),
            Some((before, after)) => {
                let word = word(&fact.value, lower, at + self.pattern.len())?;
                Cow::Owned(format!("{before}{word}{after}"))
            }
        };
        Some(Fact {
            name: &self.attribute,
            value,
            confidence: self.confidence,
            source: fact.source,
        })
    }
}

/// The word at an offset of the lower-case text, as the original writes it when both have the
/// same length (some letters change theirs).
fn word<'t>(original: &'t str, lower: &'t str, from: usize) -> Option<&'t str> {
    let text = if original.len() == lower.len() {
        original
    } else {
        lower
    };
    let rest = text.get(from..)?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-'));
    let word = rest.get(..end.unwrap_or(rest.len()))?;
    let word = word.trim_end_matches(['.', '-']);
    (!word.is_empty()).then_some(word)
}

fn parse(line: &str) -> Option<Hint> {
    let mut cells = line.split('\t');
    let mut next = || cells.next().filter(|cell| !cell.is_empty());
    let (on, pattern, attribute) = (next()?, next()?, next()?);
    let (value, confidence) = (next()?, next()?.trim().parse::<u8>().ok()?);
    if confidence > 100 || next().is_some() {
        return None;
    }
    let (place, pattern) = match (pattern.strip_prefix('^'), pattern.strip_prefix('=')) {
        (Some(start), _) => (Place::Start, start),
        (None, Some(whole)) => (Place::Whole, whole),
        (None, None) => (Place::Anywhere, pattern),
    };
    (!pattern.is_empty()).then(|| Hint {
        on: on.into(),
        place,
        pattern: pattern.to_lowercase().into(),
        attribute: attribute.into(),
        value: value.into(),
        confidence,
    })
}
