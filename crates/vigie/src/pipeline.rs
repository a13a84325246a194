//! The way of every event, in one place.
//!
//! Enters: events of roles, replays and files. Leaves: stored, searchable, counted in the inventory.
//! Refuses: nothing; the order of the stages is the design. Source: `DESIGN.md` section 3.

use std::sync::Mutex;

use detect::asset::Inventory;
use model::Event;
use model::zone::Zones;
use store::Store;

use crate::config::Config;

/// Where the two planes meet.
pub(crate) struct Pipeline {
    /// Zones in force.
    pub(crate) zones: Mutex<Zones>,
    /// Assets known.
    pub(crate) inventory: Mutex<Inventory>,
    /// The store.
    pub(crate) store: Store,
}

impl Pipeline {
    /// Takes a batch from the packet plane to the disk.
    ///
    /// # Errors
    /// The store could not make it durable: nothing of it is acknowledged.
    pub(crate) fn events(&self, mut events: Vec<Event>) -> Result<(), String> {
        // First the place, because everything after it asks "from where to where".
        if let Ok(zones) = self.zones.lock() {
            events.iter_mut().for_each(|event| place(event, &zones));
        }
        // Then what each event says of the assets, while its values are still clear.
        // Replayed events never feed the inventory: they are an exercise.
        if let Ok(mut inventory) = self.inventory.lock() {
            let real = events.iter().filter(|event| !is_replay(event));
            real.for_each(|event| inventory.observe(event));
        }
        // Last the store: it masks at its door, and only its word is an acknowledgement.
        self.store.ingest(events).map(|_| ()).map_err(|error| error.to_string())
    }
}

/// True for events of a replay.
pub(crate) fn is_replay(event: &Event) -> bool {
    event.meta.labels.iter().any(|label| label.starts_with("replay:"))
}

/// The zones of a configuration; a configuration that was loaded has no wrong one.
pub(crate) fn zones(config: &Config) -> Zones {
    Zones::new(&config.zones()).unwrap_or_default()
}

/// Completes an event with the zones of its endpoints and its direction.
pub(crate) fn place(event: &mut Event, zones: &Zones) {
    if let Some(connection) = &mut event.connection {
        connection.src_zone = connection.src_ip.and_then(|ip| zones.name(ip));
        connection.dst_zone = connection.dst_ip.and_then(|ip| zones.name(ip));
        connection.direction = zones.direction(connection.src(), connection.dst());
    }
}
