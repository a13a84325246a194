//! The OCSF form of events: JSON out, JSON in.
//!
//! Enters: events, or one line of what [`write_event`] made. Leaves: OCSF 1.8.0 JSON, or the event.
//! Refuses: to print a value that is still clear behind a masked door; unknown classes; lines
//! longer than [`READ_BYTES_MAX`]. Source: OCSF 1.8.0; `docs/ocsf-health/`; `DESIGN.md` section 5.
//!
//! A field's dotted path decides where it stands. Beyond the field tables only this is written by
//! hand: the head of every event (`write.rs`), and what OCSF asks for beside a field, such as the
//! algorithm of a hash (`companion.rs`). Under `unmapped` stand, beside what OCSF has no name for:
//! `tokens.<column>`, the tokens of a masked value, and `codes.<column>`, a number for which OCSF
//! has no name and for which its own field says 99.

mod companion;
mod json;
mod plan;
mod read;
mod spread;
mod write;

pub use read::{READ_BYTES_MAX, ReadError, read_event};
pub use write::{EventWriter, write_event};

/// The version of OCSF that events follow.
pub const OCSF_VERSION: &str = "1.8.0";
/// Identifier of the `health` extension until it is registered.
pub const HEALTH_UID: &str = "999";
/// Version of the `health` extension.
pub const HEALTH_VERSION: &str = "0.1.0";
/// Stands where a clear value may not be shown.
pub const HIDDEN: &str = "[sensitive]";

/// What the reader of an output may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// Masked forms and tokens only: the store, screens, exports.
    Masked,
    /// Clear values where they still stand: `vigie read --clear`, the vault.
    Clear,
}

#[cfg(test)]
mod tests;
