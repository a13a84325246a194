//! Setting up: what was learned, which zones it suggests, and putting zones in force.
//!
//! Enters: zones. Leaves: interfaces, zones in force, zones proposed with the reason of each.
//! Refuses: ranges that are not CIDR, names that a configuration could not hold, more than
//! `limit::ZONES_MAX`; other roles than admin.
//! Source: the HTTP contract, `openapi.json`.

mod propose;

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use identity::Permission;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::period::{DAY_MS, Period};
use crate::app::{App, Entry};
use crate::body::Body;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::ZONES_MAX;
use crate::session::Signed;
use crate::{sql, table};
use propose::{Proposed, propose};

/// A zone.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Zone {
    /// Name: letters, digits, `-`, `_`, `.` and space, at most 64 bytes.
    name: String,
    /// Ranges, as `10.1.0.0/16`.
    cidrs: Vec<String>,
}

/// What was learned and what is in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct Setup {
    /// Interfaces of this machine that could be captured.
    interfaces: Vec<String>,
    /// Zones in force.
    zones: Vec<Zone>,
    /// Zones that the inventory suggests for addresses that no zone covers.
    proposed: Vec<Proposed>,
    /// What was seen so far.
    learned: Learned,
}

/// What was seen so far.
#[derive(Serialize, ToSchema)]
struct Learned {
    /// First asset seen, milliseconds; `null` before it.
    since: Option<i64>,
    /// Assets.
    assets: usize,
    /// Application protocols of the last 7 days, most flows first.
    protocols: Vec<ProtocolCount>,
    /// Medical partners of the last 7 days, busiest first.
    medical: Vec<MedicalPair>,
}

/// An application protocol.
#[derive(Serialize, ToSchema)]
struct ProtocolCount {
    /// Name.
    proto: String,
    /// Flows.
    count: u64,
}

/// Two medical applications that talk.
#[derive(Serialize, ToSchema)]
struct MedicalPair {
    /// DICOM calling AE title, or HL7 sending application.
    calling: Option<String>,
    /// DICOM called AE title, or HL7 receiving application.
    called: Option<String>,
    /// `dicom`, `hl7v2`, `fhir`, `astm`.
    standard: String,
    /// Exchanges.
    count: u64,
}

/// What was learned and what is in force.
#[utoipa::path(get, path = "/setup", tag = "setup", operation_id = "setup",
    responses((status = 200, body = Setup), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn setup(State(app): State<App>, signed: Signed) -> Answer<Json<Setup>> {
    signed.need(Permission::View)?;
    let now = app.now().0;
    let week = Period::new(Some(now - 7 * DAY_MS), Some(now + 1), &app)?;
    let (status, assets, protocols, medical) = tokio::try_join!(
        app.call(|state| state.system.status()),
        app.call(|state| state.assets.assets()),
        app.rows(week.query(sql::PROTOCOLS, PROTOCOLS_MAX)),
        app.rows(week.query(sql::MEDICAL, PAIRS_MAX)),
    )?;
    let some = |text: String| (!text.is_empty()).then_some(text);
    let protocols = table::rows(&protocols.rows).map(|row| ProtocolCount {
        proto: row.text(0),
        count: row.count(1),
    });
    let medical = table::rows(&medical.rows).map(|row| MedicalPair {
        calling: some(row.text(0)),
        called: some(row.text(1)),
        standard: row.text(2),
        count: row.count(3),
    });
    Ok(Json(Setup {
        proposed: propose(&assets, &status.zones),
        interfaces: status.interfaces,
        zones: status
            .zones
            .into_iter()
            .map(|(name, cidrs)| Zone { name, cidrs })
            .collect(),
        learned: Learned {
            since: assets.iter().map(|asset| asset.first_seen).min(),
            assets: assets.len(),
            protocols: protocols.collect(),
            medical: medical.collect(),
        },
    }))
}

/// Zones to put in force.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ZoneList {
    /// All zones: what is not in the list ends.
    zones: Vec<Zone>,
}

/// Puts zones in force (admin).
#[utoipa::path(put, path = "/setup/zones", tag = "setup", operation_id = "setup_zones",
    request_body = ZoneList,
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn zones(
    State(app): State<App>,
    signed: Signed,
    Body(body): Body<ZoneList>,
) -> Answer<StatusCode> {
    signed.need(Permission::ChangeSetup)?;
    check(&body.zones)?;
    let zones: Vec<(String, Vec<String>)> = body
        .zones
        .into_iter()
        .map(|zone| (zone.name.trim().to_owned(), zone.cidrs))
        .collect();
    let entry = |outcome: &str| Entry {
        actor: signed.name.clone(),
        action: "zones_changed",
        object: format!("{} zones", zones.len()),
        outcome: outcome.to_owned(),
    };
    app.record(entry("asked")).await?;
    let wanted = zones.clone();
    let done = app
        .call(move |state| state.system.set_zones(&wanted))
        .await?;
    app.record(entry(if done.is_ok() { "ok" } else { "refused" }))
        .await?;
    done.map_err(ApiError::bad_value)?;
    Ok(StatusCode::NO_CONTENT)
}

fn check(zones: &[Zone]) -> Answer<()> {
    if zones.len() > ZONES_MAX {
        return Err(ApiError::bad_value("at most 256 zones"));
    }
    let mut names = BTreeSet::new();
    for zone in zones {
        let name = zone.name.trim();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err(ApiError::bad_value(
                "a zone name is 1 to 64 bytes of letters, digits, '-', '_', '.' and space",
            ));
        }
        if !names.insert(name.to_lowercase()) {
            return Err(ApiError::bad_value(format!("two zones are named {name}")));
        }
        if zone.cidrs.is_empty() || zone.cidrs.len() > ZONES_MAX {
            return Err(ApiError::bad_value(format!("zone {name}: 1 to 256 ranges")));
        }
        if let Some(wrong) = zone.cidrs.iter().find(|cidr| range(cidr).is_none()) {
            let wrong = model::limit::cut_to(wrong, 64);
            return Err(ApiError::bad_value(format!(
                "zone {name}: {wrong:?} is not a range like 10.1.0.0/16"
            )));
        }
    }
    Ok(())
}

/// First address and prefix length of a range.
fn range(cidr: &str) -> Option<(IpAddr, u8)> {
    let (ip, length) = cidr.split_once('/')?;
    let ip: IpAddr = ip.parse().ok()?;
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length: u8 = length.parse().ok().filter(|_| digits)?;
    let longest = if ip.is_ipv4() { 32 } else { 128 };
    (length <= longest).then_some((ip, length))
}

/// Protocols listed.
const PROTOCOLS_MAX: usize = 50;
/// Medical pairs listed.
const PAIRS_MAX: usize = 200;

#[cfg(test)]
mod tests;
