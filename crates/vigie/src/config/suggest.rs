//! "Did you mean": a refused key with the nearest one that exists.
//!
//! Enters: a TOML error. Leaves: line, key, nearest key. Refuses: nothing.
//! Source: Damerau-Levenshtein distance, restricted form.

use super::Refused;

/// Names of at most this distance are near.
const DISTANCE_MAX: usize = 4;

/// Turns an error of the TOML reader into a sentence for the operator.
pub(super) fn explain(error: &toml::de::Error, text: &str) -> Refused {
    let message = error.message();
    let line = error.span().map_or(0, |span| {
        text.get(..span.start)
            .unwrap_or("")
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count()
            + 1
    });
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field")
        && let Some(wrong) = quoted.next()
    {
        let near = nearest(wrong, quoted);
        let hint = near.map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
        return Refused(format!("line {line}: there is no key '{wrong}'{hint}"));
    }
    Refused(format!("line {line}: {message}"))
}

/// The nearest of `names` to `wrong`, if one is near.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = DISTANCE_MAX.min(wrong.len().max(2) / 2 + 1);
    names
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        let mut left = i + 1;
        for (slot, to) in row.iter_mut().skip(1).zip(&b) {
            let up = *slot;
            *slot = (up + 1)
                .min(left + 1)
                .min(diagonal + usize::from(from != *to));
            diagonal = up;
            left = *slot;
        }
    }
    row.last().copied().unwrap_or(0)
}
