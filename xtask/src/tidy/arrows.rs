//! Crate arrows point one way.
//!
//! Enters: packages. Leaves: arrows that go up or sideways. Refuses: a crate without a layer.
//! Source: `DESIGN.md` section 3.

use crate::metadata::Package;

/// Crates by layer, lowest first. Inside a layer there is no arrow, but audit -> identity.
const LAYERS: &[&[&str]] = &[
    &["model"],
    &["codec"],
    &["wire", "inspect", "policy", "detect", "intel", "store"],
    &["capture", "malware", "identity", "audit"],
    &["gate", "console"],
    &["vigie"],
];

/// Finds arrows that the house does not allow.
pub fn check(packages: &[Package], found: &mut Vec<String>) {
    for package in packages.iter().filter(|package| package.ours) {
        let Some(own) = layer(&package.name) else {
            found.push(format!("{}: in no layer of DESIGN section 3", package.name));
            continue;
        };
        for need in &package.needs {
            let below = layer(need).is_some_and(|layer| layer < own);
            let excepted = short(&package.name) == "audit" && short(need) == "identity";
            if !below && !excepted {
                found.push(format!(
                    "{} -> {need}: arrows point down only",
                    package.name
                ));
            }
        }
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("vigie-").unwrap_or(name)
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&short(name)))
}
