//! `vigie inventory`: the devices of the site, and how they differ from the hospital's own list.
//!
//! Enters: the running core's inventory, this folder's, or captures; a CSV list to compare with.
//! Leaves: a table, OCSF events or CSV on standard output; differences with `--compare`.
//! Refuses: lists above [`LIST_BYTES_MAX`], and those without a column by which a device is found.
//! Source: `DESIGN.md` section 6.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use detect::asset::SharedInventory;
use detect::asset::compare::{Comparison, compare};
use model::port::{Asset, AssetView as _};
use model::{Event, Millis};
use serde_json::{Value, json};

use super::query::{csv, table};
use super::read::{self, Target};
use crate::cli::{Cli, Format, Inventory, InventoryFormat, Read};
use crate::config::Config;
use crate::exit::{Done, Usage};
use crate::output::{printer, say};
use crate::pipeline::Pipeline;
use crate::role::control;
use crate::state::DataDir;
use crate::time;

/// Largest list that is compared.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Runs the command.
pub(crate) fn run(cli: &Cli, options: &Inventory) -> Result<Done> {
    let config = Config::load(cli.config.as_deref())?;
    let list = options.compare.as_deref().map(list).transpose()?;
    let (found, mut done) = if options.files.is_empty() {
        (Found::here(cli, options, &config)?, Done::Fully)
    } else {
        Found::captured(cli, options, &config)?
    };
    let mut out = BufWriter::new(io::stdout());
    let Some(list) = list else {
        found.print(&mut out, options.format)?;
        out.flush()?;
        return Ok(done);
    };
    let named = options.compare.as_deref().unwrap_or(Path::new(""));
    let compared = compare(&found.assets(), &list)
        .map_err(|why| Usage(format!("--compare {}: {why}", named.display())))?;
    differences(&mut out, &compared, options.format)?;
    out.flush()?;
    if !cli.quiet {
        say(&summary(&compared));
    }
    if options.fail_on_difference && !compared.differences.is_empty() {
        // The asked-for condition goes before an input that was not readable.
        done = Done::ConditionFailed;
    }
    Ok(done)
}

fn list(path: &Path) -> Result<Vec<u8>> {
    let wrong = |why: String| Usage(format!("--compare {}: {why}", path.display()));
    let about = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
    if about.len() > LIST_BYTES_MAX {
        return Err(wrong(format!("larger than {LIST_BYTES_MAX} bytes")).into());
    }
    Ok(std::fs::read(path).map_err(|error| wrong(error.to_string()))?)
}

/// An inventory, however it was come by.
enum Found {
    Assets(Vec<Asset>),
    /// JSON texts of events.
    Lines(Vec<String>),
    Captured(Box<SharedInventory>, Millis),
}

impl Found {
    /// That of this installation.
    fn here(cli: &Cli, options: &Inventory, config: &Config) -> Result<Self> {
        let dir = DataDir::existing(cli).ok_or_else(|| {
            let at = DataDir::locate(cli);
            Usage(format!(
                "{}: no Vigie has run here; 'vigie up', --data-dir, or name captures",
                at.display()
            ))
        })?;
        let events = options.compare.is_none() && options.format == InventoryFormat::Ndjson;
        let open = || {
            let store = crate::role::core::open_store(cli, &dir)?;
            Ok(Pipeline::new(config, store))
        };
        let answer = control::ask_inventory(&dir, open, events)?;
        Ok(if events {
            Self::Lines(serde_json::from_value(answer)?)
        } else {
            Self::Assets(serde_json::from_value(answer)?)
        })
    }

    /// That of captures.
    fn captured(cli: &Cli, options: &Inventory, config: &Config) -> Result<(Self, Done)> {
        let mut target = Observed {
            inventory: SharedInventory::new(crate::role::core::inventory(config)),
            last: Millis::default(),
        };
        let reading = Read {
            files: options.files.clone(),
            format: Format::Ndjson,
            only: Vec::new(),
            // Facts are read from clear values, as in core; nothing of them is printed.
            clear: true,
            into_store: false,
            keylog: options.keylog.clone(),
            reproducible: true,
            hash_files: false,
            extract_files: None,
        };
        let done = read::into(cli, &reading, config, &mut target)?;
        let found = Self::Captured(Box::new(target.inventory), target.last);
        Ok((found, done))
    }

    fn assets(&self) -> Vec<Asset> {
        match self {
            Self::Assets(assets) => assets.clone(),
            Self::Lines(_) => Vec::new(),
            Self::Captured(inventory, _) => inventory.assets(),
        }
    }

    fn print(&self, out: &mut impl Write, format: InventoryFormat) -> Result<()> {
        match (format, self) {
            (InventoryFormat::Ndjson, Self::Lines(lines)) => {
                lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            }
            (InventoryFormat::Ndjson, Self::Captured(inventory, last)) => {
                let mut printer = printer(Format::Ndjson, false);
                for event in inventory.lock().to_events(*last) {
                    printer.event(&event)?;
                }
                printer.finish()?;
            }
            (InventoryFormat::Ndjson, Self::Assets(assets)) => {
                for asset in assets {
                    writeln!(out, "{}", json!(asset))?;
                }
            }
            (InventoryFormat::Csv, _) => {
                writeln!(out, "{}", HEADER.join(","))?;
                for asset in self.assets() {
                    writeln!(out, "{}", guarded(&line(&asset)))?;
                }
            }
            (InventoryFormat::Table, _) => people(out, &self.assets())?,
        }
        Ok(())
    }
}

/// Learns from the events of captures.
struct Observed {
    inventory: SharedInventory,
    last: Millis,
}

