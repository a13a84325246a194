//! What cargo knows of the workspace.
//!
//! Enters: `cargo metadata`. Leaves: packages with path, licence and arrows. Refuses: nothing.
//! Source: `cargo metadata --format-version 1`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// One package of the resolved graph.
pub struct Package {
    /// Name in its manifest.
    pub name: String,
    /// Version.
    pub version: String,
    /// SPDX expression; empty when none is stated.
    pub licence: String,
    /// True for crates of this workspace.
    pub ours: bool,
    /// True when it comes from the public registry.
    pub registry: bool,
    /// Names of the crates of ours that it needs outside tests.
    pub needs: Vec<String>,
    /// Folder of its manifest.
    pub folder: PathBuf,
}

/// The folder above `xtask/`.
pub fn workspace_root() -> Result<PathBuf> {
    // At run time: a binary of one checkout may be found fresh by another that shares its target
    // folder.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("start xtask with cargo run")?;
    Ok(Path::new(&here)
        .parent()
        .context("xtask has no parent folder")?
        .to_path_buf())
}

/// Every package of the workspace's lock file that this platform uses.
pub fn packages(root: &Path) -> Result<Vec<Package>> {
    let out = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
        ])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root)
        .output()
        .context("cargo metadata did not start")?;
    ensure!(
        out.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let json: Value = serde_json::from_slice(&out.stdout)?;
    let members = json["workspace_members"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let list = json["packages"].as_array().context("no packages")?;
    Ok(list.iter().map(|package| read(package, &members)).collect())
}

fn read(package: &Value, members: &[Value]) -> Package {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let needs = package["dependencies"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let manifest = PathBuf::from(text("manifest_path"));
    Package {
        name: text("name"),
        version: text("version"),
        licence: text("license"),
        ours: members.contains(&package["id"]),
        registry: package["source"]
            .as_str()
            .is_some_and(|source| source.starts_with("registry+")),
        needs: needs
            .iter()
            .filter(|need| need["kind"].as_str() != Some("dev"))
            .filter_map(|need| need["name"].as_str())
            .filter(|name| name.starts_with("vigie"))
            .map(str::to_owned)
            .collect(),
        folder: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
    }
}
