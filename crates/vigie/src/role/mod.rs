//! Roles: the processes of one binary, and their supervisor.
//!
//! Enters: `vigie up`, `vigie role NAME`. Leaves: running roles. Refuses: logic that belongs to a
//! room.
//! Source: `DESIGN.md` section 3.

pub(crate) mod control;
pub(crate) mod core;
mod export;
pub(crate) mod sensor;
mod source;
mod status;
pub(crate) mod supervisor;