impl Target for Observed {
    fn take(&mut self, events: &mut Vec<Event>) -> Result<()> {
        self.inventory.observe(events.iter());
        let latest = events.iter().map(|event| event.meta.time).max();
        self.last = latest.map_or(self.last, |latest| latest.max(self.last));
        events.clear();
        // Changes become no events here: the histories of the assets have them.
        drop(self.inventory.lock().take_changes(self.last));
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Columns of the CSV form.
const HEADER: [&str; 22] = [
    "id",
    "ip",
    "mac",
    "vendor",
    "model",
    "serial",
    "firmware",
    "os",
    "os_version",
    "hostname",
    "zone",
    "department",
    "role",
    "role_confidence",
    "role_evidence",
    "services",
    "protocols",
    "first_seen",
    "last_seen",
    "peers",
    "bytes",
    "warnings",
];

fn line(asset: &Asset) -> [String; HEADER.len()] {
    let one = |value: &Option<String>| value.clone().unwrap_or_default();
    let best = asset.roles.first();
    [
        asset.id.clone(),
        addresses(asset),
        one(&asset.mac),
        one(&asset.vendor),
        one(&asset.model),
        one(&asset.serial),
        one(&asset.firmware),
        one(&asset.os),
        one(&asset.os_version),
        asset.names.join(" "),
        one(&asset.zone),
        one(&asset.department),
        one(&asset.role),
        best.map_or_else(String::new, |role| role.score.to_string()),
        evidence(asset),
        asset.serves.join(" "),
        asset.speaks.join(" "),
        time::rfc3339(Millis(asset.first_seen)),
        time::rfc3339(Millis(asset.last_seen)),
        asset.peers.to_string(),
        asset.bytes.to_string(),
        warnings(asset),
    ]
}

fn addresses(asset: &Asset) -> String {
    let ips: Vec<String> = asset.ips.iter().map(ToString::to_string).collect();
    ips.join(" ")
}

/// What speaks for the role, with the weights.
fn evidence(asset: &Asset) -> String {
    let reasons = asset.roles.first().map(|role| role.reasons.iter());
    let reasons = reasons.into_iter().flatten();
    let texts: Vec<String> = reasons
        .map(|reason| format!("{} ({:+})", reason.text, reason.weight))
        .collect();
    texts.join("; ")
}

fn warnings(asset: &Asset) -> String {
    let warnings = asset.warnings.iter();
    let texts: Vec<String> = warnings
        .map(|warning| format!("{} {} {}", warning.kind, warning.value, warning.other))
        .collect();
    texts.join("; ")
}

/// A CSV line whose cells no spreadsheet runs: an apostrophe goes before what begins a formula.
fn guarded<T: AsRef<str>>(cells: &[T]) -> String {
    let safe = cells.iter().map(|cell| {
        let cell = cell.as_ref();
        if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
            csv(&format!("'{cell}"))
        } else {
            csv(cell)
        }
    });
    safe.collect::<Vec<String>>().join(",")
}

fn people(out: &mut impl Write, assets: &[Asset]) -> Result<()> {
    let columns = [
        "address", "mac", "name", "role", "score", "vendor", "model", "os", "services", "warnings",
    ];
    let rows: Vec<Value> = assets
        .iter()
        .map(|asset| {
            json!([
                addresses(asset),
                asset.mac,
                asset.names.first(),
                asset.role,
                asset.roles.first().map(|role| role.score),
                asset.vendor,
                asset.model,
                asset.os,
                asset.serves.join(" "),
                warnings(asset),
            ])
        })
        .collect();
    let columns: Vec<(&str, &str)> = columns.iter().map(|name| (*name, "text")).collect();
    Ok(table(out, &columns, &rows)?)
}

fn differences(out: &mut impl Write, compared: &Comparison, format: InventoryFormat) -> Result<()> {
    const COLUMNS: [&str; 7] = [
        "difference",
        "line",
        "device",
        "asset",
        "matched_by",
        "listed",
        "seen",
    ];
    let rows = compared.differences.iter().map(|one| {
        [
            one.kind.code().to_owned(),
            one.line.map_or_else(String::new, |line| line.to_string()),
            one.label.clone(),
            one.asset.clone().unwrap_or_default(),
            one.matched_by.unwrap_or_default().to_owned(),
            one.listed.clone(),
            one.seen.clone(),
        ]
    });
    match format {
        InventoryFormat::Csv => {
            writeln!(out, "{}", COLUMNS.join(","))?;
            for row in rows {
                writeln!(out, "{}", guarded(&row))?;
            }
        }
        InventoryFormat::Ndjson => {
            for row in rows {
                let cells = COLUMNS.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
                let object = cells.map(|(name, cell)| ((*name).to_owned(), Value::String(cell)));
                writeln!(out, "{}", Value::Object(object.collect()))?;
            }
        }
        InventoryFormat::Table => {
            let rows: Vec<Value> = rows.map(|row| json!(row)).collect();
            let columns: Vec<(&str, &str)> = COLUMNS.iter().map(|name| (*name, "text")).collect();
            table(out, &columns, &rows)?;
        }
    }
    Ok(())
}

fn summary(compared: &Comparison) -> String {
    format!(
        "vigie: {} rows of the list (columns {}; {} without a device), {} found on the network, {} \
         differences",
        compared.rows,
        compared.columns.join(", "),
        compared.skipped,
        compared.matched,
        compared.differences.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let cells = [
            "=cmd|'/c calc'!A0",
            "+1",
            "-2",
            "@x",
            "\tz",
            "a,b",
            "plain",
            "a=b",
        ];
        let expected = "'=cmd|'/c calc'!A0,'+1,'-2,'@x,'\tz,\"a,b\",plain,a=b";
        assert_eq!(guarded(&cells), expected);
        assert_eq!(guarded(&["=a,b"]), "\"'=a,b\"");
    }
}
