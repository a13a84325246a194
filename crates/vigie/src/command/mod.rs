//! The commands: one file each.
//!
//! Enters: parsed options. Leaves: how it ended. Refuses: logic that belongs to a room.
//! Source: `DESIGN.md` section 6.

pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
mod extract;
pub(crate) mod inventory;
pub(crate) mod packets;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod replay;
pub(crate) mod vault;
