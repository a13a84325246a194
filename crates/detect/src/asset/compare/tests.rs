use super::*;
use model::port::Attribute;

fn asset(mac: &str, ip: &str, name: &str, attributes: &[(&str, &str)]) -> Asset {
    let attribute = |(name, value): &(&str, &str)| Attribute {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        confidence: 80,
        source: "test".to_owned(),
    };
    Asset {
        id: mac.to_owned(),
        mac: Some(mac.to_owned()),
        ips: vec![ip.parse().expect("an address")],
        names: vec![name.to_owned()],
        attributes: attributes.iter().map(attribute).collect(),
        ..Asset::default()
    }
}

fn site() -> Vec<Asset> {
    vec![
        asset(
            "44:4b:5d:20:20:11",
            "10.20.20.11",
            "ct1.chu.test",
            &[
                ("vendor", "GE HealthCare"),
                ("model", "RHAPSODE"),
                ("serial", "SN-42"),
            ],
        ),
        asset(
            "00:11:32:20:10:40",
            "10.20.10.40",
            "FILES",
            &[("vendor", "Synology")],
        ),
        asset(
            "00:04:00:20:40:30",
            "10.20.40.30",
            "prn",
            &[("vendor", "Lexmark")],
        ),
    ]
}

fn kinds(found: &Comparison) -> Vec<(Kind, Option<usize>, &str)> {
    let differences = found.differences.iter();
    differences
        .map(|d| (d.kind, d.line, d.label.as_str()))
        .collect()
}

#[test]
fn a_french_spreadsheet_is_understood() {
    // Windows-1252, semicolons, accents, MAC with dashes.
    let list = b"Nom d'h\xf4te;Adresse IP;Adresse MAC;N\xb0 de s\xe9rie;Constructeur;Mod\xe8le\r\n\
        ct1;10.20.20.11;44-4B-5D-20-20-11;SN-42;GE;Rhapsode\r\n\
        \"old;scanner\";10.20.20.99;;;Philips;\r\n\
        files;10.20.10.41;;;QNAP;\r\n\r\n;;;;;\r\n";
    let found = compare(&site(), list).expect("a list");
    assert_eq!((found.rows, found.matched, found.skipped), (3, 2, 0));
    assert_eq!(found.columns.len(), 6);
    assert_eq!(
        kinds(&found),
        [
            (Kind::Missing, Some(3), "old;scanner"),
            (Kind::Address, Some(4), "files"),
            (Kind::Vendor, Some(4), "files"),
            (Kind::Unknown, None, "prn"),
        ]
    );
    assert_eq!(found.differences[1].matched_by, Some("name"));
    assert_eq!(found.differences[1].listed, "10.20.10.41");
    assert_eq!(found.differences[1].seen, "10.20.10.40");
}

#[test]
fn the_key_that_moves_least_wins() {
    let list = "hostname,ip,mac,serial number,model\n\
        whatever,10.20.40.30,444b.5d20.2011,,OTHER\n\
        again,,,sn-42,\n\
        ,10.20.10.40,,,\n\
        nothing but a name,,,,\n";
    let found = compare(&site(), list.as_bytes()).expect("a list");
    assert_eq!(
        kinds(&found),
        [
            (Kind::Address, Some(2), "whatever"),
            (Kind::Model, Some(2), "whatever"),
            (Kind::Twice, Some(3), "again"),
            (Kind::Missing, Some(5), "nothing but a name"),
            (Kind::Unknown, None, "prn"),
        ]
    );
}

#[test]
fn a_list_without_keys_is_refused_and_damage_loses_nothing_good() {
    assert_eq!(compare(&site(), b""), Err(Refused::Empty));
    assert_eq!(
        compare(&site(), b"colour,price\nred,3\n"),
        Err(Refused::NoKey)
    );
    let torn = compare(&site(), b"mac\tip\n\"44:4b:5d:20:20:11\t10.20.20.11\n").expect("a list");
    assert_eq!(torn.rows, 1);
    // Made safe for spreadsheets by our own export.
    let guarded = compare(&site(), b"ip,names\n'10.20.40.30,'=prn\n").expect("a list");
    assert_eq!(guarded.matched, 1);
}

proptest::proptest! {
    #[test]
    fn any_file_is_read_to_its_end(octets in proptest::collection::vec(0u8..=255, 0..400)) {
        let mut list = b"mac;ip;nom\n".to_vec();
        list.extend(octets);
        let found = compare(&site(), &list).expect("a header");
        proptest::prop_assert!(found.matched <= found.rows);
    }
}
