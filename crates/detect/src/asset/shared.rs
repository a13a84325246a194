//! One inventory that several threads use.
//!
//! Enters: events from the pipeline. Leaves: assets to the console. Refuses: to stop when a thread
//! that held the lock panicked: the inventory is a fold, its parts stay usable.
//! Source: `DESIGN.md` section 5.

use std::sync::{Mutex, MutexGuard, PoisonError};

use model::event::Event;
use model::port::{Asset, AssetView};

use super::Inventory;

/// An inventory behind a lock.
#[derive(Debug, Default)]
pub struct SharedInventory(Mutex<Inventory>);

impl SharedInventory {
    /// Shares this inventory.
    #[must_use]
    pub const fn new(inventory: Inventory) -> Self {
        Self(Mutex::new(inventory))
    }

    /// Learns from a batch of events, under one lock.
    pub fn observe<'e>(&self, events: impl IntoIterator<Item = &'e Event>) {
        let mut inventory = self.lock();
        events
            .into_iter()
            .for_each(|event| inventory.observe(event));
    }

    /// The inventory, locked.
    pub fn lock(&self) -> MutexGuard<'_, Inventory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AssetView for SharedInventory {
    fn assets(&self) -> Vec<Asset> {
        self.lock().assets()
    }
}
