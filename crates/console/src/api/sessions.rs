//! Sessions: who am I, sign in, sign out, the first account.
//!
//! Enters: names and passwords. Leaves: a cookie. Refuses: wrong credentials (401), guesses beyond
//! the throttle (429); a sign-in that the audit trail cannot note does not happen.
//! Source: the HTTP contract, `openapi.json`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use identity::{NewAccount, Refusal, Role, Secret, SignedIn};
use model::metric;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::{App, Entry};
use crate::body::{Body, From};
use crate::error::{Answer, ErrorBody};
use crate::session::{Signed, cookie, set_cookie};

/// Who asks, and what the page must know before anything else.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// True with a live session.
    authenticated: bool,
    /// True while no account exists.
    first_run: bool,
    /// Who it is; `null` without session.
    user: Option<UserView>,
    /// Value for the header `X-Vigie-CSRF`; `null` without session.
    csrf: Option<String>,
    /// Every role that an account may have.
    #[schema(value_type = Vec<String>)]
    roles: [Role; 3],
}

/// The person of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserView {
    /// Account name.
    name: String,
    /// `rssi`, `analyst` or `admin`.
    #[schema(value_type = String)]
    role: Role,
    /// Name for people.
    display: String,
}

/// A sign-in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SignIn {
    /// Account name.
    name: String,
    /// Password.
    #[schema(value_type = String)]
    password: Secret,
}

/// The first account.
#[derive(Deserialize, ToSchema)]
pub(crate) struct FirstAccount {
    /// Token of the one-time link.
    #[schema(value_type = String)]
    token: Secret,
    /// Account name.
    name: String,
    /// Name for people; the account name when absent.
    display: Option<String>,
    /// Password.
    #[schema(value_type = String)]
    password: Secret,
    /// `admin`: it must be able to manage accounts.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
}

/// Says who asks; without session, too.
#[utoipa::path(get, path = "/session", tag = "session", operation_id = "session_read",
    responses((status = 200, body = SessionView)))]
pub(crate) async fn read(State(app): State<App>, headers: HeaderMap) -> Json<SessionView> {
    let identity = &app.state.identity;
    let found = cookie(&headers).and_then(|id| {
        let session = identity.session(id, app.now())?;
        Some((id, session))
    });
    Json(SessionView {
        authenticated: found.is_some(),
        first_run: identity.first_run(),
        csrf: found.as_ref().map(|(id, _)| identity.csrf(id)),
        user: found.map(|(_, session)| UserView {
            name: session.name,
            role: session.role,
            display: session.display,
        }),
        roles: Role::ALL,
    })
}

