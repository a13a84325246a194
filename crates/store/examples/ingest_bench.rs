//! Bench of the store: typed events in, acknowledged, sealed, compacted, asked.
//!
//! Enters: millions of events (default 3), a directory (default: a temporary one, removed).
//! Leaves: lines `figure NAME VALUE UNIT`, read by `./dev bench store`. The mix is the one of
//! `facts/store.md`: 50 % flow, 30 % DNS, 20 % HTTP, Zipf-like hosts and names, one million events
//! a day, 29 columns. Three parts: the first day as fast as one caller can; the second at a fixed
//! rate in batches of 50 ms, for the acknowledgements; the others for the size of what is asked.
//! Rates are CPU time of the whole process without the generator's thread time, because shared
//! cores make wall time noisy.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use model::class::{Dns, Http, Network};
use model::port::{EventQuery as _, Query};
use model::{Connection, Event, EventUid, Meta, Millis, NodeId, Sensitive, Text};
use vigie_store::{Store, StoreConfig};

/// 2026-11-23 00:00:00 UTC.
const DAY: i64 = 1_795_392_000_000;
const DAY_MS: i64 = 86_400_000;
/// Events of a day; `VIGIE_BENCH_DAY` asks for fewer, for a try of the bench itself.
const DAY_EVENTS: u64 = 1_000_000;
/// Events of a batch at full speed.
const BATCH: u64 = 8192;
/// Events a second of the part at a fixed rate; `VIGIE_BENCH_RATE` asks for another.
const RATE: u64 = 100_000;

static NOW: AtomicI64 = AtomicI64::new(DAY);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let days = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(3);
    let given = arguments.next().map(PathBuf::from);
    let dir = given.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("vigie-bench-{}", std::process::id()))
    });
    let outcome = run(days, &dir);
    // A directory that was asked for stays, for a peer that asks the same.
    if given.is_none() {
        let _ = std::fs::remove_dir_all(&dir);
    }
    if let Err(error) = outcome {
        let _ = writeln!(std::io::stderr(), "bench: {error}");
        std::process::exit(1);
    }
}

fn run(days: u64, dir: &Path) -> Outcome<()> {
    let config = StoreConfig {
        maintain_every_ms: 0,
        free_bytes_min: 0,
        seal_age_ms: i64::MAX,
        now: || Millis(NOW.load(Ordering::Relaxed)),
        ..StoreConfig::default()
    };
    let store = Store::open(dir, config)?;
    let day_events = setting("VIGIE_BENCH_DAY", DAY_EVENTS);
    let mut mix = Mix {
        state: 0x2545_f491_4f6c_dd1d,
        day_events,
        flow: 0,
    };
    at_full_speed(&store, &mut mix)?;
    if days > 1 {
        at_a_fixed_rate(&store, &mut mix, setting("VIGIE_BENCH_RATE", RATE).max(1))?;
    }
    for from in (2 * day_events..days * day_events).step_by(8192) {
        let to = (from + BATCH).min(days * day_events);
        store.ingest((from..to).map(|n| mix.event(n)).collect())?;
    }
    store.flush(Duration::from_secs(600))?;
    let all = precise(days.max(1) * day_events);
    size(&store, "sealed", all);
    let last = DAY + i64::try_from(days.max(1)).unwrap_or(1) * DAY_MS;
    NOW.store(last + DAY_MS, Ordering::Relaxed);
    forget_peak();
    let before = cpu();
    store.maintain()?;
    figure("compact_cpu", (cpu() - before) * 1e6 / all, "us/event");
    figure("compact_peak", peak_mib(), "MiB");
    size(&store, "compacted", all);
    forget_peak();
    for (name, text) in QUERIES {
        let text = text.replace("DAY", &format!("'{}'", day_of(days)));
        ask(&store, name, &text)?;
    }
    figure("query_peak", peak_mib(), "MiB");
    Ok(())
}

