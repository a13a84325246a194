use proptest::prelude::*;

use super::*;

fn request(line: &str) -> Option<(String, String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match StartLine::parse(line.as_bytes())? {
        StartLine::Request {
            method,
            target,
            version,
        } => Some((text(method), text(target), text(version))),
        StartLine::Status { .. } => None,
    }
}

#[test]
fn request_lines_are_read_leniently() {
    let of = |a: &str, b: &str, c: &str| Some((a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(request("GET /a HTTP/1.1"), of("GET", "/a", "1.1"));
    assert_eq!(request("get  /a b\thttp/1.0 "), of("get", "/a b", "1.0"));
    assert_eq!(request("GET /old"), of("GET", "/old", "0.9"));
    assert_eq!(request("FROB /x HTTP/1.1"), of("FROB", "/x", "1.1"));
    assert_eq!(request("FROB /x"), None);
    assert_eq!(request("OPTIONS sip:a@b SIP/2.0"), None);
    assert_eq!(request("GET"), None);
}

#[test]
fn status_lines_are_read_leniently() {
    let status = |line: &'static str| match StartLine::parse(line.as_bytes()) {
        Some(StartLine::Status { code, reason, .. }) => Some((code, reason)),
        _ => None,
    };
    assert_eq!(status("HTTP/1.1 200 OK"), Some((200, &b"OK"[..])));
    assert_eq!(status("HTTP/1.0  404"), Some((404, &b""[..])));
    assert_eq!(status("HTTP/1.1 2x0 OK"), None);
}

#[test]
fn targets_have_four_forms() {
    let target = Target::parse(b"GET", b"http://u:p@Host:81/a?b=c?d");
    assert_eq!(target.authority, Some(&b"Host:81"[..]));
    assert_eq!(target.path, Some(&b"/a"[..]));
    assert_eq!(target.query, Some(&b"b=c?d"[..]));
    assert_eq!(Target::parse(b"GET", b"http://h").path, Some(&b"/"[..]));
    assert_eq!(Target::parse(b"OPTIONS", b"*").path, Some(&b"*"[..]));
    let tunnel = Target::parse(b"CONNECT", b"h:443");
    assert_eq!((tunnel.authority, tunnel.path), (Some(&b"h:443"[..]), None));
}

#[test]
fn hosts_lose_their_port_and_case() {
    let of = |text: &str| host_port(text.as_bytes());
    assert_eq!(
        of("Www.Example.COM:8080"),
        ("www.example.com".into(), Some(8080))
    );
    assert_eq!(of("example."), ("example".into(), None));
    assert_eq!(of("[2001:DB8::1]:80"), ("2001:db8::1".into(), Some(80)));
    assert_eq!(of("2001:db8::1"), ("2001:db8::1".into(), None));
    assert_eq!(of("h:99999"), ("h".into(), None));
}

#[test]
fn chunk_sizes() {
    assert_eq!(chunk_size(b"1a"), Some(26));
    assert_eq!(chunk_size(b" 0a ;x=y"), Some(10));
    assert_eq!(chunk_size(b""), None);
    assert_eq!(chunk_size(b"xyz"), None);
    assert_eq!(chunk_size(b"ffffffffffffffff"), None);
}

proptest! {
    #[test]
    fn random_lines_never_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = StartLine::parse(&line);
        let _ = split_line(&line);
        let _ = field(&line);
        let _ = chunk_size(&line);
        let _ = Target::parse(b"GET", &line);
        let _ = host_port(&line);
    }
}
