//! `vigie replay --list` and `--purge ID`.
//!
//! Enters: the name of a replay. Leaves: a table; a store without that replay.
//! Refuses: names of no replay, with the nearest; names that a search could not hold.
//! Source: `docs/adr/0007`.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use model::Millis;
use serde::Deserialize;

use crate::cli::Cli;
use crate::config::suggest::nearest;
use crate::exit::{Done, Usage};
use crate::output::say;
use crate::role::control::{Request, actor, ask};
use crate::state::DataDir;
use crate::time::rfc3339;

/// Longest name of a replay.
const ID_CHARS_MAX: usize = 64;

/// One replay, as core tells it.
#[derive(Deserialize)]
struct Present {
    id: String,
    events: u64,
    time_min: i64,
    time_max: i64,
}

#[derive(Deserialize)]
struct Known {
    present: Vec<Present>,
    purged: Vec<String>,
}

/// What a purge removed, as core tells it.
#[derive(Deserialize)]
struct Gone {
    events: u64,
    segments: u64,
    vault_files: u64,
}

/// Prints the replays that have events.
pub(super) fn list(cli: &Cli) -> Result<Done> {
    let dir = existing(cli)?;
    let known = known(cli, &dir)?;
    let mut out = std::io::stdout();
    if known.present.is_empty() {
        say("vigie: no replay is in the store");
        return Ok(Done::Fully);
    }
    let ids = known.present.iter().map(|replay| replay.id.chars().count());
    let width = ids.max().unwrap_or(0).max(2);
    writeln!(
        out,
        "{:width$}  {:>10}  {:24}  last",
        "id", "events", "first"
    )?;
    for replay in &known.present {
        writeln!(
            out,
            "{:width$}  {:>10}  {:24}  {}",
            replay.id,
            replay.events,
            rfc3339(Millis(replay.time_min)),
            rfc3339(Millis(replay.time_max))
        )?;
    }
    Ok(Done::Fully)
}

/// Removes a replay for good.
pub(super) fn purge(cli: &Cli, id: &str, reason: &str) -> Result<Done> {
    if reason.trim().len() < 3 {
        return Err(Usage("--reason: say why, it is written to the audit trail".into()).into());
    }
    let dir = existing(cli)?;
    let known = known(cli, &dir)?;
    if !known.present.iter().any(|replay| replay.id == id) {
        if known.purged.iter().any(|purged| purged == id) {
            say(&format!("vigie: replay '{id}' was purged already"));
            return Ok(Done::Fully);
        }
        let names = known.present.iter().map(|replay| replay.id.as_str());
        let near =
            nearest(id, names).map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
        let text = format!("no replay '{id}' is in the store{near} ('vigie replay --list')");
        return Err(Usage(text).into());
    }
    let request = Request::ReplayPurge {
        id: id.to_owned(),
        reason: reason.to_owned(),
        actor: actor(),
    };
    let open = || crate::role::core::open_store(cli, &dir);
    let answer = ask(&dir, open, &request)?;
    let gone: Gone = serde_json::from_value(answer).context("core answered something else")?;
    say(&format!(
        "vigie: replay '{id}' is gone: {} events, {} segments, {} files of clear values",
        gone.events, gone.segments, gone.vault_files
    ));
    Ok(Done::Fully)
}

/// Refuses a name that cannot be given to a new replay.
pub(super) fn check_new(cli: &Cli, dir: &DataDir, id: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > ID_CHARS_MAX || !id.chars().all(fits) || id.contains("..") {
        return Err(Usage(format!(
            "--id: '{id}' is not 1 to {ID_CHARS_MAX} letters, digits, '-', '_' or single '.'"
        ))
        .into());
    }
    if known(cli, dir)?.purged.iter().any(|purged| purged == id) {
        return Err(Usage(format!(
            "--id: replay '{id}' was purged, nothing of that name is taken again; choose another"
        ))
        .into());
    }
    Ok(())
}

fn existing(cli: &Cli) -> Result<DataDir> {
    DataDir::existing(cli).ok_or_else(|| {
        let at = DataDir::locate(cli);
        Usage(format!(
            "{}: no Vigie has run here; use --data-dir",
            at.display()
        ))
        .into()
    })
}

fn known(cli: &Cli, dir: &DataDir) -> Result<Known> {
    let open = || crate::role::core::open_store(cli, dir);
    let answer = ask(dir, open, &Request::Replays)?;
    serde_json::from_value(answer).context("core answered something else")
}
