//! Commands to a running core, and the same answers without one.
//!
//! Enters: one JSON request a line on `vigie.sock`. Leaves: one JSON answer a line.
//! Refuses: requests above [`REQUEST_BYTES_MAX`]; callers other than the folder's owner (mode
//! 0600).
//! Source: `DESIGN.md` section 3, State on one machine.

use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use model::ocsf::{Clearance, EventWriter};
use model::port::{AssetView as _, EventQuery as _, Query, QueryError};
use model::{EventUid, Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Opening, Store};

use super::export::Chunks;
use crate::pipeline::Pipeline;
use crate::ring::{PacketsRequest, PinRequest};
use crate::state::{DataDir, Lock};
use crate::time;

/// Longest request line.
const REQUEST_BYTES_MAX: u64 = 256 * 1024;

/// What a command asks.
#[derive(Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Request {
    /// Search or SQL.
    Query {
        text: String,
        from: Option<i64>,
        to: Option<i64>,
        rows_max: usize,
        time_ms_max: u64,
    },
    /// The same, as one Parquet file: chunks, then how it ended.
    Export {
        text: String,
        from: Option<i64>,
        to: Option<i64>,
        rows_max: usize,
        time_ms_max: u64,
    },
    /// The inventory: assets, or as events.
    Inventory { events: bool },
    /// The replays in the store.
    Replays,
    /// End of a replay's events and clear values.
    ReplayPurge {
        id: String,
        reason: String,
        actor: String,
    },
    /// Clear values of one event.
    VaultOpen {
        uid: String,
        reason: String,
        actor: String,
    },
    /// Packets of one flow: chunks of a capture file, then how it ended.
    Packets(PacketsRequest),
    /// Keeps a flow's packets beyond their turn.
    Pin(PinRequest),
    /// Keeps them no longer.
    Unpin(PinRequest),
    /// The flows that are pinned.
    Pins,
    /// End of a month's clear values and packets.
    VaultDestroy {
        month: String,
        reason: String,
        actor: String,
    },
}

/// How long a command waits for a core that is starting.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a purge waits for what is in memory to be sealed.
const PURGE_PATIENCE: Duration = Duration::from_secs(120);

/// Asks the running core, or the store itself when none runs.
pub(crate) fn ask(
    dir: &DataDir,
    open: impl FnOnce() -> Result<Store>,
    request: &Request,
) -> Result<Value> {
    ask_into(dir, open, request, &mut io::sink())
}

/// As [`ask`]; what is not the answer itself, such as a file, goes to `out` while it comes.
pub(crate) fn ask_into(
    dir: &DataDir,
    open: impl FnOnce() -> Result<Store>,
    request: &Request,
    out: &mut (dyn Write + Send),
) -> Result<Value> {
    if let Some(_lock) = lock_or_core(dir)? {
        let store = open()?;
        let cancel = AtomicBool::new(false);
        if request.is_streamed() {
            return unwrap(stream(dir.path(), &store, request, false, out, &cancel));
        }
        return unwrap(answer(dir.path(), &store, request, &cancel));
    }
    let stream = UnixStream::connect(dir.control_socket()).context("core ended just now")?;
    unwrap(converse_with(stream, request, out)?)
}

