//! Facts about DICOM, HL7 and what runs a building.
//!
//! Enters: packets of tshark, events of ours. Leaves: facts. Refuses: nothing; pending answers of
//! DICOM are not counted. Source: DICOM PS3.7 annex E; HL7 v2.5.1; Modbus V1.1b3; ASHRAE 135.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::Facts;
use super::ours::text;
use super::pdml::{Field, Packet, Proto, all};

/// Commands of DICOM that wait for their status, by flow, sender's port and message.
#[derive(Default)]
pub(super) struct Commands(BTreeMap<(String, String, u16), &'static str>);

impl Commands {
    /// DICOM of tshark, which has no names for the elements of commands.
    pub(super) fn dicom(&mut self, proto: &Proto, packet: &Packet, facts: &mut Facts) {
        let request = proto.first("dicom.pdu.type") == "0x01";
        let names = ["calling", "called"].map(|end| {
            let field = format!("dicom.assoc.ae.{end}");
            proto.first(&field).trim().to_owned()
        });
        if request && !names[0].is_empty() {
            let said = format!("{} > {}", names[0], names[1]);
            facts.say("dicom", "associate", &packet.flow(), said);
        }
        let mut command = BTreeMap::new();
        for field in &proto.fields {
            if field.name == "dicom.pdv.len" {
                self.command(&std::mem::take(&mut command), packet, facts);
            } else if let Some((element, value)) = element(field) {
                command.insert(element, value);
            }
        }
        self.command(&command, packet, facts);
    }

    fn command(&mut self, command: &BTreeMap<u16, Vec<u8>>, packet: &Packet, facts: &mut Facts) {
        let number = |element: u16| match command.get(&element).map(Vec::as_slice) {
            Some([low, high, ..]) => Some(u16::from_le_bytes([*low, *high])),
            _ => None,
        };
        let Some(field) = number(0x0100) else { return };
        let flow = packet.flow();
        if field & 0x8000 == 0 {
            let Some(name) = operation(field) else { return };
            let class = [0x0002, 0x0003].iter().find_map(|at| command.get(at));
            let class = class.map_or(String::new(), |uid| String::from_utf8_lossy(uid).into());
            let class = class.trim_end_matches(['\0', ' ']);
            facts.say("dicom", "operation", &flow, format!("{name} {class}"));
            let message = number(0x0110).unwrap_or_default();
            self.0.insert((flow, packet.sport.clone(), message), name);
            return;
        }
        let status = number(0x0900).unwrap_or_default();
        if matches!(status, 0xff00 | 0xff01) {
            return;
        }
        let message = number(0x0120).unwrap_or_default();
        if let Some(name) = self
            .0
            .remove(&(flow.clone(), packet.dport.clone(), message))
        {
            facts.say("dicom", "status", &flow, format!("{name} 0x{status:04x}"));
        }
    }
}

/// An element of group 0000: four octets of tag, four of length, little endian.
fn element(field: &Field) -> Option<(u16, Vec<u8>)> {
    let hex = field.name.is_empty().then_some(&field.title)?;
    let octet = |at| {
        hex.get(at * 2..at * 2 + 2)
            .and_then(|two| u8::from_str_radix(two, 16).ok())
    };
    let octets: Vec<u8> = (0..hex.len() / 2).filter_map(octet).collect();
    match octets.as_slice() {
        [_, _, c, d, _, _, _, _, value @ ..] => {
            Some((u16::from_le_bytes([*c, *d]), value.to_vec()))
        }
        _ => None,
    }
}

/// The name of a request's command field.
fn operation(field: u16) -> Option<&'static str> {
    Some(match field {
        0x0001 => "C-STORE",
        0x0010 => "C-GET",
        0x0020 => "C-FIND",
        0x0021 => "C-MOVE",
        0x0030 => "C-ECHO",
        0x0100 => "N-EVENT-REPORT",
        0x0110 => "N-GET",
        0x0120 => "N-SET",
        0x0130 => "N-ACTION",
        0x0140 => "N-CREATE",
        0x0150 => "N-DELETE",
        _ => return None,
    })
}

