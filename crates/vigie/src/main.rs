//! The binary: command line, configuration, roles, and the wires between the rooms.
//!
//! Enters: arguments. Leaves: an exit code. Refuses: logic that belongs to a room.
//! Source: `DESIGN.md` sections 3 and 6.

mod cli;
mod command;
mod config;
mod exit;
mod link;
mod output;
mod pipeline;
mod ring;
mod role;
mod state;
mod stop;
mod time;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, RoleName};
use crate::exit::{Done, conclude};

fn main() -> ExitCode {
    // clap ends with code 2 on wrong use and 0 on --help by itself.
    let cli = Cli::parse();
    start_logs(&cli);
    conclude(run(&cli))
}

fn run(cli: &Cli) -> anyhow::Result<Done> {
    match &cli.command {
        Command::Up(options) => role::supervisor::run(cli, options),
        Command::Read(options) => command::read::run(cli, options),
        Command::Replay(options) => command::replay::run(cli, options),
        Command::Query(options) => command::query::run(cli, options),
        Command::Inventory(options) => command::inventory::run(cli, options),
        Command::Packets(options) => command::packets::run(cli, options),
        Command::Demo(options) => command::demo::run(cli, options),
        Command::Config(verb) => command::config::run(cli, verb),
        Command::Vault(verb) => command::vault::run(cli, verb),
        Command::Doctor => command::doctor::run(cli),
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            std::io::stdout().write_all(&page)?;
            Ok(Done::Fully)
        }
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "vigie", &mut std::io::stdout());
            Ok(Done::Fully)
        }
        Command::Role(options) => {
            match options.name {
                RoleName::Sensor => role::sensor::run(cli, &options.up)?,
                RoleName::Core => role::core::run(cli, &options.up)?,
            }
            Ok(Done::Fully)
        }
    }
}

/// Logs go to standard error. `VIGIE_LOG` takes a filter such as `store=debug`.
fn start_logs(cli: &Cli) {
    let usual = if cli.quiet { "error" } else { "info" };
    let filter = EnvFilter::try_from_env("VIGIE_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let colour = std::env::var_os("NO_COLOR").is_none()
        && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if cli.json_logs {
        logs.json().init();
    } else {
        logs.with_ansi(colour).with_target(false).init();
    }
}
