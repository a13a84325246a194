//! `vigie doctor`: what works here, what does not, and the command that mends it.
//!
//! Enters: this machine. Leaves: one line a check on standard output. Refuses: changing anything.
//! Source: `STYLE.md` rule 21.

use std::io::Write as _;

use anyhow::Result;
use capture::live::{LiveConfig, Ring};

use crate::cli::Cli;
use crate::config::Config;
use crate::exit::Done;
use crate::state::{DataDir, Run};

/// Free disk below which we say so.
const FREE_BYTES_MIN: u64 = 5 << 30;

struct Finding {
    good: bool,
    what: String,
    mend: Option<String>,
}

/// Runs the command.
pub(crate) fn run(cli: &Cli) -> Result<Done> {
    let mut findings = vec![configuration(cli)];
    findings.push(folder(cli));
    findings.push(running(cli));
    findings.extend(interfaces());
    let mut out = std::io::stdout();
    for finding in &findings {
        let mark = if finding.good { "ok  " } else { "look" };
        writeln!(out, "{mark} {}", finding.what)?;
        if let Some(mend) = &finding.mend {
            writeln!(out, "     -> {mend}")?;
        }
    }
    Ok(Done::Fully)
}

fn good(what: String) -> Finding {
    Finding {
        good: true,
        what,
        mend: None,
    }
}

fn bad(what: String, mend: impl Into<String>) -> Finding {
    Finding {
        good: false,
        what,
        mend: Some(mend.into()),
    }
}

fn configuration(cli: &Cli) -> Finding {
    match Config::load(cli.config.as_deref()) {
        Ok(config) if config.site.zones.is_empty() => Finding {
            good: true,
            what: "configuration: right, no zones named yet".to_owned(),
            mend: Some("name zones in the console's guided start, or in [site.zones]".to_owned()),
        },
        Ok(config) => good(format!(
            "configuration: right, {} zones",
            config.site.zones.len()
        )),
        Err(refused) => bad(format!("configuration: {refused}"), "correct that line"),
    }
}

fn folder(cli: &Cli) -> Finding {
    let path = DataDir::locate(cli);
    let existing = path.ancestors().find(|folder| folder.is_dir());
    let Some(stat) = existing.and_then(|folder| rustix::fs::statvfs(folder).ok()) else {
        return bad(
            format!("state: {} cannot be looked at", path.display()),
            "use --data-dir",
        );
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let what = format!("state: {}, {} GiB free", path.display(), free >> 30);
    if free < FREE_BYTES_MIN {
        return bad(
            what,
            "free some disk, or lower [store] free_min and size_max",
        );
    }
    good(what)
}

fn running(cli: &Cli) -> Finding {
    let run = DataDir::existing(cli).and_then(|dir| dir.json::<Run>("run.json"));
    match run {
        Some(run) if run.ready => good(format!("running: console at {}", run.console_url)),
        Some(_) => bad(
            "running: starting, or ended without order".to_owned(),
            "vigie up",
        ),
        None => good("running: not now; 'vigie up' starts it".to_owned()),
    }
}

fn interfaces() -> Vec<Finding> {
    let all = capture::live::interfaces().unwrap_or_default();
    if all.is_empty() {
        return vec![bad("capture: no interface found".to_owned(), "plug one in")];
    }
    all.iter()
        .map(|interface| {
            let name = &interface.name;
            if !interface.up {
                return bad(
                    format!("capture: {name} is down"),
                    format!("ip link set {name} up"),
                );
            }
            let config = LiveConfig {
                ring_mib: 1,
                promiscuous: false,
                ..LiveConfig::of(name)
            };
            match Ring::open(&config) {
                Ok(_) => good(format!("capture: {name} can be watched")),
                Err(error) => Finding {
                    good: false,
                    what: format!("capture: {name}: {error}"),
                    mend: None,
                },
            }
        })
        .collect()
}
