//! Sessions: opaque identifiers in cookies, of which only a hash is kept.
//!
//! Enters: sign-ins and presented identifiers. Leaves: who it is. Refuses: idle, old and revoked
//! sessions. Limits: `limit::SESSIONS_PER_ACCOUNT_MAX` of each account; memory only, a restart ends
//! them all. Source: OWASP ASVS 4 V3.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::limit::SESSIONS_PER_ACCOUNT_MAX;
use crate::role::Role;

/// How long sessions live, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct SessionTimes {
    /// Longest pause of rssi and analyst.
    pub idle_ms: i64,
    /// Longest pause of admin.
    pub idle_admin_ms: i64,
    /// Longest life.
    pub absolute_ms: i64,
}

impl Default for SessionTimes {
    fn default() -> Self {
        Self {
            idle_ms: 8 * 3_600_000,
            idle_admin_ms: 30 * 60_000,
            absolute_ms: 12 * 3_600_000,
        }
    }
}

/// A live session as its request sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Account name.
    pub name: String,
    /// Name for people.
    pub display: String,
    /// Role now.
    pub role: Role,
}

/// The hash under which a session or token is kept.
pub(crate) type Digest = [u8; 32];

/// The hash of a presented identifier.
pub(crate) fn digest(id: &str) -> Digest {
    blake3::derive_key("vigie 2026-01 opaque identifier", id.as_bytes())
}

/// The anti-forgery value of a session: known to who knows the identifier, and kept nowhere.
pub(crate) fn csrf(id: &str) -> String {
    let key = blake3::derive_key("vigie 2026-01 csrf", id.as_bytes());
    Base64UrlUnpadded::encode_string(&key)
}

struct Live {
    name: String,
    created: i64,
    seen: i64,
}

/// All live sessions.
pub(crate) struct Sessions {
    times: SessionTimes,
    live: BTreeMap<Digest, Live>,
}

impl Sessions {
    pub(crate) const fn new(times: SessionTimes) -> Self {
        Self {
            times,
            live: BTreeMap::new(),
        }
    }

    /// Adds one; ends the account's oldest beyond the limit and all that are over.
    pub(crate) fn add(&mut self, id: &str, name: &str, now: i64) {
        let absolute = self.times.absolute_ms;
        self.live
            .retain(|_, live| now.saturating_sub(live.created) < absolute);
        let of_account = self.live.iter().filter(|(_, live)| live.name == name);
        if of_account.clone().count() >= SESSIONS_PER_ACCOUNT_MAX {
            let oldest = of_account.min_by_key(|(_, live)| live.seen);
            if let Some(oldest) = oldest.map(|(digest, _)| *digest) {
                self.live.remove(&oldest);
            }
        }
        let live = Live {
            name: name.to_owned(),
            created: now,
            seen: now,
        };
        self.live.insert(digest(id), live);
    }

    /// The account of a live session; `touch` restarts its idle time.
    pub(crate) fn name(
        &mut self,
        id: &str,
        now: i64,
        touch: bool,
        role_of: impl Fn(&str) -> Option<Role>,
    ) -> Option<String> {
        let digest = digest(id);
        let live = self.live.get_mut(&digest)?;
        let idle = match role_of(&live.name) {
            Some(Role::Admin) => self.times.idle_admin_ms,
            Some(Role::Rssi | Role::Analyst) => self.times.idle_ms,
            None => -1,
        };
        let over = now.saturating_sub(live.seen) > idle
            || now.saturating_sub(live.created) >= self.times.absolute_ms;
        if over {
            self.live.remove(&digest);
            return None;
        }
        if touch {
            live.seen = live.seen.max(now);
        }
        Some(live.name.clone())
    }

    pub(crate) fn end(&mut self, id: &str) {
        self.live.remove(&digest(id));
    }

    /// Ends every session of an account, but `keep`.
    pub(crate) fn end_all(&mut self, name: &str, keep: Option<&str>) {
        let keep = keep.map(digest);
        self.live
            .retain(|digest, live| live.name != name || Some(*digest) == keep);
    }
}

#[cfg(test)]
mod tests;
