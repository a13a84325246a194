use super::*;

#[test]
fn quoting_leaves_no_way_out() {
    assert_eq!(quoted("a"), "'a'");
    assert_eq!(quoted("l'hôpital"), "'l''hôpital'");
    assert_eq!(quoted("x' or 1=1 --"), "'x'' or 1=1 --'");
    assert_eq!(quoted("a\0b\\"), "'ab\\'");
    for text in ["'", "''", "';drop", "\\'", "a'b'c"] {
        let all = quoted(text);
        let inside = all
            .strip_prefix('\'')
            .and_then(|all| all.strip_suffix('\''))
            .unwrap();
        assert_eq!(inside.replace("''", "").matches('\'').count(), 0, "{text}");
    }
}

#[test]
fn an_empty_search_reads_the_view_itself() {
    assert_eq!(source(" ", "events"), "events");
    assert_eq!(source("proto:dns", "events"), "search('proto:dns')");
    assert_eq!(
        source("a:'b'", "dns_activity"),
        "search('a:''b''', 'dns_activity')"
    );
}

#[test]
fn a_zone_is_a_literal_and_the_outside_is_null() {
    assert!(zone_flows("x' --", true, 9).contains("src_zone = 'x'' --'"));
    assert!(zone_flows("", false, 9).contains("dst_zone is null"));
}

#[test]
fn addresses_are_literals_of_parsed_values() {
    let text = edges(
        &["10.0.0.1".parse().unwrap(), "fe80::1".parse().unwrap()],
        5,
    );
    assert!(text.contains("src_ip in ('10.0.0.1', 'fe80::1')"));
}

#[test]
fn lists_are_unnested_and_views_united() {
    let text = top(
        "",
        &["dns_activity", "smb_activity"],
        "anomalies",
        true,
        false,
        3,
    );
    assert!(text.contains("unnest(\"anomalies\") as val from dns_activity union all"));
    assert!(text.contains("order by n asc, val limit 3"));
}
