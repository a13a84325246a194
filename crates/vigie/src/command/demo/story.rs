//! The story of the recorded day: what happens when, and the search that shows it.
//!
//! Enters: `story.tsv` beside this file. Leaves: lines for a person. Refuses: nothing. Its minutes
//! are those of the recording's ground truth (a test compares them), and a test of the demo runs
//! every search. Source: `lab/recorded/day.truth.json`.

use model::Millis;

use crate::output::say;
use crate::time::rfc3339;

/// The story as data.
const STORY: &str = include_str!("story.tsv");

/// Tells the story of a day that begins at `begin`, in milliseconds since 1970.
pub(super) fn tell(begin: i64) {
    say("vigie: the recorded day is in the store; what happens in it, and what to search for:");
    for (minute, what, search) in chapters() {
        let at = rfc3339(Millis(begin.saturating_add(minute.saturating_mul(60_000))));
        say(&format!("  {at}  {what}\n      {search}"));
    }
}

/// Minute of the day, what happens, search.
fn chapters() -> impl Iterator<Item = (i64, &'static str, &'static str)> {
    STORY
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut cells = line.split('\t');
            let minute = cells.next()?.parse().ok()?;
            Some((minute, cells.next()?, cells.next()?))
        })
}

#[cfg(test)]
mod tests;
