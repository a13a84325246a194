//! Events: list, histogram, most and least frequent values.
//!
//! Enters: a search, a period, a column. Leaves: OCSF JSON, counts. Refuses: unknown columns (with
//! the nearest known one), limits beyond `limit::EVENTS_MAX` are cut to it.
//! Source: the HTTP contract, `openapi.json`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use identity::Permission;
use model::ocsf::{Clearance, EventWriter};
use model::port::Datum;
use model::{Class, EventUid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::period::Period;
use super::search::{Column, column};
use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::{BINS_MAX, EVENTS_MAX, VALUES_MAX};
use crate::session::Signed;
use crate::{sql, table};

/// Query parameters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// Search; all events when empty.
    q: Option<String>,
    /// Beginning, inclusive, milliseconds since 1970.
    from: Option<i64>,
    /// End, exclusive, milliseconds since 1970.
    to: Option<i64>,
    /// Most events, 100 when absent, at most 1000.
    limit: Option<usize>,
    /// Only events before this time, milliseconds: the next part of a list.
    before: Option<i64>,
    /// With `before`: the last event of the part before. Events of that very millisecond that stand
    /// behind it come too, so that none is left out or given twice.
    before_uid: Option<String>,
}

/// Some events.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventList {
    /// OCSF JSON, newest first.
    #[schema(value_type = Vec<Value>)]
    events: Vec<Box<RawValue>>,
    /// The limit that cut the answer: `rows`, `time`, `memory`; `null` when it is whole.
    limited: Option<&'static str>,
    /// Milliseconds that the store took.
    took_ms: u64,
}

/// Lists events.
#[utoipa::path(get, path = "/events", tag = "events", operation_id = "events",
    params(EventParams),
    responses((status = 200, body = EventList), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<EventParams>,
) -> Answer<Json<EventList>> {
    signed.need(Permission::Hunt)?;
    let mut period = Period::new(params.from, params.to, &app)?;
    let mut text = params.q.unwrap_or_default();
    if let Some(before) = params.before {
        let mut to = before;
        if let Some(uid) = params.before_uid {
            let uid: EventUid = uid
                .parse()
                .map_err(|_| ApiError::bad_value("before_uid is not the identity of an event"))?;
            text = sql::behind(&text, before, uid);
            to = before.saturating_add(1);
        }
        period.to = to.min(period.to);
    }
    let limit = params.limit.unwrap_or(100).clamp(1, EVENTS_MAX);
    let query = period.query(text, limit);
    let answer = app.events(query).await?;
    Ok(Json(EventList {
        events: json_lines(&answer.events)?,
        limited: answer.limited,
        took_ms: answer.took_ms,
    }))
}

/// Events as OCSF JSON; values that are still clear are hidden.
pub(super) fn json_lines(events: &[model::Event]) -> Answer<Vec<Box<RawValue>>> {
    let mut writer = EventWriter::default();
    let mut out = Vec::with_capacity(events.len());
    for event in events {
        let mut line = Vec::new();
        writer.write(event, &mut line, Clearance::Masked);
        let line = String::from_utf8(line).map_err(|_| ApiError::internal("event JSON"))?;
        let raw = RawValue::from_string(line);
        out.push(raw.map_err(|_| ApiError::internal("event JSON"))?);
    }
    Ok(out)
}

/// Query parameters of a histogram.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistogramParams {
    /// Search; all events when empty.
    q: Option<String>,
    /// Beginning, inclusive, milliseconds since 1970.
    from: Option<i64>,
    /// End, exclusive, milliseconds since 1970.
    to: Option<i64>,
    /// Most bins, 100 when absent, at most 200; their width is rounded up to a readable one.
    bins: Option<u64>,
}

/// Events over time.
#[derive(Serialize, ToSchema)]
pub(crate) struct Histogram {
    /// Width of a bin in milliseconds.
    bin_ms: i64,
    /// Every bin of the period, empty ones too.
    bins: Vec<Bin>,
    /// Events of the period that match.
    total: u64,
}

/// One bin.
#[derive(Serialize, ToSchema)]
struct Bin {
    /// Its start, milliseconds.
    t: i64,
    /// Events by class name.
    by_class: BTreeMap<&'static str, u64>,
}