/// `None` once a running core answers; else the lock of this folder, on which nobody runs.
///
/// # Errors
/// Somebody runs here and core does not answer within [`PATIENCE`].
pub(crate) fn lock_or_core(dir: &DataDir) -> Result<Option<Lock>> {
    let until = Instant::now() + PATIENCE;
    loop {
        if UnixStream::connect(dir.control_socket()).is_ok() {
            return Ok(None);
        }
        match dir.lock() {
            Ok(lock) => return Ok(Some(lock)),
            // Somebody runs here and does not answer yet: core is starting.
            Err(error) if Instant::now() > until => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

impl Request {
    /// True when the answer is chunks of a file.
    const fn is_streamed(&self) -> bool {
        matches!(self, Self::Export { .. } | Self::Packets(_))
    }

    /// The query of an export.
    fn as_query(&self) -> Option<Query> {
        let Self::Export {
            text,
            from,
            to,
            rows_max,
            time_ms_max,
        } = self
        else {
            return None;
        };
        Some(query(text, (*from, *to), *rows_max, *time_ms_max))
    }
}

fn query(text: &str, span: (Option<i64>, Option<i64>), rows_max: usize, time_ms_max: u64) -> Query {
    Query {
        text: text.to_owned(),
        from: span.0.map(Millis),
        to: span.1.map(Millis),
        rows_max,
        time_ms_max,
    }
}

fn converse_with(mut stream: UnixStream, request: &Request, out: &mut dyn Write) -> Result<Value> {
    serde_json::to_writer(&mut stream, request)?;
    stream.write_all(b"\n")?;
    let mut input = BufReader::new(stream);
    if request.is_streamed() {
        return super::export::receive(&mut input, out);
    }
    let mut line = String::new();
    let read = input.read_line(&mut line);
    anyhow::ensure!(
        read.is_ok_and(|octets| octets > 0),
        "core ended before it answered, and starts again; a question that needs more memory than \
         [memory] core does that: narrow it"
    );
    serde_json::from_str(&line).context("core ended before it answered")
}

fn unwrap(mut answer: Value) -> Result<Value> {
    if let Some(error) = answer.get("error") {
        let detail = error
            .get("detail")
            .and_then(Value::as_str)
            .unwrap_or("no detail");
        let code = error
            .get("code")
            .and_then(Value::as_str)
            .unwrap_or("internal");
        if matches!(code, "internal" | "output") {
            bail!("{detail}");
        }
        return Err(crate::exit::Usage(explain(error, detail)).into());
    }
    Ok(answer.get_mut("ok").map_or(Value::Null, Value::take))
}

/// The error with the query under it and a caret at the character.
fn explain(error: &Value, detail: &str) -> String {
    let mut text = detail.to_owned();
    let query = error.get("query").and_then(Value::as_str);
    let position = error.get("position").and_then(Value::as_u64);
    if let (Some(query), Some(position)) = (query, position) {
        let before = query
            .get(..usize::try_from(position).unwrap_or(0))
            .unwrap_or(query);
        let line = before.rsplit('\n').next().unwrap_or(before);
        let shown = query
            .lines()
            .nth(before.matches('\n').count())
            .unwrap_or(query);
        text.push_str(&format!(
            "\n  {shown}\n  {}^",
            " ".repeat(line.chars().count())
        ));
    }
    if let Some(near) = error.get("suggestion").and_then(Value::as_str) {
        text.push_str(&format!("\n  did you mean '{near}'?"));
    }
    text
}

/// Answers on the socket until `stop`.
pub(crate) fn serve(socket: &Path, store: Arc<Pipeline>, stop: Arc<AtomicBool>) -> Result<()> {
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket)
        .with_context(|| format!("{}: cannot be bound", socket.display()))?;
    std::fs::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    let dir = socket.parent().unwrap_or(socket).to_owned();
    std::thread::Builder::new()
        .name("control".into())
        .spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let pipeline = Arc::clone(&store);
                        let dir = dir.clone();
                        // One thread a command: they are few, made by people or scripts on this
                        // machine.
                        let _ = std::thread::Builder::new()
                            .name("command".into())
                            .spawn(move || converse(stream, &dir, &pipeline));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        })?;
    Ok(())
}

fn converse(stream: UnixStream, dir: &Path, pipeline: &Pipeline) -> Option<()> {
    let store = &pipeline.store;
    stream.set_nonblocking(false).ok()?;
    let mut output = stream.try_clone().ok()?;
    let gone = Arc::new(AtomicBool::new(false));
    let mut input = BufReader::new(stream.take(REQUEST_BYTES_MAX));
    let mut line = String::new();
    input.read_line(&mut line).ok()?;
    let reply = match serde_json::from_str::<Request>(&line) {
        Ok(request) => {
            watch_for_hangup(input.into_inner().into_inner(), Arc::clone(&gone));
            if request.is_streamed() {
                let mut chunks = Chunks::new(&mut output);
                let outcome = self::stream(dir, store, &request, true, &mut chunks, &gone);
                return chunks.finish(&outcome).ok();
            }
            if let Request::Inventory { events } = request {
                json!({ "ok": inventory(pipeline, events) })
            } else {
                answer(dir, store, &request, &gone)
            }
        }
        Err(error) => {
            json!({ "error": { "code": "usage", "detail": format!("not a request: {error}") } })
        }
    };
    serde_json::to_writer(&mut output, &reply).ok()?;
    output.write_all(b"\n").ok()
}

/// The inventory of the running core, or of this folder when none runs.
pub(crate) fn ask_inventory(
    dir: &DataDir,
    open: impl FnOnce() -> Result<Pipeline>,
    events: bool,
) -> Result<Value> {
    if let Some(_lock) = lock_or_core(dir)? {
        let pipeline = open()?;
        super::core::restore(&pipeline);
        let answer = inventory(&pipeline, events);
        pipeline.store.close();
        return Ok(answer);
    }
    let stream = UnixStream::connect(dir.control_socket()).context("core ended just now")?;
    unwrap(converse_with(
        stream,
        &Request::Inventory { events },
        &mut io::sink(),
    )?)
}

