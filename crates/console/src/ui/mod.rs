//! The web UI: files made by the web build, from the binary or from a folder.
//!
//! Enters: request paths. Leaves: files with their type; compressed twins (`.br`, `.gz`) where the
//! client takes them. Files under `assets/` carry a hash in their name and never change; the index
//! is never stored. Refuses: other methods, paths that leave the folder, hidden files, files beyond
//! `limit::FILE_BYTES_MAX`.
//! Source: the HTTP contract, `openapi.json`.

mod files;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::ApiError;
use files::Files;

/// Serves one file of the UI.
pub(crate) async fn serve(State(app): State<App>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "not_found", "only GET")
            .into_response();
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let path = if path.is_empty() {
        INDEX.to_owned()
    } else {
        path
    };
    let accepted = accepted(request.headers());
    let found = app.call(move |state| {
        let files = Files::of(&state.settings)?;
        Some(safe(&path).and_then(|path| find(&files, &path, &accepted)))
    });
    match found.await {
        Err(error) => error.into_response(),
        // No UI is built: the API works all the same, and the page says what to do.
        Ok(None) => (StatusCode::OK, [(header::CONTENT_TYPE, HTML)], NOT_BUILT).into_response(),
        Ok(Some(None)) => ApiError::not_found("page").into_response(),
        Ok(Some(Some(file))) => file.into_response(),
    }
}

struct Found {
    path: String,
    bytes: Vec<u8>,
    encoding: Option<&'static str>,
}

impl IntoResponse for Found {
    fn into_response(self) -> Response {
        let mut response = self.bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(content_type(&self.path)),
        );
        let cache = if self.path.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-store"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = self.encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

fn find(files: &Files, path: &str, accepted: &[&'static str]) -> Option<Found> {
    for (encoding, suffix) in TWINS {
        if accepted.contains(&encoding)
            && let Some(bytes) = files.read(&format!("{path}{suffix}"))
        {
            return Some(Found {
                path: path.to_owned(),
                bytes,
                encoding: Some(encoding),
            });
        }
    }
    files.read(path).map(|bytes| Found {
        path: path.to_owned(),
        bytes,
        encoding: None,
    })
}

/// Encodings that the client takes, of those we have.
fn accepted(headers: &HeaderMap) -> Vec<&'static str> {
    let given = headers.get(header::ACCEPT_ENCODING);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let takes = |encoding: &str| {
        given.split(',').any(|part| {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight.trim();
            let refused = weight
                .strip_prefix("q=")
                .is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
    };
    let ours = TWINS.into_iter().map(|(encoding, _)| encoding);
    ours.filter(|encoding| takes(encoding)).collect()
}

/// A path of plain names only: no parent, no hidden file, no escape.
fn safe(path: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain);
    let parts = path.split('/');
    let safe = path.len() <= PATH_BYTES_MAX && parts.clone().all(name) && parts.count() <= 8;
    safe.then(|| path.to_owned())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => HTML,
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const INDEX: &str = "index.html";
const HASHED: &str = "assets/";
const HTML: &str = "text/html; charset=utf-8";
const PATH_BYTES_MAX: usize = 256;
/// Compressed twins, best first.
const TWINS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<title>Vigie</title></head><body><main><h1>Vigie</h1>\
<p>The API answers under <code>/api/v1</code>, but this binary holds no web interface.</p>\
<p>Build it with <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, then either \
set the folder <code>web/dist</code> as <code>ui_dir</code> in the configuration, or copy it to \
<code>crates/console/ui-dist</code> and build with the feature <code>embed-ui</code>.</p>\
<h2>En français</h2><p>L'API répond sous <code>/api/v1</code>, mais ce binaire ne contient pas \
l'interface web.</p></main></body></html>\n";

#[cfg(test)]
mod tests;
