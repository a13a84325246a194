use super::*;

fn events(store: &Store, text: &str) -> Vec<Event> {
    match store.events(&query(text), &AtomicBool::new(false)) {
        Ok(events) => events.events,
        Err(error) => panic!("{text}: {error:?}"),
    }
}

fn code(store: &Store, text: &str) -> &'static str {
    store
        .rows(&query(text), &AtomicBool::new(false))
        .err()
        .map_or("ok", |error| error.code)
}

fn filled(dir: &tempfile::TempDir) -> Store {
    let store = open(dir);
    store.ingest(mixed(1, 1001)).unwrap();
    store.flush(Duration::from_secs(60)).unwrap();
    store.ingest(mixed(1001, 2001)).unwrap();
    store
}

#[test]
#[rustfmt::skip]
fn searches_find_what_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    let all = mixed(1, 2001);
    let expected = |keep: &dyn Fn(&Event) -> bool| all.iter().filter(|e| keep(e)).count();
    let is = |class: u32| move |e: &Event| e.body.class().uid == class;
    let port =
        |p: u16| move |e: &Event| e.connection.as_ref().is_some_and(|c| c.dst_port == Some(p));
    for (text, want) in [
        ("", 2000),
        ("class:dns", expected(&is(4003))),
        ("not class:dns_activity", 2000 - expected(&is(4003))),
        ("proto:http", expected(&is(4002))),
        ("port:104", expected(&port(104))),
        ("proto:tcp", 1500),
        ("query:h3.example.org", expected(&|e| is(4003)(e) && e.meta.uid.seq % 11 == 3)),
        ("query:H3.Example.org", expected(&|e| is(4003)(e) && e.meta.uid.seq % 11 == 3)),
        ("query:*.example.org", expected(&is(4003))),
        ("query.hostname:h1*", expected(&|e| is(4003)(e) && matches!(e.meta.uid.seq % 11, 1 | 10))),
        ("host~RV2", expected(&|e| is(4002)(e) && e.meta.uid.seq % 5 == 2)),
        ("bytes:>=1.5MB", expected(&|e| is(4001)(e) && e.meta.uid.seq >= 1500)),
        ("bytes:100KB..200KB", expected(&|e| is(4001)(e) && (100..=200).contains(&e.meta.uid.seq))),
        ("src:10.20.0.0/16", 1500),
        ("src:10.20.0.7", expected(&|e| !is(5001)(e) && e.meta.uid.seq % 250 == 7)),
        ("ip:10.1.2.7", expected(&|e| is(5001)(e) && e.meta.uid.seq % 250 == 7)),
        ("dst.zone:internet", expected(&|e| !is(5001)(e) && e.meta.uid.seq % 3 == 0)),
        ("path:durand4", expected(&|e| is(4002)(e) && e.meta.uid.seq % 9 == 4)),
        ("url_path:*.pdf", expected(&is(4002))),
        ("durand4", expected(&|e| is(4002)(e) && e.meta.uid.seq % 9 == 4)),
        ("anomalies:gap", expected(&|e| is(4001)(e) && e.meta.uid.seq % 10 == 0)),
        ("answer:192.0.2.*", expected(&is(4003))),
        ("answer~0.2.2", expected(&is(4003))),
        ("(class:dns or class:http) not port:80", expected(&is(4003))),
        ("status:success", 2000),
        ("activity:traffic", expected(&|e| matches!(e.body.class().uid, 4001 | 4003))),
        ("asset-7", expected(&|e| is(5001)(e) && e.meta.uid.seq.to_string().starts_with('7'))),
        ("uid:00000001-0000000000000009", 1),
        ("last:1h", 2000),
        ("time:>2026-11-23", 0),
        ("mac:02:00:00:00:00:09", expected(&is(5001))),
    ] {
        assert_eq!(events(&store, text).len(), want, "{text}");
        assert_eq!(rows(&store, text).rows.len(), want, "{text}");
    }
}

#[test]
fn whole_events_come_back_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    let mut asked = query("class:dns");
    asked.rows_max = 10;
    let found = store.events(&asked, &AtomicBool::new(false)).unwrap();
    assert_eq!(found.limited, Some("rows"));
    let newest: Vec<u64> = found
        .events
        .iter()
        .map(|event| event.meta.uid.seq)
        .collect();
    let want: Vec<u64> = (0..10).map(|n| 1998 - 4 * n).collect();
    assert_eq!(newest, want);
    assert!(found.events[0] == dns(1998));
}

#[test]
fn a_window_holds_for_search_and_sql() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    let cut = AtomicBool::new(false);
    for text in ["", "select seq from events"] {
        let mut asked = query(text);
        asked.from = Some(Millis(DAY + 100));
        asked.to = Some(Millis(DAY + 200));
        assert_eq!(store.rows(&asked, &cut).unwrap().rows.len(), 10, "{text}");
    }
}

