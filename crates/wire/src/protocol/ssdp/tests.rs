use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{client, field, only, play, survives_mutation};
use crate::protocol::replay::fuzz;

const NOTIFY: &[u8] = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\n\
SERVER: Linux/5 UPnP/1.0 Printer/2\r\nLOCATION: http://10.0.0.7:80/d.xml\r\n\
NT: urn:schemas-upnp-org:device:Printer:1\r\n\
USN: uuid:abc-1::urn:schemas-upnp-org:device:Printer:1\r\n\r\n";
const ROOT: &[u8] = b"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:byebye\r\n\r\n";

#[test]
fn announcements_are_summed() {
    let out = play(
        Transport::Udp,
        1900,
        &[client(NOTIFY), client(ROOT), client(NOTIFY)],
    );
    assert_eq!(out.name, Some("ssdp"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!(field(draft, "operation"), "notify");
    assert_eq!(field(draft, "object_count"), "3");
    assert_eq!(
        field(draft, "facts"),
        "ssdp.device=abc-1,ssdp.leaving=1,ssdp.location=http://10.0.0.7:80/d.xml,\
         ssdp.server=Linux/5 UPnP/1.0 Printer/2,ssdp.type=upnp:rootdevice,\
         ssdp.type=urn:schemas-upnp-org:device:Printer:1"
    );
}

#[test]
fn searches_and_answers_are_told() {
    let search = b"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n";
    let out = play(Transport::Udp, 1900, &[client(search)]);
    assert_eq!(field(&out.drafts[0], "operation"), "search");
    let answer = b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: x\r\n\r\n";
    let out = play(Transport::Udp, 50_001, &[client(answer)]);
    assert_eq!(field(&out.drafts[0], "operation"), "response");
    assert_eq!(
        field(&out.drafts[0], "facts"),
        "ssdp.server=x,ssdp.type=upnp:rootdevice"
    );
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("ssdp"), &bytes);
        let all = [NOTIFY, &bytes].concat();
        let _ = play(Transport::Udp, 1900, &[client(&all)]);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        survives_mutation("ssdp", Transport::Udp, NOTIFY, seed);
    }
}
