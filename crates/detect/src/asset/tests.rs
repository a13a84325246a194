use std::net::Ipv4Addr;

use model::class::{Http, Medical, Smb, Ssh};
use model::event::Meta;
use model::{EventUid, Millis};
use proptest::prelude::*;

use super::limit::{ATTRIBUTES_MAX, IPS_MAX, OUTSIDE_MAX, PEERS_EXACT_MAX};
use super::peers::Peers;
use super::state::Fact as Told;
use super::*;
use model::class::{Dhcp, Dns, Inventory as Seen};
use model::port::AssetChange;

const A: Mac = Mac([0x44, 0x4b, 0x5d, 0, 0, 1]);
const B: Mac = Mac([0x02, 0, 0, 0, 0, 2]);

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn event(time: i64, activity: u16, connection: Option<Connection>, body: impl Into<Body>) -> Event {
    Event {
        meta: Meta {
            time: Millis(time),
            activity,
            ..Meta::default()
        },
        connection: connection.map(Box::new),
        body: body.into(),
    }
}

fn between(src: &str, dst: &str, app: &'static str, port: u16) -> Connection {
    Connection {
        src_ip: Some(ip(src)),
        dst_ip: Some(ip(dst)),
        dst_port: Some(port),
        protocol: 6,
        app: app.into(),
        ..Connection::default()
    }
}

fn flow_event(time: i64, connection: Connection) -> Event {
    let flow = Network {
        about: "flow".into(),
        bytes: Some(100),
        bytes_in: Some(40),
        tcp_flags_in: Some("SA".into()),
        ..Network::default()
    };
    event(time, 2, Some(connection), flow)
}

fn arp(time: i64, address: &str, mac: Mac) -> Event {
    let seen = Seen {
        asset: mac.to_string().into(),
        ip: Some(ip(address)),
        mac: Some(mac),
        provenance_attribute: vec!["mac".into()],
        provenance_value: vec![mac.to_string().into()],
        provenance_confidence: vec![90],
        provenance_source: vec!["ARP".into()],
        ..Seen::default()
    };
    event(time, 1, None, seen)
}

/// An inventory with the shipped vendors.
fn inventory() -> Inventory {
    Inventory::new(InventoryConfig::default())
}

fn ids(inventory: &Inventory) -> Vec<String> {
    inventory
        .assets()
        .into_iter()
        .map(|asset| asset.id)
        .collect()
}

fn asset(inventory: &Inventory, id: &str) -> Asset {
    let found = inventory.assets().into_iter().find(|asset| asset.id == id);
    found.unwrap_or_else(|| panic!("{id} in {:?}", ids(inventory)))
}

#[test]
fn inside_addresses_are_assets_and_outside_ones_are_peers() {
    let mut seen = inventory();
    seen.observe(&flow_event(5, between("10.0.0.1", "192.0.2.1", "tls", 443)));
    seen.observe(&flow_event(
        7,
        between("10.0.0.1", "224.0.0.251", "mdns", 5353),
    ));
    assert_eq!(ids(&seen), ["10.0.0.1"]);
    let client = asset(&seen, "10.0.0.1");
    assert_eq!((client.first_seen, client.last_seen), (5, 7));
    assert_eq!((client.peers, client.bytes), (1, 200));
    assert_eq!(client.speaks, ["mdns", "tls"]);
    assert!(client.serves.is_empty());
}

#[test]
fn a_binding_merges_what_was_known_by_address() {
    let mut seen = inventory();
    seen.observe(&flow_event(
        1,
        between("10.0.0.2", "10.0.0.1", "dicom", 104),
    ));
    seen.observe(&arp(2, "10.0.0.1", A));
    seen.observe(&flow_event(
        3,
        between("10.0.0.3", "10.0.0.1", "dicom", 104),
    ));
    assert_eq!(
        ids(&seen),
        [A.to_string(), "10.0.0.2".into(), "10.0.0.3".into()]
    );
    let node = asset(&seen, &A.to_string());
    assert_eq!(node.serves, ["dicom/104"]);
    assert_eq!(node.peers, 2);
    assert_eq!(node.first_seen, 1);
    assert_eq!(node.vendor.as_deref(), Some("GE HealthCare"));
    assert_eq!(node.role.as_deref(), Some("dicom_node"));
    assert_eq!(node.ips, [ip("10.0.0.1")]);
}

#[test]
fn an_address_that_moves_leaves_its_history_behind() {
    let mut seen = inventory();
    seen.observe(&arp(1, "10.0.0.1", A));
    seen.observe(&flow_event(2, between("10.0.0.9", "10.0.0.1", "http", 80)));
    seen.observe(&arp(3, "10.0.0.1", B));
    seen.observe(&flow_event(4, between("10.0.0.9", "10.0.0.1", "ssh", 22)));
    assert_eq!(asset(&seen, &A.to_string()).serves, ["http/80"]);
    assert!(asset(&seen, &A.to_string()).ips.is_empty());
    assert_eq!(asset(&seen, &B.to_string()).serves, ["ssh/22"]);
    assert_eq!(seen.counters().ips_moved, 1);
}

