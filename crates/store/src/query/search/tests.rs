use super::*;
use crate::query::search::condition::Match;
use crate::testdata::key;

fn round_trip(text: &str) -> Node {
    let node = parse(text).unwrap();
    let printed = node.to_string();
    assert_eq!(parse(&printed).unwrap(), node, "{text} -> {printed}");
    node
}

fn term(node: &Node) -> &Term {
    let Node::Term(term) = node else {
        panic!("a term")
    };
    term
}

#[test]
fn the_documented_forms_parse() {
    let text = "proto:dns query:*.example.org bytes:>10MB src:10.20.0.0/16 \
                not dst.zone:internet class:http_activity (a or b) \"quoted text\" port:104 \
                host~login last:24h time:2026-11-23..2026-11-24";
    let Node::And(parts) = round_trip(text) else {
        panic!("and")
    };
    assert_eq!(parts.len(), 12);
    assert_eq!(term(&parts[2]).op, Op::Above);
    assert!(matches!(parts[4], Node::Not(_)));
    assert!(matches!(parts[6], Node::Or(_)));
    assert!(term(&parts[7]).quoted);
    assert_eq!(term(&parts[9]).op, Op::Contains);
    assert_eq!(term(&parts[11]).upper.as_deref(), Some("2026-11-24"));
}

#[test]
fn operators_bind_as_people_expect() {
    let node = round_trip("a b or c AND NOT d");
    let Node::Or(parts) = node else { panic!("or") };
    assert!(matches!(&parts[0], Node::And(inner) if inner.len() == 2));
    assert!(matches!(&parts[1], Node::And(inner) if matches!(inner[1], Node::Not(_))));
    assert_eq!(round_trip("-proto:dns"), round_trip("not proto:dns"));
    assert_eq!(parse("  ").unwrap(), Node::All);
}

#[test]
fn addresses_are_no_fields() {
    assert_eq!(term(&round_trip("fe80::1")).field, None);
    assert_eq!(term(&round_trip("aa:bb:cc:dd:ee:ff")).field, None);
    assert_eq!(term(&round_trip("src:fe80::1")).value, "fe80::1");
    assert_eq!(
        term(&round_trip("src_endpoint.ip:10.0.0.1"))
            .field
            .as_deref(),
        Some("src_endpoint.ip")
    );
}

#[test]
fn errors_have_a_place() {
    for (text, position) in [
        ("a (b", 2),
        ("a) b", 1),
        ("say \"x", 4),
        ("a or", 4),
        ("and b", 0),
        ("port:", 5),
        ("x bytes:..5", 2),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.position, Some(position), "{text}");
    }
    assert!(parse(&"(".repeat(100)).is_err());
    assert!(parse(&"a ".repeat(300)).is_err());
    assert!(parse(&"not ".repeat(100)).is_err());
}

fn compile(text: &str) -> Result<Vec<&'static str>, QueryError> {
    let node = parse(text)?;
    let key = key();
    let scope = Scope {
        key: &key,
        now: model::Millis(0),
        text,
    };
    let mut classes = Vec::new();
    for class in crate::schema::all() {
        if !matches!(condition(&node, class, &scope)?, Match::Never) {
            classes.push(class.class.name);
        }
    }
    Ok(classes)
}

#[test]
fn only_classes_that_can_match_are_asked() {
    assert_eq!(compile("query:example.org").unwrap(), vec!["dns_activity"]);
    assert_eq!(compile("class:dns").unwrap(), vec!["dns_activity"]);
    assert_eq!(compile("class:*inv*").unwrap(), vec!["inventory_info"]);
    assert_eq!(
        compile("patient:42").unwrap(),
        vec!["medical_exchange_activity"]
    );
    assert_eq!(
        compile("not query:example.org").unwrap().len(),
        crate::schema::all().len()
    );
    assert!(compile("port:70000").unwrap().is_empty());
}

#[test]
fn wrong_words_get_the_nearest_right_one() {
    let error = compile("a dst_prot:80").unwrap_err();
    assert_eq!((error.code, error.position), ("unknown_field", Some(2)));
    assert_eq!(error.suggestion.as_deref(), Some("dst_port"));
    let error = compile("class:dns_activty").unwrap_err();
    assert_eq!(
        (error.code, error.suggestion.as_deref()),
        ("bad_value", Some("dns_activity"))
    );
    for text in [
        "src:10.0.0",
        "port:abc",
        "bytes:>x",
        "last:24",
        "time:yesterday",
        "uid:1",
    ] {
        assert_eq!(compile(text).unwrap_err().code, "bad_value", "{text}");
    }
}

#[test]
fn values_have_units() {
    assert_eq!(value::number("10MB"), Some(10_000_000.0));
    assert_eq!(value::number("1.5KiB"), Some(1536.0));
    assert_eq!(value::number("ten"), None);
    assert_eq!(value::duration_ms("24h"), Some(86_400_000));
    assert_eq!(value::duration_ms("24"), None);
    let day = crate::testdata::DAY;
    assert_eq!(value::time_ms("2026-11-23"), Some((day, day + 86_400_000)));
    let minute = day + (14 * 60 + 5) * 60_000;
    assert_eq!(
        value::time_ms("2026-11-23T14:05Z"),
        Some((minute, minute + 60_000))
    );
    assert_eq!(value::time_ms("2026-13-01"), None);
}

/// A deterministic stream of texts made of the given parts (linear congruential generator).
fn texts(parts: &[&str], count: usize) -> Vec<String> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..count)
        .map(|_| (0..next(12)).map(|_| parts[next(parts.len())]).collect())
        .collect()
}

#[test]
fn no_text_makes_the_language_panic_and_what_parses_prints_to_itself() {
    let parts = [
        " ",
        " ",
        "(",
        ")",
        "\"",
        "\\",
        ":",
        "~",
        ">",
        "<=",
        "..",
        "*",
        "-",
        "or",
        "and",
        "NOT",
        "not ",
        " or ",
        "port",
        "src",
        "bytes:",
        "class:dns",
        "query:",
        "last:",
        "time:",
        "uid:",
        "patient:",
        "status:",
        "10.0.0.1",
        "10.0.0.0/8",
        "2026-11-23",
        "5MB",
        "é",
        "\u{301}",
        "日本",
        "\u{0}",
        "\n",
        "a",
        "ab.c",
        "[]",
        "'",
        "%",
        "_",
        "fe80::1",
        "anomalies:",
        "1e9",
    ];
    let mut parsed = 0;
    for text in texts(&parts, 20_000) {
        let Ok(node) = parse(&text) else { continue };
        parsed += 1;
        let printed = node.to_string();
        assert_eq!(
            parse(&printed).as_ref(),
            Ok(&node),
            "{text:?} -> {printed:?}"
        );
        if parsed % 10 == 0 {
            let _ = compile(&text);
        }
    }
    assert!(parsed > 2000, "{parsed}");
}
