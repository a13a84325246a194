//! What encrypted traffic tells without being opened.
//!
//! Enters: what a handshake said; sizes and times of records. Leaves: facts under `encrypted`.
//! Refuses: nothing. Limits: [`RECORDS_MAX`] records of one connection are looked at.
//! Source: RFC 7858 (DNS over TLS), RFC 8484 (over HTTPS), RFC 9250 (over QUIC); the names of
//! public resolvers are those of their operators' documentation.

use std::fmt::Write as _;

use model::class::Network;
use model::fact::Facts;
use model::{Nanos, Text};

use super::{Context, Side};

/// Records of one connection whose sizes are kept.
pub(super) const RECORDS_MAX: usize = 16;

/// Records below which sizes tell nothing.
const RECORDS_MIN: usize = 4;

/// Says whether a handshake is that of encrypted DNS, and how that is known.
pub(super) fn dns(body: &Network, cx: &Context<'_>) -> Vec<Text> {
    let offers = |name: &str| body.tls_alpn_offered.iter().any(|offer| offer == name);
    let drafts = |prefix: &str| {
        let mut offers = body.tls_alpn_offered.iter();
        offers.any(|offer| offer.starts_with(prefix))
    };
    let quic = body.about == "quic";
    let port = cx.server_port;
    let name = body.tls_sni.as_deref().unwrap_or("");
    let found = if offers("dot") {
        Some(("dot", "alpn"))
    } else if offers("doq") || drafts("doq-i") {
        Some(("doq", "alpn"))
    } else if quic && port == 853 {
        Some(("doq", "port"))
    } else if port == 853 {
        Some(("dot", "port"))
    } else if is_resolver(name) {
        Some(("doh", "name"))
    } else {
        None
    };
    let mut facts = Facts::of("encrypted");
    if let Some((kind, by)) = found {
        facts.add("dns", kind).add("dns_by", by);
    }
    facts.take()
}

/// What is odd about a server's certificate at the time of its handshake.
pub(super) fn certificate(body: &Network, time: Nanos) -> Vec<Text> {
    let mut facts = Facts::of("encrypted");
    let now = time.millis();
    let (subject, issuer) = (body.tls_subject.as_deref(), body.tls_issuer.as_deref());
    if subject.is_some_and(|subject| !subject.is_empty()) && subject == issuer {
        facts.add("certificate", "self_signed");
    }
    if body.tls_not_after.is_some_and(|end| end < now) {
        facts.add("certificate", "expired");
    }
    if body.tls_not_before.is_some_and(|start| start > now) {
        facts.add("certificate", "not_yet_valid");
    }
    if let (Some(name), Some(subject)) = (body.tls_sni.as_deref(), subject) {
        let mut named = body.tls_san.iter().map(AsRef::as_ref);
        let common = subject
            .split(',')
            .find_map(|part| part.trim().strip_prefix("CN="));
        let common = common.filter(|_| body.tls_san.is_empty());
        let fits = named.any(|san| covers(san, name)) || common.is_some_and(|cn| covers(cn, name));
        if !fits {
            facts.add("certificate", "name_mismatch");
        }
    }
    facts.take()
}

/// True when a certificate's name is that of a server; a star stands for its first label.
fn covers(certified: &str, name: &str) -> bool {
    let certified = certified.trim_end_matches('.');
    let name = name.trim_end_matches('.');
    if let Some(domain) = certified.strip_prefix("*.") {
        let rest = name.split_once('.').map(|(_, rest)| rest);
        return rest.is_some_and(|rest| rest.eq_ignore_ascii_case(domain));
    }
    certified.eq_ignore_ascii_case(name)
}

/// True for the name of a public resolver that answers over HTTPS.
fn is_resolver(name: &str) -> bool {
    RESOLVERS.iter().any(|known| {
        let rest = name.strip_suffix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Names of public resolvers; names below them count too.
const RESOLVERS: [&str; 24] = [
    "adguard-dns.com",
    "chrome.cloudflare-dns.com",
    "cloudflare-dns.com",
    "dns.adguard.com",
    "dns.alidns.com",
    "dns.controld.com",
    "dns.digitale-gesellschaft.ch",
    "dns.google",
    "dns.mullvad.net",
    "dns.nextdns.io",
    "dns.quad9.net",
    "dns.sb",
    "dns.switch.ch",
    "dns.google.com",
    "dns0.eu",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "dns9.quad9.net",
    "doh.cleanbrowsing.org",
    "doh.libredns.gr",
    "doh.opendns.com",
    "doh.pub",
    "ns0.fdn.fr",
    "one.one.one.one",
];

/// The first records after a handshake: sizes, directions, times.
#[derive(Default)]
pub(super) struct Profile {
    records: Vec<(Side, u32, Nanos)>,
}

impl Profile {
    /// Notes a record; true while more are wanted.
    pub(super) fn record(&mut self, side: Side, len: usize, now: Nanos) -> bool {
        let len32 = u32::try_from(len).unwrap_or(u32::MAX);
        if self.records.len() < RECORDS_MAX {
            self.records.push((side, len32, now));
        }
        self.records.len() < RECORDS_MAX
    }

    /// What the sizes tell, for the flow's own event; nothing when there were too few. `opened` is
    /// the time of the handshake.
    pub(super) fn tell(&self, opened: Nanos) -> Vec<Text> {
        match self.records.first() {
            Some((_, _, time)) if self.records.len() >= RECORDS_MIN => self.facts(opened, *time),
            _ => Vec::new(),
        }
    }

    /// Heap bytes that it holds.
    pub(super) fn heap_bytes(&self) -> usize {
        self.records.capacity() * size_of::<(Side, u32, Nanos)>()
    }

    /// The facts: sizes in order, the client's positive and the server's negative; milliseconds
    /// from the handshake to the first and from the first to the last; the median and the longest
    /// pause.
    fn facts(&self, opened: Nanos, start: Nanos) -> Vec<Text> {
        let mut facts = Facts::of("encrypted");
        facts.add("after_ms", start.since(opened) / 1_000_000);
        let sizes = self.records.iter().map(|(side, len, _)| match side {
            Side::Client => i64::from(*len),
            Side::Server => -i64::from(*len),
        });
        let mut text = String::with_capacity(RECORDS_MAX * 6);
        for size in sizes {
            let blank = if text.is_empty() { "" } else { " " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{blank}{size}");
        }
        let times = || self.records.iter().map(|(_, _, time)| *time);
        let mut pauses: Vec<u64> = times()
            .zip(times().skip(1))
            .map(|(before, after)| after.since(before) / 1_000_000)
            .collect();
        pauses.sort_unstable();
        facts.add("sizes", text);
        facts.add("records", self.records.len());
        if let (Some(first), Some(last)) = (times().next(), times().next_back()) {
            facts.add("span_ms", last.since(first) / 1_000_000);
        }
        facts.maybe("pause_ms_median", pauses.get(pauses.len() / 2));
        facts.maybe("pause_ms_max", pauses.last());
        facts.take()
    }
}

#[cfg(test)]
mod tests;