#[test]
fn a_device_that_changes_its_address_stays_one_asset() {
    let mut seen = inventory();
    for (time, address) in [(1, "10.0.0.1"), (2, "10.0.7.1"), (3, "fe80::1")] {
        seen.observe(&arp(time, address, A));
    }
    let device = asset(&seen, &A.to_string());
    assert_eq!(device.ips, [ip("10.0.7.1"), ip("10.0.0.1"), ip("fe80::1")]);
    assert_eq!(seen.len(), 1);
}

#[test]
fn a_router_in_front_of_other_networks_merges_nothing() {
    let mut seen = inventory();
    seen.observe(&arp(1, "10.0.0.254", B));
    for n in 0..=u8::try_from(OUTSIDE_MAX).expect("small") {
        let mut through = between("10.0.0.1", "192.0.2.1", "tls", 443);
        through.dst_ip = Some(Ipv4Addr::new(192, 0, 2, n).into());
        through.dst_mac = Some(B);
        seen.observe(&flow_event(2, through));
        let mut other_ward = between("10.7.0.1", "10.0.0.1", "http", 80);
        other_ward.src_ip = Some(Ipv4Addr::new(10, 7, 0, n).into());
        other_ward.src_mac = Some(B);
        seen.observe(&flow_event(3, other_ward));
    }
    let router = asset(&seen, &B.to_string());
    assert_eq!(router.ips, [ip("10.0.0.254")]);
    assert_eq!(router.role.as_deref(), Some("router"));
    assert_eq!(seen.len(), 2 + OUTSIDE_MAX + 1);
}

#[test]
fn proxy_arp_is_split_into_its_addresses() {
    let mut seen = inventory();
    let many = u8::try_from(IPS_MAX).expect("small") + 3;
    for n in 1..=many {
        seen.observe(&arp(n.into(), &format!("10.0.0.{n}"), B));
    }
    assert_eq!(seen.counters().macs_shared, 1);
    assert_eq!(seen.len(), usize::from(many) + 1);
    assert!(asset(&seen, &B.to_string()).ips.is_empty());
    assert_eq!(asset(&seen, "10.0.0.1").ips, [ip("10.0.0.1")]);
}

#[test]
fn dhcp_binds_names_and_releases() {
    let mut seen = inventory();
    let ack = Dhcp {
        client_mac: Some(A),
        client_ip: Some(ip("10.0.0.50")),
        server_ip: Some(ip("10.0.0.2")),
        host_name: Some("ws-rad-07".into()),
        vendor_class: Some("MSFT 5.0".into()),
        ..Dhcp::default()
    };
    seen.observe(&event(1, 5, None, ack.clone()));
    let client = asset(&seen, &A.to_string());
    assert_eq!(client.names, ["ws-rad-07"]);
    assert_eq!(
        asset(&seen, "10.0.0.2").role.as_deref(),
        Some("dhcp_server")
    );
    let os = client.attributes.iter().find(|known| known.name == "os");
    assert!(os.is_some_and(|os| os.value == "Windows" && os.source == "DHCP option 60"));
    seen.observe(&event(2, 7, None, ack));
    seen.observe(&flow_event(3, between("10.0.0.50", "10.0.0.2", "dns", 53)));
    assert_eq!(asset(&seen, "10.0.0.50").speaks, ["dns"]);
    assert!(asset(&seen, &A.to_string()).speaks.is_empty());
}

/// Value and source of an attribute.
fn told(seen: &Inventory, id: &str, name: &str) -> Option<(String, String)> {
    let known = asset(seen, id).attributes.into_iter();
    let mut found = known.filter(|known| known.name == name);
    found.next().map(|known| (known.value, known.source))
}

fn pair(value: &str, source: &str) -> Option<(String, String)> {
    Some((value.to_owned(), source.to_owned()))
}

#[test]
fn attributes_say_where_they_were_read() {
    let mut seen = inventory();
    let dicom = Medical {
        standard: "dicom".into(),
        operation: Some("C-STORE".into()),
        calling_ae: Some("CT1".into()),
        called_ae: Some("PACS".into()),
        called_version: Some("ORTHANC_1.12".into()),
        modality: Some("CT".into()),
        status: Some("0x0000".into()),
        ..Medical::default()
    };
    seen.observe(&event(
        1,
        3,
        Some(between("10.0.0.1", "10.0.0.2", "dicom", 4242)),
        dicom,
    ));
    let smb = Smb {
        server_name: Some("FILES01".into()),
        server_os: Some("10.0.17763".into()),
        workstation: Some("WS7".into()),
        ..Smb::default()
    };
    seen.observe(&event(
        2,
        0,
        Some(between("10.0.0.3", "10.0.0.4", "smb", 445)),
        smb,
    ));
    assert_eq!(
        told(&seen, "10.0.0.1", "ae_title"),
        pair("CT1", "DICOM calling AE")
    );
    assert_eq!(
        told(&seen, "10.0.0.2", "ae_title"),
        pair("PACS", "DICOM called AE")
    );
    assert_eq!(
        asset(&seen, "10.0.0.1").role.as_deref(),
        Some("imaging_modality")
    );
    assert_eq!(asset(&seen, "10.0.0.2").role.as_deref(), Some("pacs"));
    assert_eq!(
        told(&seen, "10.0.0.4", "os"),
        pair("Windows", "NTLMSSP server version")
    );
    assert_eq!(asset(&seen, "10.0.0.4").names, ["FILES01"]);
    assert_eq!(asset(&seen, "10.0.0.3").names, ["WS7"]);
}

