use super::*;
use crate::protocol::Protocol;
use crate::protocol::http::Http;
use crate::protocol::logon::tests::ntlm;
use crate::protocol::replay::Piece;
use crate::protocol::replay::testing::{assert_any_split, client, describe, server, tcp};

static ONLY: &[&dyn Protocol] = &[&Http];
const REFUSED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\
    Content-Length: 0\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn encode(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: usize| char::from(DIGITS[bits & 63]);
    let mut out = String::new();
    for three in octets.chunks(3) {
        let bits = three
            .iter()
            .fold(0usize, |sum, octet| sum << 8 | usize::from(*octet));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(digit(bits >> (18 - 6 * place)));
        }
    }
    out
}

fn get(field: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: a.test\r\n{field}\r\n\r\n").into_bytes()
}

fn logins(pieces: &[Piece<'_>]) -> Vec<String> {
    let out = tcp(ONLY, 80, pieces);
    let only = |draft: &&Draft| matches!(draft.body, Body::Authentication(_));
    let drafts: Vec<Draft> = out.drafts.iter().filter(only).cloned().collect();
    describe(&drafts).lines().map(str::to_owned).collect()
}

#[test]
fn basic_is_told_once_until_its_outcome_changes() {
    let asked = get(&format!(
        "Authorization: Basic {}",
        encode(b"CHU\\adurand:s3cret:x")
    ));
    let told = logins(&[
        client(&asked),
        server(REFUSED),
        client(&asked),
        server(REFUSED),
        client(&asked),
        server(OK),
        client(&asked),
        server(OK),
    ]);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert_eq!(
        told[0],
        "1/2/401 user=<adurand> user_domain=CHU auth_protocol=Basic Authentication \
         is_cleartext=true is_remote=true logon_type_id=8 service=http mechanism=Basic \
         facts=http.host=a.test"
    );
    assert!(told[1].starts_with("1/2/401") && told[2].starts_with("1/1/200"));
    assert!(!told.concat().contains("s3cret"));
}

#[test]
fn digest_and_proxies() {
    let asked = get(
        "Proxy-Authorization: Digest realm=\"a, b\", username=\"mdupont\", uri=\"/\", \
         algorithm=MD5",
    );
    let told = logins(&[
        client(&asked),
        server(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
        client(&asked),
    ]);
    assert_eq!(
        told,
        [
            "1/2/407 user=<mdupont> auth_protocol=Digest is_cleartext=false is_remote=true \
             logon_type_id=3 service=http mechanism=Digest facts=http.algorithm=MD5,\
             http.host=a.test,http.proxy=true,http.realm=a, b",
            "1/0 user=<mdupont> auth_protocol=Digest is_cleartext=false is_remote=true \
             logon_type_id=3 service=http mechanism=Digest facts=http.algorithm=MD5,\
             http.host=a.test,http.proxy=true,http.realm=a, b",
        ]
    );
}

fn ntlm_conversation() -> Vec<Vec<u8>> {
    let token = |kind, fields: &[(usize, &str)]| encode(&ntlm(kind, fields));
    let challenge = token(2, &[(12, "CHU")]);
    vec![
        get(&format!("Authorization: NTLM {}", token(1, &[]))),
        format!(
            "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM {challenge}\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes(),
        get(&format!(
            "Authorization: NTLM {}",
            token(3, &[(28, "CHU"), (36, "adurand")])
        )),
        OK.to_vec(),
    ]
}

#[test]
fn ntlm_passes_over_two_exchanges() {
    let messages = ntlm_conversation();
    let pieces = [
        client(&messages[0]),
        server(&messages[1]),
        client(&messages[2]),
        server(&messages[3]),
    ];
    let told = logins(&pieces);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("1/1/200 user=<adurand> user_domain=CHU auth_protocol=NTLM"));
    assert!(
        told[0].contains("http.host=a.test,http.scheme=NTLM"),
        "{told:#?}"
    );
    assert_any_split(ONLY, 80, &pieces, &[1, 7, 30]);
}

#[test]
fn bearers_and_nonsense_are_passed_over() {
    let fields = [
        "Bearer abc",
        "Basic ====",
        "Digest username=",
        "NTLM",
        "Negotiate !",
    ];
    for field in fields {
        let asked = get(&format!("Authorization: {field}"));
        assert_eq!(logins(&[client(&asked), server(OK)]), [""; 0], "{field}");
    }
}
