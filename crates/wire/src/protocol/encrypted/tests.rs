use super::*;
use crate::protocol::Transport;

fn about(name: &str, alpn: &[&'static str], port: u16, quic: bool) -> String {
    let body = Network {
        about: if quic { "quic" } else { "tls" }.into(),
        tls_sni: (!name.is_empty()).then(|| name.to_owned().into()),
        tls_alpn_offered: alpn.iter().map(|&name| name.into()).collect(),
        ..Network::default()
    };
    let cx = Context {
        now: Nanos(0),
        transport: Transport::Tcp,
        client_port: 50_000,
        server_port: port,
        hosts: crate::protocol::replay::HOSTS,
        files: &mut crate::file::Files::default(),
        drafts: &mut Vec::new(),
        anomalies: &mut Vec::new(),
    };
    dns(&body, &cx).join(" ")
}

#[test]
fn encrypted_dns_is_recognised() {
    let told = |kind: &str, by: &str| format!("encrypted.dns={kind} encrypted.dns_by={by}");
    assert_eq!(about("", &["dot"], 443, false), told("dot", "alpn"));
    assert_eq!(about("", &[], 853, false), told("dot", "port"));
    assert_eq!(about("", &["doq"], 8853, true), told("doq", "alpn"));
    assert_eq!(about("", &["doq-i02"], 8853, true), told("doq", "alpn"));
    assert_eq!(about("x", &["h3"], 853, true), told("doq", "port"));
    assert_eq!(
        about("dns.google", &["h2"], 443, false),
        told("doh", "name")
    );
    assert_eq!(
        about("abc123.dns.nextdns.io", &["h2"], 443, false),
        told("doh", "name")
    );
    assert_eq!(about("notdns.google", &["h2"], 443, false), "");
    assert_eq!(about("www.example.org", &["h2"], 443, false), "");
}

#[test]
fn odd_certificates_are_told() {
    let time = Nanos(1_795_428_000_000_000_000);
    let body = |subject: &str, issuer: &str, name: &str, san: &[&'static str], days: [i64; 2]| {
        let at = |day: i64| Some(time.plus_ms(day * 86_400_000).millis());
        let body = Network {
            tls_subject: Some(subject.to_owned().into()),
            tls_issuer: Some(issuer.to_owned().into()),
            tls_sni: (!name.is_empty()).then(|| name.to_owned().into()),
            tls_san: san.iter().map(|&name| name.into()).collect(),
            tls_not_before: at(days[0]),
            tls_not_after: at(days[1]),
            ..Network::default()
        };
        certificate(&body, time)
            .join(" ")
            .replace("encrypted.certificate=", "")
    };
    let good = [-10, 10];
    assert_eq!(body("CN=a.lab", "CN=ca", "a.lab", &["A.lab"], good), "");
    assert_eq!(body("CN=x", "CN=ca", "b.lab", &["*.lab"], good), "");
    assert_eq!(body("O=lab, CN=a.lab", "CN=ca", "a.lab", &[], good), "");
    assert_eq!(body("CN=a.lab", "CN=ca", "", &[], good), "");
    assert_eq!(
        body("CN=a.lab", "CN=a.lab", "a.lab", &["a.lab"], good),
        "self_signed"
    );
    assert_eq!(
        body("CN=a.lab", "CN=ca", "a.lab", &["a.lab"], [-10, -1]),
        "expired"
    );
    assert_eq!(
        body("CN=a.lab", "CN=ca", "a.lab", &["a.lab"], [1, 10]),
        "not_yet_valid"
    );
    assert_eq!(
        body("CN=a.lab", "CN=ca", "c.b.lab", &["*.lab"], good),
        "name_mismatch"
    );
}

#[test]
fn a_profile_has_sizes_and_pauses() {
    let mut profile = Profile::default();
    let ms = |ms: i64| Nanos(0).plus_ms(ms);
    assert!(profile.record(Side::Client, 100, ms(0)));
    assert!(profile.record(Side::Server, 1400, ms(10)));
    assert!(profile.record(Side::Client, 50, ms(40)));
    let told = "encrypted.after_ms=5 encrypted.pause_ms_max=30 encrypted.pause_ms_median=30 \
        encrypted.records=3 encrypted.sizes=100 -1400 50 encrypted.span_ms=40";
    assert_eq!(profile.facts(ms(-5), ms(0)).join(" "), told);
    assert!(profile.tell(ms(0)).is_empty(), "three records are too few");
    for _ in 3..RECORDS_MAX - 1 {
        assert!(profile.record(Side::Client, 1, ms(50)));
    }
    assert!(!profile.record(Side::Client, 1, ms(50)));
    profile.record(Side::Client, 1, ms(50));
    assert_eq!(profile.records.len(), RECORDS_MAX);
}
