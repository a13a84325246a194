//! Messages of protocols, made from nothing, and packets that are odd on purpose.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by test files, none of which uses all of it"
)]

use model::Nanos;
use vigie_wire::protocol::Side;
use vigie_wire::testing::{Talk, ethernet, ip4, tcp};

/// Frames with their times.
pub(crate) type Frames = Vec<(Nanos, Vec<u8>)>;

/// A request of HTTP.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: h.example\r\n\r\n").into_bytes()
}

/// An answer of HTTP without a body.
pub(crate) const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// A client hello that names a server, inside one record.
pub(crate) fn client_hello(name: &str) -> Vec<u8> {
    let name = name.as_bytes();
    let length = u8::try_from(name.len()).unwrap();
    let server_name = [&[0, 0, 0, length + 5, 0, length + 3, 0, 0, length], name].concat();
    let extensions = u8::try_from(server_name.len()).unwrap();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0, 0, 2, 0x13, 0x01, 1, 0, 0, extensions],
        &server_name,
    ]
    .concat();
    let handshake = [&[1, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat();
    record(22, &handshake)
}

/// A record of TLS.
pub(crate) fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, 1][..], &length, content].concat()
}

/// A message of HL7 in its MLLP frame.
pub(crate) fn mllp(message: &str) -> Vec<u8> {
    [b"\x0b", message.as_bytes(), b"\x1c\x0d"].concat()
}

/// An admission.
pub(crate) const ADT: &str = "MSH|^~\\&|APP|FAC|EAI|CHU|20260101||ADT^A01|C1|P|2.5\rPID|1||123\r";
/// Its acknowledgement.
pub(crate) const ACK: &str = "MSH|^~\\&|EAI|CHU|APP|FAC|20260101||ACK^A01|C2|P|2.5\rMSA|AA|C1\r";

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap().to_be_bytes()
}

/// A PDU of DICOM.
pub(crate) fn pdu(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 0][..], &length, content].concat()
}

fn item(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &short(content.len()), content].concat()
}

/// The request for an association, or its acceptance: verification, implicit little endian.
pub(crate) fn associate(kind: u8) -> Vec<u8> {
    let request = kind == 1;
    let syntax = item(0x40, b"1.2.840.10008.1.2");
    let context = if request {
        let what = item(0x30, b"1.2.840.10008.1.1");
        item(0x20, &[&[1, 0, 0, 0][..], &what, &syntax].concat())
    } else {
        item(0x21, &[&[1, 0, 0, 0][..], &syntax].concat())
    };
    let user = item(0x50, &item(0x51, &[0, 0, 0x40, 0]));
    let head = [
        &[0, 1, 0, 0][..],
        b"PACS            CT1             ",
        &[0; 32],
    ]
    .concat();
    let application = item(0x10, b"1.2.840.10008.3.1.1.1");
    pdu(kind, &[head, application, context, user].concat())
}

/// An element of a command: implicit little endian, group 0.
fn element(number: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap().to_le_bytes();
    [&[0, 0][..], &number.to_le_bytes(), &length, value].concat()
}

/// C-ECHO, asked or answered.
pub(crate) fn echo(answer: bool) -> Vec<u8> {
    let (field, id) = if answer {
        (0x8030u16, 0x0120)
    } else {
        (0x0030, 0x0110)
    };
    let mut elements = [
        element(0x0002, b"1.2.840.10008.1.1\0"),
        element(0x0100, &field.to_le_bytes()),
        element(id, &1u16.to_le_bytes()),
        element(0x0800, &0x0101u16.to_le_bytes()),
    ]
    .concat();
    if answer {
        elements.extend(element(0x0900, &0u16.to_le_bytes()));
    }
    let length = u32::try_from(elements.len()).unwrap().to_le_bytes();
    let command = [element(0, &length), elements].concat();
    let value = u32::try_from(command.len() + 2).unwrap().to_be_bytes();
    pdu(4, &[&value[..], &[1, 3], &command].concat())
}

