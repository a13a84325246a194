//! Zones: which part of the site an address belongs to, and which way a conversation goes.
//!
//! Enters: names and CIDRs of the configuration. Leaves: the zone of an address by longest prefix,
//! and the direction between two. Refuses: more than [`ZONES_MAX`] zones or [`CIDRS_MAX`] prefixes,
//! malformed prefixes, one prefix in two zones. Source: RFC 4632, RFC 1918, RFC 4193, RFC 3927.

mod cidr;

use std::net::IpAddr;

use crate::event::Connection;
use crate::net::mapped;
use crate::record::Text;

pub use cidr::{Cidr, NotCidr};

/// Most zones of a site.
pub const ZONES_MAX: usize = 1024;
/// Most prefixes of all zones together.
pub const CIDRS_MAX: usize = 16 * 1024;

/// Direction of a conversation whose ends are both outside.
pub const UNKNOWN: u16 = 0;
/// Direction of a conversation opened from outside.
pub const INBOUND: u16 = 1;
/// Direction of a conversation opened from inside with the outside.
pub const OUTBOUND: u16 = 2;
/// Direction of a conversation that stays inside.
pub const LATERAL: u16 = 3;

/// The zones of a site. Without any, private addresses are inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zones {
    names: Vec<String>,
    cidrs: Vec<Vec<Cidr>>,
    /// Longest prefixes first; in each level sorted by network.
    levels: Vec<Level>,
}

/// All prefixes of one length and family.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Level {
    v4: bool,
    bits: u8,
    networks: Vec<(u128, usize)>,
}

/// Why zones are refused; the text is for the operator.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// A prefix is malformed.
    #[error("zone {zone}: {text} is not a prefix such as 10.1.0.0/16")]
    NotCidr {
        /// The zone.
        zone: String,
        /// The malformed text, cut to 64 bytes.
        text: String,
    },
    /// One prefix stands in two zones.
    #[error("prefix {cidr} is in zone {first} and in zone {second}; keep it in one")]
    Twice {
        /// The prefix.
        cidr: Cidr,
        /// The zone that has it.
        first: String,
        /// The zone that wants it too.
        second: String,
    },
    /// A zone has no name, or two zones have the same.
    #[error("zone name {0:?} is empty or used twice")]
    Name(String),
    /// More zones or prefixes than the limit.
    #[error("more than {ZONES_MAX} zones or {CIDRS_MAX} prefixes")]
    TooMany,
}

impl Zones {
    /// The zones of this configuration, in its order.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn new(zones: &[(String, Vec<String>)]) -> Result<Self, ZoneError> {
        let prefixes: usize = zones.iter().map(|(_, cidrs)| cidrs.len()).sum();
        if zones.len() > ZONES_MAX || prefixes > CIDRS_MAX {
            return Err(ZoneError::TooMany);
        }
        let mut made = Self::default();
        for (name, texts) in zones {
            if name.trim().is_empty() || made.names.contains(name) {
                return Err(ZoneError::Name(name.clone()));
            }
            let zone = made.names.len();
            made.names.push(name.clone());
            let mut cidrs = Vec::with_capacity(texts.len());
            for text in texts {
                let cidr = text.trim().parse::<Cidr>();
                let cidr = cidr.map_err(|NotCidr| ZoneError::NotCidr {
                    zone: name.clone(),
                    text: crate::limit::cut_to(text, 64).to_owned(),
                })?;
                made.insert(cidr, zone)?;
                cidrs.push(cidr);
            }
            made.cidrs.push(cidrs);
        }
        for level in &mut made.levels {
            level.networks.sort_unstable();
        }
        let key = |level: &Level| std::cmp::Reverse(level.bits);
        made.levels.sort_by_key(key);
        made.check_unique()?;
        Ok(made)
    }

    fn insert(&mut self, cidr: Cidr, zone: usize) -> Result<(), ZoneError> {
        let (v4, bits) = (cidr.is_v4(), cidr.mapped_bits());
        let level = match self
            .levels
            .iter()
            .position(|level| level.v4 == v4 && level.bits == bits)
        {
            Some(known) => self.levels.get_mut(known),
            None => {
                self.levels.push(Level {
                    v4,
                    bits,
                    networks: Vec::new(),
                });
                self.levels.last_mut()
            }
        };
        let level = level.ok_or(ZoneError::TooMany)?;
        level.networks.push((cidr.network(), zone));
        Ok(())
    }

    fn check_unique(&mut self) -> Result<(), ZoneError> {
        for level in &mut self.levels {
            level.networks.dedup();
            for pair in level.networks.windows(2) {
                if let [(network, first), (same, second)] = pair
                    && network == same
                {
                    let name = |zone: &usize| self.names.get(*zone).cloned().unwrap_or_default();
                    return Err(ZoneError::Twice {
                        cidr: Cidr::of_mapped(*network, level.bits, level.v4),
                        first: name(first),
                        second: name(second),
                    });
                }
            }
        }
        Ok(())
    }

    /// True when nothing was configured.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names and prefixes, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Cidr])> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.cidrs.iter().map(Vec::as_slice))
    }

    /// The zone with the longest prefix that holds `ip`.
    #[must_use]
    pub fn name_of(&self, ip: IpAddr) -> Option<&str> {
        let zone = self.zone_of(ip)?;
        self.names.get(zone).map(String::as_str)
    }

    fn zone_of(&self, ip: IpAddr) -> Option<usize> {
        let v4 = ip.is_ipv4();
        let bits = u128::from_be_bytes(mapped(ip));
        let levels = self.levels.iter().filter(|level| level.v4 == v4);
        levels
            .filter_map(|level| {
                let network = bits & cidr::mask(level.bits);
                let found = level
                    .networks
                    .binary_search_by_key(&network, |(net, _)| *net);
                found.ok().and_then(|at| level.networks.get(at))
            })
            .map(|(_, zone)| *zone)
            .next()
    }

    /// True for addresses of the site: those of a zone, or private ones when no zone is configured;
    /// loopback and link-local ones always.
    #[must_use]
    pub fn is_inside(&self, ip: IpAddr) -> bool {
        if is_link_local(ip) {
            return true;
        }
        if self.is_empty() {
            is_private(ip)
        } else {
            self.zone_of(ip).is_some()
        }
    }

    /// Direction of a conversation that `src` opened: [`UNKNOWN`], [`INBOUND`], [`OUTBOUND`] or
    /// [`LATERAL`]. Multicast, broadcast and the unspecified address never leave the link.
    #[must_use]
    pub fn direction(&self, src: IpAddr, dst: IpAddr) -> u16 {
        let near = |ip| stays_on_link(ip) || self.is_inside(ip);
        match (near(src), near(dst)) {
            (true, true) => LATERAL,
            (true, false) => OUTBOUND,
            (false, true) => INBOUND,
            (false, false) => UNKNOWN,
        }
    }

    /// Writes zones and direction into a connection; leaves the direction alone without addresses.
    pub fn apply(&self, connection: &mut Connection) {
        let zone = |ip: Option<IpAddr>| ip.and_then(|ip| self.name_of(ip));
        let text = |name: Option<&str>| name.map(|name| Text::Owned(name.to_owned()));
        connection.src_zone = text(zone(connection.src_ip));
        connection.dst_zone = text(zone(connection.dst_ip));
        if let (Some(src), Some(dst)) = (connection.src_ip, connection.dst_ip) {
            connection.direction = self.direction(src, dst);
        }
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

fn stays_on_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_multicast() || v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests;
