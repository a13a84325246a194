//! Managing accounts: create, change, delete, give a new password.
//!
//! Enters: changes that the caller was permitted to make. Leaves: views. Refuses: what would leave
//! nobody to manage accounts. Whatever weakens an account's trust ends its sessions.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

use std::net::IpAddr;

use model::Millis;

use super::{Change, Directory, NewAccount};
use crate::account::{Account, AccountView, canonical_label, canonical_name};
use crate::entropy::draw;
use crate::error::Refusal;
use crate::file::Accounts;
use crate::limit::ACCOUNTS_MAX;
use crate::passkey;
use crate::password;
use crate::secret::Secret;

impl Directory {
    /// Creates an account.
    ///
    /// # Errors
    /// Name, display or password refused, the name is taken, a limit, or the file.
    pub fn create(&self, new: &NewAccount, now: Millis) -> Result<AccountView, Refusal> {
        let account = self.prepare(new, now)?;
        let insert = |accounts: &mut Accounts| {
            if accounts.contains_key(&account.name) {
                return Err(Refusal::NameTaken);
            }
            if accounts.len() >= ACCOUNTS_MAX {
                return Err(Refusal::Full("accounts"));
            }
            let view = account.view();
            accounts.insert(view.name.clone(), account);
            Ok(view)
        };
        self.change(insert, |_, _| {})
    }

    /// Changes an account; a new role or a lock ends its sessions.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::LastAdmin`], [`Refusal::BadLabel`], or the file.
    pub fn update(&self, name: &str, change: &Change) -> Result<AccountView, Refusal> {
        let display = change.display.as_deref().map(canonical_label).transpose()?;
        let apply = |accounts: &mut Accounts| {
            let account = accounts.get_mut(name).ok_or(Refusal::NotFound)?;
            let before = (account.role, account.locked);
            if let Some(display) = display {
                account.display = display;
            }
            account.role = change.role.unwrap_or(account.role);
            account.locked = change.locked.unwrap_or(account.locked);
            let weakened = before != (account.role, account.locked);
            let view = account.view();
            keep_an_admin(accounts)?;
            Ok((view, weakened))
        };
        let (view, _) = self.change(apply, |state, (_, weakened)| {
            if *weakened {
                state.sessions.end_all(name, None);
            }
        })?;
        Ok(view)
    }

    /// Deletes an account and ends its sessions.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::LastAdmin`], or the file.
    pub fn delete(&self, name: &str) -> Result<(), Refusal> {
        let remove = |accounts: &mut Accounts| {
            accounts.remove(name).ok_or(Refusal::NotFound)?;
            keep_an_admin(accounts)
        };
        self.change(remove, |state, ()| state.sessions.end_all(name, None))
    }

    /// Gives an account a new password and ends its other sessions but `keep`. With `current`, it
    /// must be right; without, the caller must have been permitted to manage accounts.
    ///
    /// # Errors
    /// [`Refusal::BadCredentials`], [`Refusal::TooMany`], [`Refusal::WeakPassword`], or the file.
    pub fn set_password(
        &self,
        name: &str,
        current: Option<(&Secret, IpAddr, Millis)>,
        new: &Secret,
        keep: Option<&str>,
    ) -> Result<(), Refusal> {
        let before = {
            let mut state = self.lock();
            if let Some((_, from, now)) = current {
                let begun = state.throttle.begin(Some(name), from, now.0);
                begun.map_err(|retry_after_ms| Refusal::TooMany { retry_after_ms })?;
            }
            let account = state.accounts.get(name).ok_or(Refusal::NotFound)?;
            account.password_hash.clone()
        };
        if let Some((current, from, _)) = current {
            if !password::verify(current, &before) {
                return Err(Refusal::BadCredentials);
            }
            self.lock().throttle.succeed(Some(name), from);
        }
        password::check(new, name)?;
        let hash = self.settings.cost.hash(new, &*self.entropy)?;
        let replace = |accounts: &mut Accounts| {
            let account = accounts.get_mut(name).ok_or(Refusal::NotFound)?;
            if account.password_hash != before {
                return Err(Refusal::Conflict);
            }
            account.password_hash = hash;
            Ok(())
        };
        self.change(replace, |state, ()| state.sessions.end_all(name, keep))
    }

    /// The account that `new` asks for, checked and hashed; nothing is kept yet.
    pub(super) fn prepare(&self, new: &NewAccount, now: Millis) -> Result<Account, Refusal> {
        let name = canonical_name(&new.name)?;
        let mut display = canonical_label(&new.display)?;
        if display.is_empty() {
            display.clone_from(&name);
        }
        password::check(&new.password, &name)?;
        Ok(Account {
            password_hash: self.settings.cost.hash(&new.password, &*self.entropy)?,
            handle: passkey::encode(&draw::<32>(&*self.entropy)?),
            name,
            display,
            role: new.role,
            passkeys: Vec::new(),
            created: now.0,
            last_sign_in: None,
            locked: false,
        })
    }
}

fn keep_an_admin(accounts: &Accounts) -> Result<(), Refusal> {
    if accounts.values().any(Account::is_active_admin) {
        Ok(())
    } else {
        Err(Refusal::LastAdmin)
    }
}
