//! The network interfaces of this machine.
//!
//! Enters: `/sys/class/net`, `/proc/net/if_inet6`, the IPv4 addresses that the system lists.
//! Leaves: one [`Interface`] each, sorted by name. Refuses: more than [`INTERFACES_MAX`].
//! Source: kernel `Documentation/ABI/testing/sysfs-class-net`.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

use model::Mac;

use super::sys;

/// A network interface of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// True when it is administratively up and has a carrier, or knows no carrier.
    pub up: bool,
    /// Its hardware address; `None` where there is none or only zeros.
    pub mac: Option<Mac>,
    /// Its MTU in octets.
    pub mtu: u32,
    /// True for a loopback interface.
    pub loopback: bool,
    /// Its addresses, sorted.
    pub addresses: Vec<IpAddr>,
}

/// Lists the interfaces of this network namespace, as far as `/sys` shows it.
///
/// # Errors
/// When `/sys/class/net` cannot be listed. An interface that vanishes meanwhile is left out.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let addresses = addresses();
    let mut list = Vec::new();
    for entry in fs::read_dir("/sys/class/net")?.take(INTERFACES_MAX) {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Files beside the interfaces, such as `bonding_masters`, have no index and are left out.
        list.extend(describe(&entry.path(), name, &addresses));
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(list)
}

fn describe(path: &Path, name: String, addresses: &[(String, IpAddr)]) -> Option<Interface> {
    let text = |file: &str| {
        let text = fs::read_to_string(path.join(file)).ok()?;
        Some(text.trim().to_owned())
    };
    let flags = text("flags")?;
    let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()?;
    let state = text("operstate").unwrap_or_default();
    let mut own: Vec<IpAddr> = addresses
        .iter()
        .filter(|(owner, _)| *owner == name)
        .map(|(_, address)| *address)
        .collect();
    own.sort_unstable();
    own.dedup();
    Some(Interface {
        index: text("ifindex")?.parse().ok()?,
        up: flags & IFF_UP != 0 && matches!(state.as_str(), "up" | "unknown" | ""),
        mac: text("address").and_then(|mac| mac_of(&mac)),
        mtu: text("mtu")?.parse().ok()?,
        loopback: flags & IFF_LOOPBACK != 0,
        addresses: own,
        name,
    })
}

/// The hardware address of `aa:bb:cc:dd:ee:ff`; `None` for zeros and for other lengths.
fn mac_of(text: &str) -> Option<Mac> {
    let mut octets = [0; 6];
    let mut parts = text.split(':');
    for octet in &mut octets {
        *octet = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    (parts.next().is_none() && octets != [0; 6]).then_some(Mac(octets))
}

/// Every address with the name of its interface; none where the system does not tell.
fn addresses() -> Vec<(String, IpAddr)> {
    let mut list = sys::ipv4_addresses().unwrap_or_default();
    let six = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    list.extend(six.lines().filter_map(inet6));
    list
}

/// One line of `/proc/net/if_inet6`: address, index, prefix, scope, flags, name.
fn inet6(line: &str) -> Option<(String, IpAddr)> {
    let mut words = line.split_whitespace();
    let address = u128::from_str_radix(words.next()?, 16).ok()?;
    let name = words.nth(4)?;
    Some((name.to_owned(), IpAddr::V6(Ipv6Addr::from_bits(address))))
}

/// Most interfaces that are listed.
const INTERFACES_MAX: usize = 4096;
/// `linux/if.h`.
const IFF_UP: u32 = 1;
/// `linux/if.h`.
const IFF_LOOPBACK: u32 = 8;

#[cfg(test)]
mod tests;
