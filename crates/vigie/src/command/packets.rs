//! `vigie packets`: one flow out of the packet ring, and pins.
//!
//! Enters: a flow, a reason. Leaves: a capture file; words on standard error. Refuses: no reason;
//! a file that is there already. Source: `DESIGN.md` sections 1 and 6.

use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::query::moment;
use crate::cli::{Cli, Packets};
use crate::exit::{Done, Usage};
use crate::output::say;
use crate::ring::{PacketsRequest, PinRequest};
use crate::role::control::{Request, actor, ask, ask_into};
use crate::state::DataDir;
use crate::time;

const DAY_MS: i64 = 86_400_000;

/// Runs the command.
pub(crate) fn run(cli: &Cli, options: &Packets) -> Result<Done> {
    let dir = DataDir::existing(cli).ok_or_else(|| {
        let at = DataDir::locate(cli);
        Usage(format!(
            "{}: no Vigie has run here; use --data-dir",
            at.display()
        ))
    })?;
    let open = || crate::role::core::open_store(cli, &dir);
    if options.pins {
        return list(&ask(&dir, open, &Request::Pins)?);
    }
    let reason = options.reason.clone().unwrap_or_default();
    if reason.trim().len() < 3 {
        return Err(Usage("--reason: say why, it is written to the audit trail".into()).into());
    }
    if let Some(request) = pin(options, &reason) {
        let answer = ask(&dir, open, &request)?;
        let released = answer.get("released").and_then(Value::as_bool);
        say(match released {
            Some(true) => "vigie: released; its packets go in their turn",
            Some(false) => "vigie: it was not pinned",
            None => "vigie: pinned; its packets stay beyond their turn",
        });
        return Ok(Done::Fully);
    }
    let request = PacketsRequest {
        flow: options.flow.clone(),
        uid: options.uid.clone(),
        from: moment(options.from.as_deref(), "--from")?,
        to: moment(options.to.as_deref(), "--to")?,
        reason,
        actor: actor(),
        bytes_max: None,
    };
    let path = options.output.as_deref();
    let path = path.ok_or_else(|| Usage("--output: name the capture file".into()))?;
    to_file(path, |out| {
        ask_into(&dir, open, &Request::Packets(request), out)
    })
}

/// What pins or releases, if that is asked.
fn pin(options: &Packets, reason: &str) -> Option<Request> {
    let now = time::now().0;
    let days = i64::from(options.pin_days.unwrap_or(0));
    let request = PinRequest {
        flow: options.flow.clone()?,
        until: now.saturating_add(days.saturating_mul(DAY_MS)),
        reason: reason.to_owned(),
        actor: actor(),
    };
    if options.release {
        return Some(Request::Unpin(request));
    }
    options.pin_days.map(|_| Request::Pin(request))
}

/// Writes the file beside its name, which it gets when it is whole.
fn to_file(
    path: &Path,
    write: impl FnOnce(&mut (dyn std::io::Write + Send)) -> Result<Value>,
) -> Result<Done> {
    let wrong = |what: &str| Usage(format!("--output: {}: {what}", path.display()));
    if path.exists() {
        return Err(wrong("is there already; name another").into());
    }
    let mut part = path
        .file_name()
        .ok_or_else(|| wrong("is no file name"))?
        .to_owned();
    part.push(".part");
    let part = path.with_file_name(part);
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        // Packets are nobody else's business, unless their owner says so.
        .mode(0o600)
        .open(&part)
        .map_err(|error| wrong(&format!("cannot be written: {error}")))?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out).and_then(|said| {
        out.flush().context("the capture file cannot be written")?;
        Ok(said)
    });
    let said = written.inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })?;
    let count = |key: &str| said.get(key).and_then(Value::as_u64).unwrap_or(0);
    for line in said
        .get("skipped")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        say(&format!(
            "vigie: left out {}",
            line.as_str().unwrap_or_default()
        ));
    }
    let done = if count("skipped_blocks") > 0 {
        Done::Unreadable
    } else {
        Done::Fully
    };
    if count("packets") == 0 {
        let _ = fs::remove_file(&part);
        say("vigie: the packet ring has no packet of this flow; no file was written");
        return Ok(Done::ConditionFailed);
    }
    fs::rename(&part, path).with_context(|| format!("{}", path.display()))?;
    let (packets, bytes) = (count("packets"), count("bytes"));
    say(&format!(
        "vigie: {}: {packets} packets, {bytes} bytes",
        path.display()
    ));
    if count("other_link") > 0 {
        say(&format!(
            "vigie: {} packets of another kind of interface do not fit in the same file",
            count("other_link")
        ));
    }
    Ok(done)
}

fn list(pins: &Value) -> Result<Done> {
    let mut out = std::io::stdout();
    for pin in pins.as_array().into_iter().flatten() {
        writeln!(out, "{pin}")?;
    }
    Ok(Done::Fully)
}