#[test]
fn addresses_are_written_as_people_do() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    let base = "select count(*) from events where ";
    let patterned = (1..2001).filter(|n| n % 4 != 3 && n % 250 >= 240).count();
    let patterned = i64::try_from(patterned).unwrap();
    for (condition, want) in [
        ("src_ip = '10.20.0.7'", 4),
        ("'10.20.0.7' = src_ip", 4),
        ("src_ip = ip('10.20.0.7')", 4),
        ("src_ip in ('10.20.0.7', '10.20.0.8')", 12),
        ("src_ip between '10.20.0.7' and '10.20.0.8'", 12),
        ("cidr_match(src_ip, '10.20.0.0/16')", 1500),
        ("cidr_match(src_ip, '10.30.0.0/16')", 0),
        ("src_ip like '10.20.0.24_'", patterned),
        ("time < '2026-11-23T00:00:00.100Z'", 9),
    ] {
        assert_eq!(
            count(&store, &format!("{base}{condition}")),
            want,
            "{condition}"
        );
    }
    let shown = rows(
        &store,
        "select src_ip, time, cast(src_ip as varchar) t from events \
                              where seq = 5",
    );
    assert_eq!(shown.rows[0][0], Datum::Text("10.20.0.5".to_owned()));
    assert_eq!(shown.rows[0][1], Datum::I64(DAY + 50));
    assert_eq!(shown.rows[0][2], Datum::Text("10.20.0.5".to_owned()));
    assert_eq!(shown.columns[0].kind, "ip");
    assert_eq!(shown.columns[1].kind, "time");
    assert_eq!(shown.columns[2].name, "t");
}

#[test]
fn sql_only_reads() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    for text in [
        "insert into events select * from events",
        "create table t as select 1",
        "drop table events",
        "delete from events",
        "with x as (select 1) insert into events select * from x",
        "create external table t stored as csv location '/etc/passwd'",
    ] {
        assert_ne!(code(&store, text), "ok", "{text}");
    }
    assert_eq!(code(&store, "drop table events"), "not_read_only");
    assert_eq!(code(&store, "select 1; select 2"), "syntax");
    assert_ne!(code(&store, "select * from '/etc/passwd'"), "ok");
    assert_eq!(code(&store, "explain select * from events"), "ok");
}

#[test]
fn wrong_queries_say_where_and_what_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    let error = |text: &str| {
        store
            .rows(&query(text), &AtomicBool::new(false))
            .unwrap_err()
    };
    let found = error("select dst_prot from events");
    assert_eq!(
        (found.code, found.suggestion.as_deref()),
        ("unknown_field", Some("dst_port"))
    );
    assert_eq!(found.position, Some(7));
    let found = error("select * from dns_activty");
    assert_eq!(
        (found.code, found.suggestion.as_deref()),
        ("unknown_field", Some("dns_activity"))
    );
    let found = error("select 1,\n )");
    assert_eq!(found.code, "syntax");
    let found = error("select * from events where src_ip = 'nonsense'");
    assert_eq!(found.code, "bad_value");
    assert_eq!(
        store
            .events(&query("select 1 from events"), &AtomicBool::new(false))
            .err()
            .map(|e| e.code),
        Some("syntax")
    );
}

#[test]
fn limits_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    let mut asked = query("select seq from events");
    asked.rows_max = 7;
    let cut = store.rows(&asked, &AtomicBool::new(false)).unwrap();
    assert_eq!((cut.rows.len(), cut.limited), (7, Some("rows")));
    asked.rows_max = 2000;
    assert_eq!(
        store.rows(&asked, &AtomicBool::new(false)).unwrap().limited,
        None
    );
    let heavy = "select count(*) from events a, events b, events c, events d";
    let mut asked = query(heavy);
    asked.time_ms_max = 300;
    let slow = store.rows(&asked, &AtomicBool::new(false)).unwrap_err();
    assert_eq!(slow.code, "limit_time");
    let cancelled = store
        .rows(&query(heavy), &AtomicBool::new(true))
        .unwrap_err();
    assert_eq!(cancelled.code, "cancelled");
}

#[test]
fn memory_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config();
    config.query_memory_bytes = 2_000_000;
    config.query_spill_bytes = 0;
    let store = Store::open(dir.path(), config).unwrap();
    store.ingest(mixed(1, 5001)).unwrap();
    let heavy = "select a.seq, array_agg(b.uid), array_agg(b.uid || a.uid) from events a, events b \
                 group by a.seq";
    let found = store
        .rows(&query(heavy), &AtomicBool::new(false))
        .unwrap_err();
    assert_eq!(found.code, "limit_memory", "{found:?}");
    assert_eq!(count(&store, "select count(*) from events"), 5000);
}

#[test]
fn long_conditions_do_not_break_the_stack() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir);
    let terms: Vec<String> = (0..900).map(|n| format!("seq={n}")).collect();
    let text = format!("select count(*) from events where {}", terms.join(" or "));
    assert_eq!(count(&store, &text), 899);
    let terms: Vec<String> = (0..250).map(|n| format!("src_port:{n}")).collect();
    assert_eq!(rows(&store, &terms.join(" or ")).rows.len(), 0);
    let deep = format!("select {}1{}", "(".repeat(3000), ")".repeat(3000));
    assert_eq!(code(&store, &deep), "syntax");
}
