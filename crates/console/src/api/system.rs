//! The state of this installation, and the audit trail.
//!
//! Enters: a number of entries. Leaves: status, entries. Refuses: the trail to analysts.
//! Source: the HTTP contract, `openapi.json`.

use axum::Json;
use axum::extract::State;
use identity::Permission;
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{AuditEntry, SystemStatus};
use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::TRAIL_MAX;
use crate::session::Signed;

/// The state of this installation.
#[utoipa::path(get, path = "/system", tag = "system", operation_id = "system",
    responses((status = 200, body = SystemStatus), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn status(State(app): State<App>, signed: Signed) -> Answer<Json<SystemStatus>> {
    signed.need(Permission::View)?;
    let status = app.call(|state| state.system.status()).await?;
    Ok(Json(status.into()))
}

/// Query parameters of the trail.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrailParams {
    /// Most entries, 100 when absent, at most 1000.
    limit: Option<usize>,
}

/// The latest entries of the audit trail, newest first (rssi, admin).
#[utoipa::path(get, path = "/audit-trail", tag = "system", operation_id = "audit_trail",
    params(TrailParams),
    responses((status = 200, body = Vec<AuditEntry>), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn trail(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<TrailParams>,
) -> Answer<Json<Vec<AuditEntry>>> {
    signed.need(Permission::ReadTrail)?;
    let limit = params.limit.unwrap_or(100).clamp(1, TRAIL_MAX);
    let entries = app.call(move |state| state.audit.latest(limit)).await?;
    let entries = entries.map_err(|error| {
        tracing::error!(error, "audit trail not read");
        ApiError::internal("the audit trail cannot be read")
    })?;
    Ok(Json(entries.into_iter().map(Into::into).collect()))
}