/// The first day: one caller, one batch behind the other.
fn at_full_speed(store: &Store, mix: &mut Mix) -> Outcome<()> {
    let events = mix.day_events;
    let mut waits = Vec::new();
    let mut made = 0.0;
    let (before, wall) = (cpu(), Instant::now());
    for from in (0..events).step_by(8192) {
        let start = thread_cpu();
        let batch: Vec<Event> = (from..(from + BATCH).min(events))
            .map(|n| mix.event(n))
            .collect();
        made += thread_cpu() - start;
        let start = Instant::now();
        store.ingest(batch)?;
        waits.push(start.elapsed());
    }
    let taken = wall.elapsed();
    store.flush(Duration::from_secs(600))?;
    let spent = cpu() - before - made;
    figure("events", precise(events), "events");
    figure("generator", made * 1e6 / precise(events), "us/event");
    figure("ingest", precise(events) / spent, "events/CPU-s");
    figure(
        "ingest_wall",
        precise(events) / taken.as_secs_f64(),
        "events/s",
    );
    latency("ack_8192", waits);
    figure("ingest_peak", peak_mib(), "MiB");
    Ok(())
}

/// The second day: a batch every 50 ms, made before its time.
fn at_a_fixed_rate(store: &Store, mix: &mut Mix, rate: u64) -> Outcome<()> {
    let (from, to) = (mix.day_events, 2 * mix.day_events);
    let every = Duration::from_millis(50);
    let rows = (rate / 20).max(1);
    let mut waits = Vec::new();
    let mut next = from;
    let mut due = Instant::now();
    while next < to {
        let end = (next + rows).min(to);
        let batch: Vec<Event> = (next..end).map(|n| mix.event(n)).collect();
        due += every;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let start = Instant::now();
        store.ingest(batch)?;
        waits.push(start.elapsed());
        next = end;
    }
    figure("ack_rate", precise(rate), "events/s");
    latency("ack_50ms", waits);
    let paced = model::metric::STORE_PACED.value();
    figure("paced_commits", precise(paced), "commits");
    Ok(())
}

fn latency(name: &str, mut waits: Vec<Duration>) {
    waits.sort_unstable();
    for (share, word) in [(500, "p50"), (990, "p99"), (1000, "max")] {
        let at = (waits.len() * share / 1000).min(waits.len().saturating_sub(1));
        let wait = waits.get(at).copied().unwrap_or_default();
        figure(&format!("{name}_{word}"), wait.as_secs_f64() * 1e3, "ms");
    }
}

fn size(store: &Store, when: &str, count: f64) {
    let status = store.status();
    figure(when, precise(status.segment_bytes) / count, "bytes/event");
    figure(
        &format!("{when}_segments"),
        precise(status.segments),
        "files",
    );
}

