//! The words of Vigie: events, endpoints, masked values, keys, limits, ports.
//!
//! Enters: nothing but values. Leaves: types that every other crate shares, and their OCSF form.
//! Refuses: I/O, async, clocks, and any dependency on another crate of ours.
//! Source: `DESIGN.md` sections 2, 3 and 5; OCSF 1.8.0.

pub mod binary;
pub mod class;
pub mod community;
pub mod event;
pub mod fact;
pub mod limit;
pub mod metric;
pub mod net;
pub mod ocsf;
pub mod port;
pub mod record;
pub mod sensitive;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
pub mod uid;
pub mod zone;

pub use class::{Body, CLASSES, Class};
pub use event::{Connection, Event, Meta};
pub use net::Mac;
pub use record::{Cell, Field, Kind, Record, Text, Value};
pub use sensitive::{Sensitive, SiteKey};
pub use time::{Millis, Nanos};
pub use uid::{EventUid, NodeId};
