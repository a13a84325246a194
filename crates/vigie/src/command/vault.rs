//! `vigie vault`: clear values behind tokens.
//!
//! Enters: an event identity or a month, and a reason. Leaves: clear values on standard output.
//! Refuses: to show or destroy anything before the audit trail has it. Source: `DESIGN.md` section
//! 1.

use std::io::{IsTerminal as _, Write as _};

use anyhow::Result;
use serde_json::Value;

use crate::cli::{Cli, VaultVerb};
use crate::exit::{Done, Usage};
use crate::output::say;
use crate::role::control::{Request, actor, ask};
use crate::state::DataDir;

/// Runs the command.
pub(crate) fn run(cli: &Cli, verb: &VaultVerb) -> Result<Done> {
    let dir = DataDir::open(cli)?;
    let open = || crate::role::core::open_store(cli, &dir);
    match verb {
        VaultVerb::Open { uid, reason } => {
            need_reason(reason)?;
            let request = Request::VaultOpen {
                uid: uid.clone(),
                reason: reason.clone(),
                actor: actor(),
            };
            let answer = ask(&dir, open, &request)?;
            let values = answer.get("values").and_then(Value::as_array).cloned();
            let mut out = std::io::stdout();
            for value in values.unwrap_or_default() {
                writeln!(out, "{value}")?;
            }
        }
        VaultVerb::Destroy { month, reason, yes } => {
            need_reason(reason)?;
            if !yes && !confirmed(month)? {
                say("vigie: nothing was destroyed");
                return Ok(Done::Fully);
            }
            let request = Request::VaultDestroy {
                month: month.clone(),
                reason: reason.clone(),
                actor: actor(),
            };
            ask(&dir, open, &request)?;
            say(&format!(
                "vigie: the key of {month} is destroyed; its clear values are gone"
            ));
        }
    }
    Ok(Done::Fully)
}

fn need_reason(reason: &str) -> Result<()> {
    if reason.trim().len() < 3 {
        return Err(Usage("--reason: say why, it is written to the audit trail".into()).into());
    }
    Ok(())
}

fn confirmed(month: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Usage("no terminal to ask on: add --yes".into()).into());
    }
    say(&format!(
        "The clear values of {month} can never be read again. Type the month to go on:"
    ));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == month)
}
