//! Ceremonies under way: challenges given out and not answered yet.
//!
//! Enters: challenges with their purpose. Leaves: each at most once. Refuses: late, unknown ones.
//! Limits: `limit::CEREMONIES_MAX`, `limit::CEREMONY_MS_MAX`.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

use std::collections::BTreeMap;

use super::RelyingParty;
use crate::limit::{CEREMONIES_MAX, CEREMONY_MS_MAX};

/// What a challenge was given out for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Registering a passkey for this account.
    Register(String),
    /// Signing in.
    SignIn,
}

struct Ceremony {
    purpose: Purpose,
    party: RelyingParty,
    begun: i64,
}

/// All challenges given out.
pub(crate) struct Ceremonies(BTreeMap<[u8; 32], Ceremony>);

impl Ceremonies {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn begin(
        &mut self,
        challenge: [u8; 32],
        purpose: Purpose,
        party: &RelyingParty,
        now: i64,
    ) {
        self.0
            .retain(|_, ceremony| now.saturating_sub(ceremony.begun) <= CEREMONY_MS_MAX);
        if self.0.len() >= CEREMONIES_MAX {
            let oldest = self.0.iter().min_by_key(|(_, ceremony)| ceremony.begun);
            if let Some(oldest) = oldest.map(|(challenge, _)| *challenge) {
                self.0.remove(&oldest);
            }
        }
        let ceremony = Ceremony {
            purpose,
            party: party.clone(),
            begun: now,
        };
        self.0.insert(challenge, ceremony);
    }

    /// Takes the ceremony of a challenge out; `None` when it is unknown, late or of another purpose
    /// or party.
    pub(crate) fn take(
        &mut self,
        challenge: &[u8],
        purpose: &Purpose,
        party: &RelyingParty,
        now: i64,
    ) -> Option<()> {
        let challenge = <[u8; 32]>::try_from(challenge).ok()?;
        let ceremony = self.0.remove(&challenge)?;
        let fits = ceremony.purpose == *purpose
            && ceremony.party == *party
            && now.saturating_sub(ceremony.begun) <= CEREMONY_MS_MAX;
        fits.then_some(())
    }
}
