//! Every reading endpoint: what it asks the store, what it makes of the answer.

use model::class::{Dns, Http};
use model::port::Datum;
use model::{Connection, Event, Meta, Millis, Sensitive};
use serde_json::{Value, json};

use super::fake::{Console, NOW, console, error};

fn text(text: &str) -> Datum {
    Datum::Text(text.to_owned())
}

fn answers(console: &Console, start: &'static str, rows: Vec<Vec<Datum>>) {
    console.store.answers.lock().unwrap().push((start, rows));
}

async fn get(console: &Console, path: &str) -> Value {
    let answer = console.sign_in("rssi").await.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

const DAY: &str = "from=1699913600000&to=1700000000000";

#[tokio::test]
async fn everything_needs_a_session() {
    let console = console();
    let stranger = console.stranger();
    for path in [
        "/overview",
        "/network/matrix",
        "/network/sankey?zone=a",
        "/network/ego?entity=10.0.0.1",
        "/assets",
        "/assets/x",
        "/events",
        "/events/histogram",
        "/events/top?field=proto",
        "/search/fields",
        "/search/values?field=proto",
        "/stream",
        "/system",
        "/packets",
        "/audit-trail",
        "/setup",
        "/users",
        "/passkeys",
    ] {
        let answer = stranger.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "not_signed_in")
        );
    }
    let post = stranger
        .send("POST", "/api/v1/query", Some(json!({"text": ""})))
        .await;
    assert_eq!(post.status, 401);
    assert_eq!(stranger.get("/nothing").await.code(), "not_found");
}

#[tokio::test]
async fn the_overview_shows_coverage_first() {
    let console = console();
    let by_class = vec![
        vec![Datum::U64(4003), Datum::U64(9)],
        vec![Datum::I64(4001), Datum::I64(4)],
    ];
    answers(&console, "select class_uid", by_class);
    let bin = NOW - NOW.rem_euclid(600_000);
    let bins = vec![vec![Datum::I64(bin - 600_000), Datum::U64(77)]];
    answers(&console, "select date_bin", bins);
    let seen = get(&console, &format!("/overview?{DAY}")).await;
    assert_eq!(seen["coverage"]["seen_ratio"], 0.9);
    assert_eq!(seen["events"]["total"], 13);
    assert_eq!(
        seen["events"]["by_class"][0],
        json!({"class": "dns_activity", "count": 9})
    );
    assert_eq!(seen["throughput"]["bin_ms"], 600_000);
    let now = seen["throughput"]["now"].as_array().unwrap();
    assert_eq!(now.len(), 145);
    assert!(now.contains(&json!([bin - 600_000, 77])));
    assert_eq!(seen["throughput"]["before"].as_array().unwrap().len(), 145);
    assert_eq!(seen["assets"], json!({"total": 3, "new_24h": 3}));
    let codes: Vec<_> = seen["todo"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["code"].clone())
        .collect();
    assert_eq!(
        codes,
        [
            "capture_silent",
            "packets_dropped",
            "zones_missing",
            "new_assets"
        ]
    );
}

#[tokio::test]
async fn the_matrix_adds_protocols_up() {
    let console = console();
    let row = |src: &str, dst: &str, proto: &str, bytes| {
        vec![
            text(src),
            text(dst),
            text(proto),
            Datum::U64(bytes),
            Datum::I64(2),
        ]
    };
    let rows = vec![
        row("a", "", "tls", 50),
        row("a", "b", "dicom", 40),
        row("a", "b", "dns", 2),
    ];
    answers(&console, "select coalesce(src_zone, '') as src", rows);
    *console.site.zones.lock().unwrap() = vec![("z".to_owned(), vec!["10.0.0.0/8".to_owned()])];
    let seen = get(&console, &format!("/network/matrix?{DAY}")).await;
    assert_eq!(seen["zones"], json!(["z", "a", "b", ""]));
    let cell =
        json!({"src": "a", "dst": "b", "bytes": 42, "flows": 4, "protocols": ["dicom", "dns"]});
    assert_eq!(seen["cells"][1], cell);
}

