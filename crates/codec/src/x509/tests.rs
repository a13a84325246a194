use proptest::prelude::*;

use super::*;

/// Made for this test: EC P-256, self-signed, `C=FR, O=CHU, Demo, CN=pacs.hopital.test`.
const CERTIFICATE: &str = "\
    308201ee30820194a003020102020400c0ffee300a06082a8648ce3d040302303d310b300906035504061302 \
    465231123010060355040a0c094348552c2044656d6f311a301806035504030c11706163732e686f70697461 \
    6c2e74657374301e170d3236313132333133343031385a170d3237313232383133343031385a303d310b3009 \
    06035504061302465231123010060355040a0c094348552c2044656d6f311a301806035504030c1170616373 \
    2e686f706974616c2e746573743059301306072a8648ce3d020106082a8648ce3d030107034200046078ea9e \
    3c07e2565db55bc6a1f13de48dd5076d330fc219a1b72c8dc9f24bbf726a08218e0dd78df2b2db8fe7c90437 \
    4d98d57e9ca866325dc71090bdb867f0a38181307f301d0603551d0e041604148bffe9c08d9ae9543cbf6432 \
    a1f6dca64bd8f594301f0603551d230418301680148bffe9c08d9ae9543cbf6432a1f6dca64bd8f594300f06 \
    03551d130101ff040530030101ff302c0603551d11042530238211504143532e686f706974616c2e74657374 \
    8704c000020981087840792e74657374300a06082a8648ce3d0403020348003045022100cb86d1af019ea893 \
    e5a5fe95fb0c9423dff51b16eb53701749f0d8481c09745402202450cb481358592161de4abe11dead87dadb \
    d55f673c48b1a944980d70242240";

fn der() -> Vec<u8> {
    let digits: Vec<char> = CERTIFICATE
        .chars()
        .filter(char::is_ascii_hexdigit)
        .collect();
    let octet = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

#[test]
fn a_certificate_is_summarised() {
    let found = Certificate::parse(&der()).unwrap();
    assert_eq!(found.subject, "CN=pacs.hopital.test,O=CHU\\, Demo,C=FR");
    assert_eq!(found.issuer, found.subject);
    assert_eq!(found.serial, "00c0ffee");
    assert_eq!(found.not_before, Millis(1_795_441_218_000));
    assert_eq!(found.not_after, Millis(1_830_001_218_000));
    assert_eq!(found.names, ["pacs.hopital.test", "192.0.2.9"]);
    let hash = "a45181b31928a559080b6d81a8cab8bdc0bf55b85e141ec1b0a42b12f8a167b4";
    assert_eq!(sha256(&der()), hash);
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert_eq!(Certificate::parse(b""), None);
    let der = der();
    assert_eq!(Certificate::parse(&der[..der.len() - 1]), None);
}

proptest! {
    #[test]
    fn damaged_certificates_never_panic(at in 0usize..400, octet in any::<u8>()) {
        let mut der = der();
        let at = at % der.len();
        der[at] = octet;
        let _ = Certificate::parse(&der);
    }
}
