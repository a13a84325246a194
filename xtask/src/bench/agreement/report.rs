//! The page that the agreement bench writes.
//!
//! Enters: what the comparisons gave. Leaves: `docs/benchmarks/agreement.md`. Refuses: nothing:
//! what was not compared is said so. Source: issue 3, "Done when".

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::facts::{Compared, Difference, Tally};
use super::reason;
use super::{arkime, suricata};

/// What one run gave.
#[derive(Default)]
pub(super) struct Page {
    /// The recorded day beside tshark.
    pub(super) day: Option<Vec<Compared>>,
    /// The shared captures beside tshark.
    pub(super) shared: Option<Vec<Compared>>,
    /// How many shared captures there are.
    pub(super) captures: usize,
    /// The checks of suricata-verify.
    pub(super) suricata: Option<Vec<suricata::Check>>,
    /// Arkime's sessions.
    pub(super) arkime: Option<arkime::Outcome>,
}

/// Figures that were promised: protocol, kind of fact, recall and precision in percent.
const PROMISED: &[(&str, &str, f64, f64)] = &[
    ("tls", "sni", 98.0, 99.0),
    ("dns", "", 98.0, 99.0),
    ("http", "", 96.0, 99.0),
    ("smb", "", 90.0, 99.0),
    ("kerberos", "", 90.0, 99.0),
];

/// Examples shown of a kind of difference that has no explanation yet.
const EXAMPLES: usize = 3;

/// A difference as a line of the list.
pub(super) fn line(difference: &Difference) -> String {
    let Difference {
        capture,
        fact,
        tally,
    } = difference;
    let value = fact.value.replace(['\t', '\n', '\r'], " ");
    format!(
        "{capture}\t{}\t{}\t{}\t{value}\t{}\t{}\n",
        fact.protocol, fact.key, fact.flow, tally.theirs, tally.ours
    )
}

impl Page {
    /// The page.
    pub(super) fn text(&self, binary: &str, tshark: &str) -> String {
        let mut out = String::from(HEAD);
        let _ = writeln!(out, "Last run: {binary}; {tshark}.\n");
        if let Some(day) = &self.day {
            let day = sum(day);
            out += "## The recorded day of the lab beside tshark\nWanted: 99.5 % each.\n\n";
            out += &table(&day);
        }
        if let Some(shared) = &self.shared {
            let captures = self.captures;
            let _ = writeln!(out, "## {captures} shared captures beside tshark\n");
            out += "\"As told\" counts every difference against us. \"Set right\" leaves out those \
                whose reason, below, is not a fault of ours.\n\n";
            let (told, right) = (sum(shared), without_reasons(shared));
            out += &both_tables(&told, &right);
            out += &promises(&told, &right);
            out += &reasons(shared);
        }
        if let Some(checks) = &self.suricata {
            out += &verify(checks);
        }
        if let Some(outcome) = &self.arkime {
            out += &sessions(outcome);
        }
        out
    }
}

const HEAD: &str = include_str!("head.md");
const CHECKS: &str = include_str!("checks.md");
const SESSIONS: &str = "## Sessions of Arkime
Wanted: 99 % of flows. Octets of Arkime are those of frames, ours those of IP packets: they
agree when the rest fits the headers around.

";

type Kinds = BTreeMap<(&'static str, &'static str), Tally>;

fn sum(compared: &[Compared]) -> Kinds {
    let mut kinds = Kinds::new();
    for (kind, tally) in compared.iter().flat_map(|one| &one.kinds) {
        kinds.entry(*kind).or_default().add(*tally);
    }
    kinds
}

/// The same without the facts whose difference has a reason that is no fault of ours.
fn without_reasons(compared: &[Compared]) -> Kinds {
    let mut kinds = sum(compared);
    for difference in compared.iter().flat_map(|one| &one.differences) {
        if reason::of(difference).is_some_and(|reason| !reason.ours) {
            let kind = (difference.fact.protocol, difference.fact.key);
            let tally = kinds.entry(kind).or_default();
            tally.theirs -= difference.tally.theirs - difference.tally.both;
            tally.ours -= difference.tally.ours - difference.tally.both;
        }
    }
    kinds
}

/// The head of a table.
fn columns(names: &[&str]) -> String {
    format!(
        "| {} |\n|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    )
}

fn percent(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2}"))
}

fn table(kinds: &Kinds) -> String {
    let figures = ["tshark", "vigie", "both", "recall %", "precision %"];
    let mut out = columns(&[&["protocol", "fact"], &figures[..]].concat());
    for ((protocol, key), tally) in kinds {
        let _ = writeln!(
            out,
            "| {protocol} | {key} | {} | {} | {} | {} | {} |",
            tally.theirs,
            tally.ours,
            tally.both,
            percent(tally.recall()),
            percent(tally.precision())
        );
    }
    out + "\n"
}

fn both_tables(told: &Kinds, right: &Kinds) -> String {
    let counts = ["protocol", "fact", "tshark", "vigie", "both"];
    let shares = [
        "recall %",
        "precision %",
        "recall % set right",
        "precision % set right",
    ];
    let mut out = columns(&[&counts[..], &shares].concat());
    for ((protocol, key), tally) in told {
        let other = right.get(&(*protocol, *key)).copied().unwrap_or_default();
        let _ = writeln!(
            out,
            "| {protocol} | {key} | {} | {} | {} | {} | {} | {} | {} |",
            tally.theirs,
            tally.ours,
            tally.both,
            percent(tally.recall()),
            percent(tally.precision()),
            percent(other.recall()),
            percent(other.precision())
        );
    }
    out + "\n"
}

