//! The roles of an asset, each with the evidence that speaks for it and against it.
//!
//! Enters: one asset's record. Leaves: roles with score and reasons, best first. Refuses:
//! malformed lines of the table (counted), more than `ROLES_MAX` roles; roles below [`POINTS_MIN`].
//! Source: `rules/roles.tsv`: one line a role, weights summed; `DESIGN.md` section 5.

use model::port::{RoleReason, RoleScore};

use super::behave;
use super::limit::{REASONS_MAX, ROLES_MAX, ROLES_TOLD_MAX};
use super::state::State;

/// The shipped table.
const BUILT_IN: &str = include_str!("../../../../rules/roles.tsv");
/// Points from which a role is named.
pub(super) const POINTS_MIN: i64 = 40;
/// Highest score told: evidence on the wire is never proof.
const SCORE_MAX: i64 = 99;

/// What a sign looks at.
#[derive(Clone, Debug)]
enum Sign {
    Offers(Vec<Box<str>>),
    Speaks(Vec<Box<str>>),
    Does(&'static str, u64),
    Says(Box<str>, Vec<Box<str>>),
    Port(u16),
    Router,
}

/// One role of the table.
#[derive(Clone, Debug)]
struct Line {
    role: Box<str>,
    signs: Vec<(Sign, i64)>,
}

/// The table of roles.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles {
    lines: Vec<Line>,
    refused: u64,
}

impl Roles {
    /// The shipped table.
    pub(super) fn built_in() -> Self {
        Self::parse(BUILT_IN)
    }

    /// Reads a table.
    pub(super) fn parse(text: &str) -> Self {
        let mut roles = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if line.trim().is_empty() {
                continue;
            }
            match parse(line).filter(|_| roles.lines.len() < ROLES_MAX) {
                Some(line) => roles.lines.push(line),
                None => roles.refused += 1,
            }
        }
        roles
    }

    /// Lines that were malformed or too many.
    #[cfg(test)]
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    /// Codes of the roles, in the order of the table.
    #[cfg(test)]
    pub(super) fn codes(&self) -> Vec<&str> {
        self.lines.iter().map(|line| &*line.role).collect()
    }

    /// The roles that the evidence allows, best first.
    pub(super) fn of(&self, state: &State) -> Vec<RoleScore> {
        let mut scored: Vec<(i64, &Line)> = self
            .lines
            .iter()
            .map(|line| (points(line, state), line))
            .filter(|(points, _)| *points >= POINTS_MIN)
            .collect();
        // Stable: among equals the earlier line of the table.
        scored.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
        scored.truncate(ROLES_TOLD_MAX);
        scored
            .into_iter()
            .map(|(points, line)| RoleScore {
                role: line.role.to_string(),
                score: u8::try_from(points.min(SCORE_MAX)).unwrap_or(0),
                reasons: reasons(line, state),
            })
            .collect()
    }

    /// The best role only.
    pub(super) fn best(&self, state: &State) -> Option<&str> {
        let scored = self.lines.iter().map(|line| (points(line, state), line));
        let enough = scored.filter(|(points, _)| *points >= POINTS_MIN);
        // The first of the highest.
        enough
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, line)| &*line.role)
    }
}

fn points(line: &Line, state: &State) -> i64 {
    let signs = line.signs.iter();
    signs
        .filter(|(sign, _)| sign.seen(state))
        .map(|(_, weight)| weight)
        .sum()
}

fn reasons(line: &Line, state: &State) -> Vec<RoleReason> {
    let seen = line.signs.iter().filter(|(sign, _)| sign.seen(state));
    let mut reasons: Vec<RoleReason> = seen
        .map(|(sign, weight)| sign.reason(*weight, state))
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.weight.abs()));
    reasons.truncate(REASONS_MAX);
    reasons
}

