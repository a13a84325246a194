use proptest::prelude::*;

use super::parser::Message;
use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{fuzz, run};

const OLD: &[u8] = b"<11>Nov 23 10:00:00 pump7 infuser[12]: patient x\n";
const NEW: &[u8] = b"<165>1 2026-11-23T10:00:00Z gw.chu.example evntslog - ID47 - text\n";

#[test]
fn a_flow_is_summed() {
    let out = play(Transport::Udp, 514, &[client(OLD), client(NEW)]);
    assert_eq!(out.name, Some("syslog"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!(field(draft, "object_count"), "2");
    assert_eq!(
        field(draft, "facts"),
        "syslog.errors=1,syslog.facilities=2,syslog.format=rfc5424,\
         syslog.host=gw.chu.example,syslog.host=pump7,syslog.program=evntslog,\
         syslog.program=infuser,syslog.warnings=0,syslog.worst_severity=error"
    );
    assert!(!facts(draft).contains("patient"));
}

#[test]
fn long_flows_are_told_from_time_to_time() {
    let pieces = [client(OLD), client(OLD), client(OLD)];
    let registry = only("syslog");
    let out = run(
        registry,
        Transport::Udp,
        (5000, 514),
        200_000_000_000,
        &pieces,
    );
    assert_eq!(out.drafts.len(), 2);
}

#[test]
fn the_host_may_be_left_out() {
    let found = Message::parse(b"<30>Oct  9 22:33:20 dnsmasq[1]: started").unwrap();
    assert_eq!(found.host, None);
    assert_eq!(found.program, Some(&b"dnsmasq"[..]));
    let bare = Message::parse(b"<0>x").unwrap();
    assert_eq!((bare.facility, bare.severity, bare.host), (0, 0, None));
    assert_eq!(Message::parse(b"<192>x"), None);
}

#[test]
fn both_framings_of_a_stream_are_read() {
    let counted = [b"19 <13>1 - h p - - - a".as_slice(), b"6 <14>xy"].concat();
    for bytes in [counted.as_slice(), OLD] {
        let out = play(Transport::Tcp, 601, &[client(bytes)]);
        assert_eq!(out.name, Some("syslog"));
        assert!(!field(&out.drafts[0], "object_count").is_empty());
        for step in [1, 2, 3, 10] {
            split_gives_the_same(only("syslog"), 601, &[client(bytes)], step);
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("syslog"), &bytes);
        let _ = Message::parse(&bytes);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        survives_mutation("syslog", Transport::Udp, NEW, seed);
    }
}
