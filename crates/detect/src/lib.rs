//! Events to assets, detections, risk and incidents.
//!
//! Enters: events. Leaves: what they say about devices and danger. Refuses: I/O, clocks,
//! randomness: time comes from events or as an argument. Source: `DESIGN.md` section 4, detect.

pub mod asset;
