//! Inventory, supervisor and audit trail of the made-up hospital.
//!
//! Enters: zones, entries. Leaves: status, assets, entries.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Millis;
use model::port::{
    Asset, AssetView, AuditEntry, AuditTrail, CaptureStatus, QueueStatus, RoleStatus,
    StorageStatus, SystemStatus, SystemView,
};
use vigie_console::{Clock as _, SystemClock};

use crate::fleet;

/// The inventory.
pub(crate) struct Fleet(pub(crate) SystemClock);

impl AssetView for Fleet {
    fn assets(&self) -> Vec<Asset> {
        fleet::assets(self.0.now())
    }
}

/// The supervisor.
pub(crate) struct FakeSystem {
    started: Millis,
    packets: AtomicU64,
    zones: Mutex<Vec<(String, Vec<String>)>>,
}

impl FakeSystem {
    pub(crate) fn new(started: Millis) -> Self {
        let zones = fleet::ZONES
            .iter()
            .map(|(name, cidr)| ((*name).to_owned(), vec![(*cidr).to_owned()]))
            .collect();
        Self {
            started,
            packets: AtomicU64::new(48_211_903),
            zones: Mutex::new(zones),
        }
    }

    pub(crate) fn packets(&self, more: u64) {
        self.packets.fetch_add(more, Ordering::Relaxed);
    }

    fn role(&self, role: &str, pid: u32, memory_bytes: u64) -> RoleStatus {
        RoleStatus {
            role: role.to_owned(),
            pid: Some(pid),
            state: "running".to_owned(),
            restarts: 0,
            memory_bytes,
            since: self.started.0,
        }
    }
}

impl SystemView for FakeSystem {
    fn status(&self) -> SystemStatus {
        let packets = self.packets.load(Ordering::Relaxed);
        let now = SystemClock.now().0;
        let capture = |interface: &str, packets: u64, dropped, last_packet| CaptureStatus {
            interface: interface.to_owned(),
            packets,
            bytes: packets * 731,
            dropped,
            last_packet,
            error: None,
        };
        SystemStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: "CH Exemple".to_owned(),
            roles: vec![
                self.role("sensor", 4_101, 310 << 20),
                self.role("core", 4_102, 540 << 20),
                self.role("worker", 4_103, 60 << 20),
            ],
            captures: vec![
                capture("eth1", packets, packets / 400, Some(now - 300)),
                capture("eth2", 90_311, 0, Some(now - 190_000)),
            ],
            queues: vec![QueueStatus {
                name: "link".to_owned(),
                capacity: 65_536,
                depth: 120,
                dropped: 0,
                policy: "block".to_owned(),
            }],
            storage: StorageStatus {
                events: 5_200_000,
                segments: 410,
                segment_bytes: 187 << 20,
                wal_bytes: 9 << 20,
                capacity_bytes: 200 << 30,
                free_bytes: 140 << 30,
                oldest: Some(now - 50 * 3_600_000),
                forecast_days: Some(412.0),
            },
            zones: self
                .zones
                .lock()
                .map(|zones| zones.clone())
                .unwrap_or_default(),
            interfaces: vec!["eth0".to_owned(), "eth1".to_owned(), "eth2".to_owned()],
        }
    }

    fn set_zones(&self, zones: &[(String, Vec<String>)]) -> Result<(), String> {
        let mut own = self
            .zones
            .lock()
            .map_err(|_| "zones are locked".to_owned())?;
        zones.clone_into(&mut own);
        Ok(())
    }
}

/// The audit trail.
#[derive(Default)]
pub(crate) struct FakeTrail(Mutex<Vec<AuditEntry>>);

impl AuditTrail for FakeTrail {
    fn record(&self, entry: &AuditEntry) -> Result<(), String> {
        let mut entries = self.0.lock().map_err(|_| "trail is locked".to_owned())?;
        entries.push(entry.clone());
        Ok(())
    }

    fn latest(&self, limit: usize) -> Result<Vec<AuditEntry>, String> {
        let entries = self.0.lock().map_err(|_| "trail is locked".to_owned())?;
        Ok(entries.iter().rev().take(limit).cloned().collect())
    }
}
