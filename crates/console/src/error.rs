//! Errors as the API gives them: a status, a stable code, a detail for engineers.
//!
//! Enters: refusals of ports, identities and parsers. Leaves: JSON. Refuses: to quote secrets.
//! Source: the HTTP contract, `openapi.json`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::Refusal;
use model::port::QueryError;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// Stable code; the web UI has a sentence for each.
    pub(crate) code: &'static str,
    /// Detail for engineers, in English.
    pub(crate) detail: String,
    /// Offset in bytes of the offending character in the query, when there is one.
    pub(crate) position: Option<usize>,
    /// The nearest right word, when there is one.
    pub(crate) suggestion: Option<String>,
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    retry_after_s: Option<u64>,
    body: Box<ErrorBody>,
}

/// What handlers return.
pub(crate) type Answer<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            retry_after_s: None,
            body: Box::new(ErrorBody {
                code,
                detail: detail.into(),
                position: None,
                suggestion: None,
            }),
        }
    }

    pub(crate) fn bad_value(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_value", detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("no such {what}"),
        )
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "sign in first, or the session is over",
        )
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(crate) fn code(&self) -> &'static str {
        self.body.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(code = self.body.code, "console request failed");
        }
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let status = match error.code {
            "internal" => StatusCode::INTERNAL_SERVER_ERROR,
            "too_many" => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            retry_after_s: None,
            body: Box::new(ErrorBody {
                code: error.code,
                detail: error.detail,
                position: error.position,
                suggestion: error.suggestion,
            }),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::BadCredentials => StatusCode::UNAUTHORIZED,
            Refusal::BadToken | Refusal::BadPasskey(_) => StatusCode::FORBIDDEN,
            Refusal::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::NameTaken | Refusal::LastAdmin | Refusal::Full(_) | Refusal::Conflict => {
                StatusCode::CONFLICT
            }
            Refusal::BadName | Refusal::BadLabel | Refusal::WeakPassword(_) | Refusal::BadRole => {
                StatusCode::BAD_REQUEST
            }
            Refusal::Storage(_) | Refusal::Entropy(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut error = Self::new(status, refusal.code(), refusal.to_string());
        if let Refusal::TooMany { retry_after_ms } = refusal {
            error.retry_after_s = Some(retry_after_ms.div_ceil(1_000).max(1));
        }
        error
    }
}
