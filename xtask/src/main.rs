//! The project's own tool: `cargo xtask COMMAND`, or through `./dev`.
//!
//! Enters: a command. Leaves: its exit code, progress on standard error. Refuses: unknown commands.
//! Source: `DESIGN.md`, `STYLE.md`.

mod bench;
mod clean;
mod fuzz;
mod metadata;
mod notices;
mod package;
mod run;
mod soak;
mod test;
mod tidy;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let root = metadata::workspace_root()?;
    std::env::set_current_dir(&root)?;
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    match command.as_str() {
        "tidy" => tidy::run(&root),
        "test" => test::run(&root, &rest),
        "check" => test::check(&root),
        "soak" => soak::run(&root, &rest),
        "bench" => bench::run(&root, &rest),
        "package" => package::build(&root).map(|_| ()),
        "unpacked" => match rest.as_slice() {
            [binary] => clean::unpacked(&root, std::path::Path::new(binary)),
            _ => bail!("unpacked BINARY: the package of that binary, tried without network"),
        },
        "fuzz" => fuzz::run(&root, &rest),
        "notices" => {
            print!("{}", notices::text(&metadata::packages(&root)?));
            Ok(())
        }
        other => {
            bail!(
                "unknown command '{other}': tidy, test, check, soak, bench, fuzz, package, notices"
            )
        }
    }
}
