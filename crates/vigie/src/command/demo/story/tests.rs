//! The story against the ground truth of the recording.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

#[test]
fn every_attack_of_the_recording_has_its_chapter_and_no_other_is_told() {
    let truth = include_str!("../../../../../../lab/recorded/day.truth.json");
    let truth: Value = serde_json::from_str(truth).expect("the ground truth");
    let first = truth["capture"]["first"].as_f64().expect("a time");
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a day")]
    let minute = |attack: &Value| {
        let start = attack["start"].as_f64().expect("a time");
        ((start - first) / 60.0).round() as i64
    };
    let attacks = truth["attacks"].as_array().expect("a list");
    let happened: BTreeSet<i64> = attacks.iter().map(minute).collect();
    let told: BTreeSet<i64> = chapters().map(|(minute, ..)| minute).collect();
    let peace = BTreeSet::from([0]);
    assert_eq!(
        told.difference(&happened).copied().collect::<BTreeSet<_>>(),
        peace
    );
    assert_eq!(
        happened.difference(&told).count(),
        0,
        "{happened:?} {told:?}"
    );
    let rows = STORY.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(chapters().count(), rows, "a row that is not whole");
}
