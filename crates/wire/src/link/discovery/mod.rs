//! What devices say of themselves on the link: LLDP and CDP.
//!
//! Enters: payloads of both protocols. Leaves: [`Neighbour`]s, and inventory bodies when they are
//! news. Refuses: malformed messages: what stands before the damage counts. Limits: those of
//! `lldp.rs` and `cdp.rs`, and [`told::NEIGHBOURS_MAX`]. Source: IEEE 802.1AB, TIA-1057, Cisco's
//! CDP.

mod cdp;
mod lldp;
mod told;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::limit::{LIST_ITEMS_MAX, cut_to};
use model::{Mac, Text};

pub(crate) use cdp::read as of_cdp;
pub(crate) use lldp::read as of_lldp;
pub(crate) use told::Neighbours;

/// Longest text of one attribute, in bytes.
const TEXT_BYTES_MAX: usize = 512;
/// A device may say what it likes of itself.
const CONFIDENCE: u64 = 90;

/// One device, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    /// `LLDP` or `CDP`.
    pub(crate) source: &'static str,
    /// Hardware address of the whole device, when it names one.
    pub(crate) chassis: Option<Mac>,
    /// Addresses at which it is managed.
    pub(crate) addresses: Vec<IpAddr>,
    /// Attributes in the order in which they were told.
    pub(crate) attributes: Vec<(&'static str, Text)>,
}

impl Neighbour {
    const fn new(source: &'static str) -> Self {
        Self {
            source,
            chassis: None,
            addresses: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Notes an attribute that is text.
    fn text(&mut self, name: &'static str, value: &[u8]) {
        let value = value.trim_ascii();
        let end = value.iter().position(|&octet| octet == 0);
        let value = value.get(..end.unwrap_or(value.len())).unwrap_or(&[]);
        let text = match std::str::from_utf8(value) {
            Ok(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Err(_) => value.escape_ascii().to_string(),
        };
        self.note(name, &text);
    }

    fn note(&mut self, name: &'static str, value: &str) {
        let room = self.attributes.len() < LIST_ITEMS_MAX;
        if room && !value.is_empty() {
            let value = cut_to(value, TEXT_BYTES_MAX).to_owned();
            self.attributes.push((name, Text::Owned(value)));
        }
    }

    /// Notes an address in the numbering of IANA address families: 1 IPv4, 2 IPv6.
    fn address(&mut self, family: u8, octets: &[u8]) {
        let ip = match (family, octets.len()) {
            (1, 4) => octets
                .first_chunk()
                .map(|o: &[u8; 4]| Ipv4Addr::from(*o).into()),
            (2, 16) => octets
                .first_chunk()
                .map(|o: &[u8; 16]| Ipv6Addr::from(*o).into()),
            _ => None,
        };
        let Some(ip) = ip.filter(|ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast()) else {
            return;
        };
        if self.addresses.len() < LIST_ITEMS_MAX && !self.addresses.contains(&ip) {
            self.addresses.push(ip);
        }
    }

    /// Notes the words of the bits that are set.
    fn capabilities(&mut self, bits: u32, words: &[&str]) {
        let set = words
            .iter()
            .enumerate()
            .filter(|(bit, _)| bits >> bit & 1 == 1);
        let set: Vec<&str> = set.map(|(_, word)| *word).collect();
        self.note("capabilities", &set.join(" "));
    }
}

/// A hardware address that belongs to one device.
fn mac(octets: &[u8]) -> Option<Mac> {
    let mac = Mac(octets.try_into().ok()?);
    (!mac.is_group() && mac != Mac::default()).then_some(mac)
}

#[cfg(test)]
mod tests;