#[test]
fn software_is_read_from_banners_and_fields() {
    let mut seen = inventory();
    let ssh = Ssh {
        server_software: Some("OpenSSH_8.9p1 Ubuntu-3".into()),
        ..Ssh::default()
    };
    seen.observe(&event(
        3,
        1,
        Some(between("10.0.0.3", "10.0.0.5", "ssh", 22)),
        ssh,
    ));
    let http = Http {
        code: Some(200),
        host: Some("ris.chu.example".into()),
        server: Some("nginx".into()),
        user_agent: Some("curl/8".into()),
        ..Http::default()
    };
    seen.observe(&event(
        4,
        3,
        Some(between("10.0.0.3", "10.0.0.6", "http", 80)),
        http,
    ));
    assert_eq!(
        told(&seen, "10.0.0.5", "os"),
        pair("Ubuntu", "SSH identification")
    );
    assert_eq!(
        told(&seen, "10.0.0.6", "server_software"),
        pair("nginx", "HTTP Server")
    );
    assert_eq!(asset(&seen, "10.0.0.6").names, ["ris.chu.example"]);
}

#[test]
fn a_scan_makes_no_services_and_a_refusal_no_titles() {
    let mut seen = inventory();
    let scan = Network {
        about: "flow".into(),
        bytes_in: Some(40),
        tcp_flags_in: Some("RA".into()),
        ..Network::default()
    };
    seen.observe(&event(
        1,
        3,
        Some(between("10.0.0.1", "10.0.0.2", "unknown", 445)),
        scan,
    ));
    let refused = Medical {
        standard: "dicom".into(),
        called_ae: Some("GUESS".into()),
        status: Some("rejected".into()),
        ..Medical::default()
    };
    seen.observe(&event(
        2,
        1,
        Some(between("10.0.0.1", "10.0.0.2", "dicom", 104)),
        refused,
    ));
    let target = asset(&seen, "10.0.0.2");
    assert!(target.serves.is_empty() && target.attributes.is_empty());
}

#[test]
fn a_dns_answer_names_known_devices_only() {
    let mut seen = inventory();
    seen.observe(&flow_event(1, between("10.0.0.1", "10.0.0.2", "http", 80)));
    let answer = Dns {
        query: Some("pacs.chu.example".into()),
        query_type: Some("A".into()),
        answer_data: vec!["10.0.0.2".into(), "10.0.0.77".into()],
        rcode: Some(0),
        ..Dns::default()
    };
    seen.observe(&event(2, 2, None, answer));
    assert_eq!(asset(&seen, "10.0.0.2").names, ["pacs.chu.example"]);
    assert_eq!(seen.len(), 2);
}

#[test]
fn replayed_events_teach_nothing() {
    let mut seen = inventory();
    let mut replayed = flow_event(1, between("10.0.0.1", "10.0.0.2", "http", 80));
    replayed.meta.labels = vec!["replay:7".into()];
    seen.observe(&replayed);
    assert!(seen.is_empty());
}

#[test]
fn the_limits_hold_and_count() {
    let mut seen = Inventory::new(InventoryConfig {
        assets_max: 64,
        ..InventoryConfig::default()
    });
    for n in 0..1000u32 {
        let address = Ipv4Addr::from(0x0a00_0000 + n).to_string();
        seen.observe(&flow_event(
            n.into(),
            between(&address, "192.0.2.1", "tls", 443),
        ));
        assert!(seen.len() <= 64);
    }
    assert_eq!(
        seen.len() + usize::try_from(seen.counters().assets_evicted).expect("few"),
        1000
    );
    assert!(ids(&seen).contains(&Ipv4Addr::from(0x0a00_0000 + 999).to_string()));

    for n in 0..100u16 {
        let http = Http {
            user_agent: Some(format!("agent {n}").into()),
            ..Http::default()
        };
        let app = ["a", "b", "c", "d"][usize::from(n) % 4];
        seen.observe(&event(
            2000,
            3,
            Some(between("10.1.0.1", "10.1.0.2", app, n + 1)),
            http,
        ));
        let flow = flow_event(2000, between("10.1.0.1", "10.1.0.2", app, n + 1));
        seen.observe(&flow);
    }
    assert!(asset(&seen, "10.1.0.1").attributes.len() <= ATTRIBUTES_MAX);
    assert!(asset(&seen, "10.1.0.2").serves.len() <= limit::PROTOCOLS_MAX);
    assert!(seen.counters().facts_dropped > 0);
}

