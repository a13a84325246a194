//! The door to the packet ring: traced, with a reason.
//!
//! Enters: questions of the command line and the console. Leaves: capture files, pins. Refuses:
//! no reason; no flow; a flow that the store does not know. The trail has the question before a
//! packet is read. Source: `DESIGN.md` section 1.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use capture::ring::{Ask, Extracted, Pin, Pins, Reader, ask_to_close};
use model::port::{AuditEntry, AuditTrail as _, Datum, EventQuery as _, Query};
use model::{Millis, Nanos};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{RingKeys, Store};

use super::{folder, keys};
use crate::time;

/// How long the sensor gets to put the latest packets on disk.
const CLOSE_PATIENCE: Duration = Duration::from_millis(1500);
/// Shortest reason that says something.
const REASON_BYTES_MIN: usize = 3;
/// One writer of the file of pins in this process.
static PINS: Mutex<()> = Mutex::new(());

/// Which packets, for whom and why.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PacketsRequest {
    /// Community ID of the flow, or else
    pub(crate) flow: Option<String>,
    /// its `connection_info.uid`: the packets of that one connection.
    pub(crate) uid: Option<String>,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) reason: String,
    pub(crate) actor: String,
    /// Most bytes of the file; `None`: all there are.
    pub(crate) bytes_max: Option<u64>,
}

/// Writes the packets of one flow to `out`; `running`: a sensor may have the latest in memory.
pub(crate) fn extract(
    dir: &Path,
    store: &Store,
    request: &PacketsRequest,
    running: bool,
    out: &mut dyn Write,
) -> Result<(String, Extracted), String> {
    need_reason(&request.reason)?;
    let (flow, from, to) = which(store, request)?;
    let object = format!("flow {flow}");
    trace(
        store,
        "packets_extracted",
        &object,
        &request.reason,
        &request.actor,
    )?;
    let ring = folder(dir);
    if running {
        // Nobody there to ask: what is on disk is all there is.
        let _ = ask_to_close(&ring, CLOSE_PATIENCE);
    }
    let reader = Reader::new(&ring, keys(dir).map_err(|error| error.to_string())?);
    let ask = Ask {
        flow: &flow,
        from,
        to,
        bytes_max: request.bytes_max.unwrap_or(u64::MAX),
    };
    let found = reader
        .extract(&ask, out)
        .map_err(|error| error.to_string())?;
    Ok((flow, found))
}

/// The answer on the control socket.
pub(crate) fn answer(
    dir: &Path,
    store: &Store,
    request: &PacketsRequest,
    running: bool,
    out: &mut dyn Write,
) -> Value {
    match extract(dir, store, request, running, out) {
        Ok((flow, found)) => {
            let skipped = found.skipped.iter();
            let skipped = skipped.map(|(name, why)| format!("{name}: {}", why.text()));
            json!({ "ok": {
                "flow": flow,
                "packets": found.packets,
                "bytes": found.bytes,
                "first": found.first.map(|at| at.millis().0),
                "last": found.last.map(|at| at.millis().0),
                "skipped_blocks": found.skipped_blocks,
                "skipped": skipped.collect::<Vec<_>>(),
                "other_link": found.other_link,
                "limited": found.limited,
            } })
        }
        Err(detail) => json!({ "error": { "code": "refused", "detail": detail } }),
    }
}

/// Which flow, for whom and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PinRequest {
    pub(crate) flow: String,
    /// Until when its packets stay, milliseconds; no matter for a release.
    pub(crate) until: i64,
    pub(crate) reason: String,
    pub(crate) actor: String,
}

/// Keeps a flow's packets beyond their turn: what the command line asks, and what detections will.
pub(crate) fn pin(dir: &Path, store: &Store, request: &PinRequest) -> Result<Value, String> {
    let _one = PINS.lock().unwrap_or_else(PoisonError::into_inner);
    let ring = folder(dir);
    if !ring.is_dir() {
        return Err("there is no packet ring: set [ring] size".to_owned());
    }
    request.trace(store, "packets_pinned")?;
    let mut pins = Pins::load(&ring).map_err(|error| error.to_string())?;
    let pin = Pin {
        flow: request.flow.clone(),
        made: time::now(),
        until: Millis(request.until),
        why: request.reason.clone(),
    };
    pins.pin(&ring, pin).map_err(|error| error.to_string())?;
    Ok(json!({ "pinned": request.flow }))
}

