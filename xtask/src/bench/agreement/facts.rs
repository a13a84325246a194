//! Facts: what one engine says about one flow, in a form that two engines share.
//!
//! Enters: facts of either engine. Leaves: counts of what both, or only one, say; the differences.
//! Refuses: nothing. A fact that is said twice counts twice. Source: issue 3, "Done when".

use std::collections::BTreeMap;

/// Both ends of a conversation, the same for both directions: `tcp 10.0.0.1:80 10.0.0.2:4242`.
pub(super) fn flow(transport: &str, a: (&str, &str), b: (&str, &str)) -> String {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    let (first_port, second_port) = (first.1, second.1);
    format!(
        "{transport} {}:{first_port} {}:{second_port}",
        first.0, second.0
    )
}

/// Text in a form that survives both readers: names of tunnels hold octets that are no text, and
/// tshark writes them in several ways. Of such a name only letters, digits, dots and hyphens count.
pub(super) fn shown(name: &str) -> String {
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
pub(super) struct Fact {
    /// The protocol it is about.
    pub(super) protocol: &'static str,
    /// What kind of statement.
    pub(super) key: &'static str,
    /// See [`flow`].
    pub(super) flow: String,
    /// The statement.
    pub(super) value: String,
}

/// Facts with how often each was said.
#[derive(Default)]
pub(super) struct Facts(BTreeMap<Fact, u64>);

impl Facts {
    /// Adds one.
    pub(super) fn say(
        &mut self,
        protocol: &'static str,
        key: &'static str,
        flow: &str,
        value: impl Into<String>,
    ) {
        self.say_times(protocol, key, flow, value, 1);
    }

    /// Adds one that was said several times.
    pub(super) fn say_times(
        &mut self,
        protocol: &'static str,
        key: &'static str,
        flow: &str,
        value: impl Into<String>,
        times: u64,
    ) {
        let (flow, value) = (flow.to_owned(), value.into());
        let fact = Fact {
            protocol,
            key,
            flow,
            value,
        };
        *self.0.entry(fact).or_default() += times;
    }

    /// Adds one unless it was said: repeated datagrams say the same.
    pub(super) fn say_once(
        &mut self,
        protocol: &'static str,
        key: &'static str,
        flow: &str,
        value: impl Into<String>,
    ) {
        let (flow, value) = (flow.to_owned(), value.into());
        let fact = Fact {
            protocol,
            key,
            flow,
            value,
        };
        self.0.insert(fact, 1);
    }
}

/// How far two engines agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Said by the reference.
    pub(super) theirs: u64,
    /// Said by us.
    pub(super) ours: u64,
    /// Said by both.
    pub(super) both: u64,
}

impl Tally {
    /// Adds another.
    pub(super) fn add(&mut self, other: Self) {
        self.theirs += other.theirs;
        self.ours += other.ours;
        self.both += other.both;
    }

    /// Share of the reference's facts that we say, in percent; `None` when it says none.
    pub(super) fn recall(&self) -> Option<f64> {
        (self.theirs > 0).then(|| self.both as f64 * 100.0 / self.theirs as f64)
    }

    /// Share of our facts that the reference says, in percent; `None` when we say none.
    pub(super) fn precision(&self) -> Option<f64> {
        (self.ours > 0).then(|| self.both as f64 * 100.0 / self.ours as f64)
    }
}

/// A fact that the engines do not say equally often.
pub(super) struct Difference {
    /// The capture.
    pub(super) capture: String,
    /// What is said.
    pub(super) fact: Fact,
    /// How often each says it.
    pub(super) tally: Tally,
}

/// What the comparison of one capture gave.
#[derive(Default)]
pub(super) struct Compared {
    /// Agreement by protocol and kind of fact.
    pub(super) kinds: BTreeMap<(&'static str, &'static str), Tally>,
    /// Each disagreement.
    pub(super) differences: Vec<Difference>,
}

/// Compares what two engines say about one capture.
pub(super) fn compare(capture: &str, theirs: Facts, ours: Facts) -> Compared {
    let mut counts: BTreeMap<Fact, Tally> = BTreeMap::new();
    for (fact, count) in theirs.0 {
        counts.entry(fact).or_default().theirs = count;
    }
    for (fact, count) in ours.0 {
        counts.entry(fact).or_default().ours = count;
    }
    let mut out = Compared::default();
    for (fact, mut tally) in counts {
        tally.both = tally.theirs.min(tally.ours);
        out.kinds
            .entry((fact.protocol, fact.key))
            .or_default()
            .add(tally);
        if tally.theirs != tally.ours {
            let capture = capture.to_owned();
            out.differences.push(Difference {
                capture,
                fact,
                tally,
            });
        }
    }
    out
}
