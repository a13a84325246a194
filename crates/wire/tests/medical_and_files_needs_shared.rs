//! DICOM, HL7, SMB, Modbus, S7 and BACnet events of shared captures, when these are present.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "functions of a test, outside of its test functions"
)]

mod support;

use model::Event;
use model::class::Body;
use model::record::Cell;
use support::{events, shared};

fn count(events: &[Event], column: &str, value: &str) -> usize {
    let matches = |event: &&Event| {
        let fields = event.body.class().fields;
        let mut found = false;
        event.body.each(&mut |index, cell| {
            if let Cell::Text(text) = cell {
                found |= fields[index].column == column && text == value;
            }
        });
        found
    };
    events.iter().filter(matches).count()
}

#[test]
fn minihospital_needs_shared() {
    let Some(captures) = shared() else {
        return;
    };
    let (found, _) = events(&captures.join("minihospital.pcap"), None);
    assert_eq!(count(&found, "med_standard", "hl7v2"), 45);
    assert_eq!(count(&found, "ack_code", "AA"), 45);
    assert!(count(&found, "med_operation", "C-STORE") > 0);
    assert!(found.iter().any(|event| event.body.class().uid == 4006));
}

/// The sum of a counter over the events of one protocol and operation.
fn sum(events: &[Event], about: &str, operation: &str, key: &str) -> u64 {
    let mut total = 0;
    for event in events {
        let Body::Network(network) = &event.body else {
            continue;
        };
        if network.about != about || network.operation.as_deref() != Some(operation) {
            continue;
        }
        let counters = network
            .facts
            .iter()
            .filter_map(|fact| model::fact::parts(fact));
        let wanted = counters.filter(|(_, known, _)| *known == key);
        total += wanted
            .map(|(_, _, n)| n.parse::<u64>().unwrap())
            .sum::<u64>();
    }
    total
}

fn told(events: &[Event], wanted: &str) -> bool {
    let mut found = false;
    for event in events {
        if let Body::Network(network) = &event.body {
            found |= network.facts.iter().any(|fact| fact == wanted);
        }
    }
    found
}

/// Figures of tshark 4.0.17 on the same captures: requests and answers by function.
#[test]
fn building_captures_needs_shared() {
    let Some(captures) = shared() else {
        return;
    };
    let of = |name: &str| events(&captures.join(name), None).0;
    let found = of("minihospital.pcap");
    assert_eq!(
        sum(&found, "modbus", "read_holding_registers", "requests"),
        11
    );
    assert_eq!(
        sum(&found, "modbus", "write_single_register", "requests"),
        8
    );
    let found = of("zeek/modbus__modbusSmall.pcap");
    assert_eq!(sum(&found, "modbus", "read_coils", "answers"), 8);
    assert_eq!(sum(&found, "modbus", "write_multiple_coils", "answers"), 8);
    let found = of("ics/bacnet__bacnet_example.pcap");
    assert_eq!(sum(&found, "bacnet", "read_property", "requests"), 1400);
    assert_eq!(sum(&found, "bacnet", "read_property", "answers"), 1400);
    // Sent by a tool that counts its datagrams wrongly.
    assert_eq!(
        sum(&found, "bacnet", "reinitialize_device", "requests"),
        120
    );
    assert_eq!(sum(&found, "bacnet", "who_is", "requests"), 7);
    let found = of("ics/s7comm__s7ident.pcap");
    assert!(found.iter().any(|event| event.body.class().uid == 4001));
    let found = of("ics/s7comm__snap7.pcap");
    assert!(told(&found, "s7comm.vendor=Siemens"));
    assert!(count(&found, "operation", "plc_control") > 0);
    assert_eq!(count(&found, "operation", "start_upload"), 5);
}
