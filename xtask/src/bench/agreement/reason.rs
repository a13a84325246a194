//! Why two programs differ, as far as somebody looked.
//!
//! Enters: a difference. Leaves: its reason, and whether the fault is ours. Refuses: to guess: what
//! no row describes has no reason. Source: `reasons.tsv`, whose rows name captures and standards.

use super::facts::Difference;
use super::suricata::Check;

/// A reason.
pub(super) struct Reason {
    /// True when the fault is ours.
    pub(super) ours: bool,
    /// The reason.
    pub(super) why: &'static str,
}

const ROWS: &str = include_str!("reasons.tsv");

/// The cells of the rows of one kind.
fn rows(kind: &'static str) -> impl Iterator<Item = [&'static str; 5]> {
    ROWS.lines().filter_map(move |line| {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let [first, a, b, c, d, e] = cells[..] else {
            return None;
        };
        (first == kind).then_some([a, b, c, d, e])
    })
}

/// The reason of a difference.
pub(super) fn of(difference: &Difference) -> Option<Reason> {
    let fact = &difference.fact;
    let found = rows("fact").find(|[capture, protocol, key, ..]| {
        *protocol == fact.protocol
            && (key.is_empty() || *key == fact.key)
            && difference.capture.contains(capture)
    });
    found.map(|[.., whose, why]| Reason {
        ours: whose == "ours",
        why,
    })
}

/// Why a check of suricata-verify does not hold.
pub(super) fn of_check(check: &Check) -> &'static str {
    let place = check.fails_at.first().map_or("", String::as_str);
    let found =
        rows("check").find(|[test, at, ..]| check.test.starts_with(test) && place.starts_with(at));
    found.map_or("not looked into yet", |[.., why]| why)
}

/// Why a flow is not Arkime's.
pub(super) fn of_session(capture: &str, what: &str) -> &'static str {
    let found =
        rows("session").find(|[name, part, ..]| capture.contains(name) && what.contains(part));
    found.map_or("not looked into yet", |[.., why]| why)
}
