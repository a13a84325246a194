//! How the store behaves; every default named.
//!
//! Enters: values of the configuration. Leaves: [`StoreConfig`]. Refuses: nothing.
//! Source: `facts/store.md` sections 4 and 6.

use model::{Millis, Text};

/// Settings of one store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Site name given to events that have none.
    pub site: Text,
    /// Rows after which a generation is sealed.
    pub seal_rows: u64,
    /// Milliseconds after which a generation with rows is sealed.
    pub seal_age_ms: i64,
    /// Bytes of log after which a generation is sealed.
    pub seal_wal_bytes: u64,
    /// Most bytes of log that are not sealed; the rows of it are in memory. From half of it on the
    /// log rests between commits, at it events are refused until the sealer has caught up.
    pub hot_bytes_max: u64,
    /// Milliseconds between two rounds of compaction and retention; 0 turns the rounds off.
    pub maintain_every_ms: u64,
    /// Days, by recording time, that events are kept; `None` keeps them until the disk is full.
    pub retention_days: Option<u32>,
    /// Most bytes of segments; `None` leaves it to the free-disk mark.
    pub segment_bytes_max: Option<u64>,
    /// Bytes of disk that stay free: the oldest segments go before.
    pub free_bytes_min: u64,
    /// Most bytes of log and segments together, as if the disk ended there; for tests and quotas.
    pub quota_bytes: Option<u64>,
    /// Days that the vault keeps clear values.
    pub vault_days: u32,
    /// Memory of all running queries together, in bytes.
    pub query_memory_bytes: usize,
    /// Bytes that queries may spill to disk.
    pub query_spill_bytes: u64,
    /// Threads that run queries.
    pub query_threads: usize,
    /// Most events waiting in one live subscription.
    pub subscriber_events_max: usize,
    /// The clock.
    pub now: fn() -> Millis,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            site: Text::Borrowed("site"),
            seal_rows: 1_048_576,
            seal_age_ms: 300_000,
            seal_wal_bytes: 128 * 1024 * 1024,
            hot_bytes_max: 512 * 1024 * 1024,
            maintain_every_ms: 30_000,
            retention_days: None,
            segment_bytes_max: None,
            free_bytes_min: 1024 * 1024 * 1024,
            quota_bytes: None,
            vault_days: 180,
            query_memory_bytes: 1024 * 1024 * 1024,
            query_spill_bytes: 4 * 1024 * 1024 * 1024,
            query_threads: 2,
            subscriber_events_max: 4096,
            now: system_now,
        }
    }
}

/// The wall clock in milliseconds.
fn system_now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Millis(since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }))
}
