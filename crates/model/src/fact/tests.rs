use super::*;

#[test]
fn facts_are_ordered_and_bounded() {
    let mut facts = Facts::of("ldap");
    facts.add("scope", "base").add("attribute", "mail");
    facts.add("attribute", "cn").add("empty", "");
    facts.maybe("size", None::<u64>);
    assert_eq!(
        facts.take(),
        [
            "ldap.attribute=mail",
            "ldap.attribute=cn",
            "ldap.scope=base"
        ]
    );
    for n in 0..2 * LIST_ITEMS_MAX {
        facts.add("n", n);
    }
    assert_eq!(facts.take().len(), LIST_ITEMS_MAX);
}

#[test]
fn only_facts_have_parts() {
    assert_eq!(parts("snmp.oid=1.3=6"), Some(("snmp", "oid", "1.3=6")));
    for text in [
        "",
        "snmp",
        "snmp.oid",
        "snmp=1",
        "Snmp.oid=1",
        ".a=1",
        "a.=1",
        "a.b-c=1",
    ] {
        assert_eq!(parts(text), None, "{text}");
    }
}
