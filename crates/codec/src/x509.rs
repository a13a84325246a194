//! Certificates: the few facts that a sensor keeps.
//!
//! Enters: one certificate in DER. Leaves: names, serial number, validity, fingerprint.
//! Refuses: to verify anything. Limits: [`NAMES_MAX`] alternative names.
//! Source: RFC 5280; RFC 4514 for the text of names. Parsing is x509-parser's, behind this module.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use model::Millis;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

use crate::digest::{hex, sha256_hex};

/// Most alternative names that are kept.
pub const NAMES_MAX: usize = model::limit::LIST_ITEMS_MAX;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Subject, RFC 4514 text.
    pub subject: String,
    /// Issuer, RFC 4514 text.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// Begin of validity.
    pub not_before: Millis,
    /// End of validity.
    pub not_after: Millis,
    /// Alternative names: DNS names in lower case, addresses, URIs. Mail addresses are left out.
    pub names: Vec<String>,
}

impl Certificate {
    /// Reads a certificate; what follows it is ignored.
    #[must_use]
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            subject: name(certificate.subject()),
            issuer: name(certificate.issuer()),
            serial: hex(certificate.raw_serial()),
            not_before: time(validity.not_before),
            not_after: time(validity.not_after),
            names: alternative_names(&certificate),
        })
    }
}

/// SHA-256 of a certificate as it came, lower-case hexadecimal.
#[must_use]
pub fn sha256(der: &[u8]) -> String {
    sha256_hex(der)
}

fn time(time: ASN1Time) -> Millis {
    Millis(time.timestamp().saturating_mul(1000))
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(found) = extension.parsed_extension() {
            let texts = found.general_names.iter().filter_map(alternative_name);
            names.extend(texts.take(NAMES_MAX.saturating_sub(names.len())));
        }
    }
    names
}

fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::DNSName(text) = name {
        return Some(text.to_ascii_lowercase());
    }
    if let GeneralName::URI(text) = name {
        return Some((*text).to_owned());
    }
    if let GeneralName::IPAddress(octets) = name {
        if let Ok(v4) = <[u8; 4]>::try_from(*octets) {
            return Some(Ipv4Addr::from(v4).to_string());
        }
        let v6 = <[u8; 16]>::try_from(*octets).ok()?;
        return Some(Ipv6Addr::from(v6).to_string());
    }
    None
}

/// RFC 4514: the last relative name first, commas between.
fn name(name: &X509Name<'_>) -> String {
    let mut out = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for part in parts.iter().rev() {
        if !out.is_empty() {
            out.push(',');
        }
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                out.push('+');
            }
            let oid = attribute.attr_type().to_id_string();
            let value = text(attribute.attr_value().data, attribute.as_str().ok());
            out.push_str(short(&oid).unwrap_or(&oid));
            out.push('=');
            push_escaped(&value, &mut out);
        }
    }
    out
}

/// The attribute's text: as ASN.1 says, else whatever its octets look like.
fn text(octets: &[u8], known: Option<&str>) -> String {
    known.map_or_else(
        || String::from_utf8_lossy(octets).into_owned(),
        str::to_owned,
    )
}

fn short(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.42" => "GN",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.3.6.1.4.1.311.60.2.1.1" => "jurisdictionL",
        "1.3.6.1.4.1.311.60.2.1.2" => "jurisdictionST",
        "1.3.6.1.4.1.311.60.2.1.3" => "jurisdictionC",
        _ => return None,
    })
}

fn push_escaped(value: &str, out: &mut String) {
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        let edge = (c == ' ' && (index == 0 || index == last)) || (c == '#' && index == 0);
        if edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            out.push('\\');
            out.push(c);
        } else if c.is_control() {
            let mut octets = [0; 4];
            for octet in c.encode_utf8(&mut octets).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\{octet:02x}");
            }
        } else {
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests;
