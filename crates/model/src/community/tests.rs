use super::*;

/// Published vectors of the specification, and flows computed by its reference implementation.
const VECTORS: &[(&str, &str, u8, u16, u16, &str)] = &[
    (
        "128.232.110.120",
        "66.35.250.204",
        6,
        34855,
        80,
        "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    ),
    (
        "66.35.250.204",
        "128.232.110.120",
        6,
        80,
        34855,
        "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    ),
    (
        "2001:db8::1",
        "2001:db8::2",
        6,
        443,
        50000,
        "1:UFel+zfGDXB/GhABjlRQUzVNUI8=",
    ),
    (
        "10.0.0.1",
        "10.0.0.1",
        6,
        80,
        79,
        "1:veMrQoZMTfvZaXfcXNRhjdZjcGg=",
    ),
    (
        "192.168.1.52",
        "8.8.8.8",
        17,
        54585,
        53,
        "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
    ),
    (
        "192.168.170.8",
        "192.168.170.56",
        132,
        7,
        80,
        "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=",
    ),
    (
        "192.168.0.89",
        "192.168.0.1",
        1,
        8,
        0,
        "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
    ),
    (
        "192.168.0.1",
        "192.168.0.89",
        1,
        0,
        0,
        "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
    ),
    (
        "192.168.0.89",
        "192.168.0.1",
        1,
        20,
        0,
        "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=",
    ),
    (
        "192.168.0.1",
        "192.168.0.89",
        1,
        20,
        0,
        "1:xka8imJTHE0ZCHTDqMsnK5QKoh8=",
    ),
    (
        "192.168.0.1",
        "192.168.0.89",
        1,
        3,
        1,
        "1:o3zT92uTgnRWv/YrDVeXcWumpC4=",
    ),
    (
        "192.168.0.9",
        "192.168.0.8",
        1,
        13,
        0,
        "1:m/1sorfL0TGsuUXsN7RKQ8WueTM=",
    ),
    (
        "192.168.0.9",
        "192.168.0.8",
        1,
        10,
        0,
        "1:hNDAOSUVTnO4VT2ro1FWnNPSvUk=",
    ),
    (
        "192.168.0.9",
        "192.168.0.8",
        1,
        15,
        0,
        "1:7aBIfuA54wS8p98f9Y2Kbc8wJwY=",
    ),
    (
        "192.168.0.9",
        "192.168.0.8",
        1,
        17,
        0,
        "1:8bm1zgdv5hvzx6qsQgr61TUxvC4=",
    ),
    (SIX, XIS, 58, 128, 0, "1:QrVnZEjGihSsEkRF1XxqheQ1Za8="),
    (SIX, XIS, 58, 129, 0, "1:0v7671U6aMFvKQtpE4ZMYXnSVjQ="),
    (SIX, XIS, 58, 130, 0, "1:AqqGbwQfzV0erxPUVV+XZ02Zm5M="),
    (SIX, XIS, 58, 131, 0, "1:EWeX0N02fv6kiZ4mtVIrNsLkom4="),
    (SIX, XIS, 58, 133, 0, "1:MxMeSyWe6OTpBt36dIzrtH7OcS8="),
    (SIX, XIS, 58, 134, 0, "1:QpYRAQH404PdAphcvVTflGzHNos="),
    (SIX, XIS, 58, 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (SIX, XIS, 58, 136, 0, "1:zavyT/cezQr1fmImYCwYnMXbgck="),
    (SIX, XIS, 58, 139, 0, "1:5M4clpPt0fX67/4bIqQT4gA26Dw="),
    (SIX, XIS, 58, 140, 0, "1:cOJwEcSbkW1UEpyFTXIP4GMDabo="),
    (SIX, XIS, 58, 144, 0, "1:m49RyQ8yIT9LBEoGoI5SnZktCdQ="),
    (SIX, XIS, 58, 145, 0, "1:XQq303/ZTbnZhBfoQdmuW8MWAfU="),
    (SIX, XIS, 58, 1, 0, "1:TW33L3/E/EMIeXyeXwCA6Qs3IbQ="),
    (SIX, XIS, 58, 146, 0, "1:zF3q9k3Oja5BY3WbvxMJIfjIuTs="),
    (
        "10.1.24.4",
        "10.1.12.1",
        46,
        0,
        0,
        "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=",
    ),
    (
        "10.1.12.1",
        "10.1.24.4",
        47,
        0,
        0,
        "1:6JFBmF1p0LABA19nAHNSi9mGLPM=",
    ),
];

const SIX: &str = "fe80::200:86ff:fe05:80da";
const XIS: &str = "fe80::260:97ff:fe07:69ea";

#[test]
fn published_vectors_agree() {
    for (src, dst, protocol, src_port, dst_port, expected) in VECTORS {
        let (from, to) = (
            src.parse().expect("an address"),
            dst.parse().expect("an address"),
        );
        let id = community_id(from, to, *protocol, *src_port, *dst_port);
        assert_eq!(id, *expected, "{protocol} {src_port} {dst_port}");
    }
}

#[test]
fn base64_pads() {
    for (bytes, expected) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
    ] {
        let mut out = String::new();
        base64(bytes.as_bytes(), &mut out);
        assert_eq!(out, expected);
    }
}
