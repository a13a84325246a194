//! The guard around every request: name, origin, time, headers.
//!
//! Enters: requests. Leaves: guarded answers. Refuses: `Host` values that are not ours (a rebound
//! name), unsafe requests of another origin, requests that take longer than `limit::REQUEST_S_MAX`.
//! Source: OWASP ASVS 4 V4.2.2, V14.5; Fetch standard (`Origin`, `Sec-Fetch-Site`).

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use identity::RelyingParty;
use model::metric;
use tokio::time::timeout;

use crate::app::App;
use crate::error::{Answer, ApiError};
use crate::headers;
use crate::limit::REQUEST_S_MAX;

/// Lets a request through, or answers in its place.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    metric::CONSOLE_REQUESTS.add(1);
    let tls = app.state.settings.tls;
    let mut response = match check(&app, request.method(), request.headers()) {
        Ok(()) => match timeout(Duration::from_secs(REQUEST_S_MAX), next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "timeout",
                "the request took too long",
            )
            .into_response(),
        },
        Err(error) => error.into_response(),
    };
    headers::add(response.headers_mut(), tls);
    response
}

fn check(app: &App, method: &Method, headers: &HeaderMap) -> Answer<()> {
    let host = host(headers)?;
    if !is_ours(host_name(host), &app.state.settings.hosts) {
        return Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "bad_host",
            "this name is not among the console's hosts, add it to the configuration",
        ));
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let foreign = || {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "the request comes from another site",
        )
    };
    let site = text(headers, "sec-fetch-site");
    if !matches!(site, None | Some("same-origin" | "none")) {
        return Err(foreign());
    }
    // Browsers send Origin with every unsafe request; programs may leave it out.
    match text(headers, "origin") {
        Some(given) if given != origin(host, app.state.settings.tls) => Err(foreign()),
        _ => Ok(()),
    }
}

/// The relying party for passkeys: the domain of this request.
///
/// # Errors
/// Browsers know no passkeys for bare addresses.
pub(crate) fn relying_party(app: &App, headers: &HeaderMap) -> Answer<RelyingParty> {
    let host = host(headers)?;
    let name = host_name(host);
    let is_address = name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok();
    if is_address {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "passkey_unavailable",
            "passkeys need a name: open the console as localhost or by its host name",
        ));
    }
    Ok(RelyingParty {
        id: name.to_ascii_lowercase(),
        origin: origin(host, app.state.settings.tls),
    })
}

fn host(headers: &HeaderMap) -> Answer<&str> {
    let mut all = headers.get_all(header::HOST).iter();
    let one = all.next().and_then(|value| value.to_str().ok());
    match (one, all.next()) {
        (Some(host), None) if !host.is_empty() && host.len() <= HOST_BYTES_MAX => Ok(host),
        _ => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "bad_host",
            "one Host header is needed",
        )),
    }
}

/// A `Host` value without its port.
fn host_name(host: &str) -> &str {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let has_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    // An IPv6 address without brackets has no port.
    if has_port && (name.starts_with('[') || !name.contains(':')) {
        name
    } else {
        host
    }
}

fn is_ours(name: &str, hosts: &[String]) -> bool {
    let plain = name.trim_start_matches('[').trim_end_matches(']');
    let same = |known: &str| {
        let known = known.trim_start_matches('[').trim_end_matches(']');
        known.eq_ignore_ascii_case(plain)
    };
    LOOPBACK.iter().any(|known| same(known)) || hosts.iter().any(|known| same(known))
}

fn origin(host: &str, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", host.to_ascii_lowercase())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // A value that is not text compares unequal to everything expected.
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const HOST_BYTES_MAX: usize = 260;
