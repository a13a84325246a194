//! Security headers of every answer.
//!
//! Enters: responses. Leaves: the same with headers. Refuses: nothing.
//! Source: OWASP Secure Headers; W3C CSP 3; `facts/console.md` section 6.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Adds the headers that every answer has; a handler's own `Cache-Control` stays.
pub(crate) fn add(headers: &mut HeaderMap, tls: bool) {
    for (name, value) in ALWAYS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if tls {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

const ALWAYS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
         object-src 'none'; img-src 'self' data:",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), \
         publickey-credentials-get=(self), publickey-credentials-create=(self)",
    ),
];