/// A DICOM event of ours.
pub(super) fn our_dicom(event: &Value, flow: &str, facts: &mut Facts) {
    let operation = text(event, "/medical/operation");
    let status = text(event, "/medical/status");
    if operation == "ASSOCIATE" {
        let ends = ["/medical/calling_ae", "/medical/called_ae"].map(|end| text(event, end));
        facts.say("dicom", "associate", flow, ends.join(" > "));
        return;
    }
    let class = text(event, "/medical/sop_class_uid");
    // One event may stand for the many images of a series.
    let images = event["medical"]["object_count"]
        .as_u64()
        .filter(|_| operation == "C-STORE");
    let times = images.unwrap_or(1).max(1);
    facts.say_times(
        "dicom",
        "operation",
        flow,
        format!("{operation} {class}"),
        times,
    );
    if !status.is_empty() {
        facts.say_times(
            "dicom",
            "status",
            flow,
            format!("{operation} {status}"),
            times,
        );
    }
}

/// HL7 of tshark.
pub(super) fn hl7(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let segments = all(&proto.fields, "hl7.segment");
    let field = |name: &str, number: usize| {
        let segment = segments.iter().find(|segment| segment.starts_with(name))?;
        Some(segment.split('|').nth(number)?.trim().to_owned())
    };
    let Some(kind) = field("MSH", 8) else { return };
    let flow = packet.flow();
    if let (Some(code), Some(control)) = (field("MSA", 1), field("MSA", 2)) {
        facts.say("hl7", "ack", &flow, format!("{control} {code}"));
        return;
    }
    // The first separator is field 1 of MSH, so the text's field n - 1 is field n.
    let at = |number: usize| field("MSH", number - 1).unwrap_or_default();
    let mut parts = kind.split('^');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let ends = [at(3), at(4), at(5), at(6)].join("|");
    let said = format!("{ends} {}^{} {}", part(), part(), at(10));
    facts.say("hl7", "message", &flow, said);
}

/// An HL7 event of ours.
pub(super) fn our_hl7(event: &Value, flow: &str, facts: &mut Facts) {
    let field = |name: &str| text(event, &format!("/medical/{name}"));
    let control = field("control_id");
    let ends = [
        "sending_app",
        "sending_facility",
        "receiving_app",
        "receiving_facility",
    ];
    let ends = ends.map(field).join("|");
    let message = format!(
        "{ends} {}^{} {control}",
        field("message_type"),
        field("trigger")
    );
    facts.say("hl7", "message", flow, message);
    let ack = field("ack_code");
    if !ack.is_empty() {
        facts.say("hl7", "ack", flow, format!("{control} {ack}"));
    }
}

/// Modbus of tshark.
pub(super) fn modbus(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let key = if packet.dport == "502" {
        "request"
    } else {
        "answer"
    };
    for code in all(&proto.fields, "modbus.func_code") {
        facts.say("modbus", key, &packet.flow(), code);
    }
}

/// A Modbus event of ours.
pub(super) fn our_modbus(event: &Value, flow: &str, facts: &mut Facts) {
    counts("modbus", "function", event, flow, facts);
}

/// BACnet of tshark.
pub(super) fn bacnet(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let key = match proto.first("bacapp.type") {
        "0" | "1" => "request",
        "2" | "3" => "answer",
        _ => return,
    };
    let service = proto
        .fields
        .iter()
        .find(|field| field.name.ends_with("confirmed_service"));
    let Some(field) = service else { return };
    // `Service Choice: readProperty (12)`
    let name = field.title.rsplit(": ").next().unwrap_or_default();
    let name = name.split(' ').next().unwrap_or_default();
    let plain = plain(name);
    // Vigie tells of a device, not of each time it says that it is there.
    if plain != "iam" {
        facts.say("bacnet", key, &packet.flow(), plain);
    }
}

/// A name without what its writers put between the words.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// A BACnet event of ours.
pub(super) fn our_bacnet(event: &Value, flow: &str, facts: &mut Facts) {
    counts("bacnet", "operation", event, flow, facts);
}

/// Requests and answers that an event sums up.
fn counts(protocol: &'static str, named: &str, event: &Value, flow: &str, facts: &mut Facts) {
    let name = match named {
        "operation" => plain(&text(event, "/unmapped/exchange/operation")),
        other => text(event, &format!("/unmapped/{protocol}/{other}")),
    };
    for (key, counter) in [("request", "requests"), ("answer", "answers")] {
        let count = text(event, &format!("/unmapped/{protocol}/{counter}"))
            .parse()
            .unwrap_or(0);
        if count > 0 {
            facts.say_times(protocol, key, flow, name.clone(), count);
        }
    }
}
