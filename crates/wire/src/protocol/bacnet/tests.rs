use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{client, facts, hex, only, play, server, survives_mutation};
use crate::protocol::replay::{Outcome, Piece, fuzz};

fn udp(pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Udp, 47_808, pieces)
}

/// A datagram that carries a message.
fn unicast(apdu: &str) -> Vec<u8> {
    let apdu = hex(apdu);
    let mut out = vec![0x81, 0x0a];
    out.extend(u16::try_from(apdu.len() + 6).unwrap().to_be_bytes());
    out.extend([1, 4]);
    out.extend(apdu);
    out
}

fn text(text: &str) -> String {
    let octets: String = text.bytes().map(|octet| format!("{octet:02x}")).collect();
    format!("75 {:02x} 00 {octets}", text.len() + 1)
}

#[test]
fn a_device_announces_itself_once() {
    let i_am = unicast("10 00 c4 020003e9 22 05c4 91 03 21 05");
    let out = udp(&[client(&i_am), client(&i_am), client(&i_am)]);
    assert_eq!(out.name, Some("bacnet"));
    assert_eq!(out.drafts.len(), 3);
    assert_eq!(
        facts(&out.drafts[0]),
        "activity=6 status=1 about=bacnet operation=i_am object_count=1 \
         facts=bacnet.apdu_max=1476,bacnet.device=client,bacnet.device_instance=1001,\
         bacnet.segmentation=none,bacnet.vendor=Johnson Controls,bacnet.vendor_id=5"
    );
}

#[test]
fn properties_are_summed_and_devices_described() {
    let ask = unicast("00 05 07 0c 0c 020003e9 19 46");
    let says = unicast(&format!(
        "30 07 0c 0c 020003e9 19 46 3e {} 3f",
        text("PXC4-E16")
    ));
    let out = udp(&[client(&ask), server(&says), client(&ask), server(&says)]);
    let said: Vec<String> = out.drafts.iter().map(facts).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0].contains("operation=read_property object_count=1"),
        "{said:?}"
    );
    assert!(said[0].contains("bacnet.object_type=device"), "{said:?}");
    assert!(said[0].contains("bacnet.property=model_name"), "{said:?}");
    assert_eq!(
        said[1],
        "activity=6 status=1 about=bacnet operation=identification object_count=1 \
         facts=bacnet.device=server,bacnet.device_instance=1001,bacnet.model=PXC4-E16"
    );
}

#[test]
fn several_properties_at_once() {
    let ask = unicast("00 05 08 0e 0c 020003e9 1e 09 79 09 2c 1f 0c 00000001 1e 09 55 1f");
    let says = unicast(&format!(
        "30 08 0e 0c 020003e9 1e 29 79 4e {} 4f 29 2c 4e {} 4f 1f \
         0c 00000001 1e 29 55 5e 91 02 91 20 5f 1f",
        text("ACME"),
        text("1.2.3")
    ));
    let out = udp(&[client(&ask), server(&says)]);
    let said: Vec<String> = out.drafts.iter().map(facts).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    let identity = said.last().unwrap();
    assert!(identity.contains("bacnet.firmware=1.2.3"), "{said:?}");
    assert!(identity.contains("bacnet.vendor=ACME"), "{said:?}");
}

#[test]
fn refusals_and_commands_are_told() {
    let write = unicast("00 05 09 0f 0c 00400001 19 55 3e 44 41a00000 3f 49 08");
    let no = unicast("50 09 0f 91 02 91 28");
    let out = udp(&[client(&write), server(&no)]);
    let said = facts(&out.drafts[0]);
    assert_eq!(out.drafts[0].status, 2);
    assert!(said.contains("operation=write_property"), "{said}");
    assert!(
        said.contains("bacnet.error=property/write_access_denied"),
        "{said}"
    );
    assert!(said.contains("bacnet.object_type=analog_output"), "{said}");
    let restart = unicast("00 05 0a 14 09 00 1d 05 00 736563 72");
    let done = unicast("20 0a 14");
    let out = udp(&[client(&restart), server(&done)]);
    let said = facts(&out.drafts[0]);
    assert!(said.contains("operation=reinitialize_device"), "{said}");
    assert!(said.contains("bacnet.password=true"), "{said}");
    assert!(said.contains("bacnet.restart=coldstart"), "{said}");
    assert!(!said.contains("secr"), "{said}");
    let foreign = hex("8105 0006 003c");
    let out = udp(&[client(&foreign), server(&hex("8100 0006 0000"))]);
    assert!(facts(&out.drafts[0]).contains("operation=register_foreign_device"));
    assert!(facts(&out.drafts[0]).contains("bacnet.ttl_seconds=60"));
}

#[test]
fn others_are_not_taken() {
    for other in ["8101", "810b 0004 01", "810b 0006 02 00", "820a 0006 0100"] {
        assert_ne!(udp(&[client(&hex(other))]).name, Some("bacnet"), "{other}");
    }
}

#[test]
fn memory_is_bounded() {
    let mut all = Vec::new();
    for number in 0..60_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        all.push(unicast(&format!(
            "10 00 c4 02{a:02x}{b:02x}{c:02x} 22 05c4 91 03 21 05"
        )));
        all.push(unicast(&format!(
            "00 05 {c:02x} 0c 0c 00{a:02x}{b:02x}{c:02x} 1a {b:02x}{c:02x}"
        )));
    }
    let pieces: Vec<Piece<'_>> = all.iter().map(|one| client(one)).collect();
    let out = udp(&pieces);
    assert!(out.heap_bytes_max < 64 * 1024, "{}", out.heap_bytes_max);
    assert!(out.anomalies.contains(&"bacnet-devices-limit"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("bacnet"), &bytes);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        let good = unicast("00 05 08 0e 0c 020003e9 1e 09 79 09 2c 1f 0c 00000001 1e 09 55 1f");
        survives_mutation("bacnet", Transport::Udp, &good, seed);
    }
}
