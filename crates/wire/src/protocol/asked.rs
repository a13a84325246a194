//! When a protocol is asked at all: a filter before its probe, and the index made of all filters.
//!
//! Enters: what each protocol declares. Leaves: for a transport, a first octet and two ports, the
//! protocols to ask. Refuses: nothing: a filter lets through whatever the probe would not say "no"
//! to, which a test holds against the probes; a protocol that declares nothing is always asked.
//! Source: `DESIGN.md` section 4, wire.

use super::{First, Protocol, Transport};

/// When a protocol is asked whether first bytes are its own. It is not asked when its probe could
/// only say no: of another transport; and, where octets or ports are named, with another first
/// octet on other ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    tcp: bool,
    udp: bool,
    /// First octets, one bit each; all when none was named.
    octets: Octets,
    /// Ports on which it is asked whatever the first octet is.
    ports: &'static [u16],
}

/// A set of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Octets(u128, u128);

impl Octets {
    const ALL: Self = Self(u128::MAX, u128::MAX);
    const NONE: Self = Self(0, 0);

    const fn with(self, octet: u8) -> Self {
        match octet.checked_sub(128) {
            None => Self(self.0 | 1 << octet, self.1),
            Some(upper) => Self(self.0, self.1 | 1 << upper),
        }
    }

    const fn has(self, octet: u8) -> bool {
        let Self(lower, upper) = self;
        match octet.checked_sub(128) {
            None => lower >> octet & 1 == 1,
            Some(octet) => upper >> octet & 1 == 1,
        }
    }
}

impl Asked {
    /// Whatever comes.
    pub const ALWAYS: Self = Self {
        tcp: true,
        udp: true,
        octets: Octets::ALL,
        ports: &[],
    };
    /// Streams only.
    pub const TCP: Self = Self {
        udp: false,
        ..Self::ALWAYS
    };
    /// Datagrams only.
    pub const UDP: Self = Self {
        tcp: false,
        ..Self::ALWAYS
    };

    /// The same, only when the first octet is one of these, or of those named before.
    #[must_use]
    pub const fn starting(self, octets: &[u8]) -> Self {
        let mut set = self.named();
        let mut rest = octets;
        while let [octet, after @ ..] = rest {
            set = set.with(*octet);
            rest = after;
        }
        Self {
            octets: set,
            ..self
        }
    }

    /// The same, only when the first octet lies from `low` to `high`, or is one of those named
    /// before.
    #[must_use]
    pub const fn starting_within(self, low: u8, high: u8) -> Self {
        let mut set = self.named();
        let mut octet = low;
        while octet <= high {
            set = set.with(octet);
            match octet.checked_add(1) {
                Some(next) => octet = next,
                None => break,
            }
        }
        Self {
            octets: set,
            ..self
        }
    }

    /// The same, on these ports whatever the first octet is; on these ports only when no octets
    /// were named.
    #[must_use]
    pub const fn on_ports(self, ports: &'static [u16]) -> Self {
        Self {
            octets: self.named(),
            ports,
            ..self
        }
    }

    /// True when the protocol is to be asked.
    #[must_use]
    pub fn lets(&self, first: &First<'_>) -> bool {
        let octet = first.bytes.first().is_none_or(|o| self.octets.has(*o));
        self.travels(first.transport) && (octet || self.ports.iter().any(|p| first.has_port(*p)))
    }

    const fn named(&self) -> Octets {
        let Octets(lower, upper) = self.octets;
        if lower & upper == u128::MAX {
            Octets::NONE
        } else {
            self.octets
        }
    }

    const fn travels(&self, transport: Transport) -> bool {
        match transport {
            Transport::Tcp => self.tcp,
            Transport::Udp => self.udp,
        }
    }
}

/// Which protocols of a registry to ask, one bit each, in its order.
pub(super) struct Index {
    tcp: Table,
    udp: Table,
}

struct Table {
    /// By first octet.
    octets: Vec<u128>,
    /// By port, ascending.
    ports: Vec<(u16, u128)>,
}

impl Index {
    /// The index of a registry.
    pub(super) fn new(registry: &[&dyn Protocol]) -> Self {
        Self {
            tcp: Table::new(registry, Transport::Tcp),
            udp: Table::new(registry, Transport::Udp),
        }
    }

    /// The protocols to ask about these bytes.
    pub(super) fn of(&self, first: &First<'_>) -> u128 {
        let table = match first.transport {
            Transport::Tcp => &self.tcp,
            Transport::Udp => &self.udp,
        };
        let by_octet = match first.bytes.first() {
            Some(octet) => table.octets.get(usize::from(*octet)).copied(),
            None => None,
        };
        by_octet.unwrap_or(u128::MAX)
            | table.port(first.client_port)
            | table.port(first.server_port)
    }
}

impl Table {
    fn new(registry: &[&dyn Protocol], transport: Transport) -> Self {
        let all: Vec<(u128, Asked)> = registry
            .iter()
            .enumerate()
            .map(|(at, protocol)| (bit(at), protocol.asked()))
            .filter(|(_, asked)| asked.travels(transport))
            .collect();
        let octets = (0..=u8::MAX).map(|octet| {
            let asked = all.iter().filter(|(_, asked)| asked.octets.has(octet));
            asked.fold(0, |set, (bit, _)| set | bit)
        });
        let mut ports: Vec<u16> = all.iter().flat_map(|(_, a)| a.ports).copied().collect();
        ports.sort_unstable();
        ports.dedup();
        let ports = ports.into_iter().map(|port| {
            let asked = all.iter().filter(|(_, asked)| asked.ports.contains(&port));
            (port, asked.fold(0, |set, (bit, _)| set | bit))
        });
        Self {
            octets: octets.collect(),
            ports: ports.collect(),
        }
    }

    fn port(&self, port: u16) -> u128 {
        let found = self.ports.binary_search_by_key(&port, |(port, _)| *port);
        let found = found.ok().and_then(|at| self.ports.get(at));
        found.map_or(0, |(_, set)| *set)
    }
}

/// The bit of a protocol.
pub(super) const fn bit(at: usize) -> u128 {
    1u128 << (at % 128)
}

#[cfg(test)]
mod tests;
