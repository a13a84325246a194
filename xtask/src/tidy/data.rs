//! Shipped data says where it comes from; metric names stand in one place.
//!
//! Enters: files. Leaves: data files without origin, metrics outside the registry.
//! Refuses: a row of `rules/SOURCES.tsv` without origin, licence and date. Source: `STYLE.md` 48.

use super::File;

const SOURCES: &str = "rules/SOURCES.tsv";
const METRICS: &str = "crates/model/src/metric.rs";
const PREFIXES: &[&str] = &[
    "capture", "wire", "link", "store", "console", "role", "gate", "policy", "detect", "inspect",
];

/// Finds unlisted data and unregistered metrics.
pub fn check(files: &[File], found: &mut Vec<String>) {
    let listed = files
        .iter()
        .find(|file| file.name == SOURCES)
        .map(|file| file.text.as_str());
    for file in files
        .iter()
        .filter(|file| file.name.starts_with("rules/") && file.name != SOURCES)
    {
        let row = listed
            .unwrap_or_default()
            .lines()
            .find(|line| line.split('\t').next() == Some(file.name.as_str()));
        let full =
            row.is_some_and(|row| row.split('\t').filter(|cell| !cell.is_empty()).count() >= 4);
        if !full {
            found.push(format!(
                "{}: no row with origin, licence and date in {SOURCES}",
                file.name
            ));
        }
    }
    let registry = files
        .iter()
        .find(|file| file.name == METRICS)
        .map_or("", |file| &file.text);
    for file in files
        .iter()
        .filter(|file| file.name.ends_with(".rs") && file.name != METRICS)
    {
        for name in metrics(&file.text) {
            if !registry.contains(&name) {
                found.push(format!("{}: metric {name} is not in {METRICS}", file.name));
            }
        }
    }
}

/// Metric names in a text.
fn metrics(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for prefix in PREFIXES {
        let start = format!("vigie_{prefix}_");
        for part in text.split(&start).skip(1) {
            let rest: String = part
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            if rest.ends_with("_total") || rest.ends_with("_bytes") {
                names.push(format!("{start}{rest}"));
            }
        }
    }
    names
}
