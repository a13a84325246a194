//! The style that a machine can check.
//!
//! Enters: the tree as git lists it. Leaves: one line per finding, or silence. Refuses: a finding.
//! Source: `STYLE.md`, rules marked (tidy).

mod arrows;
mod data;
mod docs;
mod licences;
mod size;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::metadata;

/// One file of the tree.
pub struct File {
    /// Path from the root, with `/`.
    pub name: String,
    /// Its text; empty when it is not UTF-8.
    pub text: String,
}

/// Runs every check.
pub fn run(root: &Path) -> Result<()> {
    let files = files(root)?;
    let packages = metadata::packages(root)?;
    let mut found = Vec::new();
    arrows::check(&packages, &mut found);
    licences::check(&packages, &mut found);
    size::check(&files, &mut found);
    docs::check(&files, &mut found);
    data::check(&files, &mut found);
    for line in &found {
        eprintln!("tidy: {line}");
    }
    ensure!(found.is_empty(), "tidy: {} finding(s)", found.len());
    eprintln!(
        "tidy: {} files, {} packages, nothing to say",
        files.len(),
        packages.len()
    );
    Ok(())
}

fn files(root: &Path) -> Result<Vec<File>> {
    let out = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files did not start")?;
    ensure!(out.status.success(), "git ls-files failed");
    let names = String::from_utf8(out.stdout)?;
    let mut files = Vec::new();
    for name in names.lines() {
        let path: PathBuf = root.join(name);
        if path.is_file() {
            let text = String::from_utf8(std::fs::read(&path)?).unwrap_or_default();
            files.push(File {
                name: name.to_owned(),
                text,
            });
        }
    }
    Ok(files)
}
