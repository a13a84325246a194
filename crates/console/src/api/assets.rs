//! The inventory: a list, and the page of one asset.
//!
//! Enters: words to look for, an order, an identity. Leaves: assets; peers and events of one.
//! Refuses: unknown orders. Limits: `limit::ASSETS_MAX`, `limit::PEERS_MAX`.
//! Source: the HTTP contract, `openapi.json`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use identity::Permission;
use model::port::Asset as PortAsset;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::events::json_lines;
use super::period::{DAY_MS, Period};
use super::view::Asset;
use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::{ASSET_IPS_MAX, ASSETS_MAX, PEERS_MAX};
use crate::session::Signed;
use crate::{sql, table};

/// Query parameters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AssetParams {
    /// Words that all must appear in a name, address, vendor, role, zone, protocol or attribute.
    q: Option<String>,
    /// `name`, `ip`, `zone`, `role`, `vendor`, `first_seen`, `last_seen`, `peers`, `bytes`; with
    /// `-` in front descending. `-last_seen` when absent.
    sort: Option<String>,
    /// Most assets, 100 when absent.
    limit: Option<usize>,
    /// Assets to leave out at the beginning.
    offset: Option<usize>,
}

/// Some assets.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetList {
    /// Assets of this part of the list.
    assets: Vec<Asset>,
    /// Assets that match.
    total: usize,
}

/// The page of an asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetPage {
    /// The asset.
    asset: Asset,
    /// Whom it talked with in the last 7 days, most bytes first.
    peers: Vec<Peer>,
    /// Its latest events, OCSF JSON.
    #[schema(value_type = Vec<Value>)]
    recent: Vec<Box<RawValue>>,
}

/// Conversations with one address over one protocol.
#[derive(Serialize, ToSchema)]
struct Peer {
    /// Address.
    ip: String,
    /// Identity of the asset that has it; `null` for others.
    asset: Option<String>,
    /// Application protocol.
    proto: String,
    /// Bytes in both directions.
    bytes: u64,
    /// Flows.
    flows: u64,
    /// Last seen, milliseconds.
    last: i64,
}

/// Lists assets.
#[utoipa::path(get, path = "/assets", tag = "assets", operation_id = "assets",
    params(AssetParams),
    responses((status = 200, body = AssetList), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<AssetParams>,
) -> Answer<Json<AssetList>> {
    signed.need(Permission::View)?;
    let order = order(params.sort.as_deref().unwrap_or("-last_seen"))?;
    let words: Vec<String> = params
        .q
        .as_deref()
        .unwrap_or("")
        .split_whitespace()
        .take(WORDS_MAX)
        .map(str::to_lowercase)
        .collect();
    let mut assets = app.call(|state| state.assets.assets()).await?;
    assets.retain(|asset| matches(asset, &words));
    assets.sort_by(|a, b| order(a, b).then_with(|| a.id.cmp(&b.id)));
    let total = assets.len();
    let assets = assets
        .into_iter()
        .skip(params.offset.unwrap_or(0))
        .take(params.limit.unwrap_or(100).min(ASSETS_MAX))
        .map(Asset::from)
        .collect();
    Ok(Json(AssetList { assets, total }))
}