#[test]
fn assets_survive_a_restart() {
    let mut seen = inventory();
    seen.observe(&arp(1, "10.0.0.1", A));
    seen.observe(&flow_event(
        2,
        between("10.0.0.2", "10.0.0.1", "dicom", 104),
    ));
    seen.observe(&flow_event(
        9,
        between("10.0.0.1", "10.0.0.3", "hl7v2", 2575),
    ));
    let changes = seen.take_changes(Millis(10));
    let mut back = inventory();
    for event in seen.to_events(Millis(10)) {
        assert!(back.restore(&event));
        back.observe(&event);
    }
    for event in &changes {
        assert!(!back.restore(event) && back.restore_change(event));
        back.observe(event);
    }
    assert_eq!(back.assets(), seen.assets());
    back.observe(&flow_event(
        20,
        between("10.0.0.2", "10.0.0.1", "dicom", 104),
    ));
    assert_eq!(asset(&back, &A.to_string()).last_seen, 20);
    assert_eq!(back.len(), 3);
    assert!(!back.restore(&arp(1, "10.0.0.1", A)));
    assert_eq!(
        usize::try_from(back.counters().restore_refused),
        Ok(changes.len() + 1)
    );
    let uids: std::collections::BTreeSet<EventUid> = seen
        .to_events(Millis(10))
        .iter()
        .map(|event| event.meta.uid)
        .collect();
    assert_eq!(uids.len(), 3);
}

#[test]
fn other_zones_forget_what_is_outside_now() {
    let mut seen = inventory();
    seen.observe(&flow_event(
        1,
        between("10.0.0.1", "192.168.0.1", "http", 80),
    ));
    let zones = Zones::new(&[("imaging".into(), vec!["10.0.0.0/8".into()])]).expect("zones");
    seen.set_zones(zones);
    assert_eq!(ids(&seen), ["10.0.0.1"]);
    assert_eq!(asset(&seen, "10.0.0.1").zone.as_deref(), Some("imaging"));
}

#[test]
fn the_shipped_vendors_and_the_registry_agree_on_form() {
    let mut vendors = Vendors::built_in();
    assert_eq!(vendors.refused(), 0);
    assert!((300..=700).contains(&vendors.len()), "{}", vendors.len());
    assert_eq!(vendors.name_of(A), Some("GE HealthCare"));
    let csv = "Registry,Assignment,Organization Name,Organization Address\n\
               MA-L,02AABB,\"Example, Inc.\",Somewhere\nMA-M,0CDDEE1,Narrow Ltd,Elsewhere\n\
               MA-L,444B5D,GE Healthcare,Known\n";
    assert_eq!(vendors.add_ieee(csv), 2);
    assert_eq!(
        vendors.add_ieee("02-AA-CC   (hex)\t\tText\n02AACC     (base 16)\t\tText Co\n"),
        1
    );
    let name = |octets| vendors.name_of(Mac(octets)).map(str::to_owned);
    assert_eq!(
        name([0x02, 0xaa, 0xbb, 1, 2, 3]).as_deref(),
        Some("Example, Inc.")
    );
    assert_eq!(
        name([0x02, 0xaa, 0xcc, 1, 2, 3]).as_deref(),
        Some("Text Co")
    );
    assert_eq!(
        name([0x0c, 0xdd, 0xee, 0x1f, 2, 3]).as_deref(),
        Some("Narrow Ltd")
    );
    assert_eq!(name([0x0c, 0xdd, 0xee, 0x2f, 2, 3]), None);
    assert_eq!(name(A.0).as_deref(), Some("GE HealthCare"));
    assert_eq!(vendors.add_tsv("xyz\tBad\n0011\tShort\n\n# note\n"), 0);
    assert_eq!(vendors.refused(), 2);
}

