//! Limits of the console, each with the reason for its size.
//!
//! Enters: nothing. Leaves: named constants. Refuses: nothing.
//! Source: the HTTP contract, `openapi.json`.

/// Longest request body, in bytes: the largest is a list of zones.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest query text, in bytes.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;
/// Most connections at once; one more waits in the backlog of the kernel.
pub const CONNECTIONS_MAX: usize = 512;
/// Seconds in which the head of a request must arrive; an idle connection ends then, too.
pub const HEAD_S_MAX: u64 = 30;
/// Most bytes of a request's head.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Seconds after which a request is answered with `timeout`.
pub const REQUEST_S_MAX: u64 = 90;
/// Seconds that open requests have to end after the shutdown was asked for.
pub const SHUTDOWN_S_MAX: u64 = 10;
/// Store queries that run at once.
pub const QUERIES_MAX: usize = 4;
/// Other blocking calls that run at once.
pub const CALLS_MAX: usize = 8;
/// Password hashes that are computed at once: 19 MiB each.
pub const HASHES_MAX: usize = 2;
/// Milliseconds that a request waits for its turn in one of these pools.
pub const TURN_MS_MAX: u64 = 10_000;
/// Milliseconds that one query may take when the request does not say.
pub const QUERY_MS_DEFAULT: u64 = 15_000;
/// Most milliseconds that a request may ask for one query.
pub const QUERY_MS_MAX: u64 = 60_000;
/// Most milliseconds beyond its own limit after which a query is given up.
pub const QUERY_GRACE_MS: u64 = 3_000;
/// Most rows that `POST /query` gives.
pub const ROWS_MAX: usize = 10_000;
/// Rows that `POST /query` gives when the request does not say.
pub const ROWS_DEFAULT: usize = 1_000;
/// Most events of one answer.
pub const EVENTS_MAX: usize = 1_000;
/// Most bins of a histogram.
pub const BINS_MAX: u64 = 200;
/// Most values of `top` and of completion.
pub const VALUES_MAX: usize = 100;
/// Most assets of one answer.
pub const ASSETS_MAX: usize = 1_000;
/// Most peers and recent events on the page of an asset.
pub const PEERS_MAX: usize = 200;
/// Most addresses of one asset that its page asks the store for.
pub const ASSET_IPS_MAX: usize = 16;
/// Most cells (source, destination, protocol) read for a matrix or a Sankey.
pub const CELLS_MAX: usize = 5_000;
/// Links of a Sankey; the rest is `other`.
pub const LINKS_MAX: usize = 40;
/// Edges read for one ego tree.
pub const EDGES_MAX: usize = 2_000;
/// Nodes of an ego tree; the rest folds into counted groups.
pub const NODES_MAX: usize = 40;
/// Most zones, and most ranges of one zone.
pub const ZONES_MAX: usize = 256;
/// Most entries of the audit trail in one answer.
pub const TRAIL_MAX: usize = 1_000;
/// Most bytes of a capture file that one answer holds in memory; the command line gives the whole.
pub const PCAP_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Shortest reason that says something, in bytes.
pub const REASON_BYTES_MIN: usize = 3;
/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 500;
/// Most live streams at once.
pub const STREAMS_MAX: usize = 64;
/// Events that wait for one live client; more are dropped, newest first, and counted.
pub const STREAM_QUEUE: usize = 256;
/// Seconds between two heartbeats of a live stream; its session is checked then.
pub const HEARTBEAT_S: u64 = 5;
/// Largest static file, in bytes.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
