use super::propose::propose;
use super::*;
use model::port::Asset;

fn asset(ip: &str, serves: &[&str], role: Option<&str>) -> Asset {
    Asset {
        id: ip.to_owned(),
        ips: vec![ip.parse().unwrap()],
        mac: None,
        vendor: None,
        names: Vec::new(),
        zone: None,
        role: role.map(str::to_owned),
        speaks: Vec::new(),
        serves: serves.iter().map(|text| (*text).to_owned()).collect(),
        first_seen: 0,
        last_seen: 0,
        peers: 0,
        bytes: 0,
        ..Asset::default()
    }
}

fn zone(name: &str, cidrs: &[&str]) -> Zone {
    Zone {
        name: name.to_owned(),
        cidrs: cidrs.iter().map(|text| (*text).to_owned()).collect(),
    }
}

#[test]
fn ranges_are_strict() {
    for good in ["10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "fd00::/8", "::/0"] {
        assert!(range(good).is_some(), "{good}");
    }
    for bad in [
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/+8",
        "10.0.0/8",
        "x/8",
        "fd00::/129",
        "/",
    ] {
        assert!(range(bad).is_none(), "{bad}");
    }
}

#[test]
fn zones_are_checked_before_anything_is_done() {
    assert!(check(&[zone("imagerie", &["10.20.0.0/16"])]).is_ok());
    assert!(check(&[zone("", &["10.20.0.0/16"])]).is_err());
    assert!(check(&[zone("a\"b", &["10.20.0.0/16"])]).is_err());
    assert!(check(&[zone("a", &[])]).is_err());
    assert!(check(&[zone("a", &["10.0.0.0/8"]), zone("A", &["10.0.0.0/8"])]).is_err());
    assert!(check(&[zone("a", &["nonsense"])]).is_err());
}

#[test]
fn subnets_outside_zones_are_proposed_by_what_lives_there() {
    let assets = [
        asset("10.20.1.10", &["dicom/104"], None),
        asset("10.20.1.11", &["dicom/104"], None),
        asset("10.20.1.12", &[], None),
        asset("10.30.0.1", &[], Some("printer")),
        asset("10.30.0.2", &[], Some("printer")),
        asset("10.40.0.1", &[], None),
        asset("10.9.0.1", &[], None),
        asset("10.9.0.2", &[], None),
        asset("203.0.113.1", &[], None),
        asset("203.0.113.2", &[], None),
    ];
    let zones = [("known".to_owned(), vec!["10.9.0.0/16".to_owned()])];
    let proposed = propose(&assets, &zones);
    let seen: Vec<_> = proposed
        .iter()
        .map(|p| serde_json::to_value(p).unwrap())
        .map(|p| {
            (
                p["cidrs"][0].clone(),
                p["reason_code"].clone(),
                p["hosts"].clone(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("10.20.1.0/24".into(), "dicom".into(), 3.into()),
            ("10.30.0.0/24".into(), "printers".into(), 2.into()),
        ]
    );
}

#[test]
fn a_proposal_takes_no_name_that_exists() {
    let assets = [
        asset("10.1.0.1", &[], None),
        asset("10.1.0.2", &[], None),
        asset("10.2.0.1", &[], None),
        asset("10.2.0.2", &[], None),
    ];
    let zones = [("clients".to_owned(), vec!["10.9.0.0/16".to_owned()])];
    let names: Vec<_> = propose(&assets, &zones)
        .iter()
        .map(|p| serde_json::to_value(p).unwrap()["name"].clone())
        .collect();
    assert_eq!(names, ["clients-2", "clients-3"]);
}
