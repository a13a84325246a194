//! Licences, sources and banned crates of everything that we link.
//!
//! Enters: packages. Leaves: those that we may not ship. Refuses: unknown licences.
//! Source: `STYLE.md` rule 45.

use crate::metadata::Package;

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs"];
/// Heavy crates of which one version is enough.
const SINGLE: &[&str] = &[
    "datafusion",
    "arrow",
    "parquet",
    "tokio",
    "hyper",
    "axum",
    "rustls",
];

/// Finds licences, sources and crates that we may not ship.
pub fn check(packages: &[Package], found: &mut Vec<String>) {
    for package in packages.iter().filter(|package| !package.ours) {
        let at = format!("{} {}", package.name, package.version);
        if !package.registry {
            found.push(format!("{at}: not from the registry"));
        }
        if BANNED.contains(&package.name.as_str()) {
            found.push(format!("{at}: banned"));
        }
        if !allowed(&package.licence) {
            found.push(format!(
                "{at}: licence '{}' is not on the list",
                package.licence
            ));
        }
    }
    for name in SINGLE {
        if packages
            .iter()
            .filter(|package| package.name == *name)
            .count()
            > 1
        {
            found.push(format!("{name}: more than one version"));
        }
    }
}

/// An expression passes when every part of one alternative is on the list.
fn allowed(expression: &str) -> bool {
    let plain = expression.replace('/', " OR ").replace(['(', ')'], " ");
    if expression.contains(") AND") || expression.contains("AND (") {
        // Each side of the conjunction must offer one allowed alternative.
        return expression.split(" AND ").all(|side| {
            side.replace(['(', ')'], " ")
                .split(" OR ")
                .any(|part| ALLOWED.contains(&part.trim()))
        });
    }
    plain.split(" OR ").any(|alternative| {
        alternative
            .split(" AND ")
            .all(|part| ALLOWED.contains(&part.trim()))
    })
}
