//! The first page: are we blind, what happens, what is to do?
//!
//! Enters: a period. Leaves: coverage, counts, throughput beside the day before, storage.
//! Refuses: nothing beyond the period. Coverage stands before calm: `facts/console.md` rule 7.
//! Source: the HTTP contract, `openapi.json`.

use axum::Json;
use axum::extract::State;
use identity::Permission;
use model::Class;
use serde::Serialize;
use utoipa::ToSchema;

use super::period::{DAY_MS, Period, PeriodParams};
use super::todo::{Todo, todo};
use super::view::{CaptureStatus, RoleStatus, StorageStatus, seen_ratio};
use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ErrorBody};
use crate::session::Signed;
use crate::{sql, table};

/// The first page.
#[derive(Serialize, ToSchema)]
pub(crate) struct Overview {
    /// What Vigie sees at all.
    coverage: Coverage,
    /// Events of the period.
    events: EventCounts,
    /// Bytes of flows over the period, and the day (or period) before.
    throughput: Throughput,
    /// What needs a person, most severe first.
    todo: Vec<Todo>,
    /// The inventory.
    assets: AssetCounts,
    /// The store's disk.
    storage: StorageStatus,
}

/// What Vigie sees at all.
#[derive(Serialize, ToSchema)]
struct Coverage {
    /// Capture sources.
    captures: Vec<CaptureStatus>,
    /// Role processes.
    roles: Vec<RoleStatus>,
    /// Share of the packets since start that was not dropped; `null` before the first.
    seen_ratio: Option<f64>,
}

/// Events of the period.
#[derive(Serialize, ToSchema)]
struct EventCounts {
    /// All of them.
    total: u64,
    /// By class, most frequent first.
    by_class: Vec<ClassCount>,
}

/// Events of one class.
#[derive(Serialize, ToSchema)]
struct ClassCount {
    /// Name of the class in snake case.
    class: &'static str,
    /// Events.
    count: u64,
}

/// Bytes over time.
#[derive(Serialize, ToSchema)]
struct Throughput {
    /// Width of a bin in milliseconds.
    bin_ms: i64,
    /// Start of bin and bytes in it; bins without bytes are 0.
    now: Vec<(i64, u64)>,
    /// As `now`, one day before (or one period, when it is longer than a day), shifted onto it.
    before: Vec<(i64, u64)>,
}

/// The inventory.
#[derive(Serialize, ToSchema)]
struct AssetCounts {
    /// Assets known.
    total: usize,
    /// Assets first seen in the last 24 hours.
    new_24h: usize,
}

/// The first page.
#[utoipa::path(get, path = "/overview", tag = "overview", operation_id = "overview",
    params(PeriodParams),
    responses((status = 200, body = Overview), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn overview(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<PeriodParams>,
) -> Answer<Json<Overview>> {
    signed.need(Permission::View)?;
    let period = params.period(&app)?;
    let now = app.now().0;
    let (status, assets, events, throughput) = tokio::try_join!(
        app.call(|state| state.system.status()),
        app.call(|state| state.assets.assets()),
        counts(&app, period),
        throughput(&app, period),
    )?;
    let new_24h = assets
        .iter()
        .filter(|asset| asset.first_seen >= now - DAY_MS);
    let seen_ratio = seen_ratio(&status.captures);
    let todo = todo(&status, seen_ratio, new_24h.clone().count(), now);
    Ok(Json(Overview {
        todo,
        assets: AssetCounts {
            total: assets.len(),
            new_24h: new_24h.count(),
        },
        coverage: Coverage {
            captures: status.captures.into_iter().map(Into::into).collect(),
            roles: status.roles.into_iter().map(Into::into).collect(),
            seen_ratio,
        },
        events,
        throughput,
        storage: status.storage.into(),
    }))
}

async fn counts(app: &App, period: Period) -> Answer<EventCounts> {
    let answer = app.rows(period.query(sql::BY_CLASS, CLASSES_MAX)).await?;
    let by_class: Vec<ClassCount> = table::rows(&answer.rows)
        .filter_map(|row| {
            let class = Class::of_uid(u32::try_from(row.count(0)).ok()?)?;
            Some(ClassCount {
                class: class.name,
                count: row.count(1),
            })
        })
        .collect();
    let total = table::rows(&answer.rows).map(|row| row.count(1)).sum();
    Ok(EventCounts { total, by_class })
}

async fn throughput(app: &App, period: Period) -> Answer<Throughput> {
    let shift = (period.to - period.from).max(DAY_MS);
    let (bin_ms, start) = period.bins(BINS);
    let before = period.before(shift);
    let rows = |of: Period, start: i64| app.rows(of.query(sql::throughput(start, bin_ms), ROWS));
    let (now, then) = tokio::try_join!(rows(period, start), rows(before, start - shift))?;
    let bins = |rows: &model::port::Rows, shift: i64| {
        let mut out: Vec<(i64, u64)> = Vec::new();
        let mut t = start;
        while t < period.to && out.len() < ROWS {
            out.push((t, 0));
            t = t.saturating_add(bin_ms);
        }
        for row in table::rows(&rows.rows) {
            let Some(t) = row.time(0).map(|t| t.saturating_add(shift)) else {
                continue;
            };
            if let Ok(at) = out.binary_search_by_key(&t, |(t, _)| *t)
                && let Some((_, bytes)) = out.get_mut(at)
            {
                *bytes = bytes.saturating_add(row.count(1));
            }
        }
        out
    };
    Ok(Throughput {
        bin_ms,
        now: bins(&now, 0),
        before: bins(&then, shift),
    })
}

/// More classes than OCSF has.
const CLASSES_MAX: usize = 256;
/// Bins of the throughput series.
const BINS: u64 = 144;
/// Bins with the partial ones at both ends.
const ROWS: usize = 160;
