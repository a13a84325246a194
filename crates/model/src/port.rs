//! Ports: what a room needs of another room it may not know.
//!
//! Enters: nothing. Leaves: traits that `vigie` connects, and the plain values that pass through
//! them.
//! Refuses: implementations. Calls may block: a caller on the request plane uses its bounded pool.
//! Source: `DESIGN.md` section 3.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::time::Millis;

/// Where events go.
pub trait EventSink {
    /// Takes one event.
    fn event(&mut self, event: Event);

    /// Says where the events to come stand among those of the same packet, for whoever merges
    /// those of several workers. Default: nothing.
    fn place(&mut self, major: i64, minor: u64) {
        let _ = (major, minor);
    }
}

impl EventSink for Vec<Event> {
    fn event(&mut self, event: Event) {
        self.push(event);
    }
}

/// What to look for, and how much the answer may cost.
#[derive(Clone, Debug)]
pub struct Query {
    /// Search language or SQL; SQL starts with `select` or `with`.
    pub text: String,
    /// Earliest event time, inclusive; `None` leaves it open.
    pub from: Option<Millis>,
    /// Latest event time, exclusive; `None` leaves it open.
    pub to: Option<Millis>,
    /// Most rows of the answer.
    pub rows_max: usize,
    /// Most milliseconds (wall) that it may take.
    pub time_ms_max: u64,
}

/// One value of an answer. Addresses are text, times milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Datum {
    /// Absent.
    Null,
    /// True or false.
    Bool(bool),
    /// Signed integer, times too.
    I64(i64),
    /// Unsigned integer.
    U64(u64),
    /// Floating point.
    F64(f64),
    /// Text.
    Text(String),
    /// List.
    List(Vec<Datum>),
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// `bool`, `int`, `float`, `text`, `ip`, `time`, `list`.
    pub kind: &'static str,
}

/// A table as answer.
#[derive(Clone, Debug, Serialize)]
pub struct Rows {
    /// Columns, in order.
    pub columns: Vec<Column>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Datum>>,
    /// The limit that cut the answer: `rows`, `time`, `memory`; `None` when it is whole.
    pub limited: Option<&'static str>,
    /// Milliseconds (wall) that it took.
    pub took_ms: u64,
}

/// Events as answer.
pub struct Events {
    /// Newest first.
    pub events: Vec<Event>,
    /// The limit that cut the answer, as in [`Rows`].
    pub limited: Option<&'static str>,
    /// Milliseconds (wall) that it took.
    pub took_ms: u64,
}

/// Why a query gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct QueryError {
    /// `syntax`, `unknown_field`, `bad_value`, `not_read_only`, `limit_time`, `limit_memory`,
    /// `cancelled`, `internal`.
    pub code: &'static str,
    /// What, on which word, and what to do.
    pub detail: String,
    /// Offset in bytes of the offending character in the query, when there is one.
    pub position: Option<usize>,
    /// The nearest right word, when there is one.
    pub suggestion: Option<String>,
}

/// Questions to the store.
pub trait EventQuery: Send + Sync {
    /// Answers with a table: SQL as it is; a search gives the spine columns, newest first.
    /// Ends early with `cancelled` when `cancel` becomes true.
    ///
    /// # Errors
    /// A query that is wrong, or that a limit ended without any useful part of the answer.
    fn rows(&self, query: &Query, cancel: &AtomicBool) -> Result<Rows, QueryError>;

    /// Answers a search with whole events, newest first.
    ///
    /// # Errors
    /// As [`EventQuery::rows`]; SQL is a `syntax` error here.
    fn events(&self, query: &Query, cancel: &AtomicBool) -> Result<Events, QueryError>;
}

/// One attribute of an asset, and why we believe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// `hostname`, `vendor`, `model`, `os`, `ae_title`, `application`.
    pub name: String,
    /// Value.
    pub value: String,
    /// 0 to 100.
    pub confidence: u8,
    /// Where it was read ("DHCP option 12").
    pub source: String,
}

/// One piece of evidence for a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleReason {
    /// `offers`, `speaks`, `does`, `says`, `vendor`, `router` or `port`.
    pub code: String,
    /// What was matched: a protocol, a behaviour, an attribute's value, a vendor, a port.
    pub what: String,
    /// With how many distinct devices, when the evidence counts them.
    pub count: Option<u64>,
    /// Points for the role, negative against it.
    pub weight: i64,
    /// The same in English, for exports.
    pub text: String,
}

