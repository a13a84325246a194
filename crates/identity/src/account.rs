//! Accounts as kept, and as shown.
//!
//! Enters: names, hashes, passkeys. Leaves: records of the state file and views without secrets.
//! Refuses: names that could be mistaken for another (only lower-case ASCII).
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

use serde::{Deserialize, Serialize};

use crate::error::Refusal;
use crate::limit::{LABEL_BYTES_MAX, NAME_BYTES_MAX};
use crate::passkey::Passkey;
use crate::role::Role;

/// One account of the state file. It has no `Debug`: it holds a password hash.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) display: String,
    pub(crate) role: Role,
    pub(crate) password_hash: String,
    /// WebAuthn user handle, base64url of 32 random octets.
    pub(crate) handle: String,
    pub(crate) passkeys: Vec<Passkey>,
    pub(crate) created: i64,
    pub(crate) last_sign_in: Option<i64>,
    pub(crate) locked: bool,
}

/// An account without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Name.
    pub name: String,
    /// Name for people.
    pub display: String,
    /// Role.
    pub role: Role,
    /// Passkeys registered.
    pub passkeys: usize,
    /// When it was created, milliseconds.
    pub created: i64,
    /// Last sign-in, milliseconds; `None` before the first.
    pub last_sign_in: Option<i64>,
    /// True when an admin closed it.
    pub locked: bool,
}

impl Account {
    pub(crate) fn view(&self) -> AccountView {
        AccountView {
            name: self.name.clone(),
            display: self.display.clone(),
            role: self.role,
            passkeys: self.passkeys.len(),
            created: self.created,
            last_sign_in: self.last_sign_in,
            locked: self.locked,
        }
    }

    /// True when it can sign in and manage accounts.
    pub(crate) fn is_active_admin(&self) -> bool {
        !self.locked && self.role == Role::Admin
    }
}

/// The canonical form of an account name: trimmed, lower case.
pub(crate) fn canonical_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Refusal::BadName);
    }
    let name = name.to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let allowed = |c: char| plain(c) || matches!(c, '.' | '_' | '@' | '-');
    if name.starts_with(plain) && name.chars().all(allowed) {
        Ok(name)
    } else {
        Err(Refusal::BadName)
    }
}

/// A display name or label: trimmed, bounded, no control characters.
pub(crate) fn canonical_label(label: &str) -> Result<String, Refusal> {
    let label = label.trim();
    if label.len() > LABEL_BYTES_MAX || label.chars().any(char::is_control) {
        return Err(Refusal::BadLabel);
    }
    Ok(label.to_owned())
}
