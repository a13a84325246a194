use proptest::prelude::*;

use crate::protocol::checks::{
    client, facts, hex, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::{Outcome, Piece, fuzz, run};
use crate::protocol::{REGISTRY, Transport};

fn tcp(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Tcp, 502, pieces)
}

#[test]
fn what_repeats_is_summed() {
    let ask = hex("0001 0000 0006 01 03 0064 000a");
    let says = hex("0001 0000 0005 01 03 02 0001");
    let mut pieces = Vec::new();
    for _ in 0..100 {
        pieces.extend([client(&ask), server(&says)]);
    }
    let out = run(
        REGISTRY,
        Transport::Tcp,
        (50_000, 502),
        1_000_000_000,
        &pieces,
    );
    assert_eq!(out.name, Some("modbus"));
    // The first at once, then one a minute, then the rest at the end.
    assert_eq!(out.drafts.len(), 5);
    let requests = |draft| {
        let said = facts(draft);
        let (_, count) = said.split_once("modbus.requests=").unwrap();
        count.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(out.drafts.iter().map(requests).sum::<u64>(), 100);
    assert_eq!(
        facts(&out.drafts[0]),
        "activity=6 status=1 about=modbus operation=read_holding_registers object_count=10 \
         facts=modbus.access=read,modbus.answers=1,modbus.function=3,modbus.read_first=100,\
         modbus.read_last=109,modbus.read_quantity=10,modbus.requests=1,modbus.unit=1"
    );
}

#[test]
fn refusals_are_told_apart() {
    let ask = hex("0002 0000 000b 05 10 0010 0002 04 00010002");
    let no = hex("0002 0000 0003 05 90 02");
    let out = tcp(&[client(&ask), server(&no)]);
    let said = facts(&out.drafts[0]);
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(
        out.drafts[0].status_code.as_deref(),
        Some("illegal_data_address")
    );
    assert!(
        said.contains("modbus.exception=illegal_data_address"),
        "{said}"
    );
    assert!(said.contains("modbus.write_first=16"), "{said}");
    assert!(said.contains("modbus.write_last=17"), "{said}");
}

#[test]
fn a_device_tells_what_it_is_once() {
    let ask = hex("0003 0000 0005 ff 2b 0e 01 00");
    // "ACME" "PX1" "V2.1", as pymodbus answers.
    let says =
        hex("0003 0000 0019 ff 2b 0e 01 81 00 00 03 00 04 41434d45 01 03 505831 02 04 56322e31");
    let out = tcp(&[client(&ask), server(&says), client(&ask), server(&says)]);
    let told: Vec<String> = out.drafts.iter().map(facts).collect();
    let identity: Vec<&String> = told
        .iter()
        .filter(|said| said.contains("operation=device_identification"))
        .collect();
    assert_eq!(identity.len(), 1, "{told:?}");
    assert_eq!(
        identity[0],
        "activity=6 status=1 about=modbus operation=device_identification object_count=3 \
         facts=modbus.firmware=V2.1,modbus.function=43,modbus.product_code=PX1,modbus.unit=255,\
         modbus.vendor=ACME"
    );
}

#[test]
fn the_rest_after_a_gap_is_read_and_the_port_is_only_a_hint() {
    let ask = hex("0001 0000 0006 01 03 0064 000a");
    let says = hex("0001 0000 0005 01 03 02 0001");
    let out = play(Transport::Tcp, 5020, &[client(&ask), server(&says)]);
    assert_eq!(out.name, Some("modbus"));
    for other in ["16030100 00 06 0103", "0001 0000 0006 01 63 00640005"] {
        let out = play(Transport::Tcp, 5020, &[client(&hex(other))]);
        assert_ne!(out.name, Some("modbus"), "{other}");
    }
    let lost = [
        client(&ask),
        server(&says),
        Piece::Gap(crate::protocol::Side::Server, 11),
        client(&ask),
        client(&ask),
        server(&says),
    ];
    let out = tcp(&lost);
    assert_eq!(out.anomalies, ["modbus-gap"]);
}

#[test]
fn any_split_gives_the_same() {
    let ask = hex("0001 0000 0006 01 03 0064 000a 0002 0000 0006 01 05 0001 ff00");
    let says = hex("0001 0000 0005 01 03 02 0001 0002 0000 0006 01 05 0001 ff00");
    for step in 1..20 {
        split_gives_the_same(only("modbus"), 502, &[client(&ask), server(&says)], step);
    }
}

#[test]
fn memory_is_bounded() {
    let mut all = Vec::new();
    for number in 0..60_000_u16 {
        let [high, low] = number.to_be_bytes();
        all.extend([high, low, 0, 0, 0, 6, high, 3, 0, 0, 0, 1]);
    }
    let out = tcp(&[client(&all)]);
    assert!(out.heap_bytes_max < 64 * 1024, "{}", out.heap_bytes_max);
    assert!(out.anomalies.contains(&"tally-groups-limit"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("modbus"), &bytes);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        let good = hex("0001 0000 0006 01 03 0064 000a 0003 0000 0005 ff 2b 0e 01 00");
        survives_mutation("modbus", Transport::Tcp, &good, seed);
    }
}
