use proptest::prelude::*;

use super::parser::Message;
use crate::protocol::Transport;
use crate::protocol::checks::{client, field, hex, only, play, server, survives_mutation};
use crate::protocol::replay::fuzz;

/// A message with these options; `file` is the boot file area, padded with zeros.
fn message(operation: u8, own: &str, given: &str, file: &str, options: &str) -> Vec<u8> {
    let mut out = vec![operation, 1, 6, 0];
    out.extend(hex("12345678 0000 8000"));
    out.extend(hex(own));
    out.extend(hex(given));
    out.extend(hex("00000000 0a140001"));
    out.extend(hex("0004f2aabbcc"));
    out.extend([0; 10 + 64]);
    let mut area = hex(file);
    area.resize(128, 0);
    out.extend(area);
    out.extend(hex("63825363"));
    out.extend(hex(options));
    out
}

fn discover() -> Vec<u8> {
    message(
        1,
        "00000000",
        "00000000",
        "",
        "350101 0c05 5043303031 3c04 4d534654 3704 01030f06 3204 0a140a05 ff",
    )
}

#[test]
fn a_discover_tells_who_asks() {
    let out = play(Transport::Udp, 67, &[client(&discover())]);
    assert_eq!(out.name, Some("dhcp"));
    let draft = &out.drafts[0];
    assert_eq!(draft.activity, 1);
    assert_eq!(field(draft, "dhcp_xid"), "12345678");
    assert_eq!(field(draft, "client_mac"), "00:04:f2:aa:bb:cc");
    assert_eq!(field(draft, "host_name"), "PC001");
    assert_eq!(field(draft, "vendor_class"), "MSFT");
    assert_eq!(field(draft, "dhcp_parameters"), "1,3,15,6");
    assert_eq!(field(draft, "requested_ip"), "10.20.10.5");
    assert_eq!(field(draft, "dhcp_relay"), "10.20.0.1");
}

#[test]
fn an_acknowledgement_gives_an_address() {
    let ack = message(
        2,
        "00000000",
        "0a140a05",
        "",
        "350105 3304 00000e10 3604 0a140035 0304 0a140001 0608 0a140035 0a140036 0f03 636875 ff",
    );
    let out = play(Transport::Udp, 67, &[client(&discover()), server(&ack)]);
    assert_eq!(out.drafts.len(), 2);
    let draft = &out.drafts[1];
    assert_eq!((draft.activity, draft.status), (5, 1));
    assert_eq!(field(draft, "lease_s"), "3600");
    assert_eq!(field(draft, "client_ip"), "10.20.10.5");
    assert_eq!(field(draft, "routers"), "10.20.0.1");
    assert_eq!(field(draft, "name_servers"), "10.20.0.53,10.20.0.54");
    assert_eq!(field(draft, "domain"), "chu");
}

#[test]
fn options_go_on_in_other_areas() {
    let split = message(
        1,
        "0a140a05",
        "00000000",
        "0c02 4142 ff",
        "340101 350103 0c01 5a ff",
    );
    let out = play(Transport::Udp, 67, &[client(&split)]);
    assert_eq!(field(&out.drafts[0], "host_name"), "ZAB");
    assert_eq!(field(&out.drafts[0], "dhcp_renewal"), "true");
    assert_eq!(field(&out.drafts[0], "client_ip"), "10.20.10.5");
}

#[test]
fn full_names_have_two_encodings() {
    let of = |option: &str| {
        let options = format!("350101 {option} ff");
        let bytes = message(1, "00000000", "00000000", "", &options);
        Message::parse(&bytes).unwrap().full_name()
    };
    assert_eq!(of("5106 000000 706331").as_deref(), Some("pc1"));
    assert_eq!(of("5109 040000 03706331 0161").as_deref(), Some("pc1.a"));
    assert_eq!(of("5103 000000"), None);
}

#[test]
fn a_cut_option_keeps_those_before() {
    let cut = message(1, "00000000", "00000000", "", "350101 0c05 5043");
    let out = play(Transport::Udp, 67, &[client(&cut)]);
    assert_eq!(out.drafts[0].activity, 1);
    assert_eq!(field(&out.drafts[0], "anomalies"), "dhcp-option-truncated");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("dhcp"), &bytes);
        let mut options = message(1, "00000000", "00000000", "", "");
        options.extend(&bytes);
        let out = play(Transport::Udp, 67, &[client(&options)]);
        prop_assert_eq!(out.drafts.len(), 1);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        survives_mutation("dhcp", Transport::Udp, &discover(), seed);
    }
}