/// Events over time.
#[utoipa::path(get, path = "/events/histogram", tag = "events", operation_id = "histogram",
    params(HistogramParams),
    responses((status = 200, body = Histogram), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn histogram(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<HistogramParams>,
) -> Answer<Json<Histogram>> {
    signed.need(Permission::Hunt)?;
    let period = Period::new(params.from, params.to, &app)?;
    let bins = params.bins.unwrap_or(100).clamp(1, BINS_MAX);
    // One bin less, because the first one may begin before the period.
    let (bin_ms, start) = period.bins(bins.saturating_sub(1).max(1));
    let text = sql::histogram(&params.q.unwrap_or_default(), start, bin_ms);
    let answer = app.rows(period.query(text, HISTOGRAM_ROWS)).await?;
    let mut bins = Vec::new();
    let mut t = start;
    while t < period.to && bins.len() <= HISTOGRAM_ROWS {
        bins.push(Bin {
            t,
            by_class: BTreeMap::new(),
        });
        t = t.saturating_add(bin_ms);
    }
    let mut total = 0_u64;
    for row in table::rows(&answer.rows) {
        let class = u32::try_from(row.count(1)).ok().and_then(Class::of_uid);
        let name = class.map_or("unknown", |class| class.name);
        let t = row.time(0).unwrap_or(i64::MIN);
        total = total.saturating_add(row.count(2));
        if let Ok(at) = bins.binary_search_by_key(&t, |bin| bin.t)
            && let Some(bin) = bins.get_mut(at)
        {
            *bin.by_class.entry(name).or_default() += row.count(2);
        }
    }
    Ok(Json(Histogram {
        bin_ms,
        bins,
        total,
    }))
}

/// Query parameters of the most frequent values.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TopParams {
    /// Search; all events when empty.
    q: Option<String>,
    /// Beginning, inclusive, milliseconds since 1970.
    from: Option<i64>,
    /// End, exclusive, milliseconds since 1970.
    to: Option<i64>,
    /// Column of `/search/fields`.
    field: String,
    /// Most values, 10 when absent, at most 100.
    limit: Option<usize>,
}

/// Frequent and rare values.
#[derive(Serialize, ToSchema)]
pub(crate) struct Top {
    /// Most frequent first.
    values: Vec<ValueCount>,
    /// Least frequent first.
    least: Vec<ValueCount>,
}

/// One value.
#[derive(Serialize, ToSchema)]
struct ValueCount {
    /// Text, number or truth value; addresses are text, times milliseconds.
    #[schema(value_type = Value)]
    value: Datum,
    /// Events that have it.
    count: u64,
}

/// Frequent and rare values of a column.
#[utoipa::path(get, path = "/events/top", tag = "events", operation_id = "top",
    params(TopParams),
    responses((status = 200, body = Top), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn top(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<TopParams>,
) -> Answer<Json<Top>> {
    signed.need(Permission::Hunt)?;
    let period = Period::new(params.from, params.to, &app)?;
    let field = column(&params.field)?;
    let limit = params.limit.unwrap_or(10).clamp(1, VALUES_MAX);
    let search = params.q.unwrap_or_default();
    let (values, least) = tokio::try_join!(
        values(&app, period, &search, &field, (true, limit)),
        values(&app, period, &search, &field, (false, limit)),
    )?;
    Ok(Json(Top { values, least }))
}

async fn values(
    app: &App,
    period: Period,
    search: &str,
    field: &Column,
    (most, limit): (bool, usize),
) -> Answer<Vec<ValueCount>> {
    let text = sql::top(search, &field.views, field.name, field.list, most, limit);
    let answer = app.rows(period.query(text, limit)).await?;
    let values = answer.rows.into_iter().filter_map(|row| {
        let count = table::Row(&row).count(1);
        let class = table::Row(&row).count(0);
        let value = row.into_iter().next()?;
        let class = u32::try_from(class).ok().filter(|_| field.is_class);
        let value = match class.and_then(Class::of_uid) {
            Some(class) => Datum::Text(class.name.to_owned()),
            None => value,
        };
        Some(ValueCount { value, count })
    });
    Ok(values.collect())
}

/// Bins times classes.
const HISTOGRAM_ROWS: usize = 10_000;
