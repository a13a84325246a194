//! Passkeys: register, list, delete, sign in.
//!
//! Enters: what the browser's WebAuthn gives. Leaves: options for it, a cookie. Refuses: see
//! `identity::passkey`; bare addresses as host (browsers know no passkeys there).
//! Source: the HTTP contract, `openapi.json`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use identity::passkey::{Assertion, Registration};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::accounts::traced;
use super::sessions::{Attempt, SessionView, finish};
use crate::app::App;
use crate::body::{Body, From};
use crate::error::{Answer, ErrorBody};
use crate::guard::relying_party;
use crate::session::Signed;

/// A registered passkey.
#[derive(Serialize, ToSchema)]
pub(crate) struct PasskeyView {
    /// Credential identifier, base64url.
    id: String,
    /// Label given by its owner.
    label: String,
    /// When it was registered, milliseconds.
    created: i64,
    /// Last sign-in with it, milliseconds; `null` before the first.
    last_used: Option<i64>,
}

/// The end of a registration.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RegisterFinish {
    /// Label for people.
    label: String,
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Value)]
    credential: Registration,
}

/// The beginning of a sign-in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignInBegin {
    /// Not needed: passkeys are discoverable.
    #[expect(
        dead_code,
        reason = "the contract allows it; answering by name would tell names"
    )]
    name: Option<String>,
}

/// The end of a sign-in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignInFinish {
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Value)]
    credential: Assertion,
}

/// Begins a registration: `PublicKeyCredentialCreationOptionsJSON`.
#[utoipa::path(post, path = "/passkeys/register/begin", tag = "passkeys",
    operation_id = "passkey_register_begin",
    responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn register_begin(
    State(app): State<App>,
    signed: Signed,
    headers: HeaderMap,
) -> Answer<Json<Value>> {
    let party = relying_party(&app, &headers)?;
    let identity = &app.state.identity;
    let options = identity.passkey_register_begin(&signed.name, &party, app.now())?;
    Ok(Json(options))
}

/// Ends a registration.
#[utoipa::path(post, path = "/passkeys/register/finish", tag = "passkeys",
    operation_id = "passkey_register_finish", request_body = RegisterFinish,
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn register_finish(
    State(app): State<App>,
    signed: Signed,
    headers: HeaderMap,
    Body(body): Body<RegisterFinish>,
) -> Answer<StatusCode> {
    let party = relying_party(&app, &headers)?;
    let now = app.now();
    let name = signed.name.clone();
    let act = move |directory: &identity::Directory| {
        let RegisterFinish { label, credential } = body;
        directory.passkey_register_finish(&name, &label, &credential, &party, now)
    };
    traced(&app, &signed, "passkey_added", signed.name.clone(), act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists one's own passkeys.
#[utoipa::path(get, path = "/passkeys", tag = "passkeys", operation_id = "passkeys",
    responses((status = 200, body = Vec<PasskeyView>), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, signed: Signed) -> Json<Vec<PasskeyView>> {
    let passkeys = app.state.identity.passkeys(&signed.name).into_iter();
    let views = passkeys.map(|passkey| PasskeyView {
        id: passkey.id,
        label: passkey.label,
        created: passkey.created,
        last_used: passkey.last_used,
    });
    Json(views.collect())
}

/// Deletes one of one's own passkeys.
#[utoipa::path(delete, path = "/passkeys/{id}", tag = "passkeys", operation_id = "passkey_delete",
    params(("id" = String, Path, description = "Credential identifier")),
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let name = signed.name.clone();
    let act = move |directory: &identity::Directory| directory.passkey_delete(&name, &id);
    traced(&app, &signed, "passkey_deleted", signed.name.clone(), act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a sign-in: `PublicKeyCredentialRequestOptionsJSON`.
#[utoipa::path(post, path = "/session/passkey/begin", tag = "session",
    operation_id = "passkey_sign_in_begin", request_body = SignInBegin,
    responses((status = 200, body = Value), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn sign_in_begin(
    State(app): State<App>,
    headers: HeaderMap,
    Body(_begin): Body<SignInBegin>,
) -> Answer<Json<Value>> {
    let party = relying_party(&app, &headers)?;
    let options = app
        .state
        .identity
        .passkey_sign_in_begin(&party, app.now())?;
    Ok(Json(options))
}

/// Ends a sign-in.
#[utoipa::path(post, path = "/session/passkey/finish", tag = "session",
    operation_id = "passkey_sign_in_finish", request_body = SignInFinish,
    responses((status = 200, body = SessionView), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn sign_in_finish(
    State(app): State<App>,
    From(from): From,
    headers: HeaderMap,
    Body(body): Body<SignInFinish>,
) -> Answer<Response> {
    let party = relying_party(&app, &headers)?;
    let now = app.now();
    let attempt = app
        .identify(move |state| {
            let identity = &state.identity;
            identity.passkey_sign_in_finish(&body.credential, &party, from, now)
        })
        .await?;
    let about = Attempt {
        name: "passkey".to_owned(),
        from,
        how: "passkey",
    };
    finish(&app, &headers, attempt, about).await
}