fn promises(told: &Kinds, right: &Kinds) -> String {
    let recall = ["promised", "recall %", "as told", "set right"];
    let mut out = columns(&[&recall[..], &["precision %", "as told", "set right"]].concat());
    for (protocol, key, recall, precision) in PROMISED {
        let of = |kinds: &Kinds| {
            let mut sum = Tally::default();
            let wanted = kinds
                .iter()
                .filter(|((known, kind), _)| known == protocol && (key.is_empty() || kind == key));
            wanted.for_each(|(_, tally)| sum.add(*tally));
            sum
        };
        let (told, right) = (of(told), of(right));
        let _ = writeln!(
            out,
            "| {protocol} {key} | {recall} | {} | {} | {precision} | {} | {} |",
            percent(told.recall()),
            percent(right.recall()),
            percent(told.precision()),
            percent(right.precision())
        );
    }
    out + "\n"
}

/// Differences by their reason, and what has none.
fn reasons(compared: &[Compared]) -> String {
    let mut known: BTreeMap<(bool, &str, &str), (u64, u64)> = BTreeMap::new();
    let mut unknown: BTreeMap<(&str, &str), (u64, u64, Vec<String>)> = BTreeMap::new();
    for difference in compared.iter().flat_map(|one| &one.differences) {
        let missing = difference.tally.theirs - difference.tally.both;
        let more = difference.tally.ours - difference.tally.both;
        let fact = &difference.fact;
        if let Some(reason) = reason::of(difference) {
            let counts = known
                .entry((reason.ours, fact.protocol, reason.why))
                .or_default();
            (counts.0, counts.1) = (counts.0 + missing, counts.1 + more);
        } else {
            let counts = unknown.entry((fact.protocol, fact.key)).or_default();
            (counts.0, counts.1) = (counts.0 + missing, counts.1 + more);
            if counts.2.len() < EXAMPLES {
                let short: String = fact.value.chars().take(60).collect();
                counts.2.push(format!(
                    "{}: `{}`",
                    difference.capture,
                    short.replace('|', "/")
                ));
            }
        }
    }
    let mut out = String::from("### Where we differ, and why\n");
    out += &columns(&["protocol", "only tshark", "only vigie", "why", "whose"]);
    for ((ours, protocol, why), (missing, more)) in known {
        let whose = if ours { "ours" } else { "not ours" };
        let _ = writeln!(out, "| {protocol} | {missing} | {more} | {why} | {whose} |");
    }
    out += "\n### Differences that nobody looked into yet\n";
    out += &columns(&["protocol", "fact", "only tshark", "only vigie", "examples"]);
    for ((protocol, key), (missing, more, examples)) in unknown {
        let examples = examples.join("; ");
        let _ = writeln!(
            out,
            "| {protocol} | {key} | {missing} | {more} | {examples} |"
        );
    }
    out + "\n"
}

/// The checks of suricata-verify.
fn verify(checks: &[suricata::Check]) -> String {
    let mut kinds: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for check in checks {
        let counts = kinds.entry(&check.kind).or_default();
        counts.0 += 1;
        counts.1 += u64::from(check.found == check.wanted);
        counts.2 += u64::from(check.strictly == check.wanted);
    }
    let mut out = String::from(CHECKS);
    let mut all = (0, 0, 0);
    for (kind, counts) in kinds.iter().chain([(&"all", &(0, 0, 0))]) {
        let counts = if *kind == "all" { all } else { *counts };
        if *kind != "all" {
            all = (all.0 + counts.0, all.1 + counts.1, all.2 + counts.2);
        }
        let share = counts.1 as f64 * 100.0 / (counts.0 as f64).max(1.0);
        let _ = writeln!(
            out,
            "| {kind} | {} | {} | {} | {share:.1} |",
            counts.0, counts.1, counts.2
        );
    }
    out += "\n| test | record | wanted | found | fails at | why |\n|---|---|---|---|---|---|\n";
    for check in checks.iter().filter(|check| check.found != check.wanted) {
        let places: Vec<&str> = check.fails_at.iter().take(2).map(String::as_str).collect();
        let places = places.join(", ");
        let why = reason::of_check(check);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {places} | {why} |",
            check.test, check.kind, check.wanted, check.found
        );
    }
    out + "\n"
}

/// Arkime's sessions.
fn sessions(outcome: &arkime::Outcome) -> String {
    let of = |part: u64, whole: u64| {
        format!(
            "{part} of {whole} ({:.1} %)",
            part as f64 * 100.0 / (whole as f64).max(1.0)
        )
    };
    let mut out = String::from(SESSIONS);
    out += &columns(&["", "flows"]);
    let _ = writeln!(
        out,
        "| same endpoints | {} |",
        of(outcome.endpoints, outcome.flows)
    );
    let _ = writeln!(
        out,
        "| and packets | {} |",
        of(outcome.packets, outcome.flows)
    );
    let _ = writeln!(
        out,
        "| and octets | {} |",
        of(outcome.octets, outcome.flows)
    );
    let same = of(outcome.same_community, outcome.communities);
    let _ = writeln!(out, "| Community ID | {same} |\n");
    out += &columns(&["capture", "flow", "why"]);
    for (capture, what) in &outcome.differences {
        let why = reason::of_session(capture, what);
        let _ = writeln!(out, "| {capture} | {what} | {why} |");
    }
    out
}