#[tokio::test]
async fn a_sankey_never_points_backwards_and_adds_up() {
    let console = console();
    let rows = (0..60)
        .map(|n| vec![text("b"), text(&format!("10.0.0.{n}")), Datum::U64(60 - n)])
        .collect();
    answers(&console, "select coalesce(dst_zone", rows);
    let seen = get(
        &console,
        &format!("/network/sankey?zone=a&direction=out&{DAY}"),
    )
    .await;
    let links = seen["links"].as_array().unwrap();
    assert_eq!(links.len(), 41);
    assert_eq!(
        links[0],
        json!({"source": "0:a", "target": "1:b", "value": 1_830})
    );
    let last: u64 = links[1..]
        .iter()
        .map(|link| link["value"].as_u64().unwrap())
        .sum();
    assert_eq!(last + seen["other"].as_u64().unwrap(), 1_830);
    let asked = console.store.asked.lock().unwrap().clone();
    assert!(asked.iter().any(|text| text.contains("src_zone = 'a'")));
    let wrong = console
        .sign_in("rssi")
        .await
        .get("/network/sankey?zone=a&direction=up")
        .await;
    assert_eq!(wrong.code(), "bad_value");
}

#[tokio::test]
async fn a_tree_folds_what_does_not_fit_and_loses_nothing() {
    let console = console();
    let row = |n: u64| {
        let zone = if n.is_multiple_of(2) {
            text("even")
        } else {
            Datum::Null
        };
        vec![
            text("10.0.0.1"),
            text(&format!("10.0.1.{n}")),
            text("dns"),
            Datum::U64(100 + n),
            Datum::U64(1),
            Datum::I64(5),
            Datum::I64(9),
            text("servers"),
            zone,
        ]
    };
    answers(&console, "select src_ip", (1..=80).map(row).collect());
    let seen = get(
        &console,
        &format!("/network/ego?entity=10.0.0.1&depth=2&{DAY}"),
    )
    .await;
    let nodes = seen["nodes"].as_array().unwrap();
    assert!(nodes.len() <= 40);
    assert_eq!(nodes[0]["label"], "pacs");
    let standing: u64 = nodes
        .iter()
        .map(|node| node["count"].as_u64().unwrap())
        .sum();
    assert_eq!(standing, 81);
    let edges = seen["edges"].as_array().unwrap();
    let bytes: u64 = edges
        .iter()
        .map(|edge| edge["bytes"].as_u64().unwrap())
        .sum();
    assert_eq!(bytes, (1..=80).map(|n| 100 + n).sum::<u64>());
    let rssi = console.sign_in("rssi").await;
    assert_eq!(
        rssi.get("/network/ego?entity=x'--").await.code(),
        "bad_value"
    );
    assert_eq!(
        rssi.get("/network/ego?entity=10.0.0.1&depth=9")
            .await
            .code(),
        "bad_value"
    );
}

#[tokio::test]
async fn assets_are_found_sorted_and_cut() {
    let console = console();
    let names = |seen: &Value| -> Vec<String> {
        let assets = seen["assets"].as_array().unwrap().iter();
        assets
            .map(|asset| asset["names"][0].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&get(&console, "/assets").await),
        ["pacs", "labo", "dpi"]
    );
    assert_eq!(
        names(&get(&console, "/assets?sort=name").await),
        ["dpi", "labo", "pacs"]
    );
    assert_eq!(
        names(&get(&console, "/assets?sort=-peers&limit=1").await),
        ["dpi"]
    );
    let seen = get(&console, "/assets?q=dell%2010.0.0.2").await;
    assert_eq!(
        (names(&seen), &seen["total"]),
        (vec!["labo".to_owned()], &json!(1))
    );
    assert_eq!(
        console
            .sign_in("rssi")
            .await
            .get("/assets?sort=x")
            .await
            .code(),
        "bad_value"
    );
}

