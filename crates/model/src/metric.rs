//! The registry of metrics: every counter and gauge of Vigie, with its help text.
//!
//! Enters: increments from anywhere. Leaves: Prometheus text. Refuses: names built at run time and
//! labels from input. Source: Prometheus text exposition format 0.0.4. A golden test lists them
//! all.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// One metric; a process-wide counter or gauge.
pub struct Metric {
    /// `vigie_<crate>_<noun>_<unit>[_total]`, with its closed labels.
    pub name: &'static str,
    /// Help text.
    pub help: &'static str,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    value: AtomicU64,
}

impl Metric {
    const fn new(name: &'static str, kind: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            kind,
            value: AtomicU64::new(0),
        }
    }

    /// Adds to a counter.
    pub fn add(&self, n: u64) {
        self.value.fetch_add(n, Ordering::Relaxed);
    }

    /// Sets a gauge, or a counter that is kept elsewhere.
    pub fn set(&self, value: u64) {
        self.value.store(value, Ordering::Relaxed);
    }

    /// The current value.
    pub fn value(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

macro_rules! metrics {
    ($( $(#[doc = $help:literal])+ $id:ident : $kind:literal $name:literal; )+) => {
        $( $(#[doc = $help])+ pub static $id: Metric = Metric::new($name, $kind,
            concat!($($help),+)); )+

        /// Every metric.
        pub static REGISTRY: &[&Metric] = &[$( &$id, )+];
    };
}

metrics! {
    /// Packets read from interfaces or files.
    CAPTURE_PACKETS: "counter" "vigie_capture_packets_total";
    /// Bytes on the wire read from interfaces or files.
    CAPTURE_BYTES: "counter" "vigie_capture_bytes_total";
    /// Packets that the kernel dropped because a ring was full.
    CAPTURE_DROPPED: "counter" "vigie_capture_dropped_packets_total{reason=\"ring_full\"}";
    /// Bytes of the packet ring on disk.
    CAPTURE_RING_BYTES: "gauge" "vigie_capture_ring_bytes";
    /// Blocks of the packet ring.
    CAPTURE_RING_BLOCKS: "gauge" "vigie_capture_ring_blocks";
    /// Bytes of the packet ring's pinned blocks.
    CAPTURE_RING_PINNED: "gauge" "vigie_capture_ring_pinned_bytes";
    /// Time of the oldest packet in the packet ring, seconds since 1970; 0 without one.
    CAPTURE_RING_OLDEST: "gauge" "vigie_capture_ring_oldest_seconds";
    /// Packets written to the packet ring.
    CAPTURE_RING_PACKETS: "counter" "vigie_capture_ring_packets_total";
    /// Packets that the packet ring did not take; the packet path saw them all the same.
    CAPTURE_RING_DROPPED_QUEUE: "counter"
        "vigie_capture_ring_dropped_packets_total{reason=\"queue_full\"}";
    /// Packets that the packet ring did not take; the packet path saw them all the same.
    CAPTURE_RING_DROPPED_DISK: "counter"
        "vigie_capture_ring_dropped_packets_total{reason=\"disk\"}";
    /// Packets that the configuration leaves out of the packet ring.
    CAPTURE_RING_SKIPPED: "counter" "vigie_capture_ring_skipped_packets_total";
    /// Pinned blocks that went because pins held more than their share.
    CAPTURE_RING_UNPINNED: "counter" "vigie_capture_ring_unpinned_blocks_total";
    /// Flows now in the table.
    WIRE_FLOWS: "gauge" "vigie_wire_flows";
    /// Bytes that the packet path accounts for.
    WIRE_MEMORY: "gauge" "vigie_wire_memory_bytes";
    /// Flows evicted because the memory budget was reached.
    WIRE_EVICTED: "counter" "vigie_wire_evicted_flows_total";
    /// Events that the packet path made.
    WIRE_EVENTS: "counter" "vigie_wire_events_total";
    /// Anomalies that parsers met.
    WIRE_ANOMALIES: "counter" "vigie_wire_anomalies_total";
    /// Records of other sensors' logs, and flows of exporters, that were read.
    SOURCE_RECORDS: "counter" "vigie_source_records_total";
    /// Lines and datagrams of other sensors that were not understood or not allowed.
    SOURCE_REFUSED: "counter" "vigie_source_refused_total";
    /// Records of types that have no mapping, and options of exporters.
    SOURCE_UNKNOWN: "counter" "vigie_source_unknown_records_total";
    /// What never arrived from other sensors, as far as their numbers tell.
    SOURCE_LOST: "counter" "vigie_source_lost_total";
    /// Sources that said nothing for longer than they may.
    SOURCE_SILENT: "gauge" "vigie_source_silent";
    /// Events that arrived over the link.
    LINK_RECEIVED: "counter" "vigie_link_received_events_total";
    /// Events that a role could not deliver because spool and queue were full.
    LINK_DROPPED: "counter" "vigie_link_dropped_events_total{reason=\"spool_full\"}";
    /// Events now waiting in the spool of a role.
    LINK_SPOOLED: "gauge" "vigie_link_spooled_events";
    /// Events acknowledged by the store: on disk.
    STORE_ACKNOWLEDGED: "counter" "vigie_store_acknowledged_events_total";
    /// Events refused as already present.
    STORE_DUPLICATES: "counter" "vigie_store_duplicate_events_total";
    /// Events refused because their replay was purged.
    STORE_PURGED: "counter" "vigie_store_purged_events_total";
    /// Bytes of sealed segments.
    STORE_SEGMENT_BYTES: "gauge" "vigie_store_segment_bytes";
    /// Sealed segments.
    STORE_SEGMENTS: "gauge" "vigie_store_segments";
    /// Bytes of the write-ahead log.
    STORE_WAL_BYTES: "gauge" "vigie_store_wal_bytes";
    /// Segments removed by retention.
    STORE_RETIRED: "counter" "vigie_store_retired_segments_total";
    /// Events in the segments that retention or a full disk removed.
    STORE_RETIRED_EVENTS: "counter" "vigie_store_retired_events_total";
    /// Files removed on a full disk although a query could still want them.
    STORE_FORCED: "counter" "vigie_store_forced_removals_total";
    /// Events refused because the disk is full or sealing is too far behind; their sender repeats.
    STORE_REFUSED: "counter" "vigie_store_refused_events_total";
    /// Commits after which the log rested, so that sealing catches up.
    STORE_PACED: "counter" "vigie_store_paced_commits_total";
    /// Queries answered.
    STORE_QUERIES: "counter" "vigie_store_queries_total{result=\"ok\"}";
    /// Queries refused or ended by a limit.
    STORE_QUERIES_LIMITED: "counter" "vigie_store_queries_total{result=\"limited\"}";
    /// Requests that the console answered.
    CONSOLE_REQUESTS: "counter" "vigie_console_requests_total";
    /// Sign-ins that failed.
    CONSOLE_SIGN_IN_FAILED: "counter" "vigie_console_sign_in_failures_total";
    /// Restarts of roles by the supervisor.
    ROLE_RESTARTS: "counter" "vigie_role_restarts_total";
}

/// All metrics in Prometheus text form, `role` as a label of each.
#[must_use]
pub fn render(role: &str) -> String {
    let mut out = String::new();
    let mut family = "";
    for metric in REGISTRY {
        let (name, labels) = metric.name.split_once('{').unwrap_or((metric.name, ""));
        let labels = labels.trim_end_matches('}');
        // Writing to a String cannot fail.
        if name != family {
            family = name;
            let _ = writeln!(
                out,
                "# HELP {name} {}\n# TYPE {name} {}",
                metric.help.trim(),
                metric.kind
            );
        }
        let comma = if labels.is_empty() { "" } else { "," };
        let _ = writeln!(
            out,
            "{name}{{role=\"{role}\"{comma}{labels}}} {}",
            metric.value()
        );
    }
    out
}
