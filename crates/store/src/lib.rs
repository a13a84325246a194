//! Events to segments to SQL.
//!
//! Enters: typed events, searches, SQL, audit entries. Leaves: acknowledgements (an acknowledged
//! event is on disk), rows and whole events, the live stream, the state of the disk.
//! Refuses: clear sensitive values outside the vault; writing SQL; partial answers that do not say
//! so.
//! Source: `DESIGN.md` sections 3 to 5; `facts/store.md`.
//!
//! ```text
//! ingest: mask ─► clear values to the vault ─► columns ─► log (synced) ─► acknowledged, searchable
//! seal:   memory ─► segments ─► catalog commit ─► log trimmed
//! query:  search or SQL ─► one logical plan ─► one catalog version and the memory behind it
//! ```

mod batch;
mod config;
mod core;
mod disk;
mod error;
mod frame;
mod hot;
mod ingest;
mod live;
mod maintain;
mod replays;
mod seal;
mod seen;
mod segment;
mod table;
mod tenant;
mod wal;

pub mod audit;
pub mod catalog;
pub mod executor;
pub mod query;
pub mod schema;
pub mod vault;

mod store;

pub use config::StoreConfig;
pub use error::StoreError;
pub use live::{Ended, Filter, Subscription};
pub use query::export::Exported;
pub use replays::{Purged, ReplayInfo, Replays};
pub use seen::{Range, Seen};
pub use segment::SegmentMeta;
pub use store::{Ack, Recovery, Store};
pub use tenant::{LABEL as REPLAY_LABEL, replay_of};
pub use vault::{Opening, RingKey, RingKeys, Vault};

#[cfg(test)]
mod testdata;
#[cfg(test)]
mod tests;
