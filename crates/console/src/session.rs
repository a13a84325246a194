//! The session of a request: cookie, anti-forgery value, permission.
//!
//! Enters: request heads. Leaves: who asks. Refuses: no or dead sessions (401), unsafe methods
//! without the anti-forgery value (403), missing permissions (403).
//! Source: the HTTP contract, `openapi.json`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use identity::{Permission, Role};

use crate::app::App;
use crate::error::{Answer, ApiError};

/// Who asks.
pub(crate) struct Signed {
    /// Session identifier.
    pub(crate) id: String,
    /// Account name.
    pub(crate) name: String,
    /// Role.
    pub(crate) role: Role,
}

impl Signed {
    /// Refuses unless the role has the permission.
    pub(crate) fn need(&self, permission: Permission) -> Answer<()> {
        if self.role.may(permission) {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("the role {} may not do this", self.role.name()),
        ))
    }
}

impl FromRequestParts<App> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let id = cookie(&parts.headers).ok_or_else(ApiError::not_signed_in)?;
        let identity = &app.state.identity;
        let session = identity.session(id, app.now());
        let session = session.ok_or_else(ApiError::not_signed_in)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            let given = parts.headers.get(CSRF_HEADER);
            let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
            if !identity.csrf_matches(id, given) {
                return Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "csrf",
                    "the header X-Vigie-CSRF is missing or wrong, read GET /session again",
                ));
            }
        }
        Ok(Self {
            id: id.to_owned(),
            name: session.name,
            role: session.role,
        })
    }
}

/// The session identifier of the cookie, if there is one of plausible length.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == COOKIE);
    found
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty() && value.len() <= COOKIE_BYTES_MAX)
}

/// The cookie that carries a session; an empty identifier removes it.
pub(crate) fn set_cookie(id: &str, tls: bool) -> Answer<HeaderValue> {
    let secure = if tls { "; Secure" } else { "" };
    let age = if id.is_empty() { "; Max-Age=0" } else { "" };
    let text = format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Strict{secure}{age}");
    HeaderValue::from_str(&text).map_err(|_| ApiError::internal("cookie"))
}

pub(crate) const CSRF_HEADER: &str = "x-vigie-csrf";
const COOKIE: &str = "vigie_session";
const COOKIE_BYTES_MAX: usize = 128;
