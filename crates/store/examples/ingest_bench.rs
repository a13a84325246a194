//! Bench of the store: typed events in, acknowledged, sealed, compacted, asked.
//!
//! Enters: number of events (default 1,000,000), a directory (default: a temporary one, removed).
//! Leaves: events per CPU second, bytes per event, the six query times. The mix is the one of
//! `facts/store.md`: 50 % flow, 30 % DNS, 20 % HTTP, Zipf-like hosts and names, one day, 29
//! columns. Figures are CPU time of the whole process, because shared cores make wall time noisy.

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
const BATCH: u64 = 8192;

static NOW: AtomicI64 = AtomicI64::new(DAY);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let given = arguments.next().map(PathBuf::from);
    let dir = given.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("vigie-bench-{}", std::process::id()))
    });
    if let Err(error) = run(events, &dir) {
        say(&format!("bench: {error}"));
    }
    // A directory that was asked for stays, for a look at its segments.
    if given.is_none() {
        let _ = std::fs::remove_dir_all(&dir);
    }
}

fn run(events: u64, dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let config = StoreConfig {
        maintain_every_ms: 0,
        free_bytes_min: 0,
        seal_age_ms: i64::MAX,
        now: || Millis(NOW.load(Ordering::Relaxed)),
        ..StoreConfig::default()
    };
    let store = Store::open(dir, config)?;
    let mut mix = Mix {
        state: 0x2545_f491_4f6c_dd1d,
        events,
        flow: 0,
    };
    let (mut made, mut acknowledged) = (0.0, 0.0);
    let wall = Instant::now();
    let mut next = 0;
    let mut slowest = Duration::ZERO;
    while next < events {
        let to = (next + BATCH).min(events);
        let before = cpu();
        let batch: Vec<Event> = (next..to).map(|n| mix.event(n)).collect();
        made += cpu() - before;
        let (before, start) = (cpu(), Instant::now());
        store.ingest(batch)?;
        slowest = slowest.max(start.elapsed());
        acknowledged += cpu() - before;
        next = to;
    }
    let before = cpu();
    store.flush(Duration::from_secs(600))?;
    acknowledged += cpu() - before;
    let count = precise(events);
    say(&format!(
        "events                 {events}, wall {:.1} s",
        wall.elapsed().as_secs_f64()
    ));
    say(&format!(
        "generator              {:.2} us CPU an event (not counted)",
        made * 1e6 / count
    ));
    say(&format!(
        "typed to sealed        {:.0} events per CPU second",
        count / acknowledged
    ));
    say(&format!(
        "slowest acknowledgement {:.1} ms wall",
        slowest.as_secs_f64() * 1e3
    ));
    report_size(&store, "after sealing  ", count);
    NOW.store(DAY + DAY_MS + 3_600_000, Ordering::Relaxed);
    let before = cpu();
    store.maintain()?;
    say(&format!(
        "compaction             {:.2} us CPU an event",
        (cpu() - before) * 1e6 / count
    ));
    report_size(&store, "after compaction", count);
    for (name, text) in QUERIES {
        ask(&store, name, text)?;
    }
    Ok(())
}

fn report_size(store: &Store, when: &str, count: f64) {
    let status = store.status();
    let bytes = precise(status.segment_bytes) / count;
    say(&format!(
        "{when}       {bytes:.1} bytes an event, {} segments",
        status.segments
    ));
}

fn ask(store: &Store, name: &str, text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let query = Query {
        text: text.to_owned(),
        from: None,
        to: None,
        rows_max: 1000,
        time_ms_max: 600_000,
    };
    let mut best = f64::MAX;
    let mut rows = 0;
    for _ in 0..2 {
        let start = Instant::now();
        rows = store.rows(&query, &AtomicBool::new(false))?.rows.len();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    say(&format!(
        "{name:<22} {best:.0} ms wall, best of 2, {rows} rows"
    ));
    Ok(())
}

/// The six of `facts/store.md` section 4.
const QUERIES: &[(&str, &str)] = &[
    (
        "Q1 needle",
        "select count(*), sum(dst_port) from events where dst_ip = '10.0.3.7'",
    ),
    (
        "Q2 substring",
        "select count(*) from http_activity where url_path like '%.pdf%'",
    ),
    (
        "Q3 talkers an hour",
        "select * from (select h, src_ip, b, row_number() over (partition by h order by b desc) r \
         from (select date_trunc('hour', time) h, src_ip, sum(bytes) b from network_activity \
         group by 1, 2)) where r <= 10",
    ),
    (
        "Q4 distinct names",
        "select src_ip, approx_distinct(query) n from dns_activity group by 1 order by n desc \
         limit 10",
    ),
    (
        "Q5 join 5 min",
        "select count(*) from http_activity h join network_activity n on h.src_ip = n.src_ip and \
         h.dst_ip = n.dst_ip and date_trunc('minute', h.time) = date_trunc('minute', n.time) \
         where h.http_code = 500",
    ),
    (
        "Q6 histogram",
        "select date_bin(interval '5 minutes', time) t, class_uid, count(*) from events \
         group by 1, 2 order by 1, 2",
    ),
];

struct Mix {
    state: u64,
    events: u64,
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
        let step = DAY_MS / i64::try_from(self.events).unwrap_or(1).max(1);
        let time = DAY
            + i64::try_from(n).unwrap_or(0) * DAY_MS
                / i64::try_from(self.events).unwrap_or(1).max(1)
            + i64::try_from(self.next(u64::try_from(step.max(1)).unwrap_or(1))).unwrap_or(0);
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

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a bench are below 2^53"
)]
fn precise(n: u64) -> f64 {
    n as f64
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
