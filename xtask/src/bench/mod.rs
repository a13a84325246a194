//! `./dev bench NAME`: figures beside a peer, on the release build.
//!
//! Enters: the bench's name and its arguments. Leaves: what the bench prints. Refuses: unknown
//! names. Source: `DESIGN.md` section 7.

mod agreement;
mod inputs;
mod machine;
mod measure;
mod store;
mod wire;

use std::path::Path;

use anyhow::{Result, bail};

/// Runs one bench.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let (name, rest) = args
        .split_first()
        .map_or(("", args), |(n, r)| (n.as_str(), r));
    match name {
        "wire" => wire::run(root, rest),
        "store" => store::run(root, rest),
        "agreement" => agreement::run(root, rest),
        _ => bail!("which bench? wire [CAPTURE...], store, agreement"),
    }
}
