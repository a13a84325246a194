//! How a command ended: exit codes and the one sentence that goes with them.
//!
//! Enters: errors of any layer. Leaves: an exit code. Refuses: nothing.
//! Source: `DESIGN.md` section 6: 0 done, 1 condition failed, 2 usage or configuration, 3 input
//! unreadable, 4 internal; precedence 4 > 2 > 1 > 3 > 0.

use std::process::ExitCode;

/// How a command ended when nothing went wrong inside Vigie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Everything was done.
    Fully,
    /// Done, and the asked-for condition failed.
    ConditionFailed,
    /// Some input was unreadable; the rest was processed.
    Unreadable,
}

impl Done {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fully => 0,
            Self::ConditionFailed => 1,
            Self::Unreadable => 3,
        }
    }
}

/// A wrong use or configuration: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The exit code of a result, after saying on standard error what went wrong.
pub(crate) fn conclude(result: anyhow::Result<Done>) -> ExitCode {
    match result {
        Ok(done) => ExitCode::from(done.code()),
        Err(error) if closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            crate::output::say(&format!("vigie: {error:#}"));
            let usage = error.downcast_ref::<Usage>().is_some()
                || error.downcast_ref::<crate::config::Refused>().is_some();
            ExitCode::from(if usage { 2 } else { 4 })
        }
    }
}

/// The reader of our output went away (`| head`): that is its right.
fn closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
