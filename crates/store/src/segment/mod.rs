//! Segments: immutable Parquet files of one class, sorted by time.
//!
//! Enters: batches of one class. Leaves: a file that any Parquet reader opens and that describes
//! itself ([`SegmentMeta`] is in its metadata). Refuses: to appear under its name before it is
//! whole and synced. Source: Apache Parquet 2.11; `facts/store.md` sections 4 and 6.

pub(crate) mod layout;
pub(crate) mod merge;
pub(crate) mod read;
pub(crate) mod write;

use serde::{Deserialize, Serialize};

/// What is known of a segment without opening it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentMeta {
    /// Unique within the store.
    pub id: u64,
    /// OCSF class.
    pub class_uid: u32,
    /// Path below the store's directory.
    pub path: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of the file; 0 inside the file's own metadata.
    pub bytes: u64,
    /// Earliest event time, milliseconds.
    pub time_min: i64,
    /// Latest event time, milliseconds.
    pub time_max: i64,
    /// Earliest recording time, milliseconds.
    pub logged_min: i64,
    /// Latest recording time, milliseconds.
    pub logged_max: i64,
    /// 0 sealed, 1 compacted to an hour, 2 to a day.
    pub level: u8,
    /// Log generation that it was sealed from.
    pub generation: u64,
    /// Segments whose rows it took over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<u64>,
    /// The replay that its rows belong to; `None` for what really happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// Per node: smallest and largest sequence.
    pub nodes: Vec<(u32, u64, u64)>,
    /// Column layout.
    pub schema_version: u32,
}

/// Key of [`SegmentMeta`] in the file's metadata.
pub(crate) const META_KEY: &str = "vigie.segment";

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

#[cfg(test)]
mod tests;