/// A role and what speaks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleScore {
    /// Code of the role ("pacs", "file_server").
    pub role: String,
    /// Sum of the weights, 0 to 99.
    pub score: u8,
    /// The evidence, heaviest first.
    pub reasons: Vec<RoleReason>,
}

/// One entry of an asset's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetChange {
    /// When, milliseconds.
    pub time: i64,
    /// `new_device`, `new_service`, `new_peer`, `changed_identity`, `address_moved`,
    /// `duplicate_address`, `ae_title_shared`, `host_name_shared`, `merged`, `split`.
    pub kind: String,
    /// Attribute concerned, such as `ip` or `hostname`.
    pub attribute: String,
    /// The value, or the other device concerned, before.
    pub before: String,
    /// The value now.
    pub after: String,
    /// What it was read from.
    pub source: String,
}

/// Something about an asset that a person should look at: a duplicate or a false identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetWarning {
    /// `duplicate_address`, `ae_title_shared` or `host_name_shared`.
    pub kind: String,
    /// The address, title or name that two devices use.
    pub value: String,
    /// Identity of the other device.
    pub other: String,
    /// When it was first seen, milliseconds.
    pub first: i64,
    /// When it was last seen, milliseconds.
    pub last: i64,
    /// How often it was seen.
    pub count: u64,
}

/// What is known of one asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its hardware address when known, else its address.
    pub id: String,
    /// Addresses, most recent first.
    pub ips: Vec<IpAddr>,
    /// Hardware address.
    pub mac: Option<String>,
    /// Vendor by hardware address prefix, or as stated by the device.
    pub vendor: Option<String>,
    /// Names, best first.
    pub names: Vec<String>,
    /// Zone by configuration.
    pub zone: Option<String>,
    /// Role, if the evidence names one.
    pub role: Option<String>,
    /// Protocols spoken as a client.
    pub speaks: Vec<String>,
    /// Services offered, as `proto/port`.
    pub serves: Vec<String>,
    /// First seen, milliseconds.
    pub first_seen: i64,
    /// Last seen, milliseconds.
    pub last_seen: i64,
    /// Distinct peers seen, an estimate beyond the limit of exact counting.
    pub peers: u64,
    /// Bytes sent and received.
    pub bytes: u64,
    /// Attributes with provenance, by name, the most certain value of each first.
    pub attributes: Vec<Attribute>,
    /// Operating system, the most certain value.
    pub os: Option<String>,
    /// Its version or build.
    pub os_version: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Firmware or software version of the device.
    pub firmware: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Roles that the evidence allows, best first; the first is `role`.
    pub roles: Vec<RoleScore>,
    /// Duplicates and false identities.
    pub warnings: Vec<AssetWarning>,
    /// History, most recent first.
    pub changes: Vec<AssetChange>,
}

/// Questions to the inventory.
pub trait AssetView: Send + Sync {
    /// Every asset of the site (not destinations outside), ordered by identity.
    fn assets(&self) -> Vec<Asset>;
}

/// One role process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoleStatus {
    /// `sensor`, `core`, `worker`, `gate`.
    pub role: String,
    /// Process identifier; `None` while it is not running.
    pub pid: Option<u32>,
    /// `starting`, `running`, `stopped`, `failed`.
    pub state: String,
    /// Restarts since the supervisor started.
    pub restarts: u64,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// When it started, milliseconds.
    pub since: i64,
}

/// One capture source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaptureStatus {
    /// Interface name.
    pub interface: String,
    /// Packets since start.
    pub packets: u64,
    /// Bytes since start.
    pub bytes: u64,
    /// Packets dropped by the kernel since start.
    pub dropped: u64,
    /// Time of the last packet, milliseconds; `None` before the first.
    pub last_packet: Option<i64>,
    /// Why it is not capturing, if it is not.
    pub error: Option<String>,
}

/// One bounded queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueueStatus {
    /// Name.
    pub name: String,
    /// Capacity in its own unit.
    pub capacity: u64,
    /// Depth now.
    pub depth: u64,
    /// Dropped since start.
    pub dropped: u64,
    /// `block`, `drop_newest` or `shed`.
    pub policy: String,
}

