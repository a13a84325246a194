//! Randomness as an argument, so that tests replay exactly.
//!
//! Enters: a buffer. Leaves: unpredictable octets in it. Refuses: to go on without them.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

/// Where random octets come from.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// The source failed: nothing that needs randomness may go on.
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The source of random octets failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random octets")]
pub struct NoEntropy;

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(octets).map_err(|_| NoEntropy)
    }
}

/// `N` random octets.
pub(crate) fn draw<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut octets = [0u8; N];
    entropy.fill(&mut octets)?;
    Ok(octets)
}
