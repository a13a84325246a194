//! Sensitive values: text that may name a person, and the door that masks it.
//!
//! Enters: clear text from a parser, with what kind of text it is. Leaves: a masked form
//! (structure, lengths, extensions, known technical words) and a site-keyed token per word, so that
//! equality search still works. Refuses: `Debug`, `Display` and textual serialisation of the clear
//! form.
//! Limits: `limit::WORDS_MAX` tokens a value. Source: `DESIGN.md` section 1, Privacy.

mod mask;
mod token;
mod words;

use crate::limit;

pub use token::{SiteKey, Token, normalise_words};

/// What kind of text a sensitive value is; decides which structure its masked form keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A path: separators, technical words and the extension stay.
    Path,
    /// A URL query: names of parameters that are technical words stay.
    Query,
    /// Anything else (person name, user name, mail subject, directory filter): only the length
    /// stays.
    Text,
    /// A patient identifier as `assigner|identifier`: nothing but one token stays.
    Patient,
}

/// A value that may name a person. It has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct Sensitive(State);

#[derive(Clone, PartialEq)]
enum State {
    Clear(Shape, Box<str>),
    Masked(Box<Masked>),
}

/// The masked form: safe on every screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// Structure without names, such as `\{8}\{12}.docx`.
    pub display: Box<str>,
    /// One token per distinct word, ascending.
    pub tokens: Vec<Token>,
}

impl Sensitive {
    /// A clear value of the given shape, cut to `limit::FIELD_BYTES_MAX`.
    #[must_use]
    pub fn new(shape: Shape, clear: &str) -> Self {
        Self(State::Clear(shape, limit::cut(clear).into()))
    }

    /// A path or file name.
    #[must_use]
    pub fn path(clear: &str) -> Self {
        Self::new(Shape::Path, clear)
    }

    /// A person name, user name, subject, filter or other free text.
    #[must_use]
    pub fn text(clear: &str) -> Self {
        Self::new(Shape::Text, clear)
    }

    /// A patient identifier and who assigned it (may be empty).
    #[must_use]
    pub fn patient(assigner: &str, identifier: &str) -> Self {
        Self::new(
            Shape::Patient,
            &format!("{}|{}", limit::cut_to(assigner, 256), identifier),
        )
    }

    /// A value that was masked elsewhere: read back from the store, the link or JSON.
    #[must_use]
    pub fn masked(masked: Masked) -> Self {
        Self(State::Masked(Box::new(masked)))
    }

    /// Masks in place; returns the clear text if it stood there, for the vault.
    pub fn mask(&mut self, key: &SiteKey) -> Option<Box<str>> {
        let State::Clear(shape, clear) = &mut self.0 else {
            return None;
        };
        let masked = mask::mask(*shape, clear, key);
        let clear = std::mem::take(clear);
        self.0 = State::Masked(Box::new(masked));
        Some(clear)
    }

    /// True once masked.
    #[must_use]
    pub const fn is_masked(&self) -> bool {
        matches!(self.0, State::Masked(_))
    }

    /// The masked form, or `None` while the value is still clear.
    #[must_use]
    pub fn as_masked(&self) -> Option<&Masked> {
        match &self.0 {
            State::Masked(masked) => Some(masked),
            State::Clear(..) => None,
        }
    }

    /// The clear text, for detection in memory, the vault, and `read --clear`; `None` once masked.
    /// Every call is a place that a reviewer looks at.
    #[must_use]
    pub fn reveal(&self) -> Option<(Shape, &str)> {
        match &self.0 {
            State::Clear(shape, clear) => Some((*shape, clear)),
            State::Masked(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