#[tokio::test]
async fn the_page_of_an_asset_has_peers_and_recent_events() {
    let console = console();
    let row = vec![
        text("10.0.0.2"),
        text("10.0.0.1"),
        text("dicom"),
        Datum::U64(7),
        Datum::U64(1),
        Datum::I64(1),
        Datum::I64(2),
        Datum::Null,
        Datum::Null,
    ];
    answers(&console, "select src_ip", vec![row]);
    console.store.events.lock().unwrap().push(event());
    for id in ["02:00:00:00:00:01", "10.0.0.1"] {
        let seen = get(&console, &format!("/assets/{id}")).await;
        assert_eq!(seen["asset"]["names"][0], "pacs");
        let peer = json!({"ip": "10.0.0.2", "asset": "02:00:00:00:00:02", "proto": "dicom",
            "bytes": 7, "flows": 1, "last": 2});
        assert_eq!(seen["peers"], json!([peer]));
        assert_eq!(seen["recent"][0]["class_uid"], 4003);
    }
    let asked = console.store.asked.lock().unwrap().clone();
    assert!(asked.contains(&"src_ip:\"10.0.0.1\" OR dst_ip:\"10.0.0.1\"".to_owned()));
    assert_eq!(
        console
            .sign_in("rssi")
            .await
            .get("/assets/none")
            .await
            .status,
        404
    );
}

fn event() -> Event {
    Event {
        meta: Meta {
            time: Millis(NOW),
            ..Meta::default()
        },
        connection: Some(Box::new(Connection {
            src_ip: "10.0.0.1".parse().ok(),
            ..Connection::default()
        })),
        body: Dns {
            query: Some("a.example".into()),
            ..Dns::default()
        }
        .into(),
    }
}

#[tokio::test]
async fn events_are_ocsf_and_clear_values_never_leave() {
    let console = console();
    let clear = Event {
        body: Http {
            path: Some(Sensitive::path("/fhir/Patient/Durand")),
            ..Http::default()
        }
        .into(),
        ..event()
    };
    *console.store.events.lock().unwrap() = vec![event(), clear];
    let analyst = console.sign_in("analyst").await;
    let answer = analyst
        .get(&format!("/events?q=proto:dns&limit=5&{DAY}"))
        .await;
    assert_eq!(answer.json()["events"][0]["src_endpoint"]["ip"], "10.0.0.1");
    assert!(!answer.text.contains("Durand"));
    let long = "x".repeat(17_000);
    assert_eq!(
        analyst.get(&format!("/events?q={long}")).await.code(),
        "bad_value"
    );
    for period in [
        "from=5&to=5",
        "from=9&to=3",
        "from=-5&to=3",
        "from=0&to=9223372036854775807",
    ] {
        assert_eq!(
            analyst.get(&format!("/events?{period}")).await.code(),
            "bad_value",
            "{period}"
        );
    }
}

#[tokio::test]
async fn query_errors_keep_position_and_suggestion() {
    let console = console();
    *console.store.error.lock().unwrap() = Some(error("unknown_field"));
    let answer = console
        .sign_in("analyst")
        .await
        .get("/events?q=porto:dns")
        .await;
    let expected = json!({"code": "unknown_field", "detail": "why", "position": 3,
        "suggestion": "proto"});
    assert_eq!((answer.status.as_u16(), answer.json()), (400, expected));
}

#[tokio::test]
async fn a_histogram_has_every_bin() {
    let console = console();
    let rows = vec![
        vec![
            Datum::I64(NOW - NOW.rem_euclid(3_600_000)),
            Datum::U64(4003),
            Datum::U64(5),
        ],
        vec![
            Datum::I64(NOW - NOW.rem_euclid(3_600_000)),
            Datum::U64(4001),
            Datum::U64(1),
        ],
    ];
    answers(&console, "select date_bin", rows);
    let seen = get(
        &console,
        &format!("/events/histogram?bins=30&q=a:%27b%27&{DAY}"),
    )
    .await;
    assert_eq!(
        (&seen["bin_ms"], &seen["total"]),
        (&json!(3_600_000), &json!(6))
    );
    let bins = seen["bins"].as_array().unwrap();
    assert_eq!(bins.len(), 25);
    assert_eq!(
        bins[24]["by_class"],
        json!({"dns_activity": 5, "network_activity": 1})
    );
    let asked = console.store.asked.lock().unwrap().clone();
    assert!(
        asked
            .iter()
            .any(|text| text.contains("from search('a:''b''')"))
    );
}