impl Sign {
    fn seen(&self, state: &State) -> bool {
        match self {
            Self::Offers(names) => names.iter().any(|name| state.offers(name)),
            Self::Speaks(names) => names.iter().any(|name| state.speaks.contains(name)),
            Self::Does(what, times) => state.done(what) >= *times,
            Self::Says(attribute, words) => said(state, attribute, words).is_some(),
            Self::Port(port) => state.answers_at(*port),
            Self::Router => state.is_router,
        }
    }

    fn reason(&self, weight: i64, state: &State) -> RoleReason {
        let of = |code: &str, what: String, count: Option<u64>, text: String| RoleReason {
            code: code.to_owned(),
            what,
            count,
            weight,
            text,
        };
        let which = |names: &[Box<str>], has: &dyn Fn(&str) -> bool| {
            let found: Vec<&str> = names.iter().map(|n| &**n).filter(|n| has(n)).collect();
            found.join(", ")
        };
        match self {
            Self::Offers(names) => {
                let what = which(names, &|name| state.offers(name));
                let text = format!("offers {what}");
                of("offers", what, None, text)
            }
            Self::Speaks(names) => {
                let what = which(names, &|name| state.speaks.contains(name));
                let text = format!("uses {what}");
                of("speaks", what, None, text)
            }
            Self::Does(what, _) => {
                let count = state.done(what);
                let text = format!("{} ({count})", behave::text(what));
                of("does", (*what).to_owned(), Some(count), text)
            }
            Self::Says(attribute, words) => {
                let value = said(state, attribute, words).unwrap_or_default().to_owned();
                let text = format!("{attribute}: {value}");
                let code = if **attribute == *"vendor" {
                    "vendor"
                } else {
                    "says"
                };
                of(code, format!("{attribute}: {value}"), None, text)
            }
            Self::Port(port) => of(
                "port",
                port.to_string(),
                None,
                format!("answers at port {port}"),
            ),
            Self::Router => {
                let text = "is in front of addresses of other networks".to_owned();
                of("router", String::new(), None, text)
            }
        }
    }
}

/// The value of an attribute in which a word of these begins; any value when there are no words.
fn said<'s>(state: &'s State, attribute: &str, words: &[Box<str>]) -> Option<&'s str> {
    let mut values = state.attributes.iter().filter(|a| *a.name == *attribute);
    let found = values.find(|known| {
        words.is_empty()
            || words
                .iter()
                .any(|word| has_word(&known.value.to_lowercase(), word))
    });
    found.map(|known| &*known.value)
}

/// True when `word` stands in `text` at the beginning of a word.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        // A word that does not begin with a letter carries its own boundary.
        let inside = before.is_some_and(char::is_alphanumeric);
        !inside || !word.starts_with(char::is_alphanumeric)
    })
}

fn parse(line: &str) -> Option<Line> {
    let mut cells = line.split('\t');
    let role = cells.next().filter(|role| !role.is_empty())?;
    let signs: Option<Vec<(Sign, i64)>> = cells.map(sign).collect();
    let signs = signs.filter(|signs| !signs.is_empty())?;
    Some(Line {
        role: role.into(),
        signs,
    })
}

fn sign(cell: &str) -> Option<(Sign, i64)> {
    let (what, weight) = cell.rsplit_once('=')?;
    let weight: i64 = weight.parse().ok()?;
    let list = |text: &str| -> Vec<Box<str>> { text.split('|').map(Into::into).collect() };
    if what == "router" {
        return Some((Sign::Router, weight));
    }
    let (kind, what) = what.split_once(':')?;
    let sign = match kind {
        "offers" => Sign::Offers(list(what)),
        "speaks" => Sign::Speaks(list(what)),
        "vendor" => Sign::Says("vendor".into(), list(what)),
        "port" => Sign::Port(what.parse().ok()?),
        "does" => {
            let (code, times) = what.split_once('*').unwrap_or((what, "1"));
            Sign::Does(behave::known(code)?, times.parse().ok()?)
        }
        "says" => match what.split_once('~') {
            Some((attribute, words)) => Sign::Says(attribute.into(), list(words)),
            None => Sign::Says(what.into(), Vec::new()),
        },
        _ => return None,
    };
    Some((sign, weight))
}
