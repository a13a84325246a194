//! The directory: every account, session and ceremony behind one lock.
//!
//! Enters: requests with their time and address. Leaves: sessions, views, refusals. Refuses:
//! changes that cannot be written to disk: memory never holds what the file does not.
//! Hashing and writing run outside the lock of the state: looking a session up never waits for
//! either. Calls that sign in or change may block for one hash and one fsync.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

mod accounts;
mod passkeys;
mod sign_in;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};
use model::Millis;

use crate::account::{Account, AccountView};
use crate::entropy::{Entropy, draw};
use crate::error::Refusal;
use crate::file::{self, Accounts, OpenError};
use crate::passkey::Ceremonies;
use crate::password::PasswordCost;
use crate::role::Role;
use crate::secret::Secret;
use crate::session::{self, Digest, Session, SessionTimes, Sessions};
use crate::throttle::Throttle;

/// How identities are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// How long sessions live.
    pub times: SessionTimes,
    /// What a password hash costs.
    pub cost: PasswordCost,
}

/// A new account.
pub struct NewAccount {
    /// Name; see [`Refusal::BadName`].
    pub name: String,
    /// Name for people; empty takes the name.
    pub display: String,
    /// Role.
    pub role: Role,
    /// First password.
    pub password: Secret,
}

/// A change of an account; `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Name for people.
    pub display: Option<String>,
    /// Role.
    pub role: Option<Role>,
    /// True closes the account and ends its sessions.
    pub locked: Option<bool>,
}

/// A fresh session: the only moment when its identifier is known. It has no `Debug`.
pub struct SignedIn {
    /// What the cookie carries.
    pub id: String,
    /// Who it is.
    pub session: Session,
}

struct State {
    accounts: Accounts,
    sessions: Sessions,
    throttle: Throttle,
    ceremonies: Ceremonies,
    first_token: Option<Digest>,
}

/// Every account of this site, with sessions.
pub struct Directory {
    path: PathBuf,
    settings: Settings,
    entropy: Box<dyn Entropy>,
    /// Verified when a name is unknown, so that both cases cost the same.
    decoy: String,
    state: Mutex<State>,
    /// Held while a change is made, written and put in force; taken before `state`.
    changing: Mutex<()>,
}

impl Directory {
    /// Opens the state file, which need not exist yet; its folder must.
    ///
    /// # Errors
    /// The file is unreadable, readable by others, or of another version; or no randomness.
    pub fn open(
        path: &Path,
        settings: Settings,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let accounts = file::load(path)?;
        let decoy = draw::<32>(&*entropy)
            .map_err(Refusal::from)
            .map(|octets| Secret::new(Base64UrlUnpadded::encode_string(&octets)))
            .and_then(|password| settings.cost.hash(&password, &*entropy))
            .map_err(|refusal| OpenError::Format {
                path: path.to_owned(),
                why: refusal.to_string(),
            })?;
        Ok(Self {
            path: path.to_owned(),
            settings,
            entropy,
            decoy,
            state: Mutex::new(State {
                accounts,
                sessions: Sessions::new(settings.times),
                throttle: Throttle::new(),
                ceremonies: Ceremonies::new(),
                first_token: None,
            }),
            changing: Mutex::new(()),
        })
    }

    /// True while no account exists.
    #[must_use]
    pub fn first_run(&self) -> bool {
        self.lock().accounts.is_empty()
    }

    /// A fresh one-time token for the first account, to be shown on the terminal; `None` once an
    /// account exists. An earlier token ends.
    ///
    /// # Errors
    /// No randomness.
    pub fn first_token(&self) -> Result<Option<String>, Refusal> {
        let token = Base64UrlUnpadded::encode_string(&draw::<24>(&*self.entropy)?);
        let mut state = self.lock();
        if !state.accounts.is_empty() {
            return Ok(None);
        }
        state.first_token = Some(session::digest(&token));
        Ok(Some(token))
    }

    /// Who presents this session identifier now; restarts its idle time.
    #[must_use]
    pub fn session(&self, id: &str, now: Millis) -> Option<Session> {
        self.find_session(id, now, true)
    }

    /// As [`Directory::session`], without restarting the idle time: for streams.
    #[must_use]
    pub fn peek_session(&self, id: &str, now: Millis) -> Option<Session> {
        self.find_session(id, now, false)
    }

    /// The anti-forgery value that belongs to a session identifier.
    #[must_use]
    pub fn csrf(&self, id: &str) -> String {
        session::csrf(id)
    }

    /// True when `given` is the anti-forgery value of this session.
    #[must_use]
    pub fn csrf_matches(&self, id: &str, given: &str) -> bool {
        // Both sides are hashed, so that the time to compare says nothing about the value.
        session::digest(&session::csrf(id)) == session::digest(given)
    }

    /// Ends one session.
    pub fn sign_out(&self, id: &str) {
        self.lock().sessions.end(id);
    }

    /// True when there is an account of exactly this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.lock().accounts.contains_key(name)
    }

    /// Every account, by name.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountView> {
        self.lock().accounts.values().map(Account::view).collect()
    }

    fn find_session(&self, id: &str, now: Millis, touch: bool) -> Option<Session> {
        let mut state = self.lock();
        let State {
            accounts, sessions, ..
        } = &mut *state;
        let open = |name: &str| accounts.get(name).filter(|account| !account.locked);
        let name = sessions.name(id, now.0, touch, |name| open(name).map(|a| a.role))?;
        let account = open(&name)?;
        Some(session_of(account))
    }

    /// Opens a session for an account that proved who it is, and notes the sign-in.
    fn open_session(
        &self,
        name: &str,
        now: Millis,
        change: impl FnOnce(&mut Account) -> Result<(), Refusal>,
    ) -> Result<SignedIn, Refusal> {
        let id = Base64UrlUnpadded::encode_string(&draw::<32>(&*self.entropy)?);
        self.change(
            |accounts| {
                let account = accounts.get_mut(name).ok_or(Refusal::NotFound)?;
                // It may have been locked while its proof was verified.
                if account.locked {
                    return Err(Refusal::BadCredentials);
                }
                account.last_sign_in = Some(now.0);
                change(account)?;
                Ok(session_of(account))
            },
            |state, _| state.sessions.add(&id, name, now.0),
        )
        .map(|session| SignedIn { id, session })
    }

    /// Changes a copy of the accounts, writes it, then puts it in force together with `then`.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Accounts) -> Result<T, Refusal>,
        then: impl FnOnce(&mut State, &T),
    ) -> Result<T, Refusal> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut accounts = self.lock().accounts.clone();
        let result = change(&mut accounts)?;
        file::save(&self.path, &accounts).map_err(|error| Refusal::Storage(error.to_string()))?;
        let mut state = self.lock();
        state.accounts = accounts;
        then(&mut state, &result);
        Ok(result)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is put in force whole: a panic elsewhere leaves nothing half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn session_of(account: &Account) -> Session {
    Session {
        name: account.name.clone(),
        display: account.display.clone(),
        role: account.role,
    }
}

#[cfg(test)]
mod tests;
