//! The history of assets: what changed, when, from what it was read; what a person should look at.
//!
//! Enters: changes as the inventory finds them. Leaves: a bounded history and warnings per asset,
//! and changes that wait to become events. Refuses: nothing; what had to go is counted.
//! Limits: `limit::CHANGES_MAX`, `limit::SAME_CHANGE_MAX`, `limit::WARNINGS_MAX`,
//! `limit::CHANGES_WAITING_MAX`. Source: `DESIGN.md` section 5, assets.

use std::collections::{BTreeSet, VecDeque};

use model::port::{AssetChange, AssetWarning};

use super::Key;
use super::hint::Hints;
use super::limit::{
    CHANGES_MAX, CHANGES_WAITING_MAX, IDENTITY_CONFIDENCE, NAME_MS, SAME_CHANGE_MAX, WARNINGS_MAX,
};
use super::role::Roles;
use super::state::{Fact, State};

/// Two hardware addresses have one address.
pub(super) const DUPLICATE_ADDRESS: &str = "duplicate_address";
/// Two devices call with one application entity title.
pub(super) const AE_TITLE_SHARED: &str = "ae_title_shared";
/// Two devices ask for an address under one host name.
pub(super) const HOST_NAME_SHARED: &str = "host_name_shared";
/// Kinds that are warnings, too.
const WARNINGS: [&str; 3] = [DUPLICATE_ADDRESS, AE_TITLE_SHARED, HOST_NAME_SHARED];

/// Attributes that make an identity.
const IDENTITY: [&str; 10] = [
    "hostname",
    "vendor",
    "model",
    "serial",
    "firmware",
    "os",
    "os_version",
    "application",
    "ae_title",
    "department",
];

/// What the tables say: read once, the same for all assets.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) hints: Hints,
    pub(super) roles: Roles,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            hints: Hints::built_in(),
            roles: Roles::built_in(),
        }
    }
}

/// A change to be noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note<'n> {
    pub(super) kind: &'static str,
    pub(super) attribute: &'n str,
    pub(super) before: &'n str,
    pub(super) after: &'n str,
    pub(super) source: &'n str,
}

/// Changes that wait to become events, and assets whose role may have changed.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) waiting: VecDeque<(Key, AssetChange)>,
    pub(super) dirty: BTreeSet<Key>,
    /// Entries of histories that had to go.
    pub(super) forgotten: u64,
    /// Changes that became no event because too many waited.
    pub(super) unsent: u64,
    /// Events made so far: their identities differ within one millisecond.
    pub(super) sent: u64,
}

impl Journal {
    /// Notes a change of an asset.
    pub(super) fn note(&mut self, key: Key, state: &mut State, note: Note<'_>, now: i64) {
        let change = AssetChange {
            time: now,
            kind: note.kind.to_owned(),
            attribute: note.attribute.to_owned(),
            before: note.before.to_owned(),
            after: note.after.to_owned(),
            source: note.source.to_owned(),
        };
        if let Some(warning) = warning(&change)
            && !warn(state, warning)
        {
            return;
        }
        if self.waiting.len() < CHANGES_WAITING_MAX {
            self.waiting.push_back((key, change.clone()));
        } else {
            self.unsent += 1;
        }
        self.forgotten += keep(state, change);
    }

    /// Takes a fact in, and what it means; returns how many facts had to go.
    pub(super) fn tell(
        &mut self,
        key: Key,
        state: &mut State,
        fact: &Fact<'_>,
        now: i64,
        hints: &Hints,
    ) -> u64 {
        if state.knows(fact, now) {
            return 0;
        }
        let mut gone = self.learn(key, state, fact, now);
        for meant in hints.of(fact) {
            gone += self.learn(key, state, &meant, now);
        }
        self.dirty.insert(key);
        gone
    }

    /// Learns one value; another best value of the identity is a change.
    fn learn(&mut self, key: Key, state: &mut State, fact: &Fact<'_>, now: i64) -> u64 {
        if !IDENTITY.contains(&fact.name) || fact.confidence < IDENTITY_CONFIDENCE {
            return state.learn(fact, now);
        }
        let sure = |state: &State| {
            let named = state.named(fact.name);
            let best = named
                .first()
                .filter(|best| best.confidence >= IDENTITY_CONFIDENCE);
            best.map(|best| best.value.to_string())
        };
        let before = sure(state);
        let gone = state.learn(fact, now);
        if let (Some(before), Some(after)) = (before, sure(state))
            && !before.eq_ignore_ascii_case(&after)
        {
            let note = Note {
                kind: "changed_identity",
                attribute: fact.name,
                before: &before,
                after: &after,
                source: fact.source,
            };
            self.note(key, state, note, now);
        }
        gone
    }
}

/// Keeps a change in the history; returns how many entries had to go.
pub(super) fn keep(state: &mut State, change: AssetChange) -> u64 {
    let changes = &mut state.changes;
    if changes.contains(&change) {
        return 0;
    }
    let same = changes.iter().filter(|known| known.kind == change.kind);
    let mut gone = 0;
    if same.count() >= SAME_CHANGE_MAX {
        let oldest = changes.iter().position(|known| known.kind == change.kind);
        oldest.and_then(|at| changes.remove(at));
        gone = 1;
    } else if changes.len() >= CHANGES_MAX {
        changes.pop_front();
        gone = 1;
    }
    let later = changes.iter().rposition(|known| known.time <= change.time);
    changes.insert(later.map_or(0, |at| at + 1), change);
    gone
}

/// The warning that a change is.
pub(super) fn warning(change: &AssetChange) -> Option<AssetWarning> {
    WARNINGS.contains(&&*change.kind).then(|| AssetWarning {
        kind: change.kind.clone(),
        value: change.attribute.clone(),
        other: change.after.clone(),
        first: change.time,
        last: change.time,
        count: 1,
    })
}

/// Keeps a warning; false when it was told within a day.
pub(super) fn warn(state: &mut State, warning: AssetWarning) -> bool {
    let same = |known: &&mut AssetWarning| {
        known.kind == warning.kind && known.value == warning.value && known.other == warning.other
    };
    if let Some(known) = state.warnings.iter_mut().find(same) {
        let news = warning.first.saturating_sub(known.last) > NAME_MS;
        known.first = known.first.min(warning.first);
        known.last = known.last.max(warning.last);
        known.count = known.count.saturating_add(warning.count);
        return news;
    }
    if state.warnings.len() >= WARNINGS_MAX {
        let oldest = state
            .warnings
            .iter()
            .enumerate()
            .min_by_key(|(_, known)| known.last);
        if let Some(at) = oldest.map(|(at, _)| at) {
            state.warnings.remove(at);
        }
    }
    state.warnings.push(warning);
    true
}
