//! The checks of suricata-verify on our EVE output.
//!
//! Enters: folders with a capture and a `test.yaml`. Leaves: which checks hold, and at which field
//! the others fail. Refuses: checks of versions before 8, and of records that are not the metadata
//! of a protocol. Source: suricata-verify, `run.py` (how a filter matches).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use super::{ours, yaml};

/// Records whose content does not depend on the engine.
const NEUTRAL: &[&str] = &[
    "dhcp", "dns", "http", "krb5", "ldap", "mqtt", "quic", "rdp", "smb", "smtp", "ssh", "tls",
];
/// How an engine counts, not what was on the wire.
const BOOKKEEPING: &[&str] = &["pcap_cnt", "pkt_src", "tx_id"];
/// What Vigie does not keep on purpose: secrets, and the content of messages.
const WITHHELD: &[&str] = &["mqtt.connect.password", "mqtt.publish.message"];

/// What came of one check.
pub(super) struct Check {
    /// The test.
    pub(super) test: String,
    /// The kind of record.
    pub(super) kind: String,
    /// How many records were wanted.
    pub(super) wanted: usize,
    /// How many match, bookkeeping and withheld fields left out.
    pub(super) found: usize,
    /// How many match in every field.
    pub(super) strictly: usize,
    /// The fields at which records of the kind fail, most often first.
    pub(super) fails_at: Vec<String>,
}

/// Runs every check below a folder.
pub(super) fn run(binary: &Path, folder: &Path) -> Result<Vec<Check>> {
    let mut tests = Vec::new();
    walk(folder, &mut tests)?;
    tests.sort();
    let done = super::each(&tests, |test| one(binary, folder, test))?;
    Ok(done.into_iter().flatten().collect())
}

fn walk(folder: &Path, tests: &mut Vec<PathBuf>) -> Result<()> {
    if folder.join("test.yaml").is_file() {
        tests.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, tests)?;
        }
    }
    Ok(())
}

fn one(binary: &Path, root: &Path, test: &Path) -> Result<Vec<Check>> {
    let described = yaml::read(&fs::read_to_string(test.join("test.yaml"))?);
    let filters: Vec<&Value> = list(&described["checks"])
        .iter()
        .map(|check| &check["filter"])
        .filter(|filter| is_wanted(filter))
        .collect();
    let capture = described["pcap"].as_str().map(|name| test.join(name));
    let capture = capture
        .filter(|path| path.is_file())
        .map_or_else(|| pcap(test), Ok)?;
    let (Some(capture), false) = (capture.exists().then_some(capture), filters.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut records = Vec::new();
    ours::events(binary, "eve", &capture, |record| records.push(record))?;
    let name = test
        .strip_prefix(root)
        .unwrap_or(test)
        .display()
        .to_string();
    Ok(filters
        .iter()
        .map(|filter| check(&name, filter, &records))
        .collect())
}

fn pcap(test: &Path) -> Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(test)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    found.retain(|path| path.to_string_lossy().contains(".pcap"));
    found.sort();
    Ok(found.into_iter().next().unwrap_or_default())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn is_wanted(filter: &Value) -> bool {
    let kind = filter["match"]["event_type"].as_str().unwrap_or_default();
    // Records of versions before 8 had other fields.
    let old = filter["requires"]["lt-version"].as_str().map(str::to_owned);
    let old = old.or_else(|| {
        filter["requires"]["lt-version"]
            .as_i64()
            .map(|n| n.to_string())
    });
    let old = old.or_else(|| filter["lt-version"].as_i64().map(|n| n.to_string()));
    NEUTRAL.contains(&kind) && old.is_none_or(|version| version.starts_with('9'))
}

fn check(test: &str, filter: &Value, records: &[Value]) -> Check {
    let wanted = filter["count"].as_u64().unwrap_or(0);
    let kind = filter["match"]["event_type"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let matching = |record: &Value, left_out: &[&[&str]]| fails_at(record, filter, left_out);
    let lenient: &[&[&str]] = &[BOOKKEEPING, WITHHELD];
    let found = records
        .iter()
        .filter(|record| matching(record, lenient).is_none())
        .count();
    let strictly = records
        .iter()
        .filter(|record| matching(record, &[]).is_none())
        .count();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for record in records
        .iter()
        .filter(|record| record["event_type"] == kind.as_str())
    {
        if let Some(place) = matching(record, lenient) {
            *places.entry(place).or_default() += 1;
        }
    }
    let mut places: Vec<(String, usize)> = places.into_iter().collect();
    places.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Check {
        test: test.to_owned(),
        kind,
        wanted: usize::try_from(wanted).unwrap_or(usize::MAX),
        found,
        strictly,
        fails_at: places.into_iter().map(|(place, _)| place).collect(),
    }
}

/// The first field of a filter that a record does not match.
fn fails_at(record: &Value, filter: &Value, left_out: &[&[&str]]) -> Option<String> {
    let members = filter["match"].as_object()?;
    let failing = members.iter().find(|(path, wanted)| {
        if left_out.iter().any(|list| list.contains(&path.as_str())) {
            return false;
        }
        let paths = || match wanted {
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect::<Vec<_>>(),
        };
        match path.as_str() {
            "has-key" => paths().iter().any(|path| find(record, path).is_none()),
            "not-has-key" => paths().iter().any(|path| find(record, path).is_some()),
            path => match path.strip_suffix("__len") {
                Some(path) => {
                    let length = find(record, path).and_then(Value::as_array).map(Vec::len);
                    length.map(|length| length as u64) != wanted.as_u64()
                }
                None => !find(record, path).is_some_and(|found| equal(found, wanted)),
            },
        }
    });
    failing.map(|(path, _)| path.clone())
}

fn equal(found: &Value, wanted: &Value) -> bool {
    let plain = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    found == wanted || plain(found) == plain(wanted)
}

/// The value at a path such as `dns.answers[0].rdata`.
fn find<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(record, |value, part| match part.split_once('[') {
            Some((name, index)) => value
                .get(name)?
                .get(index.strip_suffix(']')?.parse::<usize>().ok()?),
            None => value.get(part),
        })
}
