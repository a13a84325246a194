//! Other tools' names under ours, and forms that several logs share.
//!
//! Enters: names of protocols, versions, targets. Leaves: those that the packet path uses.
//! Refuses: nothing; an unknown name stays, in lower case. Source: `wire::protocol::REGISTRY`.

use model::class::Http;
use model::{Sensitive, Text};

use super::fields::owned;
use super::said::OTHER;

/// A protocol by the name that the packet path gives it.
pub(super) fn app(name: &str) -> Text {
    // Zeek names every analyzer that confirmed: the outer ones say less.
    let inner = name.split(',').find(|one| {
        !matches!(
            *one,
            "gssapi" | "ntlm" | "spicy_ldap_tcp" | "spicy_ldap_udp"
        )
    });
    let name = inner.unwrap_or(name).to_ascii_lowercase();
    Text::Borrowed(match name.as_str() {
        "" | "failed" | "unknown" | "-" => "unknown",
        "ssl" => "tls",
        "krb" | "krb5" | "krb_tcp" => "kerberos",
        "dce_rpc" => "dcerpc",
        "pgsql" => "postgresql",
        "ldap_tcp" | "ldap_udp" => "ldap",
        _ => return Text::Owned(owned(&name).into_owned()),
    })
}

/// IP protocol numbers by their names in these logs. Source: IANA protocol numbers.
pub(super) fn protocol(name: &str) -> u16 {
    match name.to_ascii_lowercase().as_str() {
        "icmp" => 1,
        "igmp" => 2,
        "tcp" => 6,
        "udp" => 17,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "ipv6-icmp" | "icmpv6" | "icmp6" => 58,
        "ospf" => 89,
        "pim" => 103,
        "sctp" => 132,
        digits => digits.parse().unwrap_or(0),
    }
}

/// `TLSv12`, `TLS 1.2`, `TLSv1.2`: "1.2".
pub(super) fn tls_version(name: &str) -> Text {
    match name {
        "SSLv2" => Text::Borrowed("ssl2"),
        "SSLv3" => Text::Borrowed("ssl3"),
        "TLSv10" | "TLSv1" | "TLS 1.0" => Text::Borrowed("1.0"),
        "TLSv11" | "TLS 1.1" => Text::Borrowed("1.1"),
        "TLSv12" | "TLS 1.2" => Text::Borrowed("1.2"),
        "TLSv13" | "TLS 1.3" => Text::Borrowed("1.3"),
        other => {
            let digits = other.trim_start_matches(|c: char| !c.is_ascii_digit());
            owned(if digits.is_empty() { other } else { digits })
        }
    }
}

/// OCSF activity of a request method.
pub(super) fn http_activity(method: Option<&str>) -> u16 {
    match method.unwrap_or("") {
        "CONNECT" => 1,
        "DELETE" => 2,
        "GET" => 3,
        "HEAD" => 4,
        "OPTIONS" => 5,
        "POST" => 6,
        "PUT" => 7,
        "TRACE" => 8,
        "PATCH" => 9,
        _ => OTHER,
    }
}

/// Puts a request target where it belongs: path and query, host and port of an absolute one.
pub(super) fn target(url: &str, http: &mut Http) {
    let mut rest = url;
    if let Some((_, after)) = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.len() <= 8)
    {
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        rest = tail;
        if http.host.is_none() {
            host(authority.rsplit('@').next().unwrap_or(authority), http);
        }
    }
    let rest = rest.split('#').next().unwrap_or(rest);
    let (path, query) = rest
        .split_once('?')
        .map_or((rest, None), |(p, q)| (p, Some(q)));
    http.path = (!path.is_empty()).then(|| Sensitive::path(path));
    http.query = query
        .filter(|query| !query.is_empty())
        .map(|query| Sensitive::new(model::sensitive::Shape::Query, query));
}

/// A host with or without port.
pub(super) fn host(text: &str, http: &mut Http) {
    let (name, port) = match text.rsplit_once(':') {
        // Colons within brackets or without them belong to an IPv6 address.
        Some((name, digits)) if name.ends_with(']') || !name.contains(':') => {
            match digits.parse() {
                Ok(port) => (name, Some(port)),
                Err(_) => (text, None),
            }
        }
        _ => (text, None),
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    http.host = (!name.is_empty()).then(|| owned(&name.to_lowercase()));
    http.port = http.port.or(port);
}

/// `text/html; charset=utf-8`: the part before the parameters.
pub(super) fn media(text: &str) -> Text {
    let kind = text.split(';').next().unwrap_or(text).trim();
    owned(&kind.to_ascii_lowercase())
}

/// TCP flags of an octet, as letters in the order FSRPAUEC.
pub(super) fn flags(octet: u8) -> Text {
    let letters = "FSRPAUEC".chars().enumerate();
    let set = letters.filter(|(bit, _)| octet >> bit & 1 == 1);
    Text::Owned(set.map(|(_, letter)| letter).collect())
}

/// The domain of a mail address, in lower case.
pub(super) fn domain(address: &str) -> Option<Text> {
    let (_, domain) = address.rsplit_once('@')?;
    let end = domain.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_')));
    let domain = domain.get(..end.unwrap_or(domain.len()))?;
    (!domain.is_empty()).then(|| owned(&domain.to_lowercase()))
}
