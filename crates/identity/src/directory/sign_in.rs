//! Signing in with a password, and the first account.
//!
//! Enters: name, password, one-time token. Leaves: a session. Refuses: guesses beyond the throttle;
//! an unknown name, a wrong password and a locked account look and cost the same.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

use std::net::IpAddr;

use model::Millis;

use super::{Directory, NewAccount, SignedIn};
use crate::account::canonical_name;
use crate::error::Refusal;
use crate::limit::NAME_BYTES_MAX;
use crate::password;
use crate::role::Permission;
use crate::secret::Secret;
use crate::session;

impl Directory {
    /// Signs in with a password.
    ///
    /// # Errors
    /// [`Refusal::BadCredentials`], [`Refusal::TooMany`], or the state file could not be written.
    pub fn sign_in(
        &self,
        name: &str,
        given: &Secret,
        from: IpAddr,
        now: Millis,
    ) -> Result<SignedIn, Refusal> {
        let key = throttle_key(name);
        let hash = {
            let mut state = self.lock();
            let begun = state.throttle.begin(Some(&key), from, now.0);
            begun.map_err(|retry_after_ms| Refusal::TooMany { retry_after_ms })?;
            let account = canonical_name(name)
                .ok()
                .and_then(|name| state.accounts.get(&name))
                .filter(|account| !account.locked);
            account.map(|account| account.password_hash.clone())
        };
        let matches = password::verify(given, hash.as_deref().unwrap_or(&self.decoy));
        let (true, Some(hash)) = (matches, hash) else {
            return Err(Refusal::BadCredentials);
        };
        let renewed = if self.settings.cost.outdated(&hash) {
            Some(self.settings.cost.hash(given, &*self.entropy)?)
        } else {
            None
        };
        let signed_in = self.open_session(&key, now, |account| {
            // The password may have been changed while the hash was verified.
            if account.password_hash != hash {
                return Err(Refusal::BadCredentials);
            }
            if let Some(renewed) = renewed {
                account.password_hash = renewed;
            }
            Ok(())
        })?;
        self.lock().throttle.succeed(Some(&key), from);
        Ok(signed_in)
    }

    /// Creates the first account with the one-time token, and signs it in.
    ///
    /// # Errors
    /// [`Refusal::BadToken`] also once an account exists; the refusals of [`Directory::create`].
    pub fn create_first(
        &self,
        token: &str,
        new: NewAccount,
        from: IpAddr,
        now: Millis,
    ) -> Result<SignedIn, Refusal> {
        self.check_first_token(token, from, now)?;
        if !new.role.may(Permission::ManageAccounts) {
            return Err(Refusal::BadRole);
        }
        let account = self.prepare(&new, now)?;
        let name = account.name.clone();
        self.change(
            |accounts| {
                if !accounts.is_empty() {
                    return Err(Refusal::BadToken);
                }
                accounts.insert(name.clone(), account);
                Ok(())
            },
            |state, ()| state.first_token = None,
        )?;
        self.open_session(&name, now, |_| Ok(()))
    }

    /// Checks the one-time token alone, before anything is written about its bearer.
    ///
    /// # Errors
    /// [`Refusal::BadToken`], [`Refusal::TooMany`].
    pub fn check_first_token(&self, token: &str, from: IpAddr, now: Millis) -> Result<(), Refusal> {
        let mut state = self.lock();
        let begun = state.throttle.begin(None, from, now.0);
        begun.map_err(|retry_after_ms| Refusal::TooMany { retry_after_ms })?;
        let right =
            state.accounts.is_empty() && state.first_token == Some(session::digest(token.trim()));
        if !right {
            return Err(Refusal::BadToken);
        }
        state.throttle.succeed(None, from);
        Ok(())
    }
}

/// The name under which failures count: bounded, whatever was typed.
fn throttle_key(name: &str) -> String {
    canonical_name(name)
        .unwrap_or_else(|_| model::limit::cut_to(name.trim(), NAME_BYTES_MAX).to_lowercase())
}
