//! The way of every event, in one place.
//!
//! Enters: events of roles, replays and files. Leaves: stored, searchable, counted in the
//! inventory.
//! Refuses: nothing; the order of the stages is the design. Source: `DESIGN.md` section 3.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use detect::asset::SharedInventory;
use model::Event;
use model::port::{
    Asset, AssetView, AuditEntry, AuditTrail, EventQuery, Events, Query, QueryError, Rows,
};
use model::zone::Zones;
use store::Store;

use crate::config::Config;
use crate::role::core::lock;

/// Where the two planes meet.
pub(crate) struct Pipeline {
    /// Zones in force.
    pub(crate) zones: Mutex<Zones>,
    /// Assets known.
    pub(crate) inventory: SharedInventory,
    /// The store.
    pub(crate) store: Store,
}

impl Pipeline {
    /// A pipeline into `store`.
    pub(crate) fn new(config: &Config, store: Store) -> Self {
        Self {
            zones: Mutex::new(zones(config)),
            inventory: SharedInventory::new(crate::role::core::inventory(config)),
            store,
        }
    }

    /// Takes a batch from the packet plane to the disk.
    ///
    /// # Errors
    /// The store could not make it durable: nothing of it is acknowledged.
    pub(crate) fn events(&self, mut events: Vec<Event>) -> Result<(), String> {
        // First the place, because everything after it asks "from where to where".
        let zones = lock(&self.zones);
        events.iter_mut().for_each(|event| place(event, &zones));
        drop(zones);
        // Then what each event says of the assets, while its values are still clear.
        // Replayed events never feed the inventory: they are an exercise.
        self.inventory
            .observe(events.iter().filter(|event| !is_replay(event)));
        // What that changed is an event, too: recorded with what it was read from.
        events.extend(self.inventory.lock().take_changes(crate::time::now()));
        // Last the store: it masks at its door, and only its word is an acknowledgement.
        self.store
            .ingest(events)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// True for events of a replay.
fn is_replay(event: &Event) -> bool {
    store::replay_of(&event.meta.labels).is_some()
}

/// The zones of a configuration; a configuration that was loaded has no wrong one.
pub(crate) fn zones(config: &Config) -> Zones {
    Zones::new(&config.zones()).unwrap_or_default()
}

/// What a configuration says is done with the files that pass.
pub(crate) fn files(config: &Config) -> wire::file::Policy {
    wire::file::Policy {
        look_bytes_max: config.wire.file_look.0,
        hash: config.wire.hash_files,
        observer: None,
    }
}

/// Completes an event with the zones of its endpoints and its direction.
pub(crate) fn place(event: &mut Event, zones: &Zones) {
    if let Some(connection) = &mut event.connection {
        zones.apply(connection);
    }
}

/// The inventory, as the console asks it.
pub(crate) struct Assets(pub(crate) Arc<Pipeline>);

impl AssetView for Assets {
    fn assets(&self) -> Vec<Asset> {
        self.0.inventory.assets()
    }
}

/// The store, as the console asks it.
pub(crate) struct Questions(pub(crate) Arc<Pipeline>);

impl EventQuery for Questions {
    fn rows(&self, query: &Query, cancel: &AtomicBool) -> Result<Rows, QueryError> {
        self.0.store.rows(query, cancel)
    }

    fn events(&self, query: &Query, cancel: &AtomicBool) -> Result<Events, QueryError> {
        self.0.store.events(query, cancel)
    }
}

/// The audit trail, as the console writes it.
pub(crate) struct Trail(pub(crate) Arc<Pipeline>);

impl AuditTrail for Trail {
    fn record(&self, entry: &AuditEntry) -> Result<(), String> {
        self.0.store.trail().record(entry)
    }

    fn latest(&self, limit: usize) -> Result<Vec<AuditEntry>, String> {
        self.0.store.trail().latest(limit)
    }
}