fn ask(store: &Store, name: &str, text: &str) -> Outcome<()> {
    let query = Query {
        text: text.to_owned(),
        from: None,
        to: None,
        rows_max: 100_000,
        time_ms_max: 600_000,
    };
    let mut best = f64::MAX;
    let mut rows = 0;
    for _ in 0..3 {
        let start = Instant::now();
        rows = store.rows(&query, &AtomicBool::new(false))?.rows.len();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    figure(name, best, "ms");
    figure(&format!("{name}_rows"), precise(rows as u64), "rows");
    Ok(())
}

/// Asked of the peer in the same words, but for addresses and names of tables: see `duckdb.py`.
/// `DAY` is the last day's midnight.
const QUERIES: &[(&str, &str)] = &[
    (
        "needle_24h",
        "select count(*), sum(dst_port) from events where dst_ip = '10.0.3.7' and time >= DAY",
    ),
    (
        "needle_all",
        "select count(*), sum(dst_port) from events where dst_ip = '10.0.3.7'",
    ),
    (
        "histogram",
        "select date_bin(interval '5 minutes', time) t, class_uid, count(*) from events \
         group by 1, 2 order by 1, 2",
    ),
    (
        "join",
        "select count(*) from http_activity h join network_activity n on h.src_ip = n.src_ip and \
         h.dst_ip = n.dst_ip and date_trunc('minute', h.time) = date_trunc('minute', n.time) \
         where h.http_code = 500",
    ),
    (
        "substring",
        "select count(*) from http_activity where url_path like '%.pdf%'",
    ),
    (
        "talkers",
        "select * from (select h, src_ip, b, row_number() over (partition by h order by b desc) r \
         from (select date_trunc('hour', time) h, src_ip, sum(bytes) b from network_activity \
         group by 1, 2)) where r <= 10",
    ),
    (
        "distinct",
        "select src_ip, approx_distinct(query) n from dns_activity group by 1 order by n desc \
         limit 10",
    ),
];

struct Mix {
    state: u64,
    day_events: u64,
    flow: u64,
}

impl Mix {
    fn next(&mut self, below: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.state >> 33) % below.max(1)
    }

    /// Log-uniform: small numbers are frequent.
    fn zipf(&mut self, bits: u64) -> u64 {
        let width = self.next(bits) + 1;
        self.next(1 << width)
    }

    fn event(&mut self, n: u64) -> Event {
        let day_events = i64::try_from(self.day_events).unwrap_or(1).max(1);
        let step = u64::try_from(DAY_MS / day_events).unwrap_or(1).max(1);
        let place = i64::try_from(n).unwrap_or(0).saturating_mul(DAY_MS) / day_events;
        let time = DAY + place + i64::try_from(self.next(step)).unwrap_or(0);
        NOW.fetch_max(time, Ordering::Relaxed);
        let meta = Meta {
            uid: EventUid {
                node: NodeId(1),
                seq: 1_795_392_000_000_000 + n,
            },
            time: Millis(time),
            logged_time: Millis(time + 40 + i64::try_from(self.next(60)).unwrap_or(0)),
            site: Text::Borrowed("nord"),
            activity: 6,
            severity: 1,
            status: 1,
            ..Meta::default()
        };
        match self.next(10) {
            0..=4 => self.network(meta),
            5..=7 => self.dns(meta),
            _ => self.http(meta),
        }
    }

    fn connection(&mut self, app: &'static str, protocol: u16, port: u16) -> Box<Connection> {
        let host = self.zipf(13);
        let peer = self.zipf(14);
        let octet = |value: u64| u8::try_from(value & 255).unwrap_or(0);
        // A flow has a few events: its identity repeats.
        self.flow += u64::from(self.next(3) > 0);
        Box::new(Connection {
            src_ip: Some(IpAddr::V4(Ipv4Addr::new(
                10,
                20,
                octet(host >> 8),
                octet(host),
            ))),
            src_port: Some(u16::try_from(32_768 + self.next(28_000)).unwrap_or(0)),
            dst_ip: Some(IpAddr::V4(Ipv4Addr::new(
                10,
                0,
                octet(peer >> 8),
                octet(peer),
            ))),
            dst_port: Some(port),
            src_zone: Some(Text::Borrowed(pick(&ZONES, host))),
            dst_zone: Some(Text::Borrowed(pick(&ZONES, peer))),
            flow: Some(Text::Owned(format!("{:016x}", self.flow))),
            protocol,
            direction: 3,
            app: Text::Borrowed(app),
            ..Connection::default()
        })
    }

    fn network(&mut self, meta: Meta) -> Event {
        let port = pick(&PORTS, self.zipf(3));
        let connection = self.connection("tls", 6, port);
        let (out, back) = (40 + self.zipf(16), 40 + self.zipf(20));
        let (sent, got) = (1 + out / 800, 1 + back / 1300);
        let body = Network {
            about: Text::Borrowed("flow"),
            duration_ms: Some(i64::try_from(self.zipf(15)).unwrap_or(0)),
            bytes: Some(out + back),
            bytes_in: Some(back),
            bytes_out: Some(out),
            packets: Some(sent + got),
            packets_in: Some(got),
            packets_out: Some(sent),
            end_reason: Some(Text::Borrowed("closed")),
            ..Network::default()
        };
        Event {
            meta,
            connection: Some(connection),
            body: body.into(),
        }
    }

    fn dns(&mut self, meta: Meta) -> Event {
        let connection = self.connection("dns", 17, 53);
        let name = self.zipf(12);
        let failed = self.next(20) == 0;
        let body = Dns {
            query: Some(Text::Owned(format!(
                "srv{name}.dept{}.example.org",
                name % 17
            ))),
            query_type: Some(Text::Borrowed(if name.is_multiple_of(5) {
                "AAAA"
            } else {
                "A"
            })),
            rcode: Some(if failed { 3 } else { 0 }),
            rcode_name: Some(Text::Borrowed(if failed { "NXDOMAIN" } else { "NOERROR" })),
            answer_data: vec![Text::Owned(format!("10.0.{}.{}", name >> 8, name & 255))],
            answer_ttl: vec![300],
            ..Dns::default()
        };
        Event {
            meta,
            connection: Some(connection),
            body: body.into(),
        }
    }

    fn http(&mut self, meta: Meta) -> Event {
        let connection = self.connection("http", 6, 80);
        let (host, item) = (self.zipf(9), self.zipf(12));
        let code = pick(&[200, 200, 200, 304, 404, 500], self.next(6));
        let kind = pick(&["pdf", "html", "dcm", "json"], item);
        let body = Http {
            method: Some(Text::Borrowed(if item.is_multiple_of(7) {
                "POST"
            } else {
                "GET"
            })),
            host: Some(Text::Owned(format!("app{host}.example.org"))),
            path: Some(Sensitive::path(&format!(
                "/service{}/piece{item}.{kind}",
                host % 30
            ))),
            user_agent: Some(Text::Borrowed(pick(&AGENTS, host))),
            code: Some(code),
            response_bytes: Some(self.zipf(18)),
            latency_ms: Some(i64::try_from(self.zipf(10)).unwrap_or(0)),
            ..Http::default()
        };
        Event {
            meta,
            connection: Some(connection),
            body: body.into(),
        }
    }
}