/// Signs in with a password.
#[utoipa::path(post, path = "/session", tag = "session", operation_id = "session_sign_in",
    request_body = SignIn,
    responses((status = 200, body = SessionView), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn sign_in(
    State(app): State<App>,
    From(from): From,
    headers: HeaderMap,
    Body(body): Body<SignIn>,
) -> Answer<Response> {
    let now = app.now();
    let name = body.name.clone();
    let attempt = app
        .identify(move |state| {
            state
                .identity
                .sign_in(&body.name, &body.password, from, now)
        })
        .await?;
    finish(
        &app,
        &headers,
        attempt,
        Attempt {
            name,
            from,
            how: "password",
        },
    )
    .await
}

/// Ends the session.
#[utoipa::path(delete, path = "/session", tag = "session", operation_id = "session_sign_out",
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn sign_out(State(app): State<App>, signed: Signed) -> Answer<Response> {
    app.state.identity.sign_out(&signed.id);
    app.record(Entry {
        actor: signed.name,
        action: "sign_out",
        object: String::new(),
        outcome: "ok".to_owned(),
    })
    .await?;
    let gone = set_cookie("", app.state.settings.tls)?;
    let headers = AppendHeaders([(header::SET_COOKIE, gone)]);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Creates the first account and signs it in.
#[utoipa::path(post, path = "/first-account", tag = "session", operation_id = "first_account",
    request_body = FirstAccount,
    responses((status = 200, body = SessionView), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn first_account(
    State(app): State<App>,
    From(from): From,
    headers: HeaderMap,
    Body(body): Body<FirstAccount>,
) -> Answer<Response> {
    let now = app.now();
    let identity = &app.state.identity;
    // Before anything is written: a stranger without the link leaves no trace but a metric.
    identity.check_first_token(body.token.reveal(), from, now)?;
    let name = body.name.clone();
    let new = NewAccount {
        name: body.name,
        display: body.display.unwrap_or_default(),
        role: body.role.unwrap_or(Role::Admin),
        password: body.password,
    };
    app.record(Entry {
        actor: "local:first-run".to_owned(),
        action: "account_created",
        object: shown(&name),
        outcome: "asked".to_owned(),
    })
    .await?;
    let attempt = app
        .identify(move |state| {
            let identity = &state.identity;
            identity.create_first(body.token.reveal(), new, from, now)
        })
        .await?;
    finish(
        &app,
        &headers,
        attempt,
        Attempt {
            name,
            from,
            how: "first_token",
        },
    )
    .await
}

/// What is noted of an attempt to sign in.
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) from: std::net::IpAddr,
    pub(crate) how: &'static str,
}

/// Notes the attempt in the trail, then answers it.
pub(crate) async fn finish(
    app: &App,
    headers: &HeaderMap,
    attempt: Result<SignedIn, Refusal>,
    about: Attempt,
) -> Answer<Response> {
    let object = format!("{} from {}", about.how, about.from);
    let signed_in = match attempt {
        Ok(signed_in) => signed_in,
        Err(refusal) => {
            metric::CONSOLE_SIGN_IN_FAILED.add(1);
            // Strangers must not fill the trail faster than the throttle lets them try.
            if matches!(refusal, Refusal::TooMany { .. }) {
                return Err(refusal.into());
            }
            app.record(Entry {
                actor: known(app, &about.name),
                action: "sign_in_failed",
                object,
                outcome: refusal.code().to_owned(),
            })
            .await?;
            return Err(refusal.into());
        }
    };
    let noted = app
        .record(Entry {
            actor: signed_in.session.name.clone(),
            action: "sign_in",
            object,
            outcome: "ok".to_owned(),
        })
        .await;
    if let Err(error) = noted {
        app.state.identity.sign_out(&signed_in.id);
        return Err(error);
    }
    // A new identifier at each sign-in: the one that the browser had ends.
    if let Some(old) = cookie(headers) {
        app.state.identity.sign_out(old);
    }
    answer(app, signed_in)
}

fn answer(app: &App, signed_in: SignedIn) -> Answer<Response> {
    let cookie = set_cookie(&signed_in.id, app.state.settings.tls)?;
    let view = SessionView {
        authenticated: true,
        first_run: false,
        csrf: Some(app.state.identity.csrf(&signed_in.id)),
        user: Some(UserView {
            name: signed_in.session.name,
            role: signed_in.session.role,
            display: signed_in.session.display,
        }),
        roles: Role::ALL,
    };
    let headers = AppendHeaders([(header::SET_COOKIE, cookie)]);
    Ok((headers, Json(view)).into_response())
}

/// The name of a failed sign-in as the trail keeps it: people type passwords into the name field,
/// so only names of accounts are kept.
fn known(app: &App, name: &str) -> String {
    let name = shown(name);
    if app.state.identity.knows(&name) {
        name
    } else {
        "(unknown)".to_owned()
    }
}

/// A name of a request as the trail keeps it: only what could be an account name.
pub(crate) fn shown(name: &str) -> String {
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
    if !name.is_empty() && name.len() <= identity::limit::NAME_BYTES_MAX && name.chars().all(plain)
    {
        name.to_ascii_lowercase()
    } else {
        format!("({} bytes)", name.len())
    }
}
