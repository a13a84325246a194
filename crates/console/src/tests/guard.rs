//! Host, origin, anti-forgery value, headers, sizes, files.

use super::fake::{console, made};
use crate::Settings;

async fn with(headers: &[(&'static str, &'static str)], method: &str) -> (u16, String) {
    let console = console();
    let admin = console.sign_in("admin").await;
    let mut request = admin.request(method, "/api/v1/session", None);
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let answer = admin.send_request(request).await;
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn only_our_names_are_answered() {
    for good in [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1:9",
        "[::1]:8443",
        "[::1]",
    ] {
        assert_eq!(with(&[("host", good)], "GET").await.0, 200, "{good}");
    }
    for bad in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io:80",
        "10.0.0.1",
        "",
    ] {
        assert_eq!(with(&[("host", bad)], "GET").await.1, "bad_host", "{bad}");
    }
    let settings = Settings {
        hosts: vec!["vigie.ch-exemple.fr".to_owned()],
        ..Settings::default()
    };
    let console = made(settings).console;
    let stranger = console.stranger();
    for (host, status) in [("Vigie.CH-exemple.fr:443", 200), ("ch-exemple.fr", 421)] {
        let mut request = stranger.request("GET", "/healthz", None);
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(
            stranger.send_request(request).await.status,
            status,
            "{host}"
        );
    }
}

#[tokio::test]
async fn unsafe_requests_of_other_sites_are_refused() {
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "https://localhost:8443"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let (status, code) = with(&[(name, value)], "DELETE").await;
        assert_eq!((status, code.as_str()), (403, "csrf"), "{value}");
    }
    assert_eq!(
        with(&[("origin", "http://localhost:8443")], "DELETE")
            .await
            .0,
        204
    );
    assert_eq!(
        with(&[("sec-fetch-site", "same-origin")], "DELETE").await.0,
        204
    );
}

#[tokio::test]
async fn unsafe_requests_need_the_value_of_their_own_session() {
    let console = console();
    let mut admin = console.sign_in("admin").await;
    let other = console.sign_in("analyst").await;
    let right = admin.csrf.clone();
    for wrong in ["", "x", &other.csrf] {
        admin.csrf = wrong.to_owned();
        let answer = admin.send("DELETE", "/api/v1/session", None).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "csrf")
        );
    }
    admin.csrf = right;
    assert_eq!(
        admin.send("DELETE", "/api/v1/session", None).await.status,
        204
    );
    assert_eq!(admin.get("/system").await.code(), "not_signed_in");
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let console = console();
    let stranger = console.stranger();
    for path in [
        "/",
        "/api/v1/session",
        "/api/v1/system",
        "/nowhere",
        "/healthz",
    ] {
        let answer = stranger.send("GET", path, None).await;
        let csp = answer.header("content-security-policy");
        assert!(
            csp.starts_with("default-src 'self'; frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("strict-transport-security"), "");
    }
    let settings = Settings {
        tls: true,
        ..Settings::default()
    };
    let console = made(settings).console;
    let answer = console.stranger().send("GET", "/healthz", None).await;
    assert!(
        answer
            .header("strict-transport-security")
            .starts_with("max-age=")
    );
}

#[tokio::test]
async fn bodies_are_bounded_and_typed() {
    let console = console();
    let analyst = console.sign_in("analyst").await;
    let post = |body: serde_json::Value| analyst.send("POST", "/api/v1/query", Some(body));
    let long = "x".repeat(70_000);
    assert_eq!(post(serde_json::json!({"text": long})).await.status, 413);
    let long = "x".repeat(17_000);
    assert_eq!(
        post(serde_json::json!({"text": long})).await.code(),
        "bad_value"
    );
    assert_eq!(
        post(serde_json::json!({"txet": ""})).await.code(),
        "bad_request"
    );
    let mut request = analyst.request(
        "POST",
        "/api/v1/query",
        Some(serde_json::json!({"text": ""})),
    );
    request
        .headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(analyst.send_request(request).await.status, 415);
}

#[tokio::test]
async fn files_of_a_folder_are_served_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let ui = folder.path().join("ui");
    std::fs::create_dir_all(ui.join("assets")).unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    std::fs::write(ui.join("index.html"), "<p>index").unwrap();
    std::fs::write(ui.join("assets/app-1.js"), "plain").unwrap();
    std::fs::write(ui.join("assets/app-1.js.gz"), "packed").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), ui.join("link")).unwrap();
    let settings = Settings {
        ui_dir: Some(ui),
        ..Settings::default()
    };
    let console = made(settings).console;
    let stranger = console.stranger();
    let index = stranger.send("GET", "/", None).await;
    assert_eq!(
        (index.text.as_str(), index.header("cache-control")),
        ("<p>index", "no-store")
    );
    let script = stranger.send("GET", "/assets/app-1.js", None).await;
    assert_eq!(script.text, "plain");
    assert!(script.header("cache-control").contains("immutable"));
    assert!(script.header("content-type").starts_with("text/javascript"));
    let mut request = stranger.request("GET", "/assets/app-1.js", None);
    request
        .headers_mut()
        .insert("accept-encoding", "gzip".parse().unwrap());
    let packed = stranger.send_request(request).await;
    assert_eq!(
        (packed.text.as_str(), packed.header("content-encoding")),
        ("packed", "gzip")
    );
    for path in [
        "/../secret",
        "/link",
        "/assets/..%2f..%2fsecret",
        "/%2e%2e/secret",
        "/assets",
    ] {
        assert_eq!(stranger.send("GET", path, None).await.status, 404, "{path}");
    }
    assert_eq!(stranger.send("POST", "/", None).await.status, 405);
}

#[cfg(not(feature = "embed-ui"))]
#[tokio::test]
async fn without_a_ui_the_page_says_how_to_build_it() {
    let answer = console().stranger().send("GET", "/", None).await;
    assert!(answer.text.contains("npm run build"));
}
