//! Passwords: policy, hashing, verification.
//!
//! Enters: a password and, to verify, an Argon2id hash. Leaves: a PHC string, or yes or no.
//! Refuses: short, long or trivial passwords; hashes that cost more than [`MEMORY_KIB_MAX`].
//! Source: RFC 9106; OWASP Password Storage (19 MiB, 2 passes, 1 lane); ANSSI-PG-078.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::entropy::{Entropy, draw};
use crate::error::Refusal;
use crate::limit::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use crate::secret::Secret;

/// What one verification costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

impl PasswordCost {
    fn argon2(self) -> Option<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// The hash of `password` with a fresh salt.
    pub(crate) fn hash(self, password: &Secret, entropy: &dyn Entropy) -> Result<String, Refusal> {
        let salt = draw::<16>(entropy)?;
        let broken = Refusal::WeakPassword("it cannot be hashed");
        let salt = SaltString::encode_b64(&salt).map_err(|_| broken.clone())?;
        let argon2 = self.argon2().ok_or(broken.clone())?;
        let hash = argon2.hash_password(password.reveal().as_bytes(), &salt);
        Ok(hash.map_err(|_| broken)?.to_string())
    }

    /// True when `hash` was made with another cost and should be made again.
    pub(crate) fn outdated(self, hash: &str) -> bool {
        let parsed = PasswordHash::new(hash).ok();
        let params = parsed.and_then(|hash| Params::try_from(&hash).ok());
        params.is_none_or(|params| {
            params.m_cost() != self.memory_kib
                || params.t_cost() != self.passes
                || params.p_cost() != self.lanes
        })
    }
}

/// True when `password` is the one of which `hash` was made.
pub(crate) fn verify(password: &Secret, hash: &str) -> bool {
    if password.reveal().len() > PASSWORD_BYTES_MAX {
        return false;
    }
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let bounded = Params::try_from(&hash)
        .is_ok_and(|params| params.m_cost() <= MEMORY_KIB_MAX && params.t_cost() <= PASSES_MAX);
    bounded
        && Argon2::default()
            .verify_password(password.reveal().as_bytes(), &hash)
            .is_ok()
}

/// Checks a new password against the policy.
pub(crate) fn check(password: &Secret, name: &str) -> Result<(), Refusal> {
    let text = password.reveal();
    if text.len() > PASSWORD_BYTES_MAX {
        return Err(Refusal::WeakPassword("at most 512 bytes"));
    }
    if text.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Refusal::WeakPassword("at least 12 characters"));
    }
    let mut distinct: Vec<char> = text.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < DISTINCT_CHARS_MIN {
        return Err(Refusal::WeakPassword("at least 6 different characters"));
    }
    let lower = text.to_lowercase();
    if name.len() >= 3 && lower.contains(name) {
        return Err(Refusal::WeakPassword("it contains the account name"));
    }
    if COMMON.iter().any(|common| lower.starts_with(common)) {
        return Err(Refusal::WeakPassword(
            "it starts with a well-known password",
        ));
    }
    Ok(())
}

/// Highest memory cost of a stored hash that is verified.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Highest number of passes of a stored hash that is verified.
const PASSES_MAX: u32 = 16;
/// Fewest different characters of a password.
const DISTINCT_CHARS_MIN: usize = 6;
/// Beginnings of the passwords that are tried first (French and English lists of leaks).
const COMMON: &[&str] = &[
    "password1",
    "motdepasse",
    "123456789",
    "azertyuiop",
    "qwertyuiop",
    "administrat",
    "hopital123",
];

#[cfg(test)]
mod tests;
