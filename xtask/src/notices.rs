//! Third-party notices: every crate that is linked, its licence and the licence's text.
//!
//! Enters: packages. Leaves: one text. Refuses: nothing; a crate without a text is named as such.
//! Source: the licence files that crates carry in their registry archive.

use std::fmt::Write as _;
use std::fs;

use crate::metadata::Package;

/// The notices of everything that is not ours.
pub fn text(packages: &[Package]) -> String {
    let mut out = String::from("Vigie links these third-party crates.\n");
    let mut others: Vec<&Package> = packages.iter().filter(|package| !package.ours).collect();
    others.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    for package in &others {
        let _ = writeln!(
            out,
            "{} {}: {}",
            package.name, package.version, package.licence
        );
    }
    for package in others {
        let _ = writeln!(
            out,
            "\n==== {} {} ({})\n",
            package.name, package.version, package.licence
        );
        let texts = licence_files(package);
        if texts.is_empty() {
            out.push_str("The crate carries no licence file; the expression above applies.\n");
        }
        texts.iter().for_each(|text| out.push_str(text));
    }
    out
}

fn licence_files(package: &Package) -> Vec<String> {
    let Ok(entries) = fs::read_dir(&package.folder) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().to_uppercase();
            ["LICENSE", "LICENCE", "COPYING", "NOTICE"]
                .iter()
                .any(|word| name.starts_with(word))
        })
        .map(|entry| entry.path())
        .collect();
    names.sort();
    names
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}
