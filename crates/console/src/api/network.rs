//! Who talks to whom, zone by zone: matrix and Sankey.
//!
//! Enters: a period, a zone and a direction. Leaves: cells, links. Refuses: unknown directions.
//! A zone named "" means: no zone of the configuration matches (the outside, usually).
//! Limits: `limit::CELLS_MAX` cells read, `limit::LINKS_MAX` links shown, the rest is `other`.
//! Source: the HTTP contract, `openapi.json`.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use identity::Permission;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::period::{Period, PeriodParams};
use super::view::seen_ratio;
use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::{CELLS_MAX, LINKS_MAX};
use crate::session::Signed;
use crate::{sql, table};

/// Zones by zones.
#[derive(Serialize, ToSchema)]
pub(crate) struct Matrix {
    /// Zones of the configuration, then those seen in events; "" is outside all zones, and last.
    zones: Vec<String>,
    /// Cells with traffic.
    cells: Vec<Cell>,
    /// Unit of the fill: `bytes`.
    unit: &'static str,
    /// Share of the packets since start that was not dropped; `null` before the first.
    seen_ratio: Option<f64>,
}

/// Traffic from one zone to another.
#[derive(Serialize, ToSchema)]
struct Cell {
    /// Zone of the endpoints that opened the conversations.
    src: String,
    /// Zone of the endpoints that answered.
    dst: String,
    /// Bytes in both directions.
    bytes: u64,
    /// Flows.
    flows: u64,
    /// Application protocols, most bytes first.
    protocols: Vec<String>,
}

/// Zones by zones.
#[utoipa::path(get, path = "/network/matrix", tag = "network", operation_id = "network_matrix",
    params(PeriodParams),
    responses((status = 200, body = Matrix), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn matrix(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<PeriodParams>,
) -> Answer<Json<Matrix>> {
    signed.need(Permission::View)?;
    let period = params.period(&app)?;
    let query = period.query(sql::zone_cells(CELLS_MAX), CELLS_MAX);
    let (status, answer) =
        tokio::try_join!(app.call(|state| state.system.status()), app.rows(query))?;
    let mut cells: BTreeMap<(String, String), Cell> = BTreeMap::new();
    for row in table::rows(&answer.rows) {
        let key = (row.text(0), row.text(1));
        let cell = cells.entry(key).or_insert_with_key(|(src, dst)| Cell {
            src: src.clone(),
            dst: dst.clone(),
            bytes: 0,
            flows: 0,
            protocols: Vec::new(),
        });
        cell.protocols.push(row.text(2));
        cell.bytes = cell.bytes.saturating_add(row.count(3));
        cell.flows = cell.flows.saturating_add(row.count(4));
    }
    let mut zones: Vec<String> = status.zones.iter().map(|(name, _)| name.clone()).collect();
    let seen = cells.keys().flat_map(|(src, dst)| [src, dst]);
    let unknown: BTreeSet<&String> = seen.filter(|zone| !zones.contains(zone)).collect();
    let (outside, unknown): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|z| z.is_empty());
    let more: Vec<String> = unknown.into_iter().chain(outside).cloned().collect();
    zones.extend(more);
    Ok(Json(Matrix {
        zones,
        cells: cells.into_values().collect(),
        unit: "bytes",
        seen_ratio: seen_ratio(&status.captures),
    }))
}

/// Query parameters of a Sankey.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SankeyParams {
    /// Beginning, inclusive, milliseconds since 1970.
    from: Option<i64>,
    /// End, exclusive, milliseconds since 1970.
    to: Option<i64>,
    /// Zone in the middle of the question; "" is outside all zones.
    zone: String,
    /// `out`: what the zone opened; `in`: what was opened towards it.
    direction: Option<String>,
}

/// One zone's traffic: zone, other zone, address.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sankey {
    /// Nodes; layers never point backwards.
    nodes: Vec<SankeyNode>,
    /// Links, in bytes.
    links: Vec<SankeyLink>,
    /// Bytes that are in no link of the last layer.
    other: u64,
}

/// A node.
#[derive(Serialize, ToSchema)]
struct SankeyNode {
    /// Identifier within the drawing.
    id: String,
    /// Zone name or address; "" is outside all zones.
    label: String,
    /// 0 the zone, 1 other zones, 2 addresses.
    layer: u8,
}

/// A link.
#[derive(Serialize, ToSchema)]
struct SankeyLink {
    /// Node on the left.
    source: String,
    /// Node on the right.
    target: String,
    /// Bytes.
    value: u64,
}

/// One zone's traffic: zone, other zone, address.
#[utoipa::path(get, path = "/network/sankey", tag = "network", operation_id = "network_sankey",
    params(SankeyParams),
    responses((status = 200, body = Sankey), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn sankey(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<SankeyParams>,
) -> Answer<Json<Sankey>> {
    signed.need(Permission::View)?;
    let period = Period::new(params.from, params.to, &app)?;
    let out = match params.direction.as_deref() {
        None | Some("out") => true,
        Some("in") => false,
        Some(_) => return Err(ApiError::bad_value("direction is out or in")),
    };
    let text = sql::zone_flows(&params.zone, out, CELLS_MAX);
    let answer = app.rows(period.query(text, CELLS_MAX)).await?;
    let flows: Vec<(String, String, u64)> = table::rows(&answer.rows)
        .map(|row| (row.text(0), row.text(1), row.count(2)))
        .collect();
    Ok(Json(draw(&params.zone, out, &flows)))
}

/// Lays the flows out: the zone, the zones on the other side, the addresses with most bytes.
fn draw(zone: &str, out: bool, flows: &[(String, String, u64)]) -> Sankey {
    let own = format!("0:{zone}");
    let mut zones: BTreeMap<&str, u64> = BTreeMap::new();
    for (other, _, bytes) in flows {
        let sum = zones.entry(other).or_default();
        *sum = sum.saturating_add(*bytes);
    }
    let link = |left: String, right: String, value: u64| {
        let (source, target) = if out { (left, right) } else { (right, left) };
        SankeyLink {
            source,
            target,
            value,
        }
    };
    let node = |id: String, label: &str, layer: u8| SankeyNode {
        id,
        label: label.to_owned(),
        layer: if out { layer } else { 2 - layer },
    };
    let mut nodes = vec![node(own.clone(), zone, 0)];
    let mut links = Vec::new();
    for (other, bytes) in &zones {
        nodes.push(node(format!("1:{other}"), other, 1));
        links.push(link(own.clone(), format!("1:{other}"), *bytes));
    }
    // The store gives the flows with most bytes first.
    let (shown, folded) = flows.split_at(flows.len().min(LINKS_MAX));
    let mut seen = BTreeSet::new();
    for (other, ip, bytes) in shown {
        let id = format!("2:{ip}");
        if seen.insert(id.clone()) {
            nodes.push(node(id.clone(), ip, 2));
        }
        links.push(link(format!("1:{other}"), id, *bytes));
    }
    let other = folded.iter().map(|(_, _, bytes)| *bytes);
    Sankey {
        nodes,
        links,
        other: other.fold(0, u64::saturating_add),
    }
}