const ZONES: [&str; 4] = ["wards", "imaging", "servers", "internet"];
const PORTS: [u16; 6] = [443, 104, 2575, 445, 389, 11_112];
const AGENTS: [&str; 3] = ["Mozilla/5.0 (X11)", "curl/8.5", "viewer/4.2 (imaging)"];

/// The `n`-th element, round and round.
fn pick<T: Copy + Default>(list: &[T], n: u64) -> T {
    let at = usize::try_from(n).unwrap_or(0) % list.len().max(1);
    list.get(at).copied().unwrap_or_default()
}

/// CPU seconds of this process, all threads, from `/proc/self/stat` (ticks of 10 ms).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
    let ticks: f64 = fields
        .skip(11)
        .take(2)
        .filter_map(|n| n.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// CPU seconds of this thread alone.
fn thread_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanos.unwrap_or(0.0) / 1e9
}

/// Peak resident memory since the start or [`forget_peak`].
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Begins a new peak (proc(5), `clear_refs`).
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Midnight of the last of `days`.
fn day_of(days: u64) -> String {
    // The bench begins on 2026-11-23 and has at most 38 days: into December.
    let day = 22 + days.clamp(1, 38);
    if day <= 30 {
        format!("2026-11-{day:02}")
    } else {
        format!("2026-12-{:02}", day - 30)
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(default)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a bench are below 2^53"
)]
fn precise(n: u64) -> f64 {
    n as f64
}

fn figure(name: &str, value: f64, unit: &str) {
    let _ = writeln!(std::io::stdout(), "figure {name} {value:.3} {unit}");
}
