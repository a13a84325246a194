//! The story of the recorded day: what happens when, and the search that shows it.
//!
//! Enters: `story.tsv` beside this file. Leaves: lines for a person. Refuses: nothing; a test runs
//! every search of the story against the demo. Source: the ground truth of the recording.

use model::Millis;

use crate::output::say;
use crate::time::rfc3339;

/// The story as data.
const STORY: &str = include_str!("story.tsv");

/// Tells the story of a day of `span_ms` that ends now.
pub(super) fn tell(now: Millis, span_ms: i64) {
    say("vigie: the recorded day is in the store; what happens in it, and what to hunt for:");
    for (minute, what, search) in chapters() {
        let past = span_ms.saturating_sub(minute.saturating_mul(60_000));
        let at = rfc3339(Millis(now.0.saturating_sub(past)));
        say(&format!("  {at}  {what}\n{:28}{search}", ""));
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