/// Keeps them no longer.
pub(crate) fn unpin(dir: &Path, store: &Store, request: &PinRequest) -> Result<Value, String> {
    let _one = PINS.lock().unwrap_or_else(PoisonError::into_inner);
    let ring = folder(dir);
    request.trace(store, "packets_released")?;
    let mut pins = Pins::load(&ring).map_err(|error| error.to_string())?;
    let released = pins.release(&ring, &request.flow);
    Ok(json!({ "released": released.map_err(|error| error.to_string())? }))
}

/// The flows that are pinned.
pub(crate) fn pins(dir: &Path) -> Result<Value, String> {
    let pins = Pins::load(&folder(dir)).map_err(|error| error.to_string())?;
    let list = pins.list().iter().map(|pin| {
        let Pin {
            flow,
            made,
            until,
            why,
        } = pin;
        json!({ "flow": flow, "made": made.0, "until": until.0, "why": why })
    });
    Ok(Value::Array(list.collect()))
}

impl PinRequest {
    fn trace(&self, store: &Store, action: &str) -> Result<(), String> {
        need_reason(&self.reason)?;
        let object = format!("flow {}", self.flow);
        trace(store, action, &object, &self.reason, &self.actor)
    }
}

/// Destroys the ring's key of a month ("2026-11") and its blocks; how many went.
pub(crate) fn forget(dir: &Path, month: &str) -> Result<u64, String> {
    let said = |error: store::StoreError| error.to_string();
    let epoch = RingKeys::open(dir).map_err(said)?;
    let epoch = epoch.destroy(month).map_err(said)?;
    let reader = Reader::new(&folder(dir), keys(dir).map_err(said)?);
    reader.forget(epoch).map_err(|error| error.to_string())
}

fn need_reason(reason: &str) -> Result<(), String> {
    if reason.trim().len() < REASON_BYTES_MIN {
        return Err("packets are opened with a reason: it is written to the audit trail".into());
    }
    Ok(())
}

fn trace(
    store: &Store,
    action: &str,
    object: &str,
    reason: &str,
    actor: &str,
) -> Result<(), String> {
    store.trail().record(&AuditEntry {
        time: time::now().0,
        actor: actor.to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        reason: reason.to_owned(),
        outcome: "ok".to_owned(),
    })
}

type Span = (String, Option<Nanos>, Option<Nanos>);

/// The flow asked for, and its time.
fn which(store: &Store, request: &PacketsRequest) -> Result<Span, String> {
    let nanos = |ms: i64| Nanos(ms.saturating_mul(1_000_000));
    // The last millisecond is inclusive.
    let end = |ms: i64| Nanos(nanos(ms.saturating_add(1)).0.saturating_sub(1));
    let (from, to) = (request.from.map(nanos), request.to.map(end));
    match (&request.flow, &request.uid) {
        (Some(flow), None) => Ok((flow.clone(), from, to)),
        (None, Some(uid)) => {
            let (flow, first, last) = connection(store, uid)?;
            let from = from.unwrap_or(nanos(first)).max(nanos(first));
            let to = to.unwrap_or(end(last)).min(end(last));
            Ok((flow, Some(from), Some(to)))
        }
        _ => Err("name one flow: by its Community ID, or by its connection's uid".into()),
    }
}

/// Community ID, first and last millisecond of a connection that the store knows.
fn connection(store: &Store, uid: &str) -> Result<(String, i64, i64), String> {
    let wrong = uid.len() != 16 || !uid.bytes().all(|byte| byte.is_ascii_hexdigit());
    if wrong {
        return Err(format!(
            "'{uid}' is not the uid of a connection: 16 hexadecimal digits"
        ));
    }
    let mut found: Option<(String, i64, i64)> = None;
    for class in ["network_activity", "tunnel_activity"] {
        let text = format!(
            "select community_id, min(start_time), max(end_time) from {class} \
             where flow = '{uid}' and community_id is not null group by community_id"
        );
        let query = Query {
            text,
            from: None,
            to: None,
            rows_max: 2,
            time_ms_max: 30_000,
        };
        let rows = store.rows(&query, &AtomicBool::new(false));
        for row in rows.map_err(|error| error.to_string())?.rows {
            if let [Datum::Text(id), first, last] = row.as_slice()
                && let (Some(first), Some(last)) = (ms(first), ms(last))
            {
                found.get_or_insert_with(|| (id.clone(), first, last));
            }
        }
    }
    found.ok_or_else(|| {
        format!("no flow {uid} has been reported yet: open ones are when they end or grow old")
    })
}

fn ms(datum: &Datum) -> Option<i64> {
    match datum {
        Datum::I64(ms) => Some(*ms),
        Datum::U64(ms) => i64::try_from(*ms).ok(),
        Datum::Null | Datum::Bool(_) | Datum::F64(_) | Datum::Text(_) | Datum::List(_) => None,
    }
}
