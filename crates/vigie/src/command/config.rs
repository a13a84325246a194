//! `vigie config`: check, show, reference.
//!
//! Enters: the file. Leaves: what is in force. Refuses: what [`Config::load`] refuses, exit code 2.
//! Source: `DESIGN.md` section 6.

use std::io::Write as _;

use anyhow::Result;

use crate::cli::{Cli, ConfigVerb};
use crate::config::{Config, fields, reference};
use crate::exit::Done;
use crate::output::say;

/// Runs the command.
pub(crate) fn run(cli: &Cli, verb: &ConfigVerb) -> Result<Done> {
    let mut out = std::io::stdout();
    match verb {
        ConfigVerb::Check => {
            Config::load(cli.config.as_deref())?;
            if !cli.quiet {
                say("vigie: the configuration is right");
            }
        }
        ConfigVerb::Show => {
            let config = Config::load(cli.config.as_deref())?;
            out.write_all(toml::to_string(&config)?.as_bytes())?;
        }
        ConfigVerb::Fields => out.write_all(fields().as_bytes())?,
        ConfigVerb::Reference => out.write_all(reference().as_bytes())?,
    }
    Ok(Done::Fully)
}
