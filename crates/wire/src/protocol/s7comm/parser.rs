//! Frames of TPKT and COTP, and heads of S7 messages.
//!
//! Enters: bytes. Leaves: borrowed parts. Refuses: nothing but what is not there.
//! Source: RFC 1006 section 6, RFC 905 section 13 (COTP).

use codec::bytes::Reader;

/// Octets of a TPKT header.
pub(super) const TPKT_BYTES: usize = 4;
/// COTP: connection request.
pub(super) const CONNECT: u8 = 0xe0;
/// COTP: connection confirmed.
pub(super) const CONFIRM: u8 = 0xd0;
/// COTP: disconnected, also the refusal of a connection.
pub(super) const DISCONNECT: u8 = 0x80;
/// COTP: data.
pub(super) const DATA: u8 = 0xf0;
/// First octet of an S7comm message.
pub(super) const S7: u8 = 0x32;
/// First octet of an S7comm-plus message.
pub(super) const S7_PLUS: u8 = 0x72;

/// A TPKT with the COTP unit in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// Kind of unit, its upper half.
    pub(super) kind: u8,
    /// What stands in the unit's header after its kind.
    header: &'a [u8],
    /// What follows the header.
    pub(super) payload: &'a [u8],
    /// True for the last unit of a message.
    pub(super) last: bool,
}

/// What a connection request names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Selectors<'a> {
    pub(super) source: Option<&'a [u8]>,
    pub(super) destination: Option<&'a [u8]>,
}

/// Octets of the TPKT that starts here; `None` when it is none.
pub(super) fn total(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != 3 {
        return None;
    }
    reader.skip(1)?;
    let length = usize::from(reader.u16_be()?);
    // Its own header, a COTP length and a kind.
    (length >= TPKT_BYTES + 2).then_some(length)
}

impl<'a> Frame<'a> {
    /// Reads a whole TPKT.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let unit = bytes.get(TPKT_BYTES..total(bytes)?)?;
        let (length, rest) = unit.split_first()?;
        let (header, payload) = rest.split_at_checked(usize::from(*length))?;
        let (kind, header) = header.split_first()?;
        Some(Self {
            kind: kind & 0xf0,
            header,
            payload,
            last: header.first().is_none_or(|number| number & 0x80 != 0),
        })
    }

    /// The selectors of a connection request or confirmation.
    pub(super) fn selectors(&self) -> Selectors<'a> {
        let mut out = Selectors::default();
        // Destination and source reference, class.
        let mut reader = Reader::new(self.header);
        if reader.skip(5).is_none() {
            return out;
        }
        while let (Some(code), Some(length)) = (reader.u8(), reader.u8()) {
            let Some(value) = reader.take(usize::from(length)) else {
                break;
            };
            match code {
                0xc1 => out.source = Some(value),
                0xc2 => out.destination = Some(value),
                _ => {}
            }
        }
        out
    }
}

/// Kind of an S7 message: a job for the controller.
pub(super) const JOB: u8 = 1;
/// An acknowledgement without data.
pub(super) const ACK: u8 = 2;
/// The answer to a job.
pub(super) const ACK_DATA: u8 = 3;
/// Anything about the controller itself: system status, blocks, clock.
pub(super) const USERDATA: u8 = 7;

/// An S7 message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u8,
    pub(super) reference: u16,
    pub(super) parameters: &'a [u8],
    pub(super) data: &'a [u8],
    /// Class and code of an error, in answers.
    pub(super) error: u16,
}

impl<'a> Message<'a> {
    /// Reads a message; a data part that is cut is given as far as it goes.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != S7 {
            return None;
        }
        let kind = reader.u8()?;
        reader.skip(2)?;
        let reference = reader.u16_be()?;
        let parameters = usize::from(reader.u16_be()?);
        let data = usize::from(reader.u16_be()?);
        let error = match kind {
            ACK | ACK_DATA => reader.u16_be()?,
            _ => 0,
        };
        let parameters = reader.take(parameters)?;
        let rest = reader.rest();
        Some(Self {
            kind,
            reference,
            parameters,
            data: rest.get(..data).unwrap_or(rest),
            error,
        })
    }
}

/// One item of a request to read or write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) area: u8,
    pub(super) block: u16,
    /// First byte.
    pub(super) first: u32,
    pub(super) count: u16,
}

/// The items of a request to read or write; `parameters` start after the function.
pub(super) fn items(parameters: &[u8]) -> Vec<Item> {
    let mut reader = Reader::new(parameters);
    let count = reader.u8().unwrap_or(0);
    let mut out = Vec::new();
    for _ in 0..count {
        // Specification 0x12, length, then the address in the given syntax.
        let Some([_, length]) = reader.array::<2>() else {
            break;
        };
        let Some(address) = reader.take(usize::from(length)) else {
            break;
        };
        out.push(item(address).unwrap_or_default());
    }
    out
}

/// An address in "any" syntax; others (symbolic) are no area.
fn item(address: &[u8]) -> Option<Item> {
    let mut reader = Reader::new(address);
    if reader.u8()? != 0x10 {
        return None;
    }
    reader.skip(1)?;
    let count = reader.u16_be()?;
    let block = reader.u16_be()?;
    let area = reader.u8()?;
    let bits = reader.u24_be()?;
    Some(Item {
        area,
        block: if matches!(area, 0x84 | 0x85) {
            block
        } else {
            0
        },
        first: bits / 8,
        count,
    })
}

/// The file that a download or upload names: at the end, after its length.
pub(super) fn file_name(parameters: &[u8]) -> Option<&[u8]> {
    // Function, status, two and four octets of no interest here.
    let mut reader = Reader::new(parameters);
    reader.skip(8)?;
    let length = usize::from(reader.u8()?);
    reader.take(length)
}

/// The service of a "PI service" job and its parameter.
pub(super) fn service(parameters: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(parameters);
    reader.skip(8)?;
    let length = usize::from(reader.u16_be()?);
    let argument = reader.take(length)?;
    let length = usize::from(reader.u8()?);
    Some((reader.take(length)?, argument))
}

/// Parameters of a message about the controller itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserData {
    pub(super) request: bool,
    pub(super) group: u8,
    pub(super) function: u8,
    /// More data units of this answer follow.
    pub(super) more: bool,
    pub(super) error: u16,
}

impl UserData {
    /// Reads the parameters.
    pub(super) fn read(parameters: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(parameters);
        if reader.array::<3>()? != [0, 1, 0x12] {
            return None;
        }
        reader.skip(2)?;
        let kind = reader.u8()?;
        let function = reader.u8()?;
        reader.skip(1)?;
        let (mut more, mut error) = (false, 0);
        if let Some([_, last]) = reader.array::<2>() {
            more = last != 0;
            error = reader.u16_be().unwrap_or(0);
        }
        Some(Self {
            request: kind >> 4 == 4,
            group: kind & 0x0f,
            function,
            more,
            error,
        })
    }
}
