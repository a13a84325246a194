//! Zones that the inventory suggests.
//!
//! Enters: assets, zones in force. Leaves: one proposal a /24 (IPv4) or /64 (IPv6) that no zone
//! covers and that holds at least [`HOSTS_MIN`] assets, named after what most of them do.
//! Limits: [`PROPOSED_MAX`]. Nothing is put in force by itself.
//! Refuses: to name what it cannot tell.
//! Source: the HTTP contract, `openapi.json`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::port::Asset;
use serde::Serialize;
use utoipa::ToSchema;

use super::range;

/// A zone that the inventory suggests.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proposed {
    /// Name.
    name: String,
    /// Ranges.
    cidrs: Vec<String>,
    /// Why: `dicom`, `hl7`, `servers`, `printers`, `clients`, `subnet`.
    reason_code: &'static str,
    /// Assets seen there.
    hosts: usize,
}

/// Proposals, most hosts first.
pub(super) fn propose(assets: &[Asset], zones: &[(String, Vec<String>)]) -> Vec<Proposed> {
    let covered: Vec<(IpAddr, u8)> = zones
        .iter()
        .flat_map(|(_, cidrs)| cidrs)
        .filter_map(|cidr| range(cidr))
        .collect();
    let mut subnets: BTreeMap<IpAddr, Vec<&Asset>> = BTreeMap::new();
    for asset in assets {
        // The most recent address says where it stands.
        let Some(ip) = asset.ips.first().filter(|ip| is_inside(**ip)) else {
            continue;
        };
        if !covered
            .iter()
            .any(|(net, length)| contains(*net, *length, *ip))
        {
            subnets.entry(subnet(*ip)).or_default().push(asset);
        }
    }
    let mut out: Vec<Proposed> = subnets
        .into_iter()
        .filter(|(_, hosts)| hosts.len() >= HOSTS_MIN)
        .map(|(net, hosts)| proposed(net, &hosts))
        .collect();
    out.sort_by_key(|proposed| std::cmp::Reverse(proposed.hosts));
    out.truncate(PROPOSED_MAX);
    distinct(&mut out, zones);
    out
}

fn proposed(net: IpAddr, hosts: &[&Asset]) -> Proposed {
    let share = |does: &dyn Fn(&Asset) -> bool| {
        let count = hosts.iter().filter(|asset| does(asset)).count();
        count * 2 >= hosts.len()
    };
    let speaks = |asset: &Asset, word: &str| {
        let serves = asset.serves.iter().any(|service| service.starts_with(word));
        serves || asset.speaks.iter().any(|proto| proto.starts_with(word))
    };
    let role =
        |asset: &Asset, word: &str| asset.role.as_ref().is_some_and(|role| role.contains(word));
    let (name, reason_code) = if share(&|asset| speaks(asset, "dicom")) {
        ("imaging", "dicom")
    } else if share(&|asset| speaks(asset, "hl7")) {
        ("medical", "hl7")
    } else if share(&|asset| role(asset, "printer")) {
        ("printers", "printers")
    } else if share(&|asset| asset.serves.len() >= 2) {
        ("servers", "servers")
    } else if share(&|asset| asset.serves.is_empty()) {
        ("clients", "clients")
    } else {
        ("lan", "subnet")
    };
    let length = if net.is_ipv4() { 24 } else { 64 };
    Proposed {
        name: name.to_owned(),
        cidrs: vec![format!("{net}/{length}")],
        reason_code,
        hosts: hosts.len(),
    }
}

/// Numbers proposals whose name is taken.
fn distinct(proposed: &mut [Proposed], zones: &[(String, Vec<String>)]) {
    let mut taken: Vec<String> = zones.iter().map(|(name, _)| name.clone()).collect();
    for one in proposed {
        let base = one.name.clone();
        let mut number = 2_usize;
        while taken.contains(&one.name) {
            one.name = format!("{base}-{number}");
            number += 1;
        }
        taken.push(one.name.clone());
    }
}

fn subnet(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00)),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

/// True for addresses that a site gives itself.
fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

fn contains(net: IpAddr, length: u8, ip: IpAddr) -> bool {
    match (net, ip) {
        (IpAddr::V4(net), IpAddr::V4(ip)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            net.to_bits() & mask == ip.to_bits() & mask
        }
        (IpAddr::V6(net), IpAddr::V6(ip)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            net.to_bits() & mask == ip.to_bits() & mask
        }
        _ => false,
    }
}

/// Fewest assets of a proposal.
const HOSTS_MIN: usize = 2;
/// Most proposals.
const PROPOSED_MAX: usize = 64;