/// The store's disk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StorageStatus {
    /// Events in the store.
    pub events: u64,
    /// Sealed segments.
    pub segments: u64,
    /// Bytes of sealed segments.
    pub segment_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Bytes that the store may use.
    pub capacity_bytes: u64,
    /// Bytes free on its disk.
    pub free_bytes: u64,
    /// Earliest event, milliseconds.
    pub oldest: Option<i64>,
    /// Days of events that fit at today's rate; `None` before an hour of history.
    pub forecast_days: Option<f64>,
}

/// The state of this installation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SystemStatus {
    /// Version of Vigie.
    pub version: String,
    /// Site name.
    pub site: String,
    /// Roles.
    pub roles: Vec<RoleStatus>,
    /// Captures.
    pub captures: Vec<CaptureStatus>,
    /// Queues.
    pub queues: Vec<QueueStatus>,
    /// Storage.
    pub storage: StorageStatus,
    /// Zones in force: name and CIDRs.
    pub zones: Vec<(String, Vec<String>)>,
    /// Interfaces of this machine that could be captured.
    pub interfaces: Vec<String>,
}

/// The packet ring.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RingStatus {
    /// Bytes on disk.
    pub bytes: u64,
    /// Most bytes on disk.
    pub size_bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// Time of the oldest packet, milliseconds.
    pub oldest: Option<i64>,
    /// Time of the latest packet on disk, milliseconds.
    pub newest: Option<i64>,
    /// Bytes that pinned flows hold.
    pub pinned_bytes: u64,
    /// Packets written since the start.
    pub packets: u64,
    /// Packets that it did not take since the start; the packet path saw them.
    pub dropped: u64,
    /// Packets that the configuration left out since the start.
    pub skipped: u64,
    /// Why the last block could not be written, if it could not.
    pub error: Option<String>,
}

/// A flow out of the packet ring, for whom and why.
#[derive(Clone, Debug, Default)]
pub struct PacketsAsk {
    /// Its Community ID, or else
    pub flow: Option<String>,
    /// the `connection_info.uid` of one connection.
    pub uid: Option<String>,
    /// Earliest packet.
    pub from: Option<Millis>,
    /// Latest packet, inclusive.
    pub to: Option<Millis>,
    /// Most bytes of the capture file.
    pub bytes_max: u64,
    /// Who asks.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// A flow out of the packet ring.
#[derive(Clone, Debug, Default)]
pub struct PacketsFound {
    /// The capture file; empty without a packet.
    pub pcap: Vec<u8>,
    /// Packets in it.
    pub packets: u64,
    /// True when `bytes_max` cut it.
    pub limited: bool,
    /// Blocks that could not be read.
    pub skipped_blocks: u64,
}

/// Questions to the supervisor.
pub trait SystemView: Send + Sync {
    /// The state now.
    fn status(&self) -> SystemStatus;

    /// Puts these zones in force and writes them to the configuration.
    ///
    /// # Errors
    /// A sentence for the operator: which zone, what is wrong, what to do.
    fn set_zones(&self, zones: &[(String, Vec<String>)]) -> Result<(), String>;

    /// The packet ring; `None` when it is off.
    fn ring(&self) -> Option<RingStatus> {
        None
    }

    /// Packets of one flow. The audit trail has the question before a packet is read.
    ///
    /// # Errors
    /// A sentence: no reason, no ring, no such flow, no trail.
    fn packets(&self, ask: &PacketsAsk) -> Result<PacketsFound, String> {
        let PacketsAsk { .. } = ask;
        Err("the packet ring is off: set [ring] size".to_owned())
    }

    /// Metrics of every role, in Prometheus text form.
    fn metrics(&self) -> String {
        crate::metric::render("core")
    }
}

/// Who did what to Vigie itself: the hash-chained trail.
pub trait AuditTrail: Send + Sync {
    /// Appends one entry; it is on disk when this returns.
    ///
    /// # Errors
    /// The trail could not be written: the action must not be taken.
    fn record(&self, entry: &AuditEntry) -> Result<(), String>;

    /// The latest `limit` entries, newest first.
    ///
    /// # Errors
    /// The trail could not be read.
    fn latest(&self, limit: usize) -> Result<Vec<AuditEntry>, String>;
}

/// One entry of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, milliseconds.
    pub time: i64,
    /// Who: account name, `local:root`, `system`.
    pub actor: String,
    /// `sign_in`, `sign_in_failed`, `account_created`, `vault_opened`, `zones_changed`, ...
    pub action: String,
    /// On what.
    pub object: String,
    /// The reason given, empty when none is asked for.
    pub reason: String,
    /// `ok` or the reason of failure.
    pub outcome: String,
}
