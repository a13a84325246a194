//! Who may use Vigie: local accounts, passwords, passkeys, sessions, roles.
//!
//! Enters: names, passwords and WebAuthn answers, with the time and the address they came from.
//! Leaves: sessions and what their role permits. Refuses: clocks, sockets, clear secrets at rest,
//! guesses faster than [`Settings`] allows. Limits: the constants of [`limit`].
//! Source: `DESIGN.md` section 3; OWASP ASVS 4 (V2, V3); W3C Web Authentication level 3.

pub mod account;
mod directory;
mod entropy;
mod error;
mod file;
pub mod limit;
pub mod passkey;
mod password;
mod role;
mod secret;
mod session;
mod throttle;

pub use account::AccountView;
pub use directory::{Change, Directory, NewAccount, Settings, SignedIn};
pub use entropy::{Entropy, NoEntropy, OsEntropy};
pub use error::Refusal;
pub use file::OpenError;
pub use passkey::{PasskeyView, RelyingParty};
pub use password::PasswordCost;
pub use role::{Permission, Role};
pub use secret::Secret;
pub use session::{Session, SessionTimes};