/// Assets as the console shows them, or events of class 5001, one JSON text each.
pub(crate) fn inventory(pipeline: &Pipeline, events: bool) -> Value {
    let inventory = pipeline.inventory.lock();
    if !events {
        return json!(inventory.assets());
    }
    let mut writer = EventWriter::default();
    let lines = inventory.to_events(time::now());
    drop(inventory);
    let lines = lines.iter().map(|event| {
        let mut line = Vec::new();
        writer.write(event, &mut line, Clearance::Masked);
        String::from_utf8_lossy(&line).into_owned()
    });
    json!(lines.collect::<Vec<String>>())
}

/// A caller that went away (Ctrl-C) cancels its query.
fn watch_for_hangup(mut stream: UnixStream, gone: Arc<AtomicBool>) {
    let _ = std::thread::Builder::new()
        .name("hangup".into())
        .spawn(move || {
            let mut octet = [0u8; 1];
            let _ = stream.read(&mut octet);
            gone.store(true, Ordering::Relaxed);
        });
}

/// The answer of a request whose answer is a file.
fn stream(
    dir: &Path,
    store: &Store,
    request: &Request,
    running: bool,
    out: &mut (dyn Write + Send),
    cancel: &AtomicBool,
) -> Value {
    match (request.as_query(), request) {
        (Some(query), _) => export(store, &query, out, cancel),
        (None, Request::Packets(ask)) => crate::ring::answer(dir, store, ask, running, out),
        (None, _) => answer(dir, store, request, cancel),
    }
}

/// The answer as a Parquet file onto `out`; how it ended.
fn export(
    store: &Store,
    query: &Query,
    out: &mut (dyn Write + Send),
    cancel: &AtomicBool,
) -> Value {
    match store.export(query, out, cancel) {
        Ok(done) => json!({ "ok": { "rows": done.rows, "limited": done.limited } }),
        Err(error) => refused(&error, &query.text),
    }
}

/// An error with the query that it is about.
fn refused(error: &QueryError, text: &str) -> Value {
    let mut body = json!(error);
    if let Some(map) = body.as_object_mut() {
        map.insert("query".to_owned(), json!(text));
    }
    json!({ "error": body })
}

/// The answer of the store.
fn answer(dir: &Path, store: &Store, request: &Request, cancel: &AtomicBool) -> Value {
    let result = match request {
        Request::Query {
            text,
            from,
            to,
            rows_max,
            time_ms_max,
        } => {
            let query = query(text, (*from, *to), *rows_max, *time_ms_max);
            return match store.rows(&query, cancel) {
                Ok(rows) => json!({ "ok": rows }),
                Err(error) => refused(&error, text),
            };
        }
        Request::Inventory { .. } => Err("the inventory is not the store's".to_owned()),
        Request::Export { .. } | Request::Packets(_) => {
            Err("a file is answered in chunks".to_owned())
        }
        Request::Pin(pin) => crate::ring::pin(dir, store, pin),
        Request::Unpin(pin) => crate::ring::unpin(dir, store, pin),
        Request::Pins => crate::ring::pins(dir),
        Request::Replays => store
            .replays()
            .map(|replays| json!(replays))
            .map_err(|error| error.to_string()),
        Request::ReplayPurge { id, reason, actor } => {
            let opening = Opening {
                actor,
                reason,
                now: time::now(),
            };
            let purged = store.purge(id, &opening, PURGE_PATIENCE);
            purged
                .map(|purged| json!(purged))
                .map_err(|error| error.to_string())
        }
        Request::VaultOpen { uid, reason, actor } => vault_open(store, uid, reason, actor),
        Request::VaultDestroy {
            month,
            reason,
            actor,
        } => {
            let opening = Opening {
                actor,
                reason,
                now: time::now(),
            };
            let destroyed = store.vault().destroy(month, &opening);
            destroyed
                .map_err(|error| error.to_string())
                .and_then(|()| crate::ring::forget(dir, month))
                .map(|blocks| json!({ "destroyed": month, "packet_blocks": blocks }))
        }
    };
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(detail) => json!({ "error": { "code": "refused", "detail": detail } }),
    }
}

fn vault_open(store: &Store, uid: &str, reason: &str, actor: &str) -> Result<Value, String> {
    let parsed: EventUid = uid.parse().map_err(|_| {
        format!("'{uid}' is not an event identity such as 0000002a-0000000000100000")
    })?;
    let opening = Opening {
        actor,
        reason,
        now: time::now(),
    };
    let values = store
        .vault()
        .reveal(parsed, &opening)
        .map_err(|error| error.to_string())?;
    let list: Vec<Value> = values
        .iter()
        .map(|(column, clear)| json!({ "column": column, "value": clear }))
        .collect();
    Ok(json!({ "uid": uid, "values": list }))
}

/// Who runs this command, for the trail.
pub(crate) fn actor() -> String {
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut cells = line.split(':');
        let name = cells.next()?;
        (cells.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    format!("local:{}", name.unwrap_or_else(|| uid.to_string()))
}
