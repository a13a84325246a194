use super::*;

#[test]
fn the_defaults_survive_printing_and_reading() {
    let text = toml::to_string(&Config::default()).unwrap();
    let again = toml::to_string(&Config::parse(&text).unwrap()).unwrap();
    assert_eq!(text, again);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let refused = Config::parse("[store]\nretention_day = 3\n").unwrap_err();
    assert_eq!(
        refused.0,
        "line 2: there is no key 'retention_day'; did you mean 'retention_days'?"
    );
}

#[test]
fn a_value_without_its_unit_is_refused() {
    let refused = Config::parse("[wire]\nbudget = \"512\"\n").unwrap_err();
    assert!(refused.0.contains("needs a number and a unit"), "{refused}");
}

#[test]
fn a_zone_that_is_no_network_is_refused() {
    let refused = Config::parse("[site.zones]\nlab = [\"10.0.0.0/40\"]\n").unwrap_err();
    assert!(refused.0.starts_with("site.zones.lab"), "{refused}");
}

#[test]
fn sources_are_checked_one_by_one() {
    let with = |rest: &str| Config::parse(&format!("[[source]]\n{rest}"));
    let config = with("name = \"suricata\"\nkind = \"eve\"\npath = \"/var/log/eve.json\"").unwrap();
    assert_eq!(config.source[0].silent_after.0, 600_000);
    for (rest, why) in [
        ("kind = \"eve\"", "name: needs"),
        ("name = \"a\"\nkind = \"zeek\"", "path: is missing"),
        ("name = \"a\"\nkind = \"bro\"", "unknown variant"),
        (
            "name = \"a\"\nkind = \"zeek\"\npath = \"/x\"\nsocket = \"stream\"",
            "socket: only",
        ),
        (
            "name = \"a\"\nkind = \"netflow\"\nlisten = \"x\"",
            "is not address:port",
        ),
        (
            "name = \"a\"\nkind = \"netflow\"\nlisten = \"0.0.0.0:2055\"",
            "name who may send",
        ),
        (
            "name = \"a\"\nkind = \"netflow\"\nexporters = [\"x\"]",
            "no address or network",
        ),
        ("name = \"a\"\npaht = \"/x\"", "did you mean 'path'?"),
        (
            "name = \"a\"\npath = \"/x\"\n[[source]]\nname = \"a\"\npath = \"/y\"",
            "used twice",
        ),
    ] {
        let refused = with(rest).unwrap_err();
        assert!(refused.0.contains(why), "{rest}: {refused}");
    }
}

#[test]
fn the_reference_in_docs_is_the_code_s() {
    golden("config.md", &reference());
}

#[test]
fn the_fields_in_docs_are_the_code_s() {
    let made = fields();
    for class in model::CLASSES {
        assert!(made.contains(&format!("class {}", class.uid)));
    }
    golden("fields.md", &made);
}

fn golden(name: &str, made: &str) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference"));
    let path = folder.join(name);
    if std::env::var_os("VIGIE_BLESS").is_some() {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        made,
        "run with VIGIE_BLESS=1"
    );
}
