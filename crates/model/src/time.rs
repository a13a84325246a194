//! Time as Vigie counts it.
//!
//! Enters: nanoseconds of packets. Leaves: milliseconds of events. Refuses: reading a clock.
//! Source: OCSF `timestamp_t` (milliseconds since 1970-01-01 UTC).

/// Nanoseconds since 1970-01-01 UTC: the time of a packet. Packets are the only clock of `wire`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub i64);

/// Milliseconds since 1970-01-01 UTC: the time of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Nanos {
    /// The event time of this packet time, rounded down.
    #[must_use]
    pub const fn millis(self) -> Millis {
        Millis(self.0.div_euclid(1_000_000))
    }

    /// Nanoseconds from `earlier` to `self`, zero when time went backwards.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// This time plus `ms` milliseconds, saturating.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000_000)))
    }
}
