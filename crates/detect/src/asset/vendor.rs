//! Vendors by the prefix of a hardware address.
//!
//! Enters: our table (`rules/vendors.tsv`), and the text of the IEEE registry when the caller has
//! it.
//! Leaves: a vendor name. Refuses: malformed lines (counted), more than `VENDORS_MAX` prefixes.
//! Source: IEEE MA-L, MA-M, MA-S assignments (24, 28 and 36 bits).

use std::collections::BTreeMap;

use model::Mac;
use model::limit::cut_to;

use super::limit::VENDORS_MAX;

/// Longest vendor name kept, in bytes.
const NAME_BYTES_MAX: usize = 96;

/// The vendors that matter in a hospital, shipped with Vigie.
const BUILT_IN: &str = include_str!("../../../../rules/vendors.tsv");

/// Vendors by prefix; the longest prefix wins.
#[derive(Clone, Debug, Default)]
pub struct Vendors {
    /// Prefix length in bits and the prefix, left-aligned in 48 bits.
    prefixes: BTreeMap<(u8, u64), Box<str>>,
    refused: u64,
}

impl Vendors {
    /// The shipped table.
    #[must_use]
    pub fn built_in() -> Self {
        let mut vendors = Self::default();
        vendors.add_tsv(BUILT_IN);
        vendors
    }

    /// Adds lines `prefix<TAB>vendor`; a prefix that is known keeps its name. Returns how many were
    /// added.
    pub fn add_tsv(&mut self, text: &str) -> usize {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.filter(|line| !line.trim().is_empty());
        let mut added = 0;
        for line in lines {
            let (prefix, name) = line.split_once('\t').unwrap_or((line, ""));
            added += usize::from(self.add(prefix, name));
        }
        added
    }

    /// Adds the IEEE registry as published: `oui.csv` (also MA-M and MA-S) or `oui.txt`. A prefix
    /// that is known keeps its name, so that ours, shorter, stay. Returns how many were added.
    pub fn add_ieee(&mut self, text: &str) -> usize {
        let mut added = 0;
        for line in text.lines() {
            if let Some((prefix, name)) = csv_line(line).or_else(|| txt_line(line)) {
                added += usize::from(self.add(prefix, name));
            }
        }
        added
    }

    fn add(&mut self, prefix: &str, name: &str) -> bool {
        let name = name.trim();
        let digits = prefix.len();
        let value = u64::from_str_radix(prefix, 16).ok();
        let (Some(value), true, false) = (value, matches!(digits, 6 | 7 | 9), name.is_empty())
        else {
            self.refused += 1;
            return false;
        };
        if self.prefixes.len() >= VENDORS_MAX {
            self.refused += 1;
            return false;
        }
        let bits: u8 = match digits {
            6 => 24,
            7 => 28,
            _ => 36,
        };
        let key = (bits, value << (48 - u32::from(bits)));
        let entry = self.prefixes.entry(key);
        let is_new = matches!(entry, std::collections::btree_map::Entry::Vacant(_));
        entry.or_insert_with(|| cut_to(name, NAME_BYTES_MAX).into());
        is_new
    }

    /// The vendor of a hardware address; `None` when its prefix is unknown, or when the address was
    /// made up by its device (locally administered) and no table lists it.
    #[must_use]
    pub fn name_of(&self, mac: Mac) -> Option<&str> {
        let [a, b, c, d, e, f] = mac.0;
        let value = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        [36u8, 28, 24].into_iter().find_map(|bits| {
            let host_bits = 48 - u32::from(bits);
            let prefix = value >> host_bits << host_bits;
            self.prefixes.get(&(bits, prefix)).map(AsRef::as_ref)
        })
    }

    /// Prefixes known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// True when no prefix is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Lines refused so far.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

/// `MA-L,AABBCC,Name,Address`; the name may be quoted.
fn csv_line(line: &str) -> Option<(&str, &str)> {
    let (registry, rest) = line.split_once(',')?;
    if !matches!(registry, "MA-L" | "MA-M" | "MA-S") {
        return None;
    }
    let (prefix, rest) = rest.split_once(',')?;
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map_or(quoted, |(name, _)| name),
        None => rest.split_once(',').map_or(rest, |(name, _)| name),
    };
    Some((prefix, name))
}

/// Prefix, `(base 16)`, name; separated by white space.
fn txt_line(line: &str) -> Option<(&str, &str)> {
    let (prefix, name) = line.split_once("(base 16)")?;
    let prefix = prefix.trim();
    (prefix.len() == 6).then_some((prefix, name))
}