proptest! {
    #[test]
    fn peers_are_exact_when_few_and_near_when_many(count in 1u32..20_000, seed in any::<u32>()) {
        let mut peers = Peers::default();
        for n in 0..count {
            peers.add(Ipv4Addr::from(n.wrapping_mul(2_654_435_761).wrapping_add(seed)).into());
        }
        let counted = u32::try_from(peers.count()).expect("few");
        if usize::try_from(count).expect("few") <= PEERS_EXACT_MAX {
            prop_assert_eq!(counted, count);
        } else {
            // Five standard errors.
            let error = (f64::from(counted) - f64::from(count)).abs() / f64::from(count);
            prop_assert!(error < 0.33, "{} for {}", counted, count);
        }
    }

    #[test]
    fn any_order_of_bindings_keeps_every_address_in_one_asset_at_most(
        steps in prop::collection::vec((0u8..6, 0u8..4, 0u8..4), 0..60),
    ) {
        let plain = || Inventory::new(InventoryConfig {
            vendors: Vendors::default(),
            ..InventoryConfig::default()
        });
        let mut seen = plain();
        for (time, (address, mac, kind)) in steps.into_iter().enumerate() {
            let address = format!("10.0.0.{address}");
            let mac = Mac([2, 0, 0, 0, 0, mac]);
            let time = i64::try_from(time).expect("few");
            if kind == 0 {
                seen.observe(&flow_event(time, between(&address, "10.9.9.9", "http", 80)));
            } else if kind == 1 {
                let dhcp = Dhcp {
                    client_mac: Some(mac),
                    client_ip: Some(ip(&address)),
                    ..Dhcp::default()
                };
                seen.observe(&event(time, 7, None, dhcp));
            } else {
                seen.observe(&arp(time, &address, mac));
            }
            let mut held: Vec<IpAddr> =
                seen.assets().into_iter().flat_map(|asset| asset.ips).collect();
            let all = held.len();
            held.sort();
            held.dedup();
            prop_assert_eq!(held.len(), all);
        }
        let mut back = plain();
        for event in seen.to_events(Millis(1000)) {
            prop_assert!(back.restore(&event));
        }
        prop_assert_eq!(timeless(&back), timeless(&seen));
    }
}

/// Assets without their history: who was known by address has the history of its device.
fn timeless(inventory: &Inventory) -> Vec<Asset> {
    let mut assets = inventory.assets();
    for asset in &mut assets {
        asset.changes.clear();
        asset.warnings.clear();
    }
    assets
}

fn changes(seen: &Inventory, id: &str, kind: &str) -> Vec<AssetChange> {
    let all = asset(seen, id).changes.into_iter();
    all.filter(|change| change.kind == kind).collect()
}

fn warnings(seen: &Inventory, id: &str) -> Vec<(String, String, String, u64)> {
    let all = asset(seen, id).warnings.into_iter();
    all.map(|w| (w.kind, w.value, w.other, w.count)).collect()
}

fn warned(
    kind: &str,
    value: &str,
    other: impl ToString,
    count: u64,
) -> (String, String, String, u64) {
    (kind.to_owned(), value.to_owned(), other.to_string(), count)
}

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

#[test]
fn the_shipped_tables_are_whole_and_each_role_is_once() {
    let (roles, hints) = (role::Roles::built_in(), hint::Hints::built_in());
    assert_eq!((roles.refused(), hints.refused()), (0, 0));
    let mut codes = roles.codes();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
    assert!(all >= 25, "{all}");
    let names: Vec<&str> = behave::ALL.iter().map(|(code, _)| *code).collect();
    assert!(names.is_sorted());
    assert_eq!(
        role::Roles::parse("x\toffers:a=1\nx\ty\nz\n\n# w\nv\tdoes:nothing=3\n").refused(),
        3
    );
    assert_eq!(
        hint::Hints::parse("a\tb\tc\td\t5\na\tb\tc\td\t101\na\t^\tc\td\t1\nq\n").refused(),
        3
    );
}

#[test]
fn hints_read_systems_models_and_versions() {
    let hints = hint::Hints::built_in();
    let meant = |name: &'static str, value: &'static str| -> Vec<(String, String)> {
        let told = Told {
            name,
            value: value.into(),
            confidence: 50,
            source: "test",
        };
        let meant = hints.of(&told);
        meant
            .iter()
            .map(|fact| (fact.name.to_owned(), fact.value.to_string()))
            .collect()
    };
    let has = |facts: Vec<(String, String)>, name: &str, value: &str| {
        assert!(
            facts.contains(&(name.to_owned(), value.to_owned())),
            "{value} in {facts:?}"
        );
    };
    has(
        meant("description", "Lexmark CX725 version CXTAT.230"),
        "model",
        "Lexmark CX725",
    );
    has(
        meant("description", "Lexmark CX725 version CXTAT.230"),
        "firmware",
        "CXTAT.230",
    );
    has(
        meant("user_agent", "Mozilla/5.0 (Windows NT 10.0; Win64)"),
        "os",
        "Windows",
    );
    has(
        meant("ssh_software", "OpenSSH_9.2p1 Debian-2+deb12u10"),
        "os_version",
        "12",
    );
    has(
        meant("ntlm_version", "10.0.17763"),
        "os_version",
        "10 1809, Server 2019 (10.0.17763)",
    );
    has(
        meant("ntlm_version", "6.1.0"),
        "os",
        "Linux or Unix (Samba)",
    );
    has(
        meant("dhcp_fingerprint", "1,3,6,12,15,28,42"),
        "os",
        "Linux (embedded)",
    );
    has(
        meant("implementation", "1.2.840.113619.6.55"),
        "vendor",
        "GE HealthCare",
    );
    assert!(meant("dhcp_fingerprint", "1,3,6,12,15,28,42,43").is_empty());
}