/// A message of SMB 2 in its NetBIOS frame.
pub(crate) fn smb(command: u16, answer: bool, number: u64, body: &[u8]) -> Vec<u8> {
    let message = [
        &[0xfe, b'S', b'M', b'B', 64, 0, 0, 0, 0, 0, 0, 0][..],
        &command.to_le_bytes(),
        &[1, 0, u8::from(answer), 0, 0, 0, 0, 0, 0, 0],
        &number.to_le_bytes(),
        &[0; 32],
        body,
    ]
    .concat();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&length[..], &message].concat()
}

/// Negotiation of dialect 3.0.2 and a connection to a share, by both sides in turn.
pub(crate) fn smb_talk() -> Vec<(Side, Vec<u8>)> {
    let dialects = [
        &[36, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0][..],
        &[9; 24],
        &[0x02, 3],
    ]
    .concat();
    let chosen = [&[65, 0, 1, 0, 0x02, 3, 0, 0][..], &[5; 16], &[0; 40]].concat();
    let share: Vec<u8> = "\\\\srv\\images"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let length = u16::try_from(share.len()).unwrap().to_le_bytes();
    let tree = [&[9, 0, 0, 0, 72, 0][..], &length, &share].concat();
    let connected = [16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 1, 0x1f, 0];
    vec![
        (Side::Client, smb(0, false, 0, &dialects)),
        (Side::Server, smb(0, true, 0, &chosen)),
        (Side::Client, smb(3, false, 1, &tree)),
        (Side::Server, smb(3, true, 1, &connected)),
    ]
}

/// Frames of what two sides say in turn, cut into two segments at octet `cut` of the whole.
pub(crate) fn cut(port: u16, turns: &[(Side, Vec<u8>)], cut: usize) -> Frames {
    let mut talk = Talk::to_port(port).open();
    let mut at = 0;
    for (side, bytes) in turns {
        let here = cut.saturating_sub(at).min(bytes.len());
        for piece in [&bytes[..here], &bytes[here..]] {
            if !piece.is_empty() {
                talk = talk.say(*side, piece);
            }
        }
        at += bytes.len();
    }
    talk.close().frames
}

/// The same, one octet a segment.
pub(crate) fn crumbs(port: u16, turns: &[(Side, Vec<u8>)]) -> Frames {
    let mut talk = Talk::to_port(port).open();
    for (side, bytes) in turns {
        for octet in bytes {
            talk = talk.say(*side, &[*octet]);
        }
    }
    talk.close().frames
}

/// The whole said in as few segments as it takes.
pub(crate) fn whole(port: u16, turns: &[(Side, Vec<u8>)]) -> Frames {
    cut(port, turns, 0)
}

/// A request, then an answer.
pub(crate) fn turns(request: &[u8], answer: &[u8]) -> Vec<(Side, Vec<u8>)> {
    vec![
        (Side::Client, request.to_vec()),
        (Side::Server, answer.to_vec()),
    ]
}

/// The frames of a segment of the client, sent as fragments of these parts (octet ranges, in
/// this order; the octets of a part are its own, so that parts may disagree).
pub(crate) fn fragments(parts: &[(u16, bool, &[u8])]) -> Frames {
    let made = parts
        .iter()
        .enumerate()
        .map(|(number, (offset, more, bytes))| {
            let word = (offset / 8) | if *more { 0x2000 } else { 0 };
            let packet = ip4([10, 0, 0, 1], [10, 0, 0, 2], 6, word, bytes);
            let time = vigie_wire::testing::START.plus_ms(i64::try_from(number).unwrap());
            (
                time,
                ethernet([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], 0x0800, &packet),
            )
        });
    made.collect()
}

/// The client's first segment of a conversation that was picked up in its midst.
pub(crate) fn segment(payload: &[u8]) -> Vec<u8> {
    tcp((40_000, 80), 5, 5, 24, payload)
}
