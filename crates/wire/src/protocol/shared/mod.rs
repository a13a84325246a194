//! What several protocols share: lines, SASL, mail content, log-ins, exchanges without own class.
//!
//! Enters: bytes of a stream. Leaves: typed values. Refuses: to keep a secret. Limits: in each
//! file. Source: one per file.

pub(super) mod exchange;
pub(super) mod lines;
pub(super) mod logon;
pub(super) mod mail;
pub(super) mod mime;
mod part;
pub(super) mod sasl;
pub(super) mod sql;
pub(super) mod text;

#[cfg(test)]
mod tests;
