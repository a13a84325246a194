//! The machines of the made-up hospital, and who talks to whom.
//!
//! Enters: the time. Leaves: assets, addresses, habits.

use std::net::IpAddr;

use model::port::{Asset, Attribute};
use model::{Mac, Millis};

/// Name, address, zone, role, vendor, services, protocols spoken.
pub(crate) type Machine = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

pub(crate) static MACHINES: [Machine; 20] = [
    (
        "pacs-01",
        "10.20.1.10",
        "imaging",
        "pacs",
        "Dell",
        &["dicom/104", "http/443"],
        &["dns"],
    ),
    (
        "scanner-1",
        "10.20.1.21",
        "imaging",
        "modality",
        "Siemens Healthineers",
        &["dicom/104"],
        &["dicom", "dns"],
    ),
    (
        "irm-1",
        "10.20.1.22",
        "imaging",
        "modality",
        "Philips",
        &["dicom/104"],
        &["dicom", "dns"],
    ),
    (
        "echo-3",
        "10.20.1.23",
        "imaging",
        "modality",
        "GE Healthcare",
        &[],
        &["dicom"],
    ),
    (
        "console-radio-2",
        "10.20.1.40",
        "imaging",
        "workstation",
        "HP",
        &[],
        &["dicom", "http", "smb"],
    ),
    (
        "dpi-app",
        "10.10.0.11",
        "servers",
        "server",
        "VMware",
        &["http/443", "hl7v2/2575"],
        &["dns", "hl7v2"],
    ),
    (
        "moteur-hl7",
        "10.10.0.12",
        "servers",
        "integration",
        "VMware",
        &["hl7v2/2575"],
        &["hl7v2", "dns"],
    ),
    (
        "labo-sil",
        "10.10.0.13",
        "servers",
        "server",
        "VMware",
        &["hl7v2/2576"],
        &["hl7v2"],
    ),
    (
        "dc-01",
        "10.10.0.2",
        "servers",
        "domain controller",
        "VMware",
        &["dns/53", "smb/445", "dhcp/67"],
        &[],
    ),
    (
        "fichiers-01",
        "10.10.0.3",
        "servers",
        "file server",
        "Dell",
        &["smb/445"],
        &["dns"],
    ),
    (
        "sauvegarde",
        "10.10.0.4",
        "servers",
        "backup",
        "Dell",
        &["ssh/22"],
        &["ssh", "smb"],
    ),
    (
        "pc-accueil-1",
        "10.30.4.11",
        "clients",
        "workstation",
        "HP",
        &[],
        &["dns", "http", "smb"],
    ),
    (
        "pc-cardio-2",
        "10.30.4.12",
        "clients",
        "workstation",
        "HP",
        &[],
        &["dns", "http", "smb"],
    ),
    (
        "pc-pharma-1",
        "10.30.4.13",
        "clients",
        "workstation",
        "Lenovo",
        &[],
        &["dns", "http", "smb"],
    ),
    (
        "portable-dsi",
        "10.30.4.40",
        "clients",
        "workstation",
        "Lenovo",
        &[],
        &["dns", "http", "ssh"],
    ),
    (
        "pompe-rea-1",
        "10.40.0.31",
        "biomed",
        "infusion pump",
        "B. Braun",
        &[],
        &["http", "dns"],
    ),
    (
        "pompe-rea-2",
        "10.40.0.32",
        "biomed",
        "infusion pump",
        "B. Braun",
        &[],
        &["http", "dns"],
    ),
    (
        "moniteur-rea-1",
        "10.40.0.41",
        "biomed",
        "monitor",
        "Philips",
        &["http/80"],
        &["hl7v2"],
    ),
    (
        "imprimante-rdc",
        "10.50.2.10",
        "",
        "printer",
        "Ricoh",
        &["http/80", "ipp/631"],
        &["dns"],
    ),
    (
        "imprimante-1er",
        "10.50.2.11",
        "",
        "printer",
        "Ricoh",
        &["http/80", "ipp/631"],
        &["dns"],
    ),
];

/// Destinations outside: name and address.
pub(crate) const OUTSIDE: [(&str, &str); 4] = [
    ("update.example.org", "198.51.100.20"),
    ("pharmacie.example.net", "203.0.113.7"),
    ("telemaintenance.example.com", "203.0.113.44"),
    ("xk2vq7.example.xyz", "198.51.100.99"),
];

