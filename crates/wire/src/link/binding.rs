//! The table of bindings seen, so that each is told once, on change, and at most every hour.
//!
//! Enters: [`Binding`]s with their time. Leaves: inventory bodies worth an event. Refuses: more
//! than [`BINDINGS_MAX`] addresses: the one told first goes first. Source: `DESIGN.md` section 5,
//! assets.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use model::class::Inventory;
use model::{Mac, Nanos, Text};

use super::arp::Binding;

/// Most addresses remembered.
const BINDINGS_MAX: usize = 16_384;
/// A binding that did not change is told again after this long.
const AGAIN_NS: u64 = 3_600_000_000_000;
/// What one entry costs, the queue's copy of the address included.
const ENTRY_COST: usize = 128;

/// Bindings already told.
#[derive(Default)]
pub(crate) struct Bindings {
    seen: BTreeMap<IpAddr, (Mac, Nanos)>,
    order: VecDeque<IpAddr>,
}

impl Bindings {
    /// Bytes of state.
    pub(crate) fn bytes(&self) -> usize {
        self.seen.len() * ENTRY_COST
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The event to send for this binding, if it is news.
    pub(crate) fn note(&mut self, binding: &Binding, now: Nanos) -> Option<Inventory> {
        match self.seen.get_mut(&binding.ip) {
            Some((mac, told)) => {
                if *mac == binding.mac && now.since(*told) < AGAIN_NS {
                    return None;
                }
                *mac = binding.mac;
                *told = now;
            }
            None => {
                if self.order.len() >= BINDINGS_MAX
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.seen.remove(&oldest);
                }
                self.order.push_back(binding.ip);
                self.seen.insert(binding.ip, (binding.mac, now));
            }
        }
        Some(inventory(binding, now))
    }
}

fn inventory(binding: &Binding, now: Nanos) -> Inventory {
    let mac = Text::Owned(binding.mac.to_string());
    Inventory {
        asset: mac.clone(),
        ip: Some(binding.ip),
        mac: Some(binding.mac),
        last_seen: Some(now.millis()),
        ips: vec![binding.ip],
        provenance_attribute: vec![Text::Borrowed("mac")],
        provenance_value: vec![mac],
        provenance_confidence: vec![CONFIDENCE],
        provenance_source: vec![Text::Borrowed(binding.source)],
        ..Inventory::default()
    }
}

/// Anyone on the segment can forge both protocols.
const CONFIDENCE: u64 = 90;
