use super::*;

#[test]
fn only_plain_paths_are_safe() {
    for path in ["index.html", "assets/app-3f2a.js", "fonts/inter.woff2"] {
        assert!(safe(path).is_some(), "{path}");
    }
    for path in [
        "..",
        "../x",
        "a/../b",
        ".keep",
        "a/.git/config",
        "a//b",
        "a\\b",
        "a%2e",
        "/x",
    ] {
        assert!(safe(path).is_none(), "{path}");
    }
    assert!(safe(&"a".repeat(300)).is_none());
}

#[test]
fn encodings_follow_the_client() {
    let mut headers = HeaderMap::new();
    assert!(accepted(&headers).is_empty());
    headers.insert(
        header::ACCEPT_ENCODING,
        "gzip, deflate, br;q=0.9".parse().unwrap(),
    );
    assert_eq!(accepted(&headers), ["br", "gzip"]);
    headers.insert(
        header::ACCEPT_ENCODING,
        "br;q=0, gzip;q=0.0".parse().unwrap(),
    );
    assert!(accepted(&headers).is_empty());
}
