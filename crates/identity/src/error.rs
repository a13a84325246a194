//! Why an identity request was refused.
//!
//! Enters: a cause. Leaves: a stable code and a sentence without secrets. Refuses: to say whether a
//! name exists when a sign-in fails.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

use crate::entropy::NoEntropy;

/// Why it was refused; each variant is a cause that an operator can tell apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Name or password is wrong, or the account is locked.
    #[error("name, password or passkey is wrong, or the account is locked")]
    BadCredentials,
    /// Too many failures: try again later.
    #[error("too many failed sign-ins, try again in {} s", .retry_after_ms.div_ceil(1000))]
    TooMany {
        /// Milliseconds to wait.
        retry_after_ms: u64,
    },
    /// The one-time token is wrong, used or expired.
    #[error("the one-time link is wrong, used or expired, start again from the terminal")]
    BadToken,
    /// An account of this name exists.
    #[error("an account of this name exists")]
    NameTaken,
    /// The name has a character or a length that is not allowed.
    #[error("a name is 1 to 64 of a-z 0-9 . _ @ -, and starts with a letter or digit")]
    BadName,
    /// The display name or label is too long or has control characters.
    #[error("a label is at most 128 bytes without control characters")]
    BadLabel,
    /// The password does not meet the policy.
    #[error("the password is not acceptable: {0}")]
    WeakPassword(&'static str),
    /// The role does not suit.
    #[error("the first account must be able to manage accounts: choose the role admin")]
    BadRole,
    /// No such account, session or passkey.
    #[error("no such account or passkey")]
    NotFound,
    /// The change would leave nobody to manage accounts.
    #[error("the last admin cannot be deleted, locked or given another role")]
    LastAdmin,
    /// A limit is reached.
    #[error("limit reached: {0}")]
    Full(&'static str),
    /// The passkey answer does not verify.
    #[error("the passkey was refused: {0}")]
    BadPasskey(&'static str),
    /// Somebody else changed the account meanwhile.
    #[error("the account changed meanwhile, try again")]
    Conflict,
    /// The state file could not be written; nothing was changed.
    #[error("accounts could not be written, nothing was changed: {0}")]
    Storage(String),
    /// No randomness; nothing was changed.
    #[error("{0}")]
    Entropy(#[from] NoEntropy),
}

impl Refusal {
    /// The stable code for the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadCredentials => "bad_credentials",
            Self::TooMany { .. } => "too_many",
            Self::BadToken => "bad_token",
            Self::NameTaken => "name_taken",
            Self::BadName => "bad_name",
            Self::BadLabel => "bad_label",
            Self::WeakPassword(_) => "weak_password",
            Self::BadRole => "bad_role",
            Self::NotFound => "not_found",
            Self::LastAdmin => "last_admin",
            Self::Full(_) => "full",
            Self::BadPasskey(_) => "bad_passkey",
            Self::Conflict => "conflict",
            Self::Storage(_) | Self::Entropy(_) => "internal",
        }
    }
}