fn dicom(operation: &'static str, calling: &'static str, sender: Option<&'static str>) -> Medical {
    Medical {
        standard: "dicom".into(),
        operation: Some(operation.into()),
        calling_ae: Some(calling.into()),
        called_ae: Some("PACS".into()),
        status: Some("0x0000".into()),
        modality: Some("CT".into()),
        sender: sender.map(Into::into),
        ..Medical::default()
    }
}

#[test]
fn a_role_states_its_evidence_with_weights() {
    let mut seen = inventory();
    for (n, modality) in ["10.0.0.1", "10.0.0.2", "10.0.0.3"].into_iter().enumerate() {
        let time = i64::try_from(n).expect("few");
        let store = dicom("C-STORE", "CT", None);
        seen.observe(&event(
            time,
            3,
            Some(between(modality, "10.0.0.9", "dicom", 104)),
            store,
        ));
    }
    // A viewer's images come to it: it makes none.
    for (operation, sender) in [("C-GET", None), ("C-STORE", Some("server"))] {
        let get = dicom(operation, "VIEW", sender);
        seen.observe(&event(
            9,
            3,
            Some(between("10.0.0.5", "10.0.0.9", "dicom", 104)),
            get,
        ));
    }
    let pacs = asset(&seen, "10.0.0.9");
    let best = &pacs.roles[0];
    assert_eq!((best.role.as_str(), best.score), ("pacs", 90));
    let told: Vec<(&str, i64)> = best
        .reasons
        .iter()
        .map(|r| (r.text.as_str(), r.weight))
        .collect();
    assert_eq!(
        told,
        [
            ("offers DICOM C-STORE SCP to other devices (3)", 45),
            ("gives DICOM images out (1)", 25),
            ("offers DICOM C-STORE SCP to other devices (3)", 20),
        ]
    );
    assert_eq!(
        asset(&seen, "10.0.0.1").role.as_deref(),
        Some("imaging_modality")
    );
    assert_ne!(
        asset(&seen, "10.0.0.5").role.as_deref(),
        Some("imaging_modality")
    );
    assert!(told_of(&seen, "10.0.0.5", "modality").is_none());
    let exported = seen.to_events(Millis(20));
    let rows = exported.iter().find_map(|event| {
        if let Body::Inventory(body) = &event.body {
            (body.asset == "10.0.0.9").then(|| body.clone())
        } else {
            None
        }
    });
    let rows = rows.expect("the archive");
    let at = rows
        .provenance_attribute
        .iter()
        .position(|name| name == "role")
        .expect("evidence");
    assert_eq!(rows.provenance_value[at], "pacs");
    assert_eq!(
        rows.provenance_source[at],
        "offers DICOM C-STORE SCP to other devices (3) (+45)"
    );
}

fn told_of(seen: &Inventory, id: &str, name: &str) -> Option<String> {
    let known = asset(seen, id)
        .attributes
        .into_iter()
        .find(|known| known.name == name);
    known.map(|known| known.value)
}

#[test]
fn the_surest_value_wins_and_the_others_stay_visible() {
    let mut seen = inventory();
    seen.observe(&arp(1, "10.0.0.1", A));
    let mut store = dicom("C-STORE", "US", None);
    store.manufacturer = Some("Other Maker".into());
    seen.observe(&event(
        2,
        3,
        Some(between("10.0.0.1", "10.0.0.9", "dicom", 104)),
        store,
    ));
    let device = asset(&seen, &A.to_string());
    assert_eq!(device.vendor.as_deref(), Some("GE HealthCare"));
    let vendors: Vec<(&str, u8)> = device
        .attributes
        .iter()
        .filter(|known| known.name == "vendor")
        .map(|known| (known.value.as_str(), known.confidence))
        .collect();
    assert_eq!(vendors, [("GE HealthCare", 80), ("Other Maker", 60)]);
}

