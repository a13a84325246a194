//! Handlers of the HTTP API, one file a subject.
//!
//! Enters: typed requests. Leaves: typed answers, and through them `openapi.json`. Refuses: see it.
//! To add one: a handler with its `#[utoipa::path]`, and a line here.
//! Source: the HTTP contract, `openapi.json`.

#![expect(
    unused_qualifications,
    reason = "utoipa's macro writes paths in full when it describes query parameters"
)]

mod accounts;
mod assets;
mod ego;
mod events;
mod network;
mod overview;
mod packets;
mod passkeys;
mod period;
mod probe;
mod query;
mod search;
mod sessions;
mod setup;
mod stream;
mod system;
mod todo;
mod view;

use axum::Router;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The API under `/api/v1`, with its description.
pub(crate) fn routes() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(
            sessions::read,
            sessions::sign_in,
            sessions::sign_out
        ))
        .routes(routes!(sessions::first_account))
        .routes(routes!(passkeys::sign_in_begin))
        .routes(routes!(passkeys::sign_in_finish))
        .routes(routes!(passkeys::register_begin))
        .routes(routes!(passkeys::register_finish))
        .routes(routes!(passkeys::list))
        .routes(routes!(passkeys::delete))
        .routes(routes!(accounts::list, accounts::create))
        .routes(routes!(accounts::change, accounts::delete))
        .routes(routes!(accounts::password))
        .routes(routes!(packets::state, packets::packets))
        .routes(routes!(overview::overview))
        .routes(routes!(network::matrix))
        .routes(routes!(network::sankey))
        .routes(routes!(ego::ego))
        .routes(routes!(assets::list))
        .routes(routes!(assets::one))
        .routes(routes!(events::list))
        .routes(routes!(events::histogram))
        .routes(routes!(events::top))
        .routes(routes!(search::fields))
        .routes(routes!(search::values))
        .routes(routes!(query::query))
        .routes(routes!(stream::stream))
        .routes(routes!(system::status))
        .routes(routes!(system::trail))
        .routes(routes!(setup::setup))
        .routes(routes!(setup::zones))
        .fallback(no_such_path);
    OpenApiRouter::new().nest("/api/v1", api)
}

/// Routes outside the described API: for machines.
pub(crate) fn plain_routes() -> Router<App> {
    Router::new()
        .route("/metrics", get(probe::metrics))
        .route("/healthz", get(probe::health))
        .route("/readyz", get(probe::ready))
}

async fn no_such_path() -> crate::error::ApiError {
    crate::error::ApiError::not_found("path")
}
