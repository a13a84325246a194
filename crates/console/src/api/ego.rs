//! The tree around one address: its peers, and theirs.
//!
//! Enters: an address, a period, one or two hops. Leaves: at most `limit::NODES_MAX` nodes; the
//! rest is folded into one counted group a zone, so that the drawing stays readable and adds up.
//! Limits: `limit::EDGES_MAX` conversations read a hop.
//! Refuses: more than two hops.
//! Source: the HTTP contract, `openapi.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use identity::Permission;
use model::port::Asset;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::period::Period;
use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::{EDGES_MAX, NODES_MAX};
use crate::session::Signed;
use crate::table::Row;
use crate::{sql, table};

/// Query parameters of a tree.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EgoParams {
    /// The address in the middle.
    #[param(value_type = String)]
    entity: IpAddr,
    /// Beginning, inclusive, milliseconds since 1970.
    from: Option<i64>,
    /// End, exclusive, milliseconds since 1970.
    to: Option<i64>,
    /// Hops: 1 (default) or 2.
    depth: Option<u8>,
}

/// The tree around one address.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ego {
    /// Identifier of the node in the middle.
    center: String,
    /// Nodes, the one in the middle first.
    nodes: Vec<EgoNode>,
    /// Conversations between them.
    edges: Vec<EgoEdge>,
}

/// A node.
#[derive(Serialize, ToSchema)]
struct EgoNode {
    /// Address, or `group:ZONE`.
    id: String,
    /// Best name, else the address; for a group its zone.
    label: String,
    /// What it is.
    kind: NodeKind,
    /// Zone; `null` outside all zones.
    zone: Option<String>,
    /// Addresses that the node stands for.
    count: usize,
}

/// What a node is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum NodeKind {
    /// An asset of the site.
    Asset,
    /// An address that is no asset of the site.
    Destination,
    /// Several addresses.
    Group,
}

/// Conversations between two nodes over one protocol.
#[derive(Clone, Serialize, ToSchema)]
struct EgoEdge {
    /// Node that opened them.
    source: String,
    /// Node that answered.
    target: String,
    /// Application protocol.
    proto: String,
    /// Bytes in both directions.
    bytes: u64,
    /// Flows.
    flows: u64,
    /// First seen, milliseconds.
    first: i64,
    /// Last seen, milliseconds.
    last: i64,
}

