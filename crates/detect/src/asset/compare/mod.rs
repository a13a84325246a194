//! The inventory beside the list that the hospital keeps (CMDB), and what differs.
//!
//! Enters: assets, and the text of a CSV file whose columns are known by their French or English
//! names. Leaves: differences, in the order of the file, then what the list does not know.
//! Refuses: a file without a column by which a device could be found. Limits: [`ROWS_MAX`] rows,
//! [`CELLS_MAX`] cells a row; what is beyond is counted.
//! Source: RFC 4180, with the separators and encodings that spreadsheets write.

mod csv;
mod header;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::Mac;
use model::port::Asset;

use header::{Column, column, plain};

/// Most rows of a list.
pub const ROWS_MAX: usize = 200_000;
/// Most cells of a row; the rest of it is left out.
pub const CELLS_MAX: usize = 256;

/// Kinds of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// In the list, not on the network.
    Missing,
    /// On the network, not in the list.
    Unknown,
    /// Another address.
    Address,
    /// Another hardware address.
    Mac,
    /// Another vendor.
    Vendor,
    /// Another model.
    Model,
    /// Another serial number.
    Serial,
    /// Two rows of the list are this device.
    Twice,
}

impl Kind {
    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing_on_network",
            Self::Unknown => "unknown_to_list",
            Self::Address => "other_address",
            Self::Mac => "other_mac",
            Self::Vendor => "other_vendor",
            Self::Model => "other_model",
            Self::Serial => "other_serial",
            Self::Twice => "twice_in_list",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which kind.
    pub kind: Kind,
    /// Line of the list, the header being line 1; `None` for what it does not know.
    pub line: Option<usize>,
    /// The row, by the first of name, address, hardware address and serial number that it has;
    /// else the best name of the asset.
    pub label: String,
    /// Identity of the asset; `None` when it is missing.
    pub asset: Option<String>,
    /// How row and asset were found to be the same: `mac`, `serial`, `name`, `ip`.
    pub matched_by: Option<&'static str>,
    /// What the list says.
    pub listed: String,
    /// What the network says.
    pub seen: String,
}

/// What comparing found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Rows of the list that name a device.
    pub rows: usize,
    /// Rows that were found on the network.
    pub matched: usize,
    /// Rows without any value by which a device could be found, and rows beyond [`ROWS_MAX`].
    pub skipped: usize,
    /// Columns that were understood, as the file names them.
    pub columns: Vec<String>,
    /// The differences.
    pub differences: Vec<Difference>,
}

/// Why a list cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no row.
    Empty,
    /// No column is a hardware address, an address, a host name or a serial number.
    NoKey,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Empty => "the list is empty",
            Self::NoKey => {
                "no column of the first line is a MAC, an IP address, a host name or a serial \
                 number; name one of them so (French or English)"
            }
        })
    }
}

impl std::error::Error for Refused {}

/// Compares the inventory with a list.
///
/// # Errors
/// The list has no row, or no column by which a device could be found.
pub fn compare(assets: &[Asset], list: &[u8]) -> Result<Comparison, Refused> {
    let table = csv::read(list, ROWS_MAX, CELLS_MAX);
    let mut rows = table.rows.iter();
    let (_, header) = rows.next().ok_or(Refused::Empty)?;
    let columns: Vec<Option<Column>> = header.iter().map(|name| column(name)).collect();
    let keys = [Column::Mac, Column::Ip, Column::Name, Column::Serial];
    if !columns.iter().flatten().any(|column| keys.contains(column)) {
        return Err(Refused::NoKey);
    }
    let named = header.iter().zip(&columns);
    let mut out = Comparison {
        columns: named
            .filter(|(_, column)| column.is_some())
            .map(|(name, _)| name.trim().to_owned())
            .collect(),
        skipped: table.left_out,
        ..Comparison::default()
    };
    let index = Index::new(assets);
    let mut found = BTreeSet::new();
    for (line, cells) in rows {
        let row = Row::of(*line, cells, &columns);
        if !row.names_a_device() {
            out.skipped += 1;
            continue;
        }
        out.rows += 1;
        let Some((at, by)) = index.find(&row) else {
            out.differences.push(row.missing());
            continue;
        };
        let Some(asset) = assets.get(at) else {
            continue;
        };
        out.matched += 1;
        if !found.insert(at) {
            out.differences
                .push(row.differs(Kind::Twice, asset, by, "", ""));
        }
        row.differences(asset, by, &mut out.differences);
    }
    let unknown = assets
        .iter()
        .enumerate()
        .filter(|(at, _)| !found.contains(at));
    out.differences
        .extend(unknown.map(|(_, asset)| unlisted(asset)));
    Ok(out)
}

