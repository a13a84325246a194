//! System status lists: what a controller says of itself.
//!
//! Enters: an answer's data. Leaves: facts. Refuses: lists other than module (0x11) and component
//! (0x1c) identification. Source: Siemens, "System Software for S7-300/400, System and Standard
//! Functions", chapter on SSL.

use codec::bytes::Reader;

/// Most records of a list that are looked at.
const RECORDS_MAX: usize = 64;

/// Number and index of a list, with its records.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    pub(super) id: u16,
    pub(super) index: u16,
    record_bytes: usize,
    records: &'a [u8],
}

impl<'a> List<'a> {
    /// Reads a request's or an answer's data, after its four octets of header.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let id = reader.u16_be()?;
        let index = reader.u16_be()?;
        let record_bytes = usize::from(reader.u16_be().unwrap_or(0));
        let _count = reader.u16_be();
        Some(Self {
            id,
            index,
            record_bytes,
            records: reader.rest(),
        })
    }

    /// What the list says, as keys of facts and values.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        if self.record_bytes == 0 {
            return out;
        }
        for record in self.records.chunks(self.record_bytes).take(RECORDS_MAX) {
            let mut reader = Reader::new(record);
            let Some(index) = reader.u16_be() else {
                break;
            };
            // The upper octet of the number selects an extract of the same list.
            match self.id & 0x00ff {
                0x11 => module(index, &mut reader, &mut out),
                0x1c => component(index, reader.rest(), &mut out),
                _ => {}
            }
        }
        out
    }
}

/// Order number and versions.
fn module(index: u16, reader: &mut Reader<'_>, out: &mut Vec<(&'static str, String)>) {
    let Some(order) = reader.take(20).map(words) else {
        return;
    };
    let _kind = reader.u16_be();
    let version = reader.array::<4>();
    if index == 1 && !order.is_empty() {
        out.push(("order_number", order));
    }
    match (index, version) {
        (7, Some([b'V', major, minor, patch])) => {
            out.push(("firmware", format!("{major}.{minor}.{patch}")));
        }
        (1 | 6, Some([0, hardware, ..])) if index == 1 && hardware > 0 => {
            out.push(("hardware_version", hardware.to_string()));
        }
        _ => {}
    }
}

/// Names and serial numbers.
fn component(index: u16, text: &[u8], out: &mut Vec<(&'static str, String)>) {
    let key = match index {
        1 => "system_name",
        2 => "module_name",
        3 => "plant",
        4 => "copyright",
        5 => "serial",
        7 => "model",
        8 => "memory_card_serial",
        11 => "location",
        _ => return,
    };
    let text = words(text.get(..32).unwrap_or(text));
    if !text.is_empty() {
        out.push((key, text));
    }
}

/// Printable text before the first NUL.
fn words(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let text: String = String::from_utf8_lossy(text)
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    text.trim().to_owned()
}