/// The page of an asset.
#[utoipa::path(get, path = "/assets/{id}", tag = "assets", operation_id = "asset",
    params(("id" = String, Path, description = "Identity, or one of its addresses")),
    responses((status = 200, body = AssetPage), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn one(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
) -> Answer<Json<AssetPage>> {
    signed.need(Permission::View)?;
    let assets = app.call(|state| state.assets.assets()).await?;
    let found = assets.iter().find(|asset| asset.id == id);
    let by_ip = || {
        let ip: std::net::IpAddr = id.parse().ok()?;
        assets.iter().find(|asset| asset.ips.contains(&ip))
    };
    let asset = found
        .or_else(by_ip)
        .ok_or_else(|| ApiError::not_found("asset"))?
        .clone();
    let ips: Vec<std::net::IpAddr> = asset.ips.iter().copied().take(ASSET_IPS_MAX).collect();
    let now = app.now().0;
    let period = Period::new(Some(now - 7 * DAY_MS), Some(now + 1), &app)?;
    if ips.is_empty() {
        return Ok(Json(AssetPage {
            asset: asset.into(),
            peers: Vec::new(),
            recent: Vec::new(),
        }));
    }
    let terms: Vec<String> = ips
        .iter()
        .map(|ip| format!("src_ip:\"{ip}\" OR dst_ip:\"{ip}\""))
        .collect();
    let recent = period.query(terms.join(" OR "), RECENT);
    let edges = period.query(sql::edges(&ips, EDGES), EDGES);
    let (recent, edges) = tokio::try_join!(app.events(recent), app.rows(edges))?;
    Ok(Json(AssetPage {
        peers: peers(&edges.rows, &asset, &assets),
        recent: json_lines(&recent.events)?,
        asset: asset.into(),
    }))
}

fn peers(rows: &[Vec<model::port::Datum>], asset: &PortAsset, assets: &[PortAsset]) -> Vec<Peer> {
    let by_ip: BTreeMap<String, &str> = assets
        .iter()
        .flat_map(|asset| {
            asset
                .ips
                .iter()
                .map(|ip| (ip.to_string(), asset.id.as_str()))
        })
        .collect();
    let own: Vec<String> = asset.ips.iter().map(ToString::to_string).collect();
    let mut out: BTreeMap<(String, String), Peer> = BTreeMap::new();
    for row in table::rows(rows) {
        let (src, dst, proto) = (row.text(0), row.text(1), row.text(2));
        let ip = if own.contains(&src) { dst } else { src };
        let peer = out
            .entry((ip, proto))
            .or_insert_with_key(|(ip, proto)| Peer {
                ip: ip.clone(),
                asset: by_ip.get(ip).map(|id| (*id).to_owned()),
                proto: proto.clone(),
                bytes: 0,
                flows: 0,
                last: 0,
            });
        peer.bytes = peer.bytes.saturating_add(row.count(3));
        peer.flows = peer.flows.saturating_add(row.count(4));
        peer.last = peer.last.max(row.time(6).unwrap_or(0));
    }
    let mut out: Vec<Peer> = out.into_values().collect();
    out.sort_by_key(|peer| std::cmp::Reverse(peer.bytes));
    out.truncate(PEERS_MAX);
    out
}

fn matches(asset: &PortAsset, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let options = [&asset.mac, &asset.vendor, &asset.zone, &asset.role];
    let lists = [&asset.names, &asset.speaks, &asset.serves];
    let mut text = asset.id.to_lowercase();
    let mut add = |part: &str| {
        text.push('\n');
        text.push_str(&part.to_lowercase());
    };
    options.into_iter().flatten().for_each(|part| add(part));
    lists.into_iter().flatten().for_each(|part| add(part));
    asset.ips.iter().for_each(|ip| add(&ip.to_string()));
    asset
        .attributes
        .iter()
        .for_each(|attribute| add(&attribute.value));
    asset.warnings.iter().for_each(|warning| {
        add(&warning.kind);
        add(&warning.value);
    });
    words.iter().all(|word| text.contains(word))
}

type Order = Box<dyn Fn(&PortAsset, &PortAsset) -> Ordering + Send>;

fn order(sort: &str) -> Answer<Order> {
    let (descending, column) = match sort.strip_prefix('-') {
        Some(column) => (true, column),
        None => (false, sort),
    };
    let by: fn(&PortAsset, &PortAsset) -> Ordering = match column {
        "name" => |a, b| a.names.first().cmp(&b.names.first()),
        "ip" => |a, b| a.ips.first().cmp(&b.ips.first()),
        "zone" => |a, b| a.zone.cmp(&b.zone),
        "role" => |a, b| a.role.cmp(&b.role),
        "vendor" => |a, b| a.vendor.cmp(&b.vendor),
        "first_seen" => |a, b| a.first_seen.cmp(&b.first_seen),
        "last_seen" => |a, b| a.last_seen.cmp(&b.last_seen),
        "peers" => |a, b| a.peers.cmp(&b.peers),
        "bytes" => |a, b| a.bytes.cmp(&b.bytes),
        _ => {
            return Err(ApiError::bad_value(
                "sort is name, ip, zone, role, vendor, first_seen, last_seen, peers or bytes",
            ));
        }
    };
    Ok(if descending {
        Box::new(move |a, b| by(b, a))
    } else {
        Box::new(by)
    })
}

/// Words of a search that are looked at.
const WORDS_MAX: usize = 16;
/// Events on the page of an asset.
const RECENT: usize = 50;
/// Conversations read for the page of an asset.
const EDGES: usize = 2_000;