/// One row of the list.
#[derive(Debug, Default)]
struct Row {
    line: usize,
    macs: Vec<Mac>,
    ips: Vec<IpAddr>,
    name: String,
    serial: String,
    vendor: String,
    model: String,
}

impl Row {
    fn of(line: usize, cells: &[String], columns: &[Option<Column>]) -> Self {
        let mut row = Self {
            line,
            ..Self::default()
        };
        for (cell, column) in cells.iter().zip(columns) {
            let cell = cell.trim().trim_start_matches('\'');
            let words = || {
                cell.split([' ', ',', ';', '/', '|', '\t', '\n'])
                    .filter(|w| !w.is_empty())
            };
            match column {
                Some(Column::Mac) => {
                    row.macs.extend(words().filter_map(mac));
                    // Written with blanks between the octets.
                    row.macs
                        .extend(Some(cell).filter(|_| row.macs.is_empty()).and_then(mac));
                }
                Some(Column::Ip) => row
                    .ips
                    .extend(words().filter_map(|word| word.parse::<IpAddr>().ok())),
                Some(Column::Name) if row.name.is_empty() => cell.clone_into(&mut row.name),
                Some(Column::Serial) if row.serial.is_empty() => cell.clone_into(&mut row.serial),
                Some(Column::Vendor) if row.vendor.is_empty() => cell.clone_into(&mut row.vendor),
                Some(Column::Model) if row.model.is_empty() => cell.clone_into(&mut row.model),
                _ => {}
            }
        }
        row
    }

    fn names_a_device(&self) -> bool {
        !(self.macs.is_empty()
            && self.ips.is_empty()
            && self.name.is_empty()
            && self.serial.is_empty())
    }

    fn label(&self) -> String {
        let ip = self.ips.first().map(ToString::to_string);
        let mac = self.macs.first().map(ToString::to_string);
        let all = [Some(self.name.clone()), ip, mac, Some(self.serial.clone())];
        let mut filled = all.into_iter().flatten().filter(|text| !text.is_empty());
        filled.next().unwrap_or_default()
    }

    fn missing(&self) -> Difference {
        Difference {
            kind: Kind::Missing,
            line: Some(self.line),
            label: self.label(),
            asset: None,
            matched_by: None,
            listed: self.label(),
            seen: String::new(),
        }
    }

    fn differs(
        &self,
        kind: Kind,
        asset: &Asset,
        by: &'static str,
        listed: &str,
        seen: &str,
    ) -> Difference {
        Difference {
            kind,
            line: Some(self.line),
            label: self.label(),
            asset: Some(asset.id.clone()),
            matched_by: Some(by),
            listed: listed.to_owned(),
            seen: seen.to_owned(),
        }
    }

    /// What both state and state differently: silence is no difference.
    fn differences(&self, asset: &Asset, by: &'static str, out: &mut Vec<Difference>) {
        let mut add = |kind, listed: &str, seen: &str| {
            out.push(self.differs(kind, asset, by, listed, seen));
        };
        let listed_ip = self.ips.iter().any(|ip| asset.ips.contains(ip));
        if !self.ips.is_empty() && !asset.ips.is_empty() && !listed_ip {
            add(Kind::Address, &joined(&self.ips), &joined(&asset.ips));
        }
        let own = asset.mac.as_deref().and_then(mac);
        if let Some(own) = own.filter(|own| !self.macs.is_empty() && !self.macs.contains(own)) {
            add(Kind::Mac, &joined(&self.macs), &own.to_string());
        }
        let values = |name: &str| {
            let of_name = asset.attributes.iter().filter(|known| known.name == name);
            let mut values: Vec<&str> = of_name.map(|known| known.value.as_str()).collect();
            values.dedup();
            values
        };
        for (kind, listed, name) in [
            (Kind::Vendor, &self.vendor, "vendor"),
            (Kind::Model, &self.model, "model"),
            (Kind::Serial, &self.serial, "serial"),
        ] {
            let seen = values(name);
            let agrees = |value: &&str| alike(listed, value);
            if !listed.is_empty() && !seen.is_empty() && !seen.iter().any(agrees) {
                add(kind, listed, &seen.join(", "));
            }
        }
    }
}

