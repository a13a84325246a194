//! Shapes that several answers share: the ports' values with a description.
//!
//! Enters: values of `model::port`. Leaves: the same values, with the same JSON, described for
//! OpenAPI. Refuses: nothing.
//! Source: the HTTP contract, `openapi.json`.

use model::port;
use serde::Serialize;
use utoipa::ToSchema;

/// Defines the described twin of a port type: same fields, same JSON.
macro_rules! twin {
    ($(#[doc = $sdoc:literal])+ $name:ident of $port:path {
        $( $(#[doc = $fdoc:literal])+ $field:ident : $ty:ty, )+
    }) => {
        $(#[doc = $sdoc])+
        #[derive(Serialize, ToSchema)]
        pub(crate) struct $name {
            $( $(#[doc = $fdoc])+ pub(crate) $field: $ty, )+
        }

        impl From<$port> for $name {
            fn from(from: $port) -> Self {
                let $port { $( $field, )+ } = from;
                Self { $( $field: Twin::twin($field), )+ }
            }
        }

        impl Twin<$name> for $port {
            fn twin(self) -> $name {
                self.into()
            }
        }
    };
}

/// A value and its described twin.
trait Twin<T> {
    fn twin(self) -> T;
}

macro_rules! own_twin {
    ($($ty:ty),+) => {$(
        impl Twin<$ty> for $ty {
            fn twin(self) -> $ty {
                self
            }
        }
    )+};
}

own_twin!(
    String,
    u8,
    u64,
    i64,
    Option<String>,
    Option<u32>,
    Option<u64>,
    Option<i64>,
    Option<f64>,
    Vec<String>,
    Vec<(String, Vec<String>)>
);

impl<T, U: Twin<T>> Twin<Vec<T>> for Vec<U>
where
    U: Listed,
{
    fn twin(self) -> Vec<T> {
        self.into_iter().map(Twin::twin).collect()
    }
}

/// Port types that stand in lists.
trait Listed {}

impl Listed for port::AssetChange {}
impl Listed for port::AssetWarning {}
impl Listed for port::Attribute {}
impl Listed for port::RoleReason {}
impl Listed for port::RoleScore {}
impl Listed for port::CaptureStatus {}
impl Listed for port::RoleStatus {}
impl Listed for port::QueueStatus {}

impl Twin<Vec<String>> for Vec<std::net::IpAddr> {
    fn twin(self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

twin! {
    /// One attribute of an asset, and why it is believed.
    Attribute of port::Attribute {
        /// `hostname`, `vendor`, `model`, `os`, `ae_title`, `application`.
        name: String,
        /// Value.
        value: String,
        /// 0 to 100.
        confidence: u8,
        /// Where it was read ("DHCP option 12").
        source: String,
    }
}

twin! {
    /// What is known of one asset.
    Asset of port::Asset {
        /// Its hardware address when known, else its address.
        id: String,
        /// Addresses, most recent first.
        ips: Vec<String>,
        /// Hardware address.
        mac: Option<String>,
        /// Vendor by hardware address prefix, or as stated by the device.
        vendor: Option<String>,
        /// Names, best first.
        names: Vec<String>,
        /// Zone by configuration.
        zone: Option<String>,
        /// Role, if the evidence names one.
        role: Option<String>,
        /// Protocols spoken as a client.
        speaks: Vec<String>,
        /// Services offered, as `proto/port`.
        serves: Vec<String>,
        /// First seen, milliseconds.
        first_seen: i64,
        /// Last seen, milliseconds.
        last_seen: i64,
        /// Distinct peers seen, an estimate beyond the limit of exact counting.
        peers: u64,
        /// Bytes sent and received.
        bytes: u64,
        /// Attributes with provenance, by name, the most certain value of each first.
        attributes: Vec<Attribute>,
        /// Operating system, the most certain value.
        os: Option<String>,
        /// Its version or build.
        os_version: Option<String>,
        /// Model.
        model: Option<String>,
        /// Serial number.
        serial: Option<String>,
        /// Firmware or software version of the device.
        firmware: Option<String>,
        /// Department.
        department: Option<String>,
        /// Roles that the evidence allows, best first; the first is `role`.
        roles: Vec<RoleScore>,
        /// Duplicates and false identities.
        warnings: Vec<AssetWarning>,
        /// History, most recent first.
        changes: Vec<AssetChange>,
    }
}

twin! {
    /// One piece of evidence for a role.
    RoleReason of port::RoleReason {
        /// `offers`, `speaks`, `does`, `says`, `vendor`, `router` or `port`.
        code: String,
        /// What was matched: a protocol, a behaviour, an attribute's value, a vendor, a port.
        what: String,
        /// With how many distinct devices, when the evidence counts them.
        count: Option<u64>,
        /// Points for the role, negative against it.
        weight: i64,
        /// The same in English, for exports.
        text: String,
    }
}

twin! {
    /// A role and what speaks for it.
    RoleScore of port::RoleScore {
        /// Code of the role (`pacs`, `file_server`).
        role: String,
        /// Sum of the weights, 0 to 99.
        score: u8,
        /// The evidence, heaviest first.
        reasons: Vec<RoleReason>,
    }
}

twin! {
    /// One entry of an asset's history.
    AssetChange of port::AssetChange {
        /// When, milliseconds.
        time: i64,
        /// `new_device`, `new_service`, `new_peer`, `changed_identity`, `address_moved`,
        /// `duplicate_address`, `ae_title_shared`, `host_name_shared`, `merged`, `split`.
        kind: String,
        /// Attribute concerned, such as `ip` or `hostname`.
        attribute: String,
        /// The value, or the other device concerned, before.
        before: String,
        /// The value now.
        after: String,
        /// What it was read from.
        source: String,
    }
}

twin! {
    /// Something about an asset that a person should look at: a duplicate or a false identity.
    AssetWarning of port::AssetWarning {
        /// `duplicate_address`, `ae_title_shared` or `host_name_shared`.
        kind: String,
        /// The address, title or name that two devices use.
        value: String,
        /// Identity of the other device.
        other: String,
        /// When it was first seen, milliseconds.
        first: i64,
        /// When it was last seen, milliseconds.
        last: i64,
        /// How often it was seen.
        count: u64,
    }
}

twin! {
    /// One role process.
    RoleStatus of port::RoleStatus {
        /// `sensor`, `core`, `worker`, `gate`.
        role: String,
        /// Process identifier; `null` while it is not running.
        pid: Option<u32>,
        /// `starting`, `running`, `stopped`, `failed`.
        state: String,
        /// Restarts since the supervisor started.
        restarts: u64,
        /// Resident memory in bytes.
        memory_bytes: u64,
        /// When it started, milliseconds.
        since: i64,
    }
}

twin! {
    /// One capture source.
    CaptureStatus of port::CaptureStatus {
        /// Interface name.
        interface: String,
        /// Packets since start.
        packets: u64,
        /// Bytes since start.
        bytes: u64,
        /// Packets dropped by the kernel since start.
        dropped: u64,
        /// Time of the last packet, milliseconds; `null` before the first.
        last_packet: Option<i64>,
        /// Why it is not capturing, if it is not.
        error: Option<String>,
    }
}

twin! {
    /// One bounded queue.
    QueueStatus of port::QueueStatus {
        /// Name.
        name: String,
        /// Capacity in its own unit.
        capacity: u64,
        /// Depth now.
        depth: u64,
        /// Dropped since start.
        dropped: u64,
        /// `block`, `drop_newest` or `shed`.
        policy: String,
    }
}

twin! {
    /// The store's disk.
    StorageStatus of port::StorageStatus {
        /// Events in the store.
        events: u64,
        /// Sealed segments.
        segments: u64,
        /// Bytes of sealed segments.
        segment_bytes: u64,
        /// Bytes of the write-ahead log.
        wal_bytes: u64,
        /// Bytes that the store may use.
        capacity_bytes: u64,
        /// Bytes free on its disk.
        free_bytes: u64,
        /// Earliest event, milliseconds.
        oldest: Option<i64>,
        /// Days of events that fit at today's rate; `null` before an hour of history.
        forecast_days: Option<f64>,
    }
}

impl Twin<StorageStatus> for StorageStatus {
    fn twin(self) -> StorageStatus {
        self
    }
}

twin! {
    /// The packet ring.
    RingStatus of port::RingStatus {
        /// Bytes on disk.
        bytes: u64,
        /// Most bytes on disk.
        size_bytes: u64,
        /// Blocks.
        blocks: u64,
        /// Time of the oldest packet, milliseconds.
        oldest: Option<i64>,
        /// Time of the latest packet on disk, milliseconds.
        newest: Option<i64>,
        /// Bytes that pinned flows hold.
        pinned_bytes: u64,
        /// Packets written since the start.
        packets: u64,
        /// Packets that it did not take since the start; the packet path saw them.
        dropped: u64,
        /// Packets that the configuration left out since the start.
        skipped: u64,
        /// Why the last block could not be written, if it could not.
        error: Option<String>,
    }
}

twin! {
    /// The state of this installation.
    SystemStatus of port::SystemStatus {
        /// Version of Vigie.
        version: String,
        /// Site name.
        site: String,
        /// Roles.
        roles: Vec<RoleStatus>,
        /// Captures.
        captures: Vec<CaptureStatus>,
        /// Queues.
        queues: Vec<QueueStatus>,
        /// Storage.
        storage: StorageStatus,
        /// Zones in force: name and CIDRs.
        zones: Vec<(String, Vec<String>)>,
        /// Interfaces of this machine that could be captured.
        interfaces: Vec<String>,
    }
}

twin! {
    /// One entry of the audit trail.
    AuditEntry of port::AuditEntry {
        /// When, milliseconds.
        time: i64,
        /// Who: account name, `local:root`, `system`.
        actor: String,
        /// `sign_in`, `sign_in_failed`, `account_created`, `zones_changed`, ...
        action: String,
        /// On what.
        object: String,
        /// The reason given, empty when none is asked for.
        reason: String,
        /// `ok` or the reason of failure.
        outcome: String,
    }
}

/// What share of the packets that passed was seen: 1 without loss; `None` before the first packet.
pub(crate) fn seen_ratio(captures: &[port::CaptureStatus]) -> Option<f64> {
    let add = |sum: u64, n: u64| sum.saturating_add(n);
    let seen = captures.iter().map(|capture| capture.packets).fold(0, add);
    let lost = captures.iter().map(|capture| capture.dropped).fold(0, add);
    let all = seen.saturating_add(lost);
    (all > 0).then(|| ratio(seen, all))
}

/// `part` of `whole`, to four decimals.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    let tenths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10_000.0
}
