//! Facts: what one engine says about one flow, in a form that two engines share.
//!
//! Enters: facts of `tshark` and of ours. Leaves: recall, precision, a table, differences.
//! Refuses: nothing. A fact that is said twice counts twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Both ends of a conversation, the same for both directions: `tcp 10.0.0.1:80 10.0.0.2:4242`.
pub(crate) fn flow(transport: &str, a: (&str, &str), b: (&str, &str)) -> String {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    format!(
        "{transport} {}:{} {}:{}",
        first.0, first.1, second.0, second.1
    )
}

/// A name in a form that survives both readers: names of tunnels hold octets that are no text, and
/// tshark writes them in several ways. Of such a name only letters, digits, dots and hyphens count.
pub(crate) fn shown(name: &str) -> String {
    let mut text = String::new();
    let mut pieces = name.split("\\u");
    text.extend(pieces.next());
    for piece in pieces {
        text.push(char::REPLACEMENT_CHARACTER);
        text.extend(piece.get(4..));
    }
    if text.chars().all(|c| matches!(c, ' '..='~')) {
        return text;
    }
    text.retain(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    text
}

/// One statement about one flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact {
    /// The protocol it is about.
    pub(crate) protocol: &'static str,
    /// What kind of statement.
    pub(crate) key: &'static str,
    /// See [`flow`].
    pub(crate) flow: String,
    /// The statement.
    pub(crate) value: String,
}

/// Facts with how often each was said.
#[derive(Default)]
pub(crate) struct Facts(BTreeMap<Fact, usize>);

impl Facts {
    /// Adds one.
    pub(crate) fn say(
        &mut self,
        protocol: &'static str,
        key: &'static str,
        flow: &str,
        value: String,
    ) {
        let fact = Fact {
            protocol,
            key,
            flow: flow.to_owned(),
            value,
        };
        *self.0.entry(fact).or_default() += 1;
    }

    /// Adds one unless it was said: repeated datagrams say the same.
    pub(crate) fn say_once(
        &mut self,
        protocol: &'static str,
        key: &'static str,
        flow: &str,
        value: String,
    ) {
        let fact = Fact {
            protocol,
            key,
            flow: flow.to_owned(),
            value,
        };
        self.0.insert(fact, 1);
    }

    /// Forgets all about one protocol.
    pub(crate) fn forget(&mut self, protocol: &str) {
        self.0.retain(|fact, _| fact.protocol != protocol);
    }

    /// Adds all of another.
    pub(crate) fn extend(&mut self, other: Self) {
        for (fact, count) in other.0 {
            *self.0.entry(fact).or_default() += count;
        }
    }
}

/// How far two engines agree on one kind of fact, or on one protocol.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Said by the reference.
    pub(crate) theirs: usize,
    /// Said by us.
    pub(crate) ours: usize,
    /// Said by both.
    pub(crate) both: usize,
}

impl Tally {
    fn add(&mut self, theirs: usize, ours: usize) {
        self.theirs += theirs;
        self.ours += ours;
        self.both += theirs.min(ours);
    }

    /// Share of the reference's facts that we say, in percent.
    pub(crate) fn recall(&self) -> f64 {
        percent(self.both, self.theirs)
    }

    /// Share of our facts that the reference says, in percent.
    pub(crate) fn precision(&self) -> f64 {
        percent(self.both, self.ours)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a test")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 100.0;
    }
    part as f64 * 100.0 / whole as f64
}

/// The comparison of two engines.
#[derive(Default)]
pub(crate) struct Comparison {
    kinds: BTreeMap<(&'static str, &'static str), Tally>,
    differences: BTreeMap<&'static str, Vec<String>>,
}

/// Differences kept for each protocol.
const DIFFERENCES_MAX: usize = 12;

impl Comparison {
    /// Compares what two engines say about one capture, called `name` in differences.
    pub(crate) fn compare(&mut self, name: &str, theirs: &Facts, ours: &Facts) {
        let mut counts: BTreeMap<&Fact, (usize, usize)> = BTreeMap::new();
        for (fact, count) in &theirs.0 {
            counts.entry(fact).or_default().0 = *count;
        }
        for (fact, count) in &ours.0 {
            counts.entry(fact).or_default().1 = *count;
        }
        for (fact, (theirs, ours)) in counts {
            let kind = (fact.protocol, fact.key);
            self.kinds.entry(kind).or_default().add(theirs, ours);
            let list = self.differences.entry(fact.protocol).or_default();
            if theirs != ours && list.len() < DIFFERENCES_MAX {
                list.push(format!(
                    "{name}: {} {} | {} | tshark {theirs}, vigie {ours}",
                    fact.key, fact.flow, fact.value
                ));
            }
        }
    }

    /// The tally of a protocol.
    pub(crate) fn protocol(&self, protocol: &str) -> Tally {
        let mut sum = Tally::default();
        for ((known, _), tally) in &self.kinds {
            if *known == protocol {
                sum.theirs += tally.theirs;
                sum.ours += tally.ours;
                sum.both += tally.both;
            }
        }
        sum
    }

    /// Everything, for people.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{:<8} {:<12} {:>8} {:>8} {:>8} {:>9} {:>9}\n",
            "protocol", "fact", "tshark", "vigie", "both", "recall %", "precis. %"
        );
        for ((protocol, key), tally) in &self.kinds {
            let _ = writeln!(
                text,
                "{protocol:<8} {key:<12} {:>8} {:>8} {:>8} {:>9.2} {:>9.2}",
                tally.theirs,
                tally.ours,
                tally.both,
                tally.recall(),
                tally.precision()
            );
        }
        for (protocol, list) in &self.differences {
            for line in list {
                let _ = writeln!(text, "{protocol}: {line}");
            }
        }
        text
    }

    /// The protocols below `percent` in recall or precision, and those never seen.
    pub(crate) fn below(&self, protocols: &[&'static str], percent: f64) -> Vec<String> {
        let mut wrong = Vec::new();
        for protocol in protocols {
            let tally = self.protocol(protocol);
            if tally.theirs == 0 {
                wrong.push(format!("{protocol}: the reference says nothing"));
            } else if tally.recall() < percent || tally.precision() < percent {
                wrong.push(format!(
                    "{protocol}: recall {:.2} %, precision {:.2} %, {percent} % wanted",
                    tally.recall(),
                    tally.precision()
                ));
            }
        }
        wrong
    }
}
