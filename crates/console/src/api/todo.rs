//! What needs a person: derived from the state of this installation.
//!
//! Enters: system status, share of packets seen, new assets. Leaves: codes with arguments; the web
//! UI has a sentence for each. Refuses: more than [`TODO_MAX`].
//! Source: the HTTP contract, `openapi.json`.

use model::port::SystemStatus;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::view::ratio;

/// One thing to do.
#[derive(Serialize, ToSchema)]
pub(crate) struct Todo {
    /// `no_capture`, `capture_failed`, `capture_silent`, `packets_dropped`, `role_not_running`,
    /// `role_restarting`, `queue_dropping`, `storage_full`, `storage_short`, `zones_missing`,
    /// `new_assets`.
    pub(crate) code: &'static str,
    /// How soon.
    pub(crate) severity: Severity,
    /// What the sentence needs: `interface`, `ratio`, `role`, `queue`, `count`, `days`.
    #[schema(value_type = Object)]
    pub(crate) args: Value,
    /// Where it is treated, as an address of the web UI.
    pub(crate) link: &'static str,
}

/// How soon; ascending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Good to know.
    Info,
    /// This week.
    Low,
    /// Today.
    Medium,
    /// Now.
    High,
}

/// Everything to do, most severe first.
pub(crate) fn todo(
    status: &SystemStatus,
    seen_ratio: Option<f64>,
    new_assets: usize,
    now: i64,
) -> Vec<Todo> {
    let mut out = Vec::new();
    captures(status, seen_ratio, now, &mut out);
    roles(status, &mut out);
    queues(status, &mut out);
    storage(status, &mut out);
    let mut add = |code, severity, args, link| {
        out.push(Todo {
            code,
            severity,
            args,
            link,
        });
    };
    if status.zones.is_empty() {
        add("zones_missing", Severity::Low, json!({}), "#/setup");
    }
    if new_assets > 0 {
        let args = json!({"count": new_assets});
        add("new_assets", Severity::Info, args, "#/inventory");
    }
    out.sort_by_key(|todo| std::cmp::Reverse(todo.severity));
    out.truncate(TODO_MAX);
    out
}

fn captures(status: &SystemStatus, seen_ratio: Option<f64>, now: i64, out: &mut Vec<Todo>) {
    let mut add = |code, severity, args| {
        out.push(Todo {
            code,
            severity,
            args,
            link: "#/system",
        });
    };
    if status.captures.is_empty() {
        add("no_capture", Severity::High, json!({}));
    }
    for capture in &status.captures {
        let interface = &capture.interface;
        let silent_ms = capture.last_packet.map(|last| now.saturating_sub(last));
        if capture.error.is_some() {
            add(
                "capture_failed",
                Severity::High,
                json!({"interface": interface}),
            );
        } else if silent_ms.is_none_or(|ms| ms > SILENT_MS) {
            let seconds = silent_ms.map(|ms| ms / 1_000);
            let args = json!({"interface": interface, "seconds": seconds});
            add("capture_silent", Severity::Medium, args);
        }
    }
    if let Some(seen) = seen_ratio.filter(|seen| *seen < SEEN_RATIO_MIN) {
        let args = json!({"ratio": 1.0 - seen});
        add("packets_dropped", Severity::Medium, args);
    }
}

fn roles(status: &SystemStatus, out: &mut Vec<Todo>) {
    for role in &status.roles {
        let (code, severity) = match role.state.as_str() {
            "failed" => ("role_not_running", Severity::High),
            "stopped" => ("role_not_running", Severity::Medium),
            _ if role.restarts >= RESTARTS_MANY => ("role_restarting", Severity::Medium),
            _ => continue,
        };
        out.push(Todo {
            code,
            severity,
            args: json!({"role": role.role, "state": role.state, "count": role.restarts}),
            link: "#/system",
        });
    }
}

fn queues(status: &SystemStatus, out: &mut Vec<Todo>) {
    for queue in status.queues.iter().filter(|queue| queue.dropped > 0) {
        out.push(Todo {
            code: "queue_dropping",
            severity: Severity::Medium,
            args: json!({"queue": queue.name, "count": queue.dropped}),
            link: "#/system",
        });
    }
}

fn storage(status: &SystemStatus, out: &mut Vec<Todo>) {
    let storage = &status.storage;
    let capacity = storage.capacity_bytes;
    let (code, severity, args) = if capacity > 0 && ratio(storage.free_bytes, capacity) < FREE_MIN {
        let args = json!({"bytes": storage.free_bytes});
        ("storage_full", Severity::High, args)
    } else if let Some(days) = storage.forecast_days.filter(|days| *days < DAYS_MIN) {
        ("storage_short", Severity::Medium, json!({"days": days}))
    } else {
        return;
    };
    out.push(Todo {
        code,
        severity,
        args,
        link: "#/system",
    });
}

/// A person reads at most ten (`facts/console.md` section 4).
const TODO_MAX: usize = 10;
/// A mirror port of a hospital is never silent this long.
const SILENT_MS: i64 = 60_000;
/// Below this share of packets seen, protocols are parsed with gaps.
const SEEN_RATIO_MIN: f64 = 0.99;
/// Restarts since the start that are no accident any more.
const RESTARTS_MANY: u64 = 3;
/// Share of free space below which writing soon stops.
const FREE_MIN: f64 = 0.05;
/// Days of events below which an inquiry has too little history.
const DAYS_MIN: f64 = 14.0;
