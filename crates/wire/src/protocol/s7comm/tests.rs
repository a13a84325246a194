use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, hex, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Outcome, Piece, fuzz};

const CONNECT: &str = "03000016 11e00000000100 c1020100 c2020102 c0010a";
const CONFIRM: &str = "03000016 11d00001000100 c0010a c1020100 c2020102";
const SETUP: &str = "03000019 02f080 32010000 0000 0008 0000 f0000001000101e0";
const SETUP_ACK: &str = "0300001b 02f080 32030000 0000 0008 0000 0000 f000000100010 0f0";

fn tcp(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 102, pieces)
}

/// A TPKT around an S7 message.
fn message(body: &str) -> Vec<u8> {
    let body = hex(body);
    let mut out = vec![3, 0];
    out.extend(u16::try_from(body.len() + 7).unwrap().to_be_bytes());
    out.extend([2, 0xf0, 0x80]);
    out.extend(body);
    out
}

fn opening() -> [Vec<u8>; 4] {
    [hex(CONNECT), hex(CONFIRM), hex(SETUP), hex(SETUP_ACK)]
}

#[test]
fn a_connection_names_rack_and_slot() {
    let [connect, confirm, setup, ack] = opening();
    let pieces = [
        client(&connect),
        server(&confirm),
        client(&setup),
        server(&ack),
    ];
    let out = tcp(&pieces);
    assert_eq!(out.name, Some("s7comm"));
    assert_eq!(
        facts(&out.drafts[0]),
        "activity=6 status=1 about=s7comm operation=setup_communication \
         facts=s7comm.connection_type=pg,s7comm.destination_tsap=0102,s7comm.pdu_length=240,\
         s7comm.rack=0,s7comm.slot=2,s7comm.source_tsap=0100"
    );
    for step in 1..30 {
        split_gives_the_same(only("s7comm"), 102, &pieces, step);
    }
}

#[test]
fn reads_and_writes_are_summed_by_area() {
    let read = message("32010000 0005 000e 0000 04 01 12 0a 10 02 0010 0001 84 000020");
    let says = message("32030000 0005 0002 0005 0000 04 01 ff 04 0008 01");
    let refused = message("32030000 0005 0000 0000 8104");
    let out = tcp(&[client(&read), server(&says), client(&read), server(&says)]);
    assert_eq!(out.drafts.len(), 2);
    assert_eq!(
        facts(&out.drafts[0]),
        "activity=6 status=1 about=s7comm operation=read_var object_count=1 \
         facts=s7comm.answers=1,s7comm.area=data_block,s7comm.db=1,s7comm.first_byte=4,\
         s7comm.last_byte=19,s7comm.requests=1"
    );
    let out = tcp(&[client(&read), server(&refused)]);
    assert_eq!(out.drafts[0].status, 2);
    assert!(facts(&out.drafts[0]).contains("s7comm.error=0x8104"));
}

#[test]
fn stops_starts_and_downloads_are_told_one_by_one() {
    let stop = message("32010000 0009 0010 0000 29 0000000000 09 505f50524f4752414d");
    let stopped = message("32030000 0009 0001 0000 0000 29");
    let start = message("32010000 000a 0014 0000 28 000000000000fd 0000 09 505f50524f4752414d");
    let down = message("32010000 000b 0012 0000 1a 00 0100 00000000 09 5f30413030303031 50");
    let out = tcp(&[
        client(&stop),
        server(&stopped),
        client(&start),
        client(&down),
    ]);
    let said: Vec<String> = out.drafts.iter().map(facts).collect();
    assert_eq!(said.len(), 3);
    assert_eq!(
        said[0],
        "activity=6 status=1 about=s7comm operation=plc_stop"
    );
    assert!(said[1].contains("operation=plc_control facts=s7comm.action=hot_start"));
    assert!(
        said[2].contains("operation=request_download facts=s7comm.block=DB1"),
        "{said:?}"
    );
}

