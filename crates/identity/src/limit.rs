//! Limits of identities, each with the reason for its size.
//!
//! Enters: nothing. Leaves: named constants. Refuses: nothing.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

/// Most accounts: people who operate Vigie, not the staff of the hospital.
pub const ACCOUNTS_MAX: usize = 500;
/// Longest account name, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest display name or passkey label, in bytes.
pub const LABEL_BYTES_MAX: usize = 128;
/// Shortest password, in characters (ANSSI guide on passwords: 12 with a throttle).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in bytes: hashing cost must not grow with input.
pub const PASSWORD_BYTES_MAX: usize = 512;
/// Most passkeys of one account.
pub const PASSKEYS_MAX: usize = 10;
/// Most live sessions of one account; the oldest ends first.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 10;
/// Most passkey ceremonies under way; the oldest ends first.
pub const CEREMONIES_MAX: usize = 1_000;
/// Milliseconds that a passkey ceremony may take.
pub const CEREMONY_MS_MAX: i64 = 5 * 60 * 1_000;
/// Most account names, and most addresses, of which failed sign-ins are remembered.
pub const THROTTLE_KEYS_MAX: usize = 10_000;
/// Longest state file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Longest WebAuthn field that is decoded, in bytes of base64url.
pub const PASSKEY_FIELD_BYTES_MAX: usize = 16 * 1024;
/// Longest credential identifier, in bytes (WebAuthn level 3, section 4).
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1_023;
