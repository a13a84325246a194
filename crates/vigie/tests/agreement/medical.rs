//! DICOM and HL7 facts of tshark, from its packet description in XML: its DICOM commands have no
//! field names, and several messages may end in one frame.
//!
//! Enters: PDML. Leaves: facts. Refuses: nothing. Source: DICOM PS3.7 annex E; HL7 v2.5.1.

use std::collections::BTreeMap;
use std::path::Path;

use super::facts::{Facts, flow};
use super::tshark::run;

/// Reads a capture.
pub(crate) fn read(capture: &Path) -> Facts {
    let arguments = ["-Y", "dicom || hl7", "-T", "pdml", "-J", "dicom hl7"];
    let mut reading = Reading::default();
    run(capture, &arguments, |line| reading.line(line.trim_start()));
    reading.facts
}

#[derive(Default)]
struct Reading {
    facts: Facts,
    addresses: (String, String),
    ports: (String, String),
    /// The DIMSE command being read, by element.
    command: BTreeMap<(u16, u16), Vec<u8>>,
    calling: Option<String>,
    called: Option<String>,
    request: bool,
    /// Class of each request, by flow, requestor and message.
    asked: BTreeMap<(String, String, u16), u16>,
    /// Segments of the HL7 message being read.
    segments: Vec<String>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        if line.starts_with("<proto ") || line.starts_with("</packet") {
            self.message_ends();
            self.command_ends();
        }
        match attribute(line, "name").as_deref() {
            Some("ip" | "ipv6") => self.addresses = ends(line, "Src: ", "Dst: "),
            Some("tcp") => self.ports = ends(line, "Src Port: ", "Dst Port: "),
            Some("dicom.pdu.type") => {
                self.request = attribute(line, "show").as_deref() == Some("0x01");
                self.command_ends();
            }
            Some("dicom.pdv.len") => self.command_ends(),
            Some("dicom.assoc.ae.calling") => self.calling = attribute(line, "show"),
            Some("dicom.assoc.ae.called") => self.called = attribute(line, "show"),
            Some("hl7.segment") => self.segments.extend(attribute(line, "show")),
            Some("") => self.element(line),
            _ => {}
        }
        if let (Some(calling), Some(called)) = (&self.calling, &self.called) {
            if self.request {
                let value = format!("{} > {}", calling.trim(), called.trim());
                self.facts.say("dicom", "associate", &self.flow(), value);
            }
            (self.calling, self.called) = (None, None);
        }
    }

    fn flow(&self) -> String {
        let (src, dst) = (&self.addresses, &self.ports);
        flow("tcp", (&src.0, &dst.0), (&src.1, &dst.1))
    }

    /// Keeps an element of group 0000: four octets of tag, four of length, little endian.
    fn element(&mut self, line: &str) {
        let show = attribute(line, "show").unwrap_or_default();
        let Some(hex) = attribute(line, "value").filter(|_| show.starts_with("(0000,")) else {
            return;
        };
        let octets: Vec<u8> = (0..hex.len() / 2)
            .filter_map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        if let [a, b, c, d, _, _, _, _, value @ ..] = octets.as_slice() {
            let tag = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
            self.command.insert(tag, value.to_vec());
        }
    }

    fn command_ends(&mut self) {
        let command = std::mem::take(&mut self.command);
        let number = |element: u16| match command.get(&(0, element)).map(Vec::as_slice) {
            Some([low, high, ..]) => Some(u16::from_le_bytes([*low, *high])),
            _ => None,
        };
        let Some(field) = number(0x0100) else { return };
        let flow = self.flow();
        if field & 0x8000 == 0 {
            let message = number(0x0110).unwrap_or_default();
            let class = [0x0002, 0x0003]
                .iter()
                .find_map(|at| command.get(&(0, *at)));
            let class = class.map(|uid| String::from_utf8_lossy(uid).into_owned());
            let class = class.unwrap_or_default();
            let class = class.trim_end_matches(['\0', ' ']);
            if let Some(name) = operation(field) {
                self.facts
                    .say("dicom", "operation", &flow, format!("{name} {class}"));
                let key = (flow, self.ports.0.clone(), message);
                self.asked.insert(key, field);
            }
            return;
        }
        let message = number(0x0120).unwrap_or_default();
        let status = number(0x0900).unwrap_or_default();
        // Pending answers are not the last one.
        if matches!(status, 0xff00 | 0xff01) {
            return;
        }
        let key = (flow.clone(), self.ports.1.clone(), message);
        if let Some(name) = self.asked.remove(&key).and_then(operation) {
            self.facts
                .say("dicom", "status", &flow, format!("{name} 0x{status:04x}"));
        }
    }

    fn message_ends(&mut self) {
        let segments = std::mem::take(&mut self.segments);
        let field = |name: &str, number: usize| {
            let segment = segments.iter().find(|s| s.starts_with(name))?;
            Some(segment.split('|').nth(number)?.trim().to_owned())
        };
        let Some(kind) = field("MSH", 8) else { return };
        let flow = self.flow();
        if let (Some(code), Some(control)) = (field("MSA", 1), field("MSA", 2)) {
            self.facts
                .say("hl7", "ack", &flow, format!("{control} {code}"));
            return;
        }
        // The first separator is field 1 of MSH, so the text's field n - 1 is field n.
        let at = |number: usize| field("MSH", number - 1).unwrap_or_default();
        let mut parts = kind.split('^');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let message = format!(
            "{}|{}|{}|{} {}^{} {}",
            at(3),
            at(4),
            at(5),
            at(6),
            part(),
            part(),
            at(10)
        );
        self.facts.say("hl7", "message", &flow, message);
    }
}

/// The name of a request's command field, PS3.7 annex E.
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

/// An attribute of an XML tag.
fn attribute(line: &str, name: &str) -> Option<String> {
    let start = line.find(&format!(" {name}=\""))? + name.len() + 3;
    let rest = line.get(start..)?;
    let value = rest.get(..rest.find('"')?)?;
    Some(
        value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#x27;", "'")
            .replace("&amp;", "&"),
    )
}

/// Two values of a protocol's title line.
fn ends(line: &str, from: &str, to: &str) -> (String, String) {
    let title = attribute(line, "showname").unwrap_or_default();
    let after = |mark: &str| {
        let rest = title.split(mark).nth(1).unwrap_or_default();
        let end = rest.find([',', ' ']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    };
    (after(from), after(to))
}