pub(crate) const ZONES: [(&str, &str); 4] = [
    ("servers", "10.10.0.0/24"),
    ("imaging", "10.20.1.0/24"),
    ("clients", "10.30.0.0/16"),
    ("biomed", "10.40.0.0/24"),
];

/// Who opens what towards whom, and how often: client, server (20.. is outside), protocol, port.
pub(crate) const HABITS: [(usize, usize, &str, u16, u32); 26] = [
    (1, 0, "dicom", 104, 9),
    (2, 0, "dicom", 104, 6),
    (3, 0, "dicom", 104, 4),
    (4, 0, "dicom", 104, 5),
    (5, 6, "hl7v2", 2575, 9),
    (6, 7, "hl7v2", 2576, 6),
    (17, 6, "hl7v2", 2575, 4),
    (11, 5, "http", 443, 8),
    (12, 5, "http", 443, 8),
    (13, 5, "http", 443, 6),
    (15, 5, "http", 80, 3),
    (16, 5, "http", 80, 3),
    (11, 8, "dns", 53, 8),
    (12, 8, "dns", 53, 8),
    (13, 8, "dns", 53, 6),
    (5, 8, "dns", 53, 5),
    (0, 8, "dns", 53, 3),
    (18, 8, "dns", 53, 1),
    (11, 9, "smb", 445, 6),
    (12, 9, "smb", 445, 5),
    (10, 9, "smb", 445, 2),
    (14, 10, "ssh", 22, 2),
    (13, 21, "tls", 443, 4),
    (12, 20, "tls", 443, 5),
    (2, 22, "tls", 443, 1),
    (15, 23, "tls", 443, 1),
];

/// The inventory, seen until `now`.
pub(crate) fn assets(now: Millis) -> Vec<Asset> {
    let one = |(at, machine): (usize, &Machine)| {
        let (name, ip, zone, role, vendor, serves, speaks) = *machine;
        let at = i64::try_from(at).unwrap_or(0);
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let attribute = |name: &str, value: &str, confidence, source: &str| Attribute {
            name: name.to_owned(),
            value: value.to_owned(),
            confidence,
            source: source.to_owned(),
        };
        let new = at >= 18;
        Asset {
            id: mac(usize::try_from(at).unwrap_or(0)).to_string(),
            ips: ip.parse().into_iter().collect(),
            mac: Some(mac(usize::try_from(at).unwrap_or(0)).to_string()),
            vendor: Some(vendor.to_owned()),
            names: vec![name.to_owned(), format!("{name}.ch-exemple.invalid")],
            zone: (!zone.is_empty()).then(|| zone.to_owned()),
            role: Some(role.to_owned()),
            speaks: texts(speaks),
            serves: texts(serves),
            first_seen: now.0 - if new { 5 } else { 400 - at } * 3_600_000,
            last_seen: now.0 - at * 1_700,
            peers: 2 + u64::try_from(at % 7).unwrap_or(0),
            bytes: 1_000_000 * u64::try_from(40 - at).unwrap_or(1),
            attributes: vec![
                attribute("hostname", name, 90, "DHCP option 12"),
                attribute("vendor", vendor, 60, "hardware address prefix"),
            ],
            ..Asset::default()
        }
    };
    MACHINES.iter().enumerate().map(one).collect()
}

pub(crate) fn address(machine: usize) -> Option<IpAddr> {
    let inside = MACHINES.get(machine).map(|machine| machine.1);
    let text = inside.or_else(|| OUTSIDE.get(machine - 20).map(|(_, ip)| *ip));
    text.and_then(|text| text.parse().ok())
}

pub(crate) fn zone(machine: usize) -> Option<&'static str> {
    MACHINES
        .get(machine)
        .map(|machine| machine.2)
        .filter(|zone| !zone.is_empty())
}

pub(crate) fn mac(machine: usize) -> Mac {
    Mac([
        0x02,
        0x1a,
        0x2b,
        0,
        0,
        u8::try_from(machine + 1).unwrap_or(0),
    ])
}

/// A machine; numbers beyond the last stand for the first.
pub(crate) fn machine_of(machine: usize) -> &'static Machine {
    let [first, ..] = &MACHINES;
    MACHINES.get(machine).unwrap_or(first)
}
