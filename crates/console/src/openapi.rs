//! The description of the API, made from its handlers.
//!
//! Enters: nothing. Leaves: OpenAPI 3.1 JSON; `openapi.json` beside `Cargo.toml` is this text, kept
//! so by a test. Refuses: nothing.
//! Source: the HTTP contract, `openapi.json`.

use utoipa::OpenApi;
use utoipa::openapi::{InfoBuilder, OpenApi as Document};
use utoipa_axum::router::OpenApiRouter;

use crate::api;

#[derive(OpenApi)]
#[openapi()]
struct Head;

/// The description of the API as JSON with a final line feed.
///
/// # Errors
/// Never in practice: the document is plain data.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let mut document: Document = Head::openapi();
    document.info = InfoBuilder::new()
        .title("Vigie console API")
        .version("1")
        .description(Some(
            "Times are integers, milliseconds since 1970. Errors carry a stable code. Unsafe \
             methods need the header X-Vigie-CSRF with the value that GET /session gives.",
        ))
        .build();
    let router = OpenApiRouter::with_openapi(document).merge(api::routes());
    let mut text = serde_json::to_string_pretty(router.get_openapi())?;
    text.push('\n');
    Ok(text)
}
