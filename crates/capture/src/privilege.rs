//! Gives up privileges that a sensor does not need.
//!
//! Enters: the calling thread. Leaves: CAP_NET_RAW, or nothing; no way to gain more by starting
//! another program. Refuses: nothing. Capabilities belong to a thread: call this before other
//! threads start, or once in each. Source: `capabilities(7)`, `prctl(2)`.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// A system call that would not lower privileges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("privileges cannot be lowered: {step} failed: {source}")]
pub struct PrivilegeError {
    step: &'static str,
    source: Errno,
}

/// Keeps CAP_NET_RAW, if the thread has it, and nothing else. Says whether it has it.
///
/// # Errors
/// When the system refuses one of the steps; those before it hold.
pub fn keep_only_net_raw() -> Result<bool, PrivilegeError> {
    keep(CapabilitySet::NET_RAW)
}

/// Gives up every capability, once the rings are open.
///
/// # Errors
/// When the system refuses one of the steps; those before it hold.
pub fn keep_nothing() -> Result<(), PrivilegeError> {
    keep(CapabilitySet::empty()).map(|_| ())
}

fn keep(wanted: CapabilitySet) -> Result<bool, PrivilegeError> {
    let fail = |step| move |source| PrivilegeError { step, source };
    set_no_new_privs(true).map_err(fail("setting no_new_privs"))?;
    match clear_ambient_capability_set() {
        // EINVAL: a kernel before 4.3, which has none.
        Ok(()) | Err(Errno::INVAL) => {}
        Err(source) => return Err(fail("clearing ambient capabilities")(source)),
    }
    let held = capabilities(None).map_err(fail("asking for capabilities"))?;
    for number in 0..CAPABILITIES_MAX {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if wanted.contains(one) {
            continue;
        }
        match remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            // EINVAL: the kernel knows no more. EPERM: the thread may not change the bounding set,
            // which then only limits programs that it starts; no_new_privs covers those.
            Err(Errno::INVAL | Errno::PERM) => break,
            Err(source) => return Err(fail("lowering the bounding set")(source)),
        }
    }
    let kept = held.permitted & wanted;
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(fail("setting capabilities"))?;
    Ok(kept == wanted)
}

/// Capability numbers that the system call can express.
const CAPABILITIES_MAX: u32 = 64;

#[cfg(test)]
mod tests;