/// The tree around one address.
#[utoipa::path(get, path = "/network/ego", tag = "network", operation_id = "network_ego",
    params(EgoParams),
    responses((status = 200, body = Ego), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn ego(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<EgoParams>,
) -> Answer<Json<Ego>> {
    signed.need(Permission::View)?;
    let period = Period::new(params.from, params.to, &app)?;
    let depth = params.depth.unwrap_or(1);
    if !(1..=2).contains(&depth) {
        return Err(ApiError::bad_value("depth is 1 or 2"));
    }
    let center = params.entity.to_canonical();
    let assets = app.call(|state| state.assets.assets()).await?;
    let mut found = Found::default();
    let near = sql::edges(&[center], EDGES_MAX);
    let near = app.rows(period.query(near, EDGES_MAX)).await?;
    found.take(&near.rows);
    if depth == 2 {
        let peers = found.nearest(&center.to_string());
        if !peers.is_empty() {
            let far = sql::edges(&peers, EDGES_MAX);
            let far = app.rows(period.query(far, EDGES_MAX)).await?;
            found.take(&far.rows);
        }
    }
    Ok(Json(found.draw(&center.to_string(), &assets)))
}

/// Conversations by source, target and protocol; zones by address.
#[derive(Default)]
struct Found {
    edges: BTreeMap<(String, String, String), EgoEdge>,
    zones: BTreeMap<String, String>,
}

impl Found {
    /// Takes rows of [`sql::edges`]; a conversation that both hops give counts once.
    fn take(&mut self, rows: &[Vec<model::port::Datum>]) {
        for row in table::rows(rows) {
            let (source, target, proto) = (row.text(0), row.text(1), row.text(2));
            self.zone(&source, row, 7);
            self.zone(&target, row, 8);
            let edge = EgoEdge {
                source: source.clone(),
                target: target.clone(),
                proto: proto.clone(),
                bytes: row.count(3),
                flows: row.count(4),
                first: row.time(5).unwrap_or(0),
                last: row.time(6).unwrap_or(0),
            };
            self.edges.insert((source, target, proto), edge);
        }
    }

    fn zone(&mut self, ip: &str, row: Row<'_>, at: usize) {
        let zone = row.text(at);
        if !zone.is_empty() {
            self.zones.insert(ip.to_owned(), zone);
        }
    }

    /// Addresses by bytes with everybody, most first, without `center`.
    fn by_bytes(&self, center: &str) -> Vec<(String, u64)> {
        let mut bytes: BTreeMap<&str, u64> = BTreeMap::new();
        for edge in self.edges.values() {
            for end in [&edge.source, &edge.target] {
                let sum = bytes.entry(end).or_default();
                *sum = sum.saturating_add(edge.bytes);
            }
        }
        bytes.remove(center);
        let mut out: Vec<(String, u64)> = bytes
            .into_iter()
            .map(|(ip, sum)| (ip.to_owned(), sum))
            .collect();
        out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        out
    }

    /// The peers whose own peers a second hop shows.
    fn nearest(&self, center: &str) -> Vec<IpAddr> {
        let peers = self.by_bytes(center).into_iter();
        peers
            .filter_map(|(ip, _)| ip.parse().ok())
            .take(SECOND_HOP_MAX)
            .collect()
    }

    fn draw(self, center: &str, assets: &[Asset]) -> Ego {
        let by_ip: BTreeMap<String, &Asset> = assets
            .iter()
            .flat_map(|asset| asset.ips.iter().map(move |ip| (ip.to_string(), asset)))
            .collect();
        let node = |ip: &str| {
            let asset = by_ip.get(ip);
            let zone = self.zones.get(ip).cloned();
            EgoNode {
                id: ip.to_owned(),
                label: asset
                    .and_then(|asset| asset.names.first().cloned())
                    .unwrap_or_else(|| ip.to_owned()),
                kind: asset.map_or(NodeKind::Destination, |_| NodeKind::Asset),
                zone: zone.or_else(|| asset.and_then(|asset| asset.zone.clone())),
                count: 1,
            }
        };
        let ranked = self.ranked(center);
        let room = NODES_MAX.saturating_sub(1);
        // Groups take nodes, too: leave room for one a zone as soon as something is folded.
        let shown = if ranked.len() > room {
            room - GROUPS_MAX
        } else {
            room
        };
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut groups: BTreeMap<String, EgoNode> = BTreeMap::new();
        let mut nodes = vec![node(center)];
        names.insert(center.to_owned(), center.to_owned());
        for (at, ip) in ranked.iter().enumerate() {
            let one = node(ip);
            if at < shown {
                names.insert(ip.clone(), ip.clone());
                nodes.push(one);
                continue;
            }
            let zone = one.zone.unwrap_or_default();
            let known = groups.contains_key(&zone) || groups.len() + 1 < GROUPS_MAX;
            let zone = if known { zone } else { String::new() };
            let group = groups.entry(zone.clone()).or_insert_with(|| EgoNode {
                id: format!("group:{zone}"),
                label: zone.clone(),
                kind: NodeKind::Group,
                zone: (!zone.is_empty()).then(|| zone.clone()),
                count: 0,
            });
            group.count += 1;
            names.insert(ip.clone(), group.id.clone());
        }
        nodes.extend(groups.into_values());
        Ego {
            center: center.to_owned(),
            nodes,
            edges: folded(self.edges.into_values(), &names),
        }
    }

    /// Peers of the first hop by bytes, then those of the second.
    fn ranked(&self, center: &str) -> Vec<String> {
        let touches = |edge: &&EgoEdge| edge.source == center || edge.target == center;
        let near: BTreeSet<&str> = self
            .edges
            .values()
            .filter(touches)
            .flat_map(|edge| [edge.source.as_str(), edge.target.as_str()])
            .collect();
        let all = self.by_bytes(center);
        let (first, second): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|(ip, _)| near.contains(ip.as_str()));
        first.into_iter().chain(second).map(|(ip, _)| ip).collect()
    }
}

/// Edges between the nodes drawn, added up where addresses were folded.
fn folded(edges: impl Iterator<Item = EgoEdge>, names: &BTreeMap<String, String>) -> Vec<EgoEdge> {
    let mut out: BTreeMap<(String, String, String), EgoEdge> = BTreeMap::new();
    for edge in edges {
        let (Some(source), Some(target)) = (names.get(&edge.source), names.get(&edge.target))
        else {
            continue;
        };
        let key = (source.clone(), target.clone(), edge.proto.clone());
        match out.get_mut(&key) {
            Some(sum) => {
                sum.bytes = sum.bytes.saturating_add(edge.bytes);
                sum.flows = sum.flows.saturating_add(edge.flows);
                sum.first = sum.first.min(edge.first);
                sum.last = sum.last.max(edge.last);
            }
            None => {
                let edge = EgoEdge {
                    source: source.clone(),
                    target: target.clone(),
                    ..edge
                };
                out.insert(key, edge);
            }
        }
    }
    let mut out: Vec<EgoEdge> = out.into_values().collect();
    out.sort_by_key(|edge| edge.first);
    out
}

/// Peers whose own peers a second hop shows.
const SECOND_HOP_MAX: usize = 12;
/// Groups of one drawing; zones beyond share the last one.
const GROUPS_MAX: usize = 8;