#[test]
fn two_hardware_addresses_with_one_address_are_seen() {
    // Both within a minute.
    let mut seen = inventory();
    seen.observe(&arp(1, "10.0.0.1", A));
    seen.observe(&arp(MINUTE, "10.0.0.1", B));
    let expected = |other: Mac, count| warned("duplicate_address", "10.0.0.1", other, count);
    assert_eq!(warnings(&seen, &A.to_string()), [expected(B, 1)]);
    assert_eq!(warnings(&seen, &B.to_string()), [expected(A, 1)]);
    seen.observe(&arp(MINUTE + 1, "10.0.0.1", A));
    assert_eq!(warnings(&seen, &A.to_string()), [expected(B, 2)]);
    let events = seen.take_changes(Millis(MINUTE + 2));
    let told = events.iter().filter(|event| event.meta.severity == 3);
    assert_eq!(told.count(), 2);

    // A device that was replaced, then a thief: who had the address wants it back.
    let mut seen = inventory();
    seen.observe(&arp(0, "10.0.0.1", A));
    seen.observe(&arp(2 * HOUR, "10.0.0.1", B));
    assert!(warnings(&seen, &B.to_string()).is_empty());
    assert_eq!(
        changes(&seen, &B.to_string(), "address_moved")[0].before,
        A.to_string()
    );
    seen.observe(&arp(2 * HOUR + 5 * MINUTE, "10.0.0.1", A));
    assert_eq!(warnings(&seen, &B.to_string()), [expected(A, 1)]);

    // Who has the address is there, and keeps it.
    let mut seen = inventory();
    seen.observe(&arp(0, "10.0.0.1", A));
    let mut through = between("10.0.0.7", "192.0.2.1", "tls", 443);
    through.dst_mac = Some(A);
    seen.observe(&flow_event(HOUR, through));
    seen.observe(&arp(HOUR + MINUTE, "10.0.0.1", B));
    assert_eq!(warnings(&seen, &B.to_string()), [expected(A, 1)]);
    assert_eq!(asset(&seen, &A.to_string()).ips, [ip("10.0.0.1")]);
    assert!(asset(&seen, &B.to_string()).ips.is_empty());

    // A lease that goes to another device is none.
    let mut seen = inventory();
    for (time, mac) in [(0, A), (1000, B)] {
        let ack = Dhcp {
            client_mac: Some(mac),
            client_ip: Some(ip("10.0.0.1")),
            ..Dhcp::default()
        };
        seen.observe(&event(time, 5, None, ack));
    }
    assert!(warnings(&seen, &B.to_string()).is_empty());
    assert_eq!(
        changes(&seen, &A.to_string(), "address_moved")[0].after,
        B.to_string()
    );
}

#[test]
fn a_title_used_from_a_second_address_is_seen() {
    let mut seen = inventory();
    let call = |seen: &mut Inventory, time, from: &str, title| {
        let find = dicom("C-FIND", title, None);
        seen.observe(&event(
            time,
            3,
            Some(between(from, "10.0.0.9", "dicom", 104)),
            find,
        ));
    };
    call(&mut seen, 1, "10.0.0.1", "CT1");
    call(&mut seen, 2, "10.0.0.2", "ECHOSCU");
    call(&mut seen, 3, "10.0.0.3", "ECHOSCU");
    assert!(warnings(&seen, "10.0.0.3").is_empty());
    // The device's hardware address becomes known: it is still the same one.
    seen.observe(&arp(4, "10.0.0.1", A));
    call(&mut seen, 5, "10.0.0.1", "CT1");
    assert!(warnings(&seen, &A.to_string()).is_empty());
    call(&mut seen, 6, "10.0.0.3", "CT1");
    call(&mut seen, 7, "10.0.0.3", "CT1");
    assert_eq!(
        warnings(&seen, "10.0.0.3"),
        [warned("ae_title_shared", "CT1", A, 2)]
    );
    assert_eq!(
        warnings(&seen, &A.to_string()),
        [warned("ae_title_shared", "CT1", "10.0.0.3", 2)]
    );
    let mut back = inventory();
    let changes = seen.take_changes(Millis(8));
    seen.to_events(Millis(8))
        .iter()
        .for_each(|event| assert!(back.restore(event)));
    changes.iter().for_each(|event| {
        back.restore_change(event);
    });
    assert_eq!(
        warnings(&back, "10.0.0.3"),
        [warned("ae_title_shared", "CT1", A, 1)]
    );
    call(&mut back, 9, "10.0.0.4", "CT1");
    assert_eq!(
        warnings(&back, "10.0.0.4"),
        [warned("ae_title_shared", "CT1", A, 1)]
    );
}

#[test]
fn a_host_name_of_another_device_is_seen() {
    let mut seen = inventory();
    for (time, mac, address) in [(0, A, "10.0.0.1"), (HOUR, B, "10.0.0.2")] {
        let ack = Dhcp {
            client_mac: Some(mac),
            client_ip: Some(ip(address)),
            host_name: Some("WS-SECRETARIAT".into()),
            parameters: vec![1, 3, 6, 12, 15, 28, 42],
            ..Dhcp::default()
        };
        seen.observe(&event(time, 5, None, ack));
    }
    let expected = warned("host_name_shared", "ws-secretariat", A, 1);
    assert_eq!(warnings(&seen, &B.to_string()), [expected]);
    assert_eq!(
        told(&seen, &B.to_string(), "os"),
        pair("Linux (embedded)", "DHCP option 55")
    );
}

