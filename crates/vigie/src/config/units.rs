//! Values with their unit.
//!
//! Enters: "30s", "64MiB". Leaves: milliseconds, bytes. Refuses: bare numbers and unknown units.
//! Source: `DESIGN.md` section 6.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of bytes, written "64MiB".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

/// A span of time in milliseconds, written "30s".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u64);

impl Bytes {
    /// So many MiB.
    pub(crate) const fn mib(n: u64) -> Self {
        Self(n * 1024 * 1024)
    }

    /// As `usize`, saturating.
    pub(crate) fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Span {
    /// So many seconds.
    pub(crate) const fn seconds(n: u64) -> Self {
        Self(n * 1000)
    }
}

const BYTE_UNITS: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];
const SPAN_UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim().find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.trim().split_at_checked(digits)?;
    let factor = units.iter().find(|(name, _)| *name == unit.trim())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The largest unit that divides the value.
fn print(value: u64, units: &[(&str, u64)]) -> String {
    let mut best = units
        .iter()
        // Nothing is so many of the smallest.
        .filter(|(_, factor)| value.is_multiple_of(*factor) && (value > 0 || *factor == 1))
        .collect::<Vec<_>>();
    best.sort_by_key(|(_, factor)| *factor);
    best.last().map_or_else(
        || value.to_string(),
        |(name, factor)| format!("{}{name}", value / factor),
    )
}

macro_rules! unit {
    ($name:ident, $units:ident, $example:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'_, str>::deserialize(deserializer)?;
                parse(&text, $units).map(Self).ok_or_else(|| {
                    let names: Vec<&str> = $units.iter().map(|(name, _)| *name).collect();
                    D::Error::custom(format!(
                        "'{text}' needs a number and a unit ({}), such as \"{}\"",
                        names.join(", "),
                        $example
                    ))
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&print(self.0, $units))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "examples": [$example] })
            }
        }
    };
}

unit!(Bytes, BYTE_UNITS, "64MiB");
unit!(Span, SPAN_UNITS, "30s");
