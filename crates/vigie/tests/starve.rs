//! A query that exhausts core's memory costs the sensor no packet, and core comes back.
//!
//! A live sensor on a wire of its own, steady exchanges of a known number, a core that may have
//! little memory, and queries made to eat it: first one that the query engine refuses by its own
//! budget, then ones whose budget lies above the ceiling of the process. Needs root, for the
//! namespaces.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    reason = "a failing step is a failing test"
)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::wire::{Wire, figures};
use support::{Running, day, run, stdout, vigie, wait};

/// Exchanges in CI; `./dev soak starve` makes more.
const EXCHANGES: u64 = 400;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest time of one query: on a slow machine some reach this before their memory.
const QUERY_TIME: &str = "5s";
/// Packets of the recorded day that give the queries something to multiply.
const PACKETS: u64 = 6_000;
const LIMIT: Duration = Duration::from_secs(120);

/// Questions that the engine's own accounting sees coming.
const ACCOUNTED: &[&str] = &[
    // One group whose state is every pair of rows as one text.
    "select length(string_agg(a.uid || b.uid, ',')) as n from events a cross join events b",
    // A sort of a product.
    "select a.uid, b.uid, c.uid from events a cross join events b cross join events c \
     order by 1 desc, 2, 3 limit 1000000",
    // As many groups as pairs.
    "select a.uid || b.uid as pair, count(*) as n from events a cross join events b group by 1",
    // Every pair in one list.
    "select array_length(array_agg(a.uid || b.uid)) as n from events a cross join events b",
];

/// Questions that allocate beside it: texts of gigabytes, made of one row.
const UNACCOUNTED: &[&str] = &[
    "select max(length(repeat(uid, 4000000))) as n from events",
    "select max(length(lpad(uid, 100000000, 'x'))) as n from events",
    "select string_agg(repeat(uid, 1000000), ',') as n from events",
];

fn exchanges() -> u64 {
    std::env::var("VIGIE_STARVE_EXCHANGES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(EXCHANGES)
}

/// A configuration whose queries may take this much, under this ceiling of core.
fn configuration(folder: &Path, queries: &str, core: &str) -> String {
    let path = folder.join(format!("{queries}-{core}.toml"));
    let text = format!(
        "[store]\nquery_memory = \"{queries}\"\nquery_time = \"{QUERY_TIME}\"\n\
         [memory]\ncore = \"{core}\"\n"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// How the queries ended.
#[derive(Debug, Default)]
struct Ends {
    answered: u64,
    refused: u64,
    core_gone: u64,
}

/// Asks for too much; each query must end with an answer, or with words.
fn explode(running: &Running, config: &str, questions: &[&str], ends: &mut Ends) {
    for text in questions {
        let mut query = vigie();
        query.args(["--data-dir", running.dir.to_str().unwrap()]);
        query.args(["--config", config, "query", text, "--limit", "10"]);
        let began = Instant::now();
        let out = run(&mut query);
        let took = began.elapsed().as_secs_f64();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!said.contains("panicked"), "{said}");
        match out.status.code() {
            Some(0) => ends.answered += 1,
            Some(2 | 4) if said.contains("core ended") => {
                println!("core ended after {took:.1} s: {}", said.trim());
                ends.core_gone += 1;
            }
            Some(2 | 4) => {
                assert!(said.starts_with("vigie: "), "{said}");
                println!("refused after {took:.1} s: {}", said.trim());
                ends.refused += 1;
            }
            other => panic!("{text}: {other:?}: {said}"),
        }
    }
}

/// What a run with this configuration costs; returns how the queries ended.
fn starve(tag: &str, queries: &str, core: &str, questions: &[&str]) -> Ends {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), b"x").unwrap();
    let mut wire = Wire::make(tag);
    wire.serve(folder.path());
    let dir = folder.path().join("state");
    let config = configuration(folder.path(), queries, core);
    let running = wire.watch(&dir, &["--config", &config]);
    let material = folder.path().join("material.pcap");
    day::part(&material, 0..PACKETS).unwrap();
    let mut read = vigie();
    read.args(["--quiet", "--data-dir", dir.to_str().unwrap()]);
    stdout(read.args(["read", "--into-store"]).arg(&material), 0);

    let wanted = exchanges();
    let traffic = wire.traffic("starve", PAUSE, wanted);
    let began = Instant::now();
    let mut ends = Ends::default();
    explode(&running, &config, questions, &mut ends);
    let spent = began.elapsed();
    assert_eq!(traffic.wait(), wanted);

    let count = "select count(*) as n, count(distinct host) as hosts from http_activity \
                 where host like 'starve-%'";
    let found = wait("every exchange to be in the store", LIMIT, || {
        let rows = running.query(count);
        let row = rows.first()?;
        let (n, hosts) = (row["n"].as_u64()?, row["hosts"].as_u64()?);
        (hosts >= wanted).then_some((n, hosts))
    });
    assert_eq!(found, (wanted, wanted), "each exchange once");
    // The console answers, and says what the sensor said: nothing was dropped anywhere.
    let metrics = wait("the sensor's figures", LIMIT, || {
        let metrics = wire.metrics(&running);
        let packets = figures(&metrics, &["capture_packets", "role=\"sensor\""]);
        packets.iter().any(|n| *n > 0).then_some(metrics)
    });
    let dropped = figures(&metrics, &["dropped", "role=\"sensor\""]);
    assert!(
        !dropped.is_empty() && dropped.iter().all(|n| *n == 0),
        "{metrics}"
    );
    assert!(wire.page(&running, "").contains("<html"));
    let log = running.log();
    let restarts = log.matches("role ended").count();
    let sensor = log
        .matches("role ended; it is started again role=\"sensor\"")
        .count();
    assert_eq!(sensor, 0, "the sensor ended: {log}");
    println!(
        "\nstarve {queries} of queries under {core} of core: {wanted} exchanges once each, 0 \
         packets dropped; queries: {} answered, {} refused, {} ended core ({restarts} restarts) \
         in {:.1} s",
        ends.answered,
        ends.refused,
        ends.core_gone,
        spent.as_secs_f64()
    );
    ends
}

#[test]
fn a_query_beyond_its_budget_is_refused_and_costs_no_packet() {
    let ends = starve("q", "24MiB", "1GiB", ACCOUNTED);
    assert_eq!(ends.core_gone, 0, "{ends:?}");
    assert!(ends.refused > 0, "{ends:?}");
}

#[test]
fn a_query_that_exhausts_core_costs_no_packet() {
    let ends = starve("c", "4GiB", "400MiB", UNACCOUNTED);
    assert!(ends.core_gone > 0, "nothing exhausted core: {ends:?}");
}