#[test]
fn a_device_behind_a_router_is_followed_by_its_name() {
    let mut seen = inventory();
    let logon = |seen: &mut Inventory, time, from: &str, name: &'static str| {
        let smb = Smb {
            workstation: Some(name.into()),
            ..Smb::default()
        };
        seen.observe(&event(
            time,
            0,
            Some(between(from, "10.0.0.9", "smb", 445)),
            smb,
        ));
    };
    logon(&mut seen, 0, "10.7.0.5", "WS-7");
    logon(&mut seen, HOUR, "10.7.0.8", "WS-7");
    assert_eq!(ids(&seen), ["10.0.0.9", "10.7.0.8"]);
    assert_eq!(changes(&seen, "10.7.0.8", "merged")[0].before, "10.7.0.5");
    assert_eq!(asset(&seen, "10.7.0.8").first_seen, 0);
    // Two at the same time are two, in another network it is another, and a name that two have
    // joins nothing any more.
    logon(&mut seen, 2 * HOUR, "10.7.0.6", "WS-8");
    logon(&mut seen, 2 * HOUR, "10.7.0.7", "WS-8");
    logon(&mut seen, 3 * HOUR, "10.7.0.9", "WS-8");
    logon(&mut seen, 4 * HOUR, "10.8.0.9", "WS-7");
    assert_eq!(seen.len(), 6);
}

#[test]
fn the_history_tells_what_is_new_and_stays_small() {
    let mut seen = inventory();
    let talk = |seen: &mut Inventory, time, to: &str, port| {
        seen.observe(&flow_event(time, between("10.0.0.1", to, "http", port)));
    };
    talk(&mut seen, 0, "10.0.0.2", 80);
    assert_eq!(changes(&seen, "10.0.0.2", "new_device").len(), 1);
    let service = &changes(&seen, "10.0.0.2", "new_service")[0];
    assert_eq!(
        (service.after.as_str(), service.source.as_str()),
        ("http/80", "answered 10.0.0.1")
    );
    talk(&mut seen, MINUTE, "10.0.0.3", 80);
    assert!(changes(&seen, "10.0.0.1", "new_peer").is_empty());
    talk(&mut seen, 2 * HOUR, "10.0.0.4", 80);
    talk(&mut seen, 2 * HOUR, "192.0.2.9", 80);
    let met = changes(&seen, "10.0.0.1", "new_peer");
    assert_eq!(met.len(), 1);
    assert_eq!((met[0].after.as_str(), met[0].time), ("10.0.0.4", 2 * HOUR));
    for port in 1..200u16 {
        talk(&mut seen, 3 * HOUR, "10.0.0.2", port);
    }
    assert!(asset(&seen, "10.0.0.2").changes.len() <= limit::CHANGES_MAX);
    assert_eq!(
        changes(&seen, "10.0.0.2", "new_service").len(),
        limit::SAME_CHANGE_MAX
    );
    assert!(seen.counters().changes_forgotten > 0);
    let events = seen.take_changes(Millis(4 * HOUR));
    let uids: std::collections::BTreeSet<EventUid> =
        events.iter().map(|event| event.meta.uid).collect();
    assert_eq!(uids.len(), events.len());
    assert!(seen.take_changes(Millis(4 * HOUR)).is_empty());
}

#[test]
fn another_identity_is_a_change() {
    let mut seen = inventory();
    let discovered = |seen: &mut Inventory, time, serial: &'static str| {
        let lldp = Seen {
            ip: Some(ip("10.0.0.1")),
            mac: Some(A),
            provenance_attribute: vec!["serial".into(), "capabilities".into()],
            provenance_value: vec![serial.into(), "bridge".into()],
            provenance_confidence: vec![90, 90],
            provenance_source: vec!["LLDP".into(), "LLDP".into()],
            ..Seen::default()
        };
        seen.observe(&event(time, 1, None, lldp));
    };
    seen.observe(&arp(0, "10.0.0.1", A));
    discovered(&mut seen, 1, "SN-1");
    discovered(&mut seen, 2, "SN-1");
    assert!(changes(&seen, &A.to_string(), "changed_identity").is_empty());
    discovered(&mut seen, 3, "SN-2");
    let change = &changes(&seen, &A.to_string(), "changed_identity")[0];
    assert_eq!(
        (change.before.as_str(), change.after.as_str()),
        ("SN-1", "SN-2")
    );
    assert_eq!(
        asset(&seen, &A.to_string()).role.as_deref(),
        Some("network_switch")
    );
    let _ = seen.take_changes(Millis(4));
    // Hours later it also answers as an archive.
    for n in 1..4u8 {
        let from = format!("10.0.0.{}", n + 10);
        let store = dicom("C-STORE", "CT", None);
        seen.observe(&event(
            2 * HOUR,
            3,
            Some(between(&from, "10.0.0.1", "dicom", 104)),
            store,
        ));
    }
    let _ = seen.take_changes(Millis(2 * HOUR));
    let role = &changes(&seen, &A.to_string(), "changed_identity")[0];
    assert_eq!(
        (role.before.as_str(), role.after.as_str()),
        ("network_switch", "pacs")
    );
}
