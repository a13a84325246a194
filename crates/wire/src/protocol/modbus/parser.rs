//! Messages: their header, and what a function asks for.
//!
//! Enters: bytes. Leaves: typed values. Refuses: headers that cannot be Modbus.
//! Source: MODBUS Application Protocol V1.1b3 section 6, MODBUS Messaging V1.0b section 3.1.3.

use codec::bytes::Reader;

/// Octets of a header, unit included.
pub(super) const HEADER_BYTES: usize = 7;
/// Longest that the length field may be: unit, function and 252 octets.
const LENGTH_MAX: u16 = 254;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) transaction: u16,
    /// Octets that follow the length field: the unit and the message.
    pub(super) length: u16,
    pub(super) unit: u8,
}

impl Header {
    /// Reads a header; `None` when there are too few bytes, or another protocol's.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let transaction = reader.u16_be()?;
        let protocol = reader.u16_be()?;
        let length = reader.u16_be()?;
        let unit = reader.u8()?;
        let sane = protocol == 0 && (2..=LENGTH_MAX).contains(&length);
        sane.then_some(Self {
            transaction,
            length,
            unit,
        })
    }

    /// Octets of the whole message.
    pub(super) fn total(&self) -> usize {
        usize::from(self.length) + 6
    }
}

/// True for function codes that the specification assigns.
pub(super) const fn is_public(function: u8) -> bool {
    matches!(function, 1..=8 | 11 | 12 | 15..=17 | 20..=24 | 43)
}

/// The name of a function.
pub(super) const fn name(function: u8) -> &'static str {
    match function {
        1 => "read_coils",
        2 => "read_discrete_inputs",
        3 => "read_holding_registers",
        4 => "read_input_registers",
        5 => "write_single_coil",
        6 => "write_single_register",
        7 => "read_exception_status",
        8 => "diagnostics",
        11 => "get_comm_event_counter",
        12 => "get_comm_event_log",
        15 => "write_multiple_coils",
        16 => "write_multiple_registers",
        17 => "report_server_id",
        20 => "read_file_record",
        21 => "write_file_record",
        22 => "mask_write_register",
        23 => "read_write_multiple_registers",
        24 => "read_fifo_queue",
        43 => "encapsulated_interface",
        _ => "user_defined",
    }
}

/// What a function does to the device.
pub(super) const fn access(function: u8) -> &'static str {
    match function {
        1..=4 | 20 | 24 => "read",
        5 | 6 | 15 | 16 | 21 | 22 => "write",
        23 => "read_write",
        8 | 43 | 7 | 11 | 12 | 17 => "diagnose",
        _ => "unknown",
    }
}

/// The name of an exception code.
pub(super) const fn exception(code: u8) -> &'static str {
    match code {
        1 => "illegal_function",
        2 => "illegal_data_address",
        3 => "illegal_data_value",
        4 => "server_device_failure",
        5 => "acknowledge",
        6 => "server_device_busy",
        7 => "negative_acknowledge",
        8 => "memory_parity_error",
        10 => "gateway_path_unavailable",
        11 => "gateway_target_failed",
        _ => "unknown_exception",
    }
}

/// Addresses that a request concerns: first and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u16,
    pub(super) quantity: u16,
}

/// What a request reads and writes. `message` starts after the function code.
pub(super) fn spans(function: u8, message: &[u8]) -> (Option<Span>, Option<Span>) {
    let mut reader = Reader::new(message);
    let mut pair = || {
        let first = reader.u16_be()?;
        let quantity = reader.u16_be()?;
        Some(Span { first, quantity })
    };
    let one = |span: Option<Span>| {
        span.map(|span| Span {
            quantity: 1,
            ..span
        })
    };
    match function {
        1..=4 => (pair(), None),
        5 | 6 | 22 => (None, one(pair())),
        15 | 16 => (None, pair()),
        23 => (pair(), pair()),
        _ => (None, None),
    }
}

/// Objects of an answer to "read device identification": number and text. The flag says whether
/// more follow.
pub(super) fn identification(message: &[u8]) -> Option<Vec<(u8, String)>> {
    let mut reader = Reader::new(message);
    // MEI type 14, read code, conformity level, more follows, next object, number of objects.
    if reader.u8()? != 14 {
        return None;
    }
    reader.skip(4)?;
    let count = reader.u8()?;
    let mut out = Vec::new();
    for _ in 0..count {
        let (Some(id), Some(len)) = (reader.u8(), reader.u8()) else {
            break;
        };
        let Some(value) = reader.take(usize::from(len)) else {
            break;
        };
        let text: String = String::from_utf8_lossy(value)
            .trim_matches(['\0', ' '])
            .to_owned();
        out.push((id, text));
    }
    Some(out)
}

/// The fact that an object of the identification is.
pub(super) const fn object(id: u8) -> Option<&'static str> {
    Some(match id {
        0 => "vendor",
        1 => "product_code",
        2 => "firmware",
        3 => "vendor_url",
        4 => "product_name",
        5 => "model",
        6 => "application",
        _ => return None,
    })
}