#[test]
fn a_controller_says_what_it_is() {
    let ask = message("32070000 0300 0008 0008 000112 04 11 44 01 00 ff 09 0004 0011 0001");
    let order: String = b"6ES7 315-2EH14-0AB0 "
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let says = message(&format!(
        "32070000 0300 000c 0044 000112 08 12 84 01 02 00 00 0000 ff 09 0040 \
         0011 0001 001c 0002 0001 {order} 00c0 0004 0001 0007 {order} 00c0 5603 0206"
    ));
    let out = tcp(&[client(&ask), server(&says), client(&ask), server(&says)]);
    let said: Vec<String> = out.drafts.iter().map(facts).collect();
    let identity: Vec<&String> = said
        .iter()
        .filter(|said| said.contains("operation=identification"))
        .collect();
    assert_eq!(identity.len(), 1, "{said:?}");
    assert!(identity[0].contains("s7comm.firmware=3.2.6"), "{said:?}");
    assert!(
        identity[0].contains("s7comm.order_number=6ES7 315-2EH14-0AB0"),
        "{said:?}"
    );
    assert!(said[0].contains("operation=read_szl"), "{said:?}");
    assert!(said[0].contains("s7comm.szl=0x0011"), "{said:?}");
}

#[test]
fn an_answer_in_several_units_is_one_list() {
    let ask = message("32070000 0300 0008 0008 000112 04 11 44 01 00 ff 09 0004 001c 0000");
    let name: String = format!("{:<32}", "SAAP7-SERVER")
        .bytes()
        .map(|b| format!("{b:02x}"))
        .collect();
    let serial: String = format!("{:<32}", "S C-1UVS")
        .bytes()
        .map(|b| format!("{b:02x}"))
        .collect();
    let first = message(&format!(
        "32070000 0300 000c 002e 000112 08 12 84 01 02 05 01 0000 ff 09 002a \
         001c 0000 0022 0002 0001 {name}"
    ));
    let more = message("32070000 0400 000c 0004 000112 08 12 44 01 02 05 00 0000 0a 00 0000");
    let rest = message(&format!(
        "32070000 0400 000c 0026 000112 08 12 84 01 03 05 00 0000 ff 09 0022 0005 {serial}"
    ));
    let out = tcp(&[client(&ask), server(&first), client(&more), server(&rest)]);
    let said: Vec<String> = out.drafts.iter().map(facts).collect();
    assert!(
        said.iter().any(|said| {
            said.contains("s7comm.serial=S C-1UVS")
                && said.contains("s7comm.system_name=SAAP7-SERVER")
        }),
        "{said:?}"
    );
}

#[test]
fn others_on_the_same_transport_are_left_alone() {
    // A connection request of RDP: a cookie, no selectors.
    let rdp = hex(
        "0300002c 27e00000000000 436f6f6b69653a206d737473686173683d757365720d0a 0100080003000000",
    );
    assert_ne!(tcp(&[client(&rdp)]).name, Some("s7comm"));
    let mms = hex("03000010 02f080 0d0b0506130100160102");
    let [connect, confirm, ..] = opening();
    let out = tcp(&[client(&connect), server(&confirm), client(&mms)]);
    assert!(
        out.drafts.is_empty(),
        "another protocol on the same transport"
    );
    let plus = hex("0300000c 02f080 7201000000");
    let out = tcp(&[client(&connect), server(&confirm), client(&plus)]);
    assert!(facts(&out.drafts[0]).contains("s7comm.variant=s7comm-plus"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("s7comm"), &bytes);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        let read = message("32010000 0005 000e 0000 04 01 12 0a 10 02 0010 0001 84 000020");
        let ask = message("32070000 0300 0008 0008 000112 04 11 44 01 00 ff 09 0004 0011 0001");
        survives_mutation("s7comm", Transport::Tcp, &[hex(CONNECT), read, ask].concat(), seed);
    }
}
