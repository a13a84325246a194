//! Accounts: list, create, change, delete, passwords.
//!
//! Enters: changes by an admin, and everybody's own password. Leaves: views without secrets.
//! Refuses: other roles (403), the last admin's end (409), a role or a lock for oneself (409).
//! Source: the HTTP contract, `openapi.json`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use identity::{AccountView, Change, NewAccount, Permission, Refusal, Role, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sessions::shown;
use crate::app::{App, Entry};
use crate::body::{Body, From};
use crate::error::{Answer, ApiError, ErrorBody};
use crate::session::Signed;

/// An account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Account {
    /// Name.
    name: String,
    /// Name for people.
    display: String,
    /// `rssi`, `analyst` or `admin`.
    #[schema(value_type = String)]
    role: Role,
    /// Passkeys registered.
    passkeys: usize,
    /// When it was created, milliseconds.
    created: i64,
    /// Last sign-in, milliseconds; `null` before the first.
    last_sign_in: Option<i64>,
    /// True when an admin closed it.
    locked: bool,
}

impl std::convert::From<AccountView> for Account {
    fn from(view: AccountView) -> Self {
        Self {
            name: view.name,
            display: view.display,
            role: view.role,
            passkeys: view.passkeys,
            created: view.created,
            last_sign_in: view.last_sign_in,
            locked: view.locked,
        }
    }
}

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(crate) struct AccountNew {
    /// 1 to 64 of a-z 0-9 . _ @ -
    name: String,
    /// Name for people; the name when absent.
    display: Option<String>,
    /// `rssi`, `analyst` or `admin`.
    #[schema(value_type = String)]
    role: Role,
    /// First password, at least 12 characters.
    #[schema(value_type = String)]
    password: Secret,
}

/// A change of an account; what is absent stays.
#[derive(Deserialize, ToSchema)]
pub(crate) struct AccountChange {
    /// Name for people.
    display: Option<String>,
    /// `rssi`, `analyst` or `admin`.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// True closes the account and ends its sessions.
    locked: Option<bool>,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordChange {
    /// The password until now: needed for one's own account.
    #[schema(value_type = Option<String>)]
    current: Option<Secret>,
    /// The new password, at least 12 characters.
    #[schema(value_type = String)]
    new: Secret,
}

/// Lists accounts (admin).
#[utoipa::path(get, path = "/users", tag = "accounts", operation_id = "accounts",
    responses((status = 200, body = Vec<Account>), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, signed: Signed) -> Answer<Json<Vec<Account>>> {
    signed.need(Permission::ManageAccounts)?;
    let views = app.state.identity.accounts().into_iter();
    Ok(Json(views.map(Account::from).collect()))
}

/// Creates an account (admin).
#[utoipa::path(post, path = "/users", tag = "accounts", operation_id = "account_create",
    request_body = AccountNew,
    responses((status = 200, body = Account), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    signed: Signed,
    Body(body): Body<AccountNew>,
) -> Answer<Json<Account>> {
    signed.need(Permission::ManageAccounts)?;
    let object = format!("{} ({})", shown(&body.name), body.role.name());
    let now = app.now();
    let new = NewAccount {
        name: body.name,
        display: body.display.unwrap_or_default(),
        role: body.role,
        password: body.password,
    };
    let act = move |directory: &identity::Directory| directory.create(&new, now);
    let view = traced(&app, &signed, "account_created", object, act).await?;
    Ok(Json(view.into()))
}

/// Changes an account (admin).
#[utoipa::path(patch, path = "/users/{name}", tag = "accounts", operation_id = "account_change",
    params(("name" = String, Path, description = "Account name")), request_body = AccountChange,
    responses((status = 200, body = Account), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn change(
    State(app): State<App>,
    signed: Signed,
    Path(name): Path<String>,
    Body(body): Body<AccountChange>,
) -> Answer<Json<Account>> {
    signed.need(Permission::ManageAccounts)?;
    let own = name == signed.name && (body.role.is_some() || body.locked == Some(true));
    if own {
        return Err(own_account());
    }
    let role = body.role.map_or("", Role::name);
    let locked = match body.locked {
        Some(true) => " locked",
        Some(false) => " unlocked",
        None => "",
    };
    let object = format!("{} {role}{locked}", shown(&name));
    let change = Change {
        display: body.display,
        role: body.role,
        locked: body.locked,
    };
    let act = move |directory: &identity::Directory| directory.update(&name, &change);
    let object = object.trim_end().to_owned();
    let view = traced(&app, &signed, "account_changed", object, act).await?;
    Ok(Json(view.into()))
}

/// Deletes an account (admin).
#[utoipa::path(delete, path = "/users/{name}", tag = "accounts", operation_id = "account_delete",
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    signed: Signed,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    signed.need(Permission::ManageAccounts)?;
    if name == signed.name {
        return Err(own_account());
    }
    let object = shown(&name);
    let act = move |directory: &identity::Directory| directory.delete(&name);
    traced(&app, &signed, "account_deleted", object, act).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes one's own password, or gives an account a new one (admin).
#[utoipa::path(post, path = "/users/{name}/password", tag = "accounts",
    operation_id = "account_password", request_body = PasswordChange,
    params(("name" = String, Path, description = "Account name")),
    responses((status = 204), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn password(
    State(app): State<App>,
    signed: Signed,
    From(from): From,
    Path(name): Path<String>,
    Body(body): Body<PasswordChange>,
) -> Answer<StatusCode> {
    let own = name == signed.name;
    if !own {
        signed.need(Permission::ManageAccounts)?;
    }
    if own && body.current.is_none() {
        return Err(ApiError::bad_value("the password until now is needed"));
    }
    let object = shown(&name);
    let now = app.now();
    let keep = signed.id.clone();
    let act = move |directory: &identity::Directory| {
        let current = body.current.as_ref().filter(|_| own);
        let current = current.map(|current| (current, from, now));
        directory.set_password(&name, current, &body.new, own.then_some(keep.as_str()))
    };
    let changed = traced(&app, &signed, "password_changed", object, act).await;
    changed.map_err(|error| match error.code() {
        // 401 would tell the page that the session is over.
        "bad_credentials" => ApiError::new(
            StatusCode::FORBIDDEN,
            "bad_credentials",
            "the password until now is wrong",
        ),
        _ => error,
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes the intention, acts, and notes a failure.
pub(super) async fn traced<T: Send + 'static>(
    app: &App,
    signed: &Signed,
    action: &'static str,
    object: String,
    act: impl FnOnce(&identity::Directory) -> Result<T, Refusal> + Send + 'static,
) -> Answer<T> {
    let entry = |outcome: String| Entry {
        actor: signed.name.clone(),
        action,
        object: object.clone(),
        outcome,
    };
    app.record(entry("asked".to_owned())).await?;
    let result = app.identify(move |state| act(&state.identity)).await?;
    let outcome = result.as_ref().map_or_else(Refusal::code, |_| "ok");
    app.record(entry(outcome.to_owned())).await?;
    Ok(result?)
}

fn own_account() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "own_account",
        "another admin must change the role of, lock or delete this account",
    )
}
