//! Passkeys of accounts: register, list, delete, sign in.
//!
//! Enters: WebAuthn answers. Leaves: options for the browser, sessions. Refuses: see `passkey`.
//! Credentials are discoverable: signing in asks for no name, so that no answer tells which exist.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

use std::net::IpAddr;

use model::Millis;
use serde_json::{Value, json};

use super::{Directory, SignedIn};
use crate::account::canonical_label;
use crate::entropy::draw;
use crate::error::Refusal;
use crate::file::Accounts;
use crate::limit::{CEREMONY_MS_MAX, PASSKEYS_MAX};
use crate::passkey::{
    self, ALGORITHMS, Assertion, PasskeyView, Purpose, Registration, RelyingParty,
};

impl Directory {
    /// Begins a registration: `PublicKeyCredentialCreationOptionsJSON`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Full`], or no randomness.
    pub fn passkey_register_begin(
        &self,
        name: &str,
        party: &RelyingParty,
        now: Millis,
    ) -> Result<Value, Refusal> {
        let challenge = draw::<32>(&*self.entropy)?;
        let mut state = self.lock();
        let account = state.accounts.get(name).ok_or(Refusal::NotFound)?;
        if account.passkeys.len() >= PASSKEYS_MAX {
            return Err(Refusal::Full("passkeys"));
        }
        let known: Vec<Value> = account
            .passkeys
            .iter()
            .map(|passkey| json!({"type": "public-key", "id": passkey.id}))
            .collect();
        let algorithms = ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg}));
        let options = json!({
            "rp": {"id": party.id, "name": "Vigie"},
            "user": {
                "id": account.handle, "name": account.name, "displayName": account.display,
            },
            "challenge": passkey::encode(&challenge),
            "pubKeyCredParams": algorithms,
            "timeout": CEREMONY_MS_MAX,
            "excludeCredentials": known,
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true,
                "userVerification": "required",
            },
            "attestation": "none",
        });
        let purpose = Purpose::Register(name.to_owned());
        state.ceremonies.begin(challenge, purpose, party, now.0);
        Ok(options)
    }

    /// Ends a registration.
    ///
    /// # Errors
    /// [`Refusal::BadPasskey`], [`Refusal::Full`], [`Refusal::BadLabel`], or the file.
    pub fn passkey_register_finish(
        &self,
        name: &str,
        label: &str,
        answer: &Registration,
        party: &RelyingParty,
        now: Millis,
    ) -> Result<PasskeyView, Refusal> {
        let label = canonical_label(label)?;
        let challenge = passkey::challenge_of(&answer.response.client_data)?;
        let purpose = Purpose::Register(name.to_owned());
        let begun = self
            .lock()
            .ceremonies
            .take(&challenge, &purpose, party, now.0);
        begun.ok_or(Refusal::BadPasskey("too late, begin again"))?;
        let passkey = passkey::register(answer, &challenge, party, label, now.0)?;
        let view = view(&passkey);
        let add = |accounts: &mut Accounts| {
            let mut all = accounts.values().flat_map(|account| &account.passkeys);
            if all.any(|known| known.id == passkey.id) {
                return Err(Refusal::BadPasskey("already registered"));
            }
            let account = accounts.get_mut(name).ok_or(Refusal::NotFound)?;
            if account.passkeys.len() >= PASSKEYS_MAX {
                return Err(Refusal::Full("passkeys"));
            }
            account.passkeys.push(passkey);
            Ok(())
        };
        self.change(add, |_, ()| {})?;
        Ok(view)
    }

    /// The passkeys of an account.
    #[must_use]
    pub fn passkeys(&self, name: &str) -> Vec<PasskeyView> {
        let state = self.lock();
        let account = state.accounts.get(name);
        account.map_or_else(Vec::new, |account| {
            account.passkeys.iter().map(view).collect()
        })
    }

    /// Deletes one passkey of an account.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or the file.
    pub fn passkey_delete(&self, name: &str, id: &str) -> Result<(), Refusal> {
        let remove = |accounts: &mut Accounts| {
            let account = accounts.get_mut(name).ok_or(Refusal::NotFound)?;
            let before = account.passkeys.len();
            account.passkeys.retain(|passkey| passkey.id != id);
            if account.passkeys.len() == before {
                return Err(Refusal::NotFound);
            }
            Ok(())
        };
        self.change(remove, |_, ()| {})
    }

    /// Begins a sign-in: `PublicKeyCredentialRequestOptionsJSON`.
    ///
    /// # Errors
    /// No randomness.
    pub fn passkey_sign_in_begin(
        &self,
        party: &RelyingParty,
        now: Millis,
    ) -> Result<Value, Refusal> {
        let challenge = draw::<32>(&*self.entropy)?;
        let mut state = self.lock();
        let ceremonies = &mut state.ceremonies;
        ceremonies.begin(challenge, Purpose::SignIn, party, now.0);
        Ok(json!({
            "challenge": passkey::encode(&challenge),
            "timeout": CEREMONY_MS_MAX,
            "rpId": party.id,
            "allowCredentials": [],
            "userVerification": "required",
        }))
    }

    /// Ends a sign-in with a passkey.
    ///
    /// # Errors
    /// [`Refusal::BadCredentials`] for an unknown passkey or a locked account,
    /// [`Refusal::BadPasskey`], [`Refusal::TooMany`], or the file.
    pub fn passkey_sign_in_finish(
        &self,
        answer: &Assertion,
        party: &RelyingParty,
        from: IpAddr,
        now: Millis,
    ) -> Result<SignedIn, Refusal> {
        let challenge = {
            let mut state = self.lock();
            let begun = state.throttle.begin(None, from, now.0);
            begun.map_err(|retry_after_ms| Refusal::TooMany { retry_after_ms })?;
            let challenge = passkey::challenge_of(&answer.response.client_data)?;
            let ceremonies = &mut state.ceremonies;
            let begun = ceremonies.take(&challenge, &Purpose::SignIn, party, now.0);
            begun.ok_or(Refusal::BadPasskey("too late, begin again"))?;
            challenge
        };
        let id = passkey::encode(&passkey::decode(&answer.id)?);
        let name = {
            let state = self.lock();
            let mut open = state.accounts.values().filter(|account| !account.locked);
            let owner = open.find(|account| account.passkeys.iter().any(|key| key.id == id));
            owner.ok_or(Refusal::BadCredentials)?.name.clone()
        };
        let signed_in = self.open_session(&name, now, |account| {
            // Verified where nothing else can change it: two answers cannot share one counter.
            let handle = account.handle.clone();
            let mut keys = account.passkeys.iter_mut();
            let key = keys
                .find(|key| key.id == id)
                .ok_or(Refusal::BadCredentials)?;
            key.count = passkey::authenticate(answer, key, &handle, &challenge, party)?;
            key.last_used = Some(now.0);
            Ok(())
        })?;
        self.lock().throttle.succeed(None, from);
        Ok(signed_in)
    }
}

fn view(passkey: &passkey::Passkey) -> PasskeyView {
    PasskeyView {
        id: passkey.id.clone(),
        label: passkey.label.clone(),
        created: passkey.created,
        last_used: passkey.last_used,
    }
}