fn joined<T: ToString>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.join(" ")
}

/// "GE", "GE Healthcare" and "GE MEDICAL SYSTEMS" are alike: one begins the other, or both begin
/// with the same word.
fn alike(a: &str, b: &str) -> bool {
    let [a, b] = [plain(a), plain(b)];
    let word = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let squeezed = |text: &str| text.replace(' ', "");
    let (x, y) = (squeezed(&a), squeezed(&b));
    x.starts_with(&y) || y.starts_with(&x) || (word(&a) == word(&b) && word(&a).len() > 1)
}

/// A hardware address in any of the usual forms.
fn mac(text: &str) -> Option<Mac> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let signs = text.chars().filter(|c| !c.is_ascii_hexdigit());
    let clean = signs.clone().all(|c| matches!(c, ':' | '-' | '.' | ' '));
    let value = u64::from_str_radix(&digits, 16).ok()?;
    if digits.len() != 12 || !clean {
        return None;
    }
    let [_, _, octets @ ..] = value.to_be_bytes();
    Some(Mac(octets))
}

/// Assets by what a list may call them.
struct Index {
    macs: BTreeMap<Mac, usize>,
    ips: BTreeMap<IpAddr, usize>,
    /// Whole names and their first labels, lower case; `None` when two assets have one.
    names: BTreeMap<String, Option<usize>>,
    serials: BTreeMap<String, Option<usize>>,
}

impl Index {
    fn new(assets: &[Asset]) -> Self {
        let mut index = Self {
            macs: BTreeMap::new(),
            ips: BTreeMap::new(),
            names: BTreeMap::new(),
            serials: BTreeMap::new(),
        };
        let once = |map: &mut BTreeMap<String, Option<usize>>, key: String, at: usize| {
            let entry = map.entry(key).or_insert(Some(at));
            if *entry != Some(at) {
                *entry = None;
            }
        };
        for (at, asset) in assets.iter().enumerate() {
            index
                .macs
                .extend(asset.mac.as_deref().and_then(mac).map(|mac| (mac, at)));
            index.ips.extend(asset.ips.iter().map(|ip| (*ip, at)));
            for name in &asset.names {
                let name = name.to_lowercase();
                once(&mut index.names, first_label(&name), at);
                once(&mut index.names, name, at);
            }
            let serials = asset
                .attributes
                .iter()
                .filter(|known| known.name == "serial");
            serials.for_each(|known| once(&mut index.serials, plain(&known.value), at));
        }
        index
    }

    /// The asset of a row, by what moves least first.
    fn find(&self, row: &Row) -> Option<(usize, &'static str)> {
        let name = row.name.to_lowercase();
        let named = |key: &str| self.names.get(key).copied().flatten();
        let by_mac = row.macs.iter().find_map(|mac| self.macs.get(mac).copied());
        let by_serial = || self.serials.get(&plain(&row.serial)).copied().flatten();
        let by_name = || named(&name).or_else(|| named(&first_label(&name)));
        let by_ip = || row.ips.iter().find_map(|ip| self.ips.get(ip).copied());
        by_mac
            .map(|at| (at, "mac"))
            .or_else(|| {
                by_serial()
                    .filter(|_| !row.serial.is_empty())
                    .map(|at| (at, "serial"))
            })
            .or_else(|| {
                by_name()
                    .filter(|_| !name.is_empty())
                    .map(|at| (at, "name"))
            })
            .or_else(|| by_ip().map(|at| (at, "ip")))
    }
}

fn first_label(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

fn unlisted(asset: &Asset) -> Difference {
    let ip = asset.ips.first().map(ToString::to_string);
    let label = asset.names.first().cloned().or_else(|| ip.clone());
    Difference {
        kind: Kind::Unknown,
        line: None,
        label: label.unwrap_or_else(|| asset.id.clone()),
        asset: Some(asset.id.clone()),
        matched_by: None,
        listed: String::new(),
        seen: ip.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
