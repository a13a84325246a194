//! The table of neighbours told, so that each is told once, on change, and at most every hour.
//!
//! Enters: [`Neighbour`]s with their sender and time. Leaves: inventory bodies worth an event.
//! Refuses: more than [`NEIGHBOURS_MAX`] senders: the one told first goes first.
//! Source: `DESIGN.md` section 5, assets.

use std::collections::{BTreeMap, VecDeque};

use model::class::Inventory;
use model::limit::LIST_ITEMS_MAX;
use model::{Mac, Nanos, Text};

use super::{CONFIDENCE, Neighbour};

/// Most senders remembered.
pub(crate) const NEIGHBOURS_MAX: usize = 4096;
/// What did not change is told again after this long.
const AGAIN_NS: u64 = 3_600_000_000_000;
/// What one entry costs, the queue's copy of its key included.
const ENTRY_COST: usize = 96;

type Key = (Mac, &'static str);

/// Neighbours already told.
#[derive(Default)]
pub(crate) struct Neighbours {
    seen: BTreeMap<Key, (u64, Nanos)>,
    order: VecDeque<Key>,
}

impl Neighbours {
    /// Bytes of state.
    pub(crate) fn bytes(&self) -> usize {
        self.seen.len() * ENTRY_COST
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The event to send for what `sender` said, if it is news.
    pub(crate) fn note(
        &mut self,
        sender: Mac,
        neighbour: &Neighbour,
        now: Nanos,
    ) -> Option<Inventory> {
        let key = (sender, neighbour.source);
        let digest = digest(neighbour);
        if let Some((known, told)) = self.seen.get_mut(&key) {
            if *known == digest && now.since(*told) < AGAIN_NS {
                return None;
            }
            (*known, *told) = (digest, now);
        } else {
            if self.order.len() >= NEIGHBOURS_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.seen.remove(&oldest);
            }
            self.order.push_back(key);
            self.seen.insert(key, (digest, now));
        }
        Some(inventory(sender, neighbour, now))
    }
}

/// FNV-1a over everything that was said: a change must be seen, an adversary gains nothing here.
fn digest(neighbour: &Neighbour) -> u64 {
    let attributes = neighbour.attributes.iter();
    let texts = attributes.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    let chassis = neighbour.chassis.map(|mac| mac.0);
    let addresses: Vec<String> = neighbour
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let all = texts
        .chain(chassis.iter().map(<[u8; 6]>::as_slice))
        .chain(addresses.iter().map(String::as_bytes));
    let mut sum = 0xcbf2_9ce4_8422_2325u64;
    for octet in all.flat_map(|part| part.iter().chain([&0xff])) {
        sum = (sum ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    sum
}

fn inventory(sender: Mac, neighbour: &Neighbour, now: Nanos) -> Inventory {
    let of = |wanted: &str| {
        let mut attributes = neighbour.attributes.iter();
        let found = attributes.find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.clone())
    };
    let mac = neighbour.chassis.unwrap_or(sender);
    let mut body = Inventory {
        asset: Text::Owned(mac.to_string()),
        ip: neighbour.addresses.first().copied(),
        mac: Some(mac),
        hostname: of("hostname"),
        vendor: of("vendor"),
        model: of("model"),
        last_seen: Some(now.millis()),
        ips: neighbour.addresses.clone(),
        ..Inventory::default()
    };
    for (name, value) in neighbour.attributes.iter().take(LIST_ITEMS_MAX) {
        body.provenance_attribute.push(Text::Borrowed(*name));
        body.provenance_value.push(value.clone());
        body.provenance_confidence.push(CONFIDENCE);
        body.provenance_source
            .push(Text::Borrowed(neighbour.source));
    }
    body
}
