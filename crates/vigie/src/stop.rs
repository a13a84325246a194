//! One token that every loop sees.
//!
//! Enters: SIGINT, SIGTERM. Leaves: a flag. Refuses: nothing; a second signal ends at once.
//! Source: `STYLE.md` rule 26.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

/// A flag that becomes true on Ctrl-C or SIGTERM; the second signal ends the process.
pub(crate) fn flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Order matters: the conditional exit sees the flag of an earlier signal only.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("signals cannot be caught")?;
    }
    Ok(stop)
}
