//! A writer that is meant to be killed: ingests without end and prints what was acknowledged.
//!
//! Enters: a directory, a first sequence, rows a batch, a quota. Leaves: one line per acknowledged
//! batch, `first last`, flushed before the next batch begins. The crash test kills it at random
//! moments.

use std::io::Write;
use std::path::Path;

use model::class::{Dns, Http, Network};
use model::{Connection, Event, EventUid, Meta, Millis, NodeId, Sensitive, Text};
use vigie_store::{Store, StoreConfig};

#[allow(
    dead_code,
    reason = "the crash test takes this file as a module and calls `run`"
)]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, default: u64| {
        arguments
            .get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let Some(dir) = arguments.get(1) else {
        let _ = writeln!(
            std::io::stderr(),
            "usage: crash_writer DIR [FIRST] [ROWS] [QUOTA]"
        );
        std::process::exit(2);
    };
    run(
        Path::new(dir),
        number(2, 1),
        number(3, 64),
        arguments.get(4).and_then(|text| text.parse().ok()),
        &mut std::io::stdout(),
    );
}

/// Ingests until it is killed or nobody listens to `out`.
pub(crate) fn run(dir: &Path, first: u64, rows: u64, quota: Option<u64>, out: &mut dyn Write) {
    let rows = rows.max(1);
    let config = StoreConfig {
        // Small, so that kills also meet sealing, compaction and the catalog.
        seal_rows: rows * 6,
        maintain_every_ms: 50,
        free_bytes_min: 0,
        // With one, kills also meet the removal of the oldest segments.
        quota_bytes: quota,
        now: || Millis(NOW),
        ..StoreConfig::default()
    };
    let store = match Store::open(dir, config) {
        Ok(store) => store,
        Err(error) => {
            let _ = writeln!(out, "open: {error}");
            std::process::exit(3);
        }
    };
    let mut next = first;
    loop {
        let events = (next..next + rows).map(event).collect();
        if let Err(error) = store.ingest(events) {
            let _ = writeln!(out, "ingest: {error}");
            std::process::exit(4);
        }
        if writeln!(out, "{next} {}", next + rows - 1)
            .and_then(|()| out.flush())
            .is_err()
        {
            std::process::exit(0);
        }
        next += rows;
    }
}

/// 2026-11-24 12:00:00 UTC: hours of the events below are closed, so that compaction runs.
const NOW: i64 = 1_795_521_600_000;

/// The event of a number.
pub(crate) fn event(n: u64) -> Event {
    let time = Millis(1_795_392_000_000 + i64::try_from(n).unwrap_or(0) * 20);
    let meta = Meta {
        uid: EventUid {
            node: NodeId(1),
            seq: n,
        },
        time,
        logged_time: time,
        site: Text::Borrowed("nord"),
        ..Meta::default()
    };
    let connection = Connection {
        app: Text::Borrowed("dns"),
        ..Connection::default()
    };
    let body = match n % 3 {
        0 => Network {
            bytes: Some(n),
            ..Network::default()
        }
        .into(),
        1 => {
            let path = Sensitive::path(&format!("/dossiers/dupont{n}.pdf"));
            Http {
                path: Some(path),
                ..Http::default()
            }
            .into()
        }
        _ => {
            let query = Some(Text::Owned(format!("h{}.example.org", n % 50)));
            Dns {
                query,
                ..Dns::default()
            }
            .into()
        }
    };
    Event {
        meta,
        connection: Some(Box::new(connection)),
        body,
    }
}