#[tokio::test]
async fn top_values_come_from_the_views_that_have_the_column() {
    let console = console();
    let rows = vec![vec![text("a.example"), Datum::U64(3)]];
    answers(&console, "select val", rows);
    let seen = get(&console, "/events/top?field=query&limit=5").await;
    assert_eq!(seen["values"], json!([{"value": "a.example", "count": 3}]));
    let asked = console.store.asked.lock().unwrap().clone();
    assert!(asked[0].contains("\"query\" as val from dns_activity"));
    let wrong = console
        .sign_in("rssi")
        .await
        .get("/events/top?field=src_pi")
        .await;
    assert_eq!(
        (wrong.code().as_str(), &wrong.json()["suggestion"]),
        ("unknown_field", &json!("src_ip"))
    );
}

#[tokio::test]
async fn classes_are_named_and_completed() {
    let console = console();
    answers(
        &console,
        "select val",
        vec![vec![Datum::U64(4003), Datum::U64(3)]],
    );
    let seen = get(&console, "/events/top?field=class").await;
    assert_eq!(seen["values"][0]["value"], "dns_activity");
    let seen = get(&console, "/search/values?field=class&prefix=s").await;
    assert!(seen.as_array().unwrap().contains(&json!("smb_activity")));
    let seen = get(&console, "/search/values?field=dst_port&prefix=40").await;
    assert_eq!(seen, json!([4003]));
    let fields = get(&console, "/search/fields").await;
    let fields = fields.as_array().unwrap();
    let path = fields
        .iter()
        .find(|field| field["column"] == "anomalies")
        .unwrap();
    assert!(path["classes"].as_array().unwrap().len() > 3);
}

#[tokio::test]
async fn sql_is_noted_by_length_only() {
    let console = console();
    let analyst = console.sign_in("analyst").await;
    let sql = "select * from events where patient = 'Durand'";
    let answer = analyst
        .send("POST", "/api/v1/query", Some(json!({"text": sql})))
        .await;
    assert_eq!(
        answer.json()["columns"],
        json!([{"name": "x", "kind": "text"}])
    );
    let search = json!({"text": "proto:dns"});
    assert_eq!(
        analyst
            .send("POST", "/api/v1/query", Some(search))
            .await
            .status,
        200
    );
    let trail = console.trail.entries.lock().unwrap().clone();
    let noted: Vec<_> = trail
        .iter()
        .filter(|entry| entry.action == "sql_query")
        .collect();
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].object, format!("{} bytes", sql.len()));
}

#[tokio::test]
async fn setup_shows_what_was_learned_and_takes_zones() {
    let console = console();
    answers(
        &console,
        "select proto",
        vec![vec![text("dns"), Datum::U64(3)]],
    );
    let pair = vec![text("CT1"), Datum::Null, text("dicom"), Datum::U64(3)];
    answers(&console, "select coalesce(calling_ae", vec![pair]);
    let seen = get(&console, "/setup").await;
    assert_eq!(seen["proposed"][0]["cidrs"], json!(["10.0.0.0/24"]));
    assert_eq!(seen["learned"]["medical"][0]["called"], Value::Null);
    let admin = console.sign_in("admin").await;
    let put = |name: &str, cidr: &str| {
        let body = json!({"zones": [{"name": name, "cidrs": [cidr]}]});
        let admin = admin.clone();
        async move { admin.send("PUT", "/api/v1/setup/zones", Some(body)).await }
    };
    assert_eq!(put("a", "10.0.0.0/99").await.code(), "bad_value");
    assert_eq!(put("refused", "10.0.0.0/8").await.code(), "bad_value");
    assert_eq!(put("a", "10.0.0.0/8").await.status, 204);
    assert_eq!(get(&console, "/setup").await["proposed"], json!([]));
}

#[tokio::test]
async fn machines_are_answered_too() {
    let console = console();
    let stranger = console.stranger();
    assert_eq!(stranger.send("GET", "/healthz", None).await.text, "ok");
    assert_eq!(stranger.send("GET", "/readyz", None).await.status, 200);
    *console.site.role_state.lock().unwrap() = "starting";
    assert_eq!(stranger.send("GET", "/readyz", None).await.status, 503);
    assert_eq!(stranger.send("GET", "/metrics", None).await.status, 401);
    let rssi = console.sign_in("rssi").await;
    let metrics = rssi.send("GET", "/metrics", None).await;
    assert!(metrics.text.contains("vigie_console_requests_total"));
}
