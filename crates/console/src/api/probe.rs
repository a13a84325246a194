//! What machines ask: metrics, liveness, readiness.
//!
//! Enters: requests of monitors. Leaves: Prometheus text, short words. Refuses: metrics to
//! strangers (only loopback, or a session).
//! Source: the HTTP contract, `openapi.json`.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::body::From;
use crate::error::{Answer, ApiError};
use crate::session::Signed;

/// Metrics in Prometheus text form.
pub(crate) async fn metrics(
    State(app): State<App>,
    From(from): From,
    signed: Result<Signed, ApiError>,
) -> Answer<Response> {
    if !from.is_loopback() {
        signed?;
    }
    let text = app.call(|state| state.system.metrics()).await?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// The console answers.
pub(crate) async fn health() -> &'static str {
    "ok"
}

/// No role of this installation has failed or is still starting.
pub(crate) async fn ready(State(app): State<App>) -> Answer<(StatusCode, &'static str)> {
    let status = app.call(|state| state.system.status()).await?;
    let waiting = |state: &str| matches!(state, "failed" | "starting");
    Ok(if status.roles.iter().any(|role| waiting(&role.state)) {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    } else {
        (StatusCode::OK, "ready")
    })
}
